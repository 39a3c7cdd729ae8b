"""Offline quotas: goods issued to a device beforehand, which it may ship with no network (I1, I6).

A quota is stock already issued. It ends by its time; what the device did not use comes back blocked
until somebody has counted it. What a device shipped is told by its log (domain.merge).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.errors import BadInputError

LONGEST = timedelta(days=7)
"""A quota is out of reach of a hold until it ends."""


@dataclass(frozen=True, slots=True)
class Granted:
    """How much of a quota is left, in base units."""

    granted: int
    used: int
    returned: int
    expires_at: datetime
    ended: bool = False

    @property
    def left(self) -> int:
        return 0 if self.ended else self.granted - self.used - self.returned


def check_grant(quantity: int, *, now: datetime, expires_at: datetime) -> None:
    """Raises BadInputError where a quota would have no goods, or no end in good time."""
    if quantity < 1:
        raise BadInputError(f"A quota of {quantity} units", mend="Grant at least 1")
    if expires_at <= now:
        raise BadInputError(
            f"The quota would end at {expires_at.isoformat()}, which is past",
            mend="Give a time to come",
        )
    if expires_at > now + LONGEST:
        raise BadInputError(
            f"The quota would end at {expires_at.isoformat()}: no hold reaches it until then",
            mend=f"Grant it for at most {LONGEST.days} days",
        )

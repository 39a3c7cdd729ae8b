"""What time an entry carries when the machine's clock cannot be trusted (I4).

Rules: time in a journal never runs backwards; a clock below the highest time already recorded
(the floor) is wrong by at least the difference, which is recorded as uncertainty; while it is
below, nothing may be accepted on expiry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time in microseconds since 1970 UTC. `trusted` is False below the floor."""

    at_us: int
    uncertainty_us: int
    trusted: bool

    @property
    def at(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self.at_us)


def to_us(at: datetime) -> int:
    """Whole microseconds since 1970, without going through a float."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def stamp(now_us: int, floor_us: int, *, base_uncertainty_us: int) -> Stamp:
    """The time to record when the clock shows `now_us` and `floor_us` was recorded before."""
    if now_us >= floor_us:
        return Stamp(now_us, base_uncertainty_us, trusted=True)
    return Stamp(floor_us, base_uncertainty_us + floor_us - now_us, trusted=False)

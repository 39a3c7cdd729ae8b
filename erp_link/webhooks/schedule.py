"""When a message is tried again, and when it is given up: for about three days, ever less often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_WAITS = tuple(
    timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
ATTEMPTS = len(_WAITS) + 1
_GONE = 410
_SPREAD = 10


class State(StrEnum):
    """A message waits, was taken, or was given up and shown to a person."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` is None where nobody answered; `error` says why in words."""

    status: int | None
    error: str = ""

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 -- HTTP

    @property
    def is_gone(self) -> bool:
        """The receiver wants no message of this webhook any more (HTTP 410)."""
        return self.status == _GONE

    @property
    def is_silence(self) -> bool:
        """Nobody there: the other messages of this webhook need not be tried now."""
        return self.status is None


@dataclass(frozen=True, slots=True)
class Next:
    state: State
    at: datetime | None


def next_try(attempts: int, answer: Answer, *, now: datetime, message: int) -> Next:
    """What follows after `attempts` tries, this one counted. The waits of messages are spread by
    up to a tenth, so that a receiver that comes back is not met by all at once.
    """
    if answer.is_taken:
        return Next(State.DELIVERED, None)
    if attempts >= ATTEMPTS or answer.is_gone:
        return Next(State.DEAD, None)
    wait = _WAITS[attempts - 1]
    return Next(State.WAITING, now + wait + wait * (message % _SPREAD) / (_SPREAD * 10))

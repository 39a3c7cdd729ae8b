"""In which order messages go out, and when one that could not go is tried again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from erp_link.domain.erp.messages import MessageKind

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=5)
_MOST_DOUBLINGS = 12


class State(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"
    """Refused: a person mends something and tries again, or says that it was done by hand."""
    SKIPPED = "skipped"
    """A person did it in the ERP, or said that the ERP need not know."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message as the queue sees it."""

    number: int
    kind: MessageKind
    state: State
    subjects: frozenset[str]


def wait(tries: int) -> timedelta:
    """How long to wait after so many failures in a row (from 1): doubled, five minutes at most.
    An ERP may be down for a day; nothing is given up for that.
    """
    doublings = min(max(tries - 1, 0), _MOST_DOUBLINGS)
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings))


def due(tried_at: datetime | None, tries: int, now: datetime) -> bool:
    """True where the wait after the last failure is over."""
    return tried_at is None or not tries or now >= tried_at + wait(tries)


def next_up(queue: Iterable[Queued]) -> Queued | None:
    """What goes out next. A stop overtakes everything: it depends on nothing, and I1 waits for it.
    The others keep their order for each subject: behind a dead message, what is about the same
    batch or order waits, and everything else goes on.
    """
    rows: Sequence[Queued] = sorted(queue, key=lambda row: row.number)
    for row in rows:
        if row.kind is MessageKind.STOP and row.state is State.WAITING:
            return row
    stuck: set[str] = set()
    for row in rows:
        if row.kind is MessageKind.STOP:
            continue
        if row.state is State.WAITING and stuck.isdisjoint(row.subjects):
            return row
        stuck |= row.subjects
    return None

"""Which entries of a device count: those that hang together from its first one (I4, I6).

- An entry whose predecessor has not come waits, and the device is told what is missing.
- Two entries under one number, or one that hangs on a history that nobody has, are the mark of two
  devices under one key. Both branches count as observations, since what a person saw is never
  refused; but from the first such number on the device's word lifts no hold.

The answer follows from the set of entries alone, whatever the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.device_log import GENESIS


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """An entry as a link of its chain."""

    seq: int
    entry_id: str
    previous: str


@dataclass(frozen=True, slots=True)
class Chain:
    """`hanging` is every entry that counts, in the order of its numbers; `expected` the lowest
    number that is missing; `suspects` the numbers that two histories have.
    """

    hanging: tuple[Link, ...]
    waiting: tuple[Link, ...]
    expected: int
    suspects: tuple[int, ...] = ()

    @property
    def suspect_from(self) -> int | None:
        """The first number that two histories have."""
        return min(self.suspects, default=None)


def admit(links: Iterable[Link], *, rooted: Iterable[Link] = ()) -> Chain:
    """Sort one device's links. `rooted` are links known to hang; with them the lower numbers need
    not be given again.
    """
    roots = {link.entry_id: link for link in rooted}
    every = sorted({*links, *roots.values()})
    known = {link.entry_id: link for link in every}
    hanging = dict(roots)
    for link in every:
        # In the order of their numbers, so one pass finds all that hang.
        parent = hanging.get(link.previous)
        first = link.previous == GENESIS and link.seq == 1
        if first or (parent is not None and parent.seq == link.seq - 1):
            hanging[link.entry_id] = link
    numbers = {link.seq for link in hanging.values()}
    expected = max(numbers, default=0) + 1
    return Chain(
        hanging=tuple(sorted(hanging.values())),
        waiting=tuple(link for link in every if link.entry_id not in hanging),
        expected=expected,
        suspects=tuple(sorted(set(_suspects(every, known)))),
    )


def _suspects(every: list[Link], known: dict[str, Link]) -> Iterable[int]:
    by_number: dict[int, Link] = {}
    for link in every:
        if link.seq in by_number:
            yield link.seq
        by_number.setdefault(link.seq, link)
    for link in every:
        parent = known.get(link.previous)
        if parent is not None:
            if parent.seq != link.seq - 1:
                yield link.seq
        elif (link.previous == GENESIS) != (link.seq == 1) or link.seq - 1 in by_number:
            yield link.seq

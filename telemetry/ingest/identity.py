"""Knowing a message that comes again, within bounded memory (I2).

A message has an identity where its template reads a sequence or the sensor's own time. It is known
again by device, sequence, time and values together: a device that was restarted counts from anew,
and its readings must not be taken for those of its last life.
"""

from __future__ import annotations

from collections.abc import Iterable

_BACK: int = 1024
"""So far below the newest a number may come late; farther is a device that counts from anew."""


class Memory:
    """Marks of one device's newest messages, and its newest sequence."""

    __slots__ = ("expected", "older", "recent")

    def __init__(self) -> None:
        self.recent: set[int] = set()
        self.older: set[int] = set()
        self.expected: int | None = None
        """The next sequence where none is left out; None before the first."""

    def __len__(self) -> int:
        return len(self.recent) + len(self.older)

    def knows(self, mark: int) -> bool:
        return mark in self.recent or mark in self.older

    def age(self) -> None:
        """The older half is forgotten."""
        self.older, self.recent = self.recent, set()


class Steps:
    """What sequences that are not the next say, added up over all devices."""

    __slots__ = ("gaps", "restarts")

    def __init__(self) -> None:
        self.gaps = 0
        self.restarts = 0

    def jumped(self, memory: Memory, sequence: int) -> None:
        """`sequence` came where `memory.expected` was due."""
        expected = memory.expected
        if expected is None:
            memory.expected = sequence + 1
        elif sequence > expected:
            self.gaps += sequence - expected
            memory.expected = sequence + 1
        elif sequence < expected - _BACK or sequence <= 1:
            self.restarts += 1
            memory.expected = sequence + 1
        elif self.gaps:
            self.gaps -= 1  # late, so not left out


def thin_out(memories: Iterable[Memory], most: int) -> int:
    """Forgets the oldest marks of those who have more than their share until all fit into about
    `most`; returns how many are left. The newest half of each is always kept.
    """
    every = list(memories)
    total = sum(map(len, every))
    share = most // max(len(every), 1)
    for memory in sorted(every, key=len, reverse=True):
        if total <= most or len(memory) <= share:
            break
        total -= len(memory.older)
        memory.age()
    return total

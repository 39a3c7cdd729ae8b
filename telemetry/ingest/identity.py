"""Knowing a message that comes again, within bounded memory (I2).

A message has an identity where its template reads a sequence or the sensor's own time. It is known
again by device, sequence, time and values together: a device that was restarted counts from anew,
and its readings must not be taken for those of its last life.

Nearly all messages come in order, and a number that is exactly the next one cannot be known yet. So
their marks are only put down in a list, and looked up in a set when one comes out of order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_BACK: Final = 1024
"""So far below the newest a number may come late; farther is a device that counts from anew."""
_NONE_DUE: Final = -1


class Memory:
    """What is remembered of one device under one template."""

    __slots__ = ("_index", "_indexed", "_next", "due", "marks", "newest_us")

    def __init__(self) -> None:
        self.marks: list[int] = []
        """Hash of each message's Measured, oldest first."""
        self.due = _NONE_DUE
        """The sequence that cannot be known yet; -1 where each must be looked up: nothing came so
        far, or the device has counted from anew and earlier numbers come again."""
        self.newest_us = 0
        """Newest time of a reading; what is older came late."""
        self._next: int | None = None
        self._index: set[int] = set()
        self._indexed = 0

    def knows(self, mark: int) -> bool:
        """Whether a message that was not due is there already."""
        if self._indexed < len(self.marks):
            self._index.update(self.marks[self._indexed :])
            self._indexed = len(self.marks)
        return mark in self._index

    def step(self, sequence: int, steps: Steps) -> None:
        """A new message whose number was not `due`."""
        if self.due != _NONE_DUE:
            self._next = self.due
        expected = self._next
        if expected is None or sequence >= expected:
            steps.gaps += sequence - expected if expected is not None else 0
            if expected is None or self.due != _NONE_DUE:
                self.due = sequence + 1
            self._next = sequence + 1
        elif sequence < expected - _BACK or sequence <= 1:
            steps.restarts += 1
            self._next, self.due = sequence + 1, _NONE_DUE
        elif steps.gaps:
            steps.gaps -= 1  # late, so not left out

    def forget(self, keep: int) -> None:
        """Only the newest `keep` messages stay known."""
        if len(self.marks) > keep:
            del self.marks[: len(self.marks) - keep]
            self._index.clear()
            self._indexed = 0


class Steps:
    """What sequences that are not the next say, added up over all devices."""

    __slots__ = ("gaps", "restarts")

    def __init__(self) -> None:
        self.gaps = 0
        self.restarts = 0


def thin_out(memories: Iterable[Memory], most: int) -> int:
    """Forgets the oldest messages of the devices that have most, until all fit into `most`; returns
    how many are left.

    A busy device may keep more than its share while others need less of theirs.
    """
    every = sorted(memories, key=lambda memory: len(memory.marks))
    total = sum(len(memory.marks) for memory in every)
    if total <= most:
        return total
    left = most
    for place, memory in enumerate(every):
        share = left // (len(every) - place)
        memory.forget(share)
        left -= len(memory.marks)
    return most - left

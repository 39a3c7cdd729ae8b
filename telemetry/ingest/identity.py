"""Knowing a message that comes again, within bounded memory (I2).

A message has an identity where its template reads a sequence or the sensor's own time. It is known
again by device, sequence, time and values together: a device that was restarted counts from anew,
and its readings must not be taken for those of its last life.

Without a time of its own, and with a counter that begins anew after 255 or 65,535, the same numbers
and values come again in all honesty: a door that is shut says so for days. There a message that
follows its predecessor is always new, and what is older than some ten minutes is not looked up.

Nearly all messages come in order, and a number that is exactly the next one cannot be known yet. So
their marks are only put down in a list, and looked up in a set when one comes out of order.
"""

from __future__ import annotations

from array import array
from typing import Final, Protocol

HORIZON_S: Final = 600.0
"""How often narrow counters without a time forget what is older than the last time."""
_BACK: Final = 1024
"""So far below the newest a number may come late; farther is a device that counts from anew."""
_NARROW: Final = 1 << 16
_TURNS: Final = frozenset({1 << 7, 1 << 8, 1 << 15, 1 << 16, 1 << 31, 1 << 32})
"""What would be next where a counter of so many bits begins anew."""
NONE_DUE: Final = -(1 << 63)
"""No number that is ever due: some say -1 for "not set"."""
_FARTHEST: Final = 1 << 62
"""Numbers beyond it are looked up each time: what follows them must fit into 64 bits."""
_FAR: Final = 1 << 24
"""So many numbers are not lost at once: the device counts from elsewhere (a join to a LoRaWAN gives
an address, and with it other numbers)."""


class Book(Protocol):
    """Where the numbers of all devices stand side by side (`Ledger`)."""

    due: array[int]

    def sort_in(self) -> None:
        """Every mark that waits is in its Memory."""
        ...


class Memory:
    """What is remembered of one device under one template: its row of the ledger, and its marks."""

    __slots__ = (
        "_anew",
        "_book",
        "_index",
        "_indexed",
        "_next",
        "_old",
        "marks",
        "row",
        "timed",
    )

    def __init__(self, book: Book, row: int) -> None:
        self._book, self.row = book, row
        self.marks: array[int] = array("q")
        """`mark_of` each message's Measured, about the oldest first."""
        self.timed = True
        """The device tells the time of its readings."""
        self._next: int | None = None
        self._anew = False
        self._index: set[int] = set()
        self._indexed = 0
        self._old = 0

    @property
    def due(self) -> int:
        """The sequence that cannot be known yet; none where each must be looked up: nothing came so
        far, or the device has counted from anew and earlier numbers come again.
        """
        return self._book.due[self.row]

    @due.setter
    def due(self, sequence: int) -> None:
        self._book.due[self.row] = sequence

    def admit(self, sequence: int | None, mark: int, steps: Steps, *, timed: bool) -> bool:
        """Whether a message whose number was not `due` is new; from now on it is known."""
        self.timed = timed
        due = self.due
        if due != NONE_DUE:
            self._next = due
        follows = sequence is not None and not timed and self._follows(sequence)
        if not follows and self.knows(mark):
            return False
        self.marks.append(mark)
        if sequence is not None:
            self._step(sequence, steps)
        return True

    def knows(self, mark: int) -> bool:
        self._book.sort_in()
        if self._indexed < len(self.marks):
            self._index.update(self.marks[self._indexed :])
            self._indexed = len(self.marks)
        return mark in self._index

    def _follows(self, sequence: int) -> bool:
        """The next number, or the first one after the last of a counter."""
        return sequence == self._next or (sequence <= 1 and self._next in _TURNS)

    def _step(self, sequence: int, steps: Steps) -> None:
        expected = self._next
        if expected is None:
            pass
        elif sequence >= expected:
            left_out = sequence - expected
            if left_out < _FAR:
                steps.gaps += left_out
            else:
                steps.restarts += 1
        elif sequence > 1 and sequence >= expected - _BACK:
            steps.gaps -= min(steps.gaps, 1)  # late, so not left out
            return
        else:
            steps.restarts += expected not in _TURNS
            self._anew = True
        self._next = sequence + 1
        sure = abs(sequence) < _FARTHEST and not (self._anew and self.timed)
        self.due = sequence + 1 if sure else NONE_DUE

    def grow_old(self) -> None:
        """Every `HORIZON_S`: a narrow counter without a time forgets what was known before the last
        call.
        """
        newest = self._next if self.due == NONE_DUE else self.due
        if self.timed or newest is None or newest > _NARROW:
            return
        self._drop(self._old)
        self._old = len(self.marks)

    def forget(self, keep: int) -> None:
        """Only the newest `keep` messages stay known."""
        self._drop(len(self.marks) - keep)

    def _drop(self, count: int) -> None:
        if count > 0:
            del self.marks[:count]
            self._old = max(self._old - count, 0)
            self._index.clear()
            self._indexed = 0


class Steps:
    """What sequences that are not the next say, added up over all devices."""

    __slots__ = ("gaps", "restarts")

    def __init__(self) -> None:
        self.gaps = 0
        self.restarts = 0


def mark_of(said: object, *, numbered: bool) -> int:
    """What a message is known by, for this process. Python's hash is the same for -1 and -2: where no
    number tells two messages of one second apart, the values must.
    """
    return hash(said) if numbered else hash(repr(said))

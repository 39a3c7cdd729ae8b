"""Of all devices side by side: the sequence that is due, the newest time, the marks of what is known.

In arrays and not in one object a device: a thousand objects do not fit where a processor looks first,
and many readings at once can be compared with many devices at once.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from telemetry.ingest.identity import NONE_DUE, Memory

Numbers = npt.NDArray[np.int64]
_MOST_WAITING: Final = 100_000


class Ledger:
    """One row a device under one template. Grows only; views of the arrays must not outlive a call."""

    def __init__(self) -> None:
        self.due: array[int] = array("q")
        """The sequence that cannot be known yet; see `Memory.due`."""
        self.newest_us: array[int] = array("q")
        """Newest time of a reading; what is older came late."""
        self.memories: list[Memory] = []
        self._waiting: list[tuple[Numbers, Numbers]] = []
        self._many = 0

    def open(self, newest_us: int = 0) -> Memory:
        """One device more."""
        memory = Memory(self, len(self.memories))
        self.due.append(NONE_DUE)
        self.newest_us.append(newest_us)
        self.memories.append(memory)
        return memory

    def turn_back(self, now_us: int) -> None:
        """Nothing was measured later than now."""
        self.newest_us[:] = array("q", (min(at_us, now_us) for at_us in self.newest_us))

    def put_down(self, rows: Numbers, marks: Numbers) -> None:
        """Marks of messages, `marks[n]` of the device in `rows[n]`; in its Memory after `sort_in`."""
        self._waiting.append((rows, marks))
        self._many += len(marks)
        if self._many > _MOST_WAITING:
            self.sort_in()

    def sort_in(self) -> None:
        """Every mark to its device: before anybody asks whether a message is known."""
        if not self._waiting:
            return
        rows = np.concatenate([rows for rows, _ in self._waiting])
        marks = np.concatenate([marks for _, marks in self._waiting])
        self._waiting.clear()
        self._many = 0
        order = np.argsort(rows, kind="stable")
        rows, marks = rows[order], marks[order]
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        ends = [*starts[1:].tolist(), len(rows)]
        for row, start, end in zip(rows[starts].tolist(), starts.tolist(), ends, strict=True):
            self.memories[row].marks.frombytes(marks[start:end].tobytes())


def thin_out(memories: Iterable[Memory], most: int) -> int:
    """Forgets the oldest messages of the devices that have most, until all fit into `most`; returns
    how many are left.

    A busy device may keep more than its share while others need less of theirs.
    """
    every: Sequence[Memory] = sorted(memories, key=lambda memory: len(memory.marks))
    total = sum(len(memory.marks) for memory in every)
    if total <= most:
        return total
    left = most
    for place, memory in enumerate(every):
        memory.forget(left // (len(every) - place))
        left -= len(memory.marks)
    return most - left

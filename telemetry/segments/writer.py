"""Groups onto disk: one write and one sync for all that is waiting, then the mark moves."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from telemetry.segments.files import (
    HEADER,
    DurableMark,
    Position,
    numbers_in,
    path_of,
    sync_folder,
)
from telemetry.segments.groups import (
    QUARANTINE_MAGIC,
    Message,
    Quarantined,
    encode_items,
    frame,
)
from telemetry.segments.reading import durable_end

_MOST_PARTS: Final = 512
"""Buffers in one write; Linux takes 1,024."""


class SegmentWriter:
    """The only writer of a folder.

    `append` collects, `commit` writes and syncs; never both at once. After an error of `commit`
    nothing of it counts as written: the file is abandoned at its durable end, because a kernel
    that failed to sync may call pages clean that are not on disk, and the next `commit` tries
    the same groups again in a new file.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = 128 << 20) -> None:
        """Opens, repairs a torn tail, syncs what a killed writer had written but not synced."""
        self._folder = folder
        self._limit = segment_bytes
        self._waiting: list[bytes] = []
        self._handle: int | None = None
        self._uncut: Position | None = None
        """Where a file that was abandoned must end before anything is written behind it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._mark = DurableMark(folder, writable=True)
        self.position = self._recover()
        self.sync_s = 0.0
        """What the last write and sync took, seconds."""

    def append(self, received_us: int, messages: Sequence[Message]) -> None:
        """One group, not yet on disk. `received_us`: microseconds since 1970."""
        self.append_framed(frame([encode_items(messages)], [len(messages)], received_us))

    def quarantine(self, received_us: int, items: Sequence[Quarantined]) -> None:
        """One group of what was not understood, not yet on disk."""
        piece = encode_items(items)
        self.append_framed(frame([piece], [len(items)], received_us, QUARANTINE_MAGIC))

    def append_framed(self, group: bytes) -> None:
        """One group as `groups.frame` made it."""
        self._waiting.append(group)

    def commit(self) -> Position:
        """Everything appended is on disk when this returns. Blocking: call it in a thread.

        Raises OSError (no space, quota, a broken disk): nothing was taken, the groups wait for the
        next call.
        """
        if not self._waiting:
            return self.position
        began = time.perf_counter()
        try:
            handle = self._open()
            written = _write_all(handle, self._waiting)
        except OSError:
            self._abandon()
            raise
        self.position = Position(self.position.segment, self.position.offset + written)
        self._waiting.clear()
        self._mark.set(self.position)
        self.sync_s = time.perf_counter() - began
        return self.position

    def close(self) -> None:
        """What is not committed is not kept."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        self._mark.close()

    def _open(self) -> int:
        if self._handle is not None and self.position.offset < self._limit:
            return self._handle
        self._cut()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
            self.position = Position(self.position.segment + 1, 0)
        path = path_of(self._folder, self.position.segment)
        # With O_DSYNC the write itself returns when the data is on disk: the work of fdatasync
        # without a second wait for the interpreter's lock.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_DSYNC, 0o600)
        self._handle = handle
        if self.position.offset == 0:
            os.ftruncate(handle, 0)
            written = _write_all(handle, [HEADER])
            sync_folder(self._folder)
            self.position = Position(self.position.segment, written)
        return handle

    def _abandon(self) -> None:
        segment, offset = self.position
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        if offset > len(HEADER):
            self._uncut = self.position
            self.position = Position(segment + 1, 0)
            return
        # Nothing is in it: the next try takes the same number, or a full disk would fill the folder
        # with empty files.
        with contextlib.suppress(OSError):
            path_of(self._folder, segment).unlink(missing_ok=True)
        self.position = Position(segment, 0)

    def _cut(self) -> None:
        """What was written of a commit that failed goes, for certain: with the next file readers go
        to the end of this one, and would have it twice. Raises OSError.
        """
        if self._uncut is None:
            return
        path = path_of(self._folder, self._uncut.segment)
        if path.exists():
            handle = os.open(path, os.O_WRONLY)
            try:
                os.ftruncate(handle, self._uncut.offset)
                os.fsync(handle)
            finally:
                os.close(handle)
        self._uncut = None

    def _recover(self) -> Position:
        numbers = numbers_in(self._folder)
        marked = self._mark.get()
        if not numbers or numbers[-1] < marked.segment:
            # Numbers never go back, also when somebody removed the newest: readers would pass over
            # what is written under numbers that they have seen.
            return Position(marked.segment + 1, 0)
        last = numbers[-1]
        path = path_of(self._folder, last)
        end = durable_end(path, marked.offset if marked.segment == last else 0)
        handle = os.open(path, os.O_RDWR)
        try:
            os.ftruncate(handle, end)
            os.fsync(handle)
        finally:
            os.close(handle)
        position = Position(last, end)
        if position < marked:
            # Somebody cut it short; readers have seen positions behind this one.
            position = Position(last + 1, 0)
        self._mark.set(position)
        return position


def _write_all(handle: int, parts: Sequence[bytes]) -> int:
    """Bytes written: all of them. Raises OSError."""
    total = 0
    for first in range(0, len(parts), _MOST_PARTS):
        some: Sequence[bytes | memoryview] = parts[first : first + _MOST_PARTS]
        size = sum(map(len, some))
        written = os.writev(handle, some)
        while written < size:
            rest = memoryview(b"".join(some))[written:]
            written += os.write(handle, rest)
        total += size
    return total

"""Where segments lie, how they are numbered, and how far they are on disk for certain."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, Self

SUFFIX: Final = ".segment"
HEADER: Final = b"tallyman segment 1\n\n\n\n\n\n"
"""24 bytes: readable in any editor, and the version of what follows."""


class Position(NamedTuple):
    """The place after a group. Positions of one folder are totally ordered."""

    segment: int
    offset: int


START: Final = Position(0, 0)


def path_of(folder: Path, segment: int) -> Path:
    return folder / f"{segment:010d}{SUFFIX}"


def numbers_in(folder: Path) -> list[int]:
    """Numbers of the segments in a folder, ascending; empty where the folder is not there yet."""
    if not folder.is_dir():
        return []
    return sorted(int(path.stem) for path in folder.glob(f"[0-9]*{SUFFIX}"))


class DurableMark:
    """How far the segments are synced, in eight bytes that writer and readers map.

    Read through the page cache it survives a kill of the writer; after a loss of power it may be
    older than the truth, never newer, because it is set after the sync. So readers never give out
    what a power cut could take back (I2).
    """

    _BITS = 32

    def __init__(self, folder: Path, *, writable: bool = False) -> None:
        """Raises FileNotFoundError for a reader whose writer has never been there."""
        path = folder / "durable"
        if writable and (not path.exists() or path.stat().st_size != mmap.PAGESIZE):
            path.write_bytes(bytes(mmap.PAGESIZE))
        handle = os.open(path, os.O_RDWR if writable else os.O_RDONLY)
        try:
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            self._map = mmap.mmap(handle, mmap.PAGESIZE, access=access)
        finally:
            os.close(handle)
        self._view = memoryview(self._map).cast("Q")

    def get(self) -> Position:
        # One aligned word is copied at once: no reader sees half of it.
        value = self._view[0]
        return Position(value >> self._BITS, value & (1 << self._BITS) - 1)

    def set(self, position: Position) -> None:
        self._view[0] = position.segment << self._BITS | position.offset

    def close(self) -> None:
        self._view.release()
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def sync_folder(folder: Path) -> None:
    """A new or removed name is on disk only once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def segments_from(folder: Path, after: Position | None) -> Iterator[tuple[int, int]]:
    """(segment, offset to start at) of everything after a position, in order."""
    start = after or START
    for number in numbers_in(folder):
        if number >= start.segment:
            yield number, start.offset if number == start.segment and start.offset else len(HEADER)

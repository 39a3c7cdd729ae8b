"""Reading segments back: what is durable, in order, group by group."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from telemetry.segments.files import (
    HEADER,
    START,
    DurableMark,
    Position,
    path_of,
    segments_from,
)
from telemetry.segments.groups import (
    HEAD,
    MAGIC,
    QUARANTINE_MAGIC,
    BadSegmentError,
    Group,
    Quarantined,
    decode_messages,
    decode_quarantined,
    is_whole,
    read_head,
)

_FIRST_PAUSE_S: Final = 0.002
_LONGEST_PAUSE_S: Final = 0.025
_LOOK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that no longer are what was written: a disk that forgets."""

    segment: int
    offset: int
    """Where the damage starts."""
    length: int


OnDamage = Callable[[Damage], None]


def raise_damage(damage: Damage) -> None:
    """What readers do that were not told better. Raises BadSegmentError."""
    raise BadSegmentError(
        f"segment {damage.segment} is damaged at byte {damage.offset} ({damage.length} bytes)",
        mend="Copy the folder, check the disk, and start the gateway again: it goes on after it",
        segment=damage.segment,
        offset=damage.offset,
    )


def read_groups(
    folder: Path, after: Position | None = None, *, on_damage: OnDamage = raise_damage
) -> Iterator[Group]:
    """Groups after a position up to the durable end; a torn tail is not an error.

    A position in a segment that retention has taken starts at the oldest one kept. Raises what
    `on_damage` raises; where it returns, reading goes on behind the damage.
    """
    for position, received_us, body in _bodies(folder, after, MAGIC, on_damage):
        yield Group(position, received_us, decode_messages(body))


def read_quarantine(
    folder: Path, after: Position | None = None, *, on_damage: OnDamage = raise_damage
) -> Iterator[tuple[Position, int, list[Quarantined]]]:
    """(position after the group, received_us, items) of a quarantine's folder."""
    for position, received_us, body in _bodies(folder, after, QUARANTINE_MAGIC, on_damage):
        yield position, received_us, decode_quarantined(body)


class SegmentFollower:
    """Reads on as the writer goes on, in another process too; never past what was synced."""

    def __init__(self, folder: Path, *, on_damage: OnDamage = raise_damage) -> None:
        self._folder = folder
        self._on_damage = on_damage

    async def groups(self, after: Position | None = None) -> AsyncIterator[Group]:
        """Groups after a position, for ever; ends when cancelled.

        Looks at the durable mark 500 times a second while there is work and 40 times when idle.
        """
        at = after or START
        pause = _FIRST_PAUSE_S
        while True:
            before = at
            for group in read_groups(self._folder, at, on_damage=self._on_damage):
                at = group.position
                yield group
            pause = _FIRST_PAUSE_S if at != before else min(2 * pause, _LONGEST_PAUSE_S)
            await self._moved(at, pause)

    async def _moved(self, at: Position, pause: float) -> None:
        """Returns when the durable mark is behind no longer: at once where it has moved on."""
        while (end := durable_position(self._folder)) is None or end <= at:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)


def durable_position(folder: Path) -> Position | None:
    """How far a folder is on disk for certain; None where nothing was ever written."""
    try:
        with DurableMark(folder) as mark:
            position = mark.get()
    except (FileNotFoundError, ValueError):
        return None
    return position if position != START else None


def durable_end(path: Path, known: int) -> int:
    """Offset after the last whole group of one file, looking from a known good offset on.

    0 where not even the file's header is whole; from the beginning where the file is shorter.
    """
    with path.open("rb") as file:
        if file.read(len(HEADER)) != HEADER:
            return 0
        at = max(known, len(HEADER)) if known <= file.seek(0, 2) else len(HEADER)
        file.seek(at)
        while (found := _next(file)) is not None:
            at += HEAD + len(found[2])
        return at


def _bodies(
    folder: Path, after: Position | None, magic: bytes, on_damage: OnDamage
) -> Iterator[tuple[Position, int, bytes]]:
    end = durable_position(folder)
    if end is None:
        return
    for segment, start in segments_from(folder, after):
        if segment > end.segment:
            return
        try:
            file = path_of(folder, segment).open("rb")
        except FileNotFoundError:
            continue  # retention was faster
        with file:
            stop = end.offset if segment == end.segment else file.seek(0, 2)
            at = start
            while at < stop:
                file.seek(at)
                found = _next(file)
                if found is None or at + HEAD + len(found[2]) > stop:
                    at = _behind_damage(file, segment, at, stop, on_damage)
                    continue
                kind, received_us, body = found
                at += HEAD + len(body)
                if kind == magic:
                    yield Position(segment, at), received_us, body


def _next(file: BinaryIO) -> tuple[bytes, int, bytes] | None:
    """(magic, received_us, body) of the group that starts here, or None where none is whole."""
    head = read_head(file.read(HEAD))
    if head is None:
        return None
    magic, length, count, received_us, crc = head
    body = file.read(length)
    if len(body) < length or not is_whole(body, count, received_us, crc):
        return None
    return magic, received_us, body


def _behind_damage(file: BinaryIO, segment: int, at: int, stop: int, on_damage: OnDamage) -> int:
    """Offset of the next whole group, or `stop`; the gap is reported."""
    look = at + 1
    while look < stop:
        file.seek(look)
        data = file.read(min(_LOOK_BYTES, stop - look))
        found = min((i for m in (MAGIC, QUARANTINE_MAGIC) if (i := data.find(m)) >= 0), default=-1)
        if found < 0:
            look += max(len(data) - len(MAGIC) + 1, 1)
            continue
        file.seek(look + found)
        if _next(file) is not None:
            on_damage(Damage(segment, at, look + found - at))
            return look + found
        look += found + 1
    on_damage(Damage(segment, at, stop - at))
    return stop

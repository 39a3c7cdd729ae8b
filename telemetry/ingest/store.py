"""The blocking half of the ingest: segments, quarantine, checkpoints. One thread calls it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from contracts.telemetry import AlarmChanged
from telemetry.ingest.batch import Batch
from telemetry.ingest.checkpoint import Checkpoint, CheckpointFile
from telemetry.ingest.limits import Limits
from telemetry.segments.files import START, Position, numbers_in, path_of
from telemetry.segments.groups import Group
from telemetry.segments.reading import OnDamage, raise_damage, read_groups
from telemetry.segments.retention import Retention
from telemetry.segments.writer import SegmentWriter

HOLDER = "gateway"
"""Under this name the ingest holds the segments that it would go through again."""


class Store:
    """Folder of a gateway: `readings/`, `quarantine/`, `rules`."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """Repairs what a kill left. Raises OSError."""
        self._limits = limits
        self.readings = folder / "readings"
        self.aside = folder / "quarantine"
        self._writer = SegmentWriter(self.readings, segment_bytes=limits.segment_bytes)
        self._quarantine = SegmentWriter(
            self.aside, segment_bytes=max(limits.quarantine_bytes // 8, 1 << 16)
        )
        self._checkpoints = CheckpointFile(folder / "rules")
        self._aside_segment = 0

    @property
    def position(self) -> Position:
        return self._writer.position

    @property
    def sync_s(self) -> float:
        """The newest write and sync."""
        return self._writer.sync_s

    def write(self, batch: Batch) -> Position:
        """Both folders on disk. Raises OSError, also where only the spare part of the disk is left;
        then call it again with the same batch.

        A group leaves the batch when it is in a writer's hands, so a second try writes it once.
        """
        if self._limits.spare_bytes and free_bytes(self.readings) < self._limits.spare_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        for group in batch.groups:
            self._writer.append_framed(group)
        batch.groups.clear()
        for group in batch.quarantine:
            self._quarantine.append_framed(group)
        batch.quarantine.clear()
        # What is set aside first: after a failure behind it the same batch may set it aside twice,
        # which a page shows twice; a reading would count twice.
        end = self._quarantine.commit()
        if end.segment != self._aside_segment:
            self._aside_segment = end.segment
            Retention(self.aside).keep_newest(self._limits.quarantine_bytes)
        return self._writer.commit()

    def checkpoint(self, state: bytes, version: str, untold: tuple[AlarmChanged, ...]) -> None:
        """State of the rules after everything written so far. Raises OSError."""
        position = self._writer.position
        self._checkpoints.write(Checkpoint(position, version, state, untold))
        Retention(self.readings).hold(HOLDER, self._rebuild_from(position))

    def last_checkpoint(self) -> Checkpoint | None:
        return self._checkpoints.read()

    def newest_groups(
        self, after: Position | None, on_damage: OnDamage = raise_damage
    ) -> Iterator[Group]:
        """From the part that is read to know messages again, or from `after` if that is earlier."""
        start = self._rebuild_from(self._writer.position)
        return read_groups(self.readings, min(start, after) if after else None, on_damage=on_damage)

    def close(self) -> None:
        self._writer.close()
        self._quarantine.close()

    def _rebuild_from(self, position: Position) -> Position:
        """Start of the first segment that belongs to the newest `rebuild_bytes`."""
        size = position.offset
        first = position.segment
        for number in reversed(numbers_in(self.readings)):
            if number >= position.segment:
                continue
            if size >= self._limits.rebuild_bytes:
                break
            size += path_of(self.readings, number).stat().st_size
            first = number
        return Position(first, 0) if first else START


def free_bytes(folder: Path) -> int:
    """What this user may still write on the disk of a folder."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize

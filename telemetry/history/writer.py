"""From segments into Parquet, each message exactly once (I2).

Groups are taken in order. A flush writes what they held as files, syncs them, and names them in the
manifest together with the position after the last group: killed before, the groups are read again
and the files that nobody named are removed; killed after, reading goes on behind them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from contracts.clock import Clock
from telemetry.describing.catalogue import Catalogue
from telemetry.history.buffer import Buffer, Columns, LeftOver, joined, newest
from telemetry.history.files import PartFiles, connect
from telemetry.history.levels import DAY_US, Level
from telemetry.history.manifest import UNDECODED, Last, Line, Manifest, Part, Standing
from telemetry.segments import Group, Position

if TYPE_CHECKING:
    import duckdb

READINGS: Final = "readings"
"""Count of readings in history since its beginning."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one flush stores: everything up to `position`."""

    columns: tuple[Columns, ...]
    left: tuple[LeftOver, ...]
    position: Position
    catalogue: str
    """Version that the first of it was decoded with."""


class HistoryWriter:
    """The one writer of a history folder.

    `take`, `fresh` and `seal` belong to one thread, `store` and `read_again` may run in another;
    the manifest's lock lies between them.
    """

    def __init__(self, folder: Path, clock: Clock, *, memory_mb: int = 256) -> None:
        """Opens or makes the history, and removes files that no commit named."""
        self.manifest = Manifest.open(folder)
        self.connection: duckdb.DuckDBPyConnection = connect(folder, memory_mb=memory_mb)
        self.files = PartFiles(folder, self.connection)
        self.clock = clock
        self._lock = threading.RLock()
        self._lines = {(line.key, line.unit): line for line in self.manifest.lines()}
        self._by_id = {line.id: line for line in self._lines.values()}
        self._standing = {number: self.manifest.standings(number)[-1:] for number in self._by_id}
        self._told: list[tuple[Line, Standing]] = []
        self._buffer = Buffer(self._line_of)
        self._chunks: list[Columns] = []
        self._left: list[LeftOver] = []
        self._position: Position | None = None
        self._catalogue = ""
        self.readings = 0
        """Taken in and not sealed yet."""
        self.files.remove(sorted(self.files.found() - self.manifest.names()))

    @property
    def position(self) -> Position | None:
        """Up to where history is on disk; None: nothing yet."""
        return self.manifest.position()

    def line(self, number: int) -> Line:
        """What a number in Columns.series stands for."""
        return self._by_id[number]

    def close(self) -> None:
        self.connection.close()
        self.manifest.close()

    def locked(self) -> AbstractContextManager[object]:
        """Around changes of the manifest by others than this writer."""
        return self._lock

    def take(self, catalogue: Catalogue, group: Group) -> None:
        """Decode one group. What cannot be decoded is left over, never lost."""
        self._buffer.take(catalogue, group.messages, group.received_us)
        if self._position is None:
            self._catalogue = catalogue.version
        self._position = group.position

    def fresh(self) -> Columns:
        """The readings since the last call, for who shows them while they wait for the flush."""
        columns, left = self._buffer.drain()
        self._left += left
        if len(columns.series):
            self._chunks.append(columns)
            self.readings += len(columns.series)
        return columns

    def seal(self) -> Batch | None:
        """What is to be stored now; None where no group came since."""
        self.fresh()
        if self._position is None:
            return None
        batch = Batch(tuple(self._chunks), tuple(self._left), self._position, self._catalogue)
        self._chunks, self._left, self._position, self.readings = [], [], None, 0
        return batch

    def store(self, batch: Batch) -> int:
        """Write and commit; answers how many readings. Raises OSError or duckdb.Error when the
        disk refuses: nothing has changed then, and the same batch may be stored later.
        """
        columns = joined(batch.columns)
        with self._committed(columns, batch.left):
            self.manifest.set_position(batch.position)
            if batch.left and self.manifest.catalogue() != batch.catalogue:
                # Tried with other templates than what was left over before: all is tried anew.
                self.manifest.set_catalogue("")
        return len(columns.series)

    def waits_for(self, catalogue: Catalogue) -> bool:
        """Whether something was left over that these templates have not been tried on."""
        if self.manifest.catalogue() == catalogue.version:
            return False
        return bool(self.manifest.parts(UNDECODED))

    def read_again(self, catalogue: Catalogue) -> int:
        """Decode what was left over, with the templates of today; answers how many were readable.

        Exactly once: the files of what was left over are replaced in the same commit.
        """
        with self._lock:
            old = self.manifest.parts(UNDECODED)
        before = [each for part in old for each in self._leftovers(part)]
        buffer = Buffer(self._line_of)
        for each in before:
            buffer.take(catalogue, [(each.address, each.payload)], each.received_us)
        columns, left = buffer.drain()
        with self._committed(columns, left):
            self.manifest.drop_parts(part.name for part in old)
            for each in before:
                self.manifest.count(f"{UNDECODED}.{each.code}", -1)
            self.manifest.set_catalogue(catalogue.version)
        self.files.remove([part.name for part in old])
        return len(before) - len(left)

    @contextmanager
    def _committed(self, columns: Columns, left: Sequence[LeftOver]) -> Iterator[None]:
        """Files of readings, named in one commit with what the caller changes beside."""
        parts: list[Part] = []
        try:
            self._write(columns, left, parts)
            with self._lock:
                with self.manifest.change():
                    self._name(parts, columns, left)
                    yield
                self._told.clear()
        except BaseException:
            self.files.remove([part.name for part in parts])
            raise

    def _name(self, parts: list[Part], columns: Columns, left: Sequence[LeftOver]) -> None:
        self.manifest.add_lines(self._told)
        self.manifest.add_parts(parts)
        ends = newest(columns)
        self.manifest.set_last(
            Last(*row) for row in zip(*(column.tolist() for column in ends), strict=True)
        )
        self.manifest.count(READINGS, len(columns.series))
        for each in left:
            self.manifest.count(f"{UNDECODED}.{each.code}", 1)

    def _write(self, columns: Columns, left: Sequence[LeftOver], made: list[Part]) -> None:
        """`made` holds what was written, also when the disk refuses half-way."""
        now_us = self._now_us()
        for day, of_day in columns.sorted().by_day():
            made.append(self.files.write(Level.RAW, day, of_day._asdict(), now_us))
        by_day: dict[int, list[LeftOver]] = {}
        for each in left:
            by_day.setdefault(each.received_us // DAY_US, []).append(each)
        for day, rows in by_day.items():
            made.append(self.files.write(UNDECODED, day, _table(rows), now_us))

    def _leftovers(self, part: Part) -> list[LeftOver]:
        rows = self.connection.cursor().execute(
            "SELECT at_us, address, payload, code, detail FROM read_parquet(?)",
            [self.files.path(part.name)],
        )
        return [LeftOver(*row) for row in rows.fetchall()]

    def _line_of(self, catalogue: Catalogue, number: int, used_us: int) -> int:
        """Numbers are given out here, in one writer's memory, and written with the next commit."""
        series = catalogue.series[number]
        with self._lock:
            line = self._lines.get((series.key, series.unit))
            if line is None:
                line = Line(max(self._by_id, default=0) + 1, series.key, series.unit)
                self._lines[series.key, series.unit] = line
                self._by_id[line.id] = line
            known = self._standing.setdefault(line.id, [])
            # What is told first holds for whatever was measured before, too.
            now = Standing(used_us if known else 0, series.place, series.calibration)
            if not known or replace(known[-1], since_us=now.since_us) != now:
                self._standing[line.id] = [now]
                self._told.append((line, now))
        return line.id

    def _now_us(self) -> int:
        return int(self.clock.now().timestamp() * 1_000_000)


def _table(rows: list[LeftOver]) -> dict[str, npt.NDArray[Any]]:
    def column(values: list[Any]) -> npt.NDArray[Any]:
        made = np.empty(len(values), object)
        made[:] = values
        return made

    return {
        "at_us": np.array([row.received_us for row in rows], np.int64),
        "address": column([row.address for row in rows]),
        "payload": column([row.payload for row in rows]),
        "code": column([row.code for row in rows]),
        "detail": column([row.detail for row in rows]),
    }

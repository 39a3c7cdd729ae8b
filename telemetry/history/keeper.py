"""Keeps the files of a history few, rolled up, and no older than the site wants (I2).

Every job writes its new files first and exchanges them for the old ones in one commit of the
manifest. The old files go a while later: who was asking meanwhile still holds them open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from telemetry.history.files import added_up, rolled_up
from telemetry.history.levels import DAY_US, ROLLUPS, SECOND_US, Keeping, Level
from telemetry.history.manifest import Part
from telemetry.history.tending import Drop, Job, Join, RollUp, Thin, due
from telemetry.history.writer import HistoryWriter

LINGER_US: Final = 120 * SECOND_US
"""How long a replaced file stays for those who are reading it."""
_SORTED: Final = "SELECT * FROM ({}) ORDER BY series, at_us"


class Keeper:
    """Works on a writer's history, in a thread beside it."""

    def __init__(self, writer: HistoryWriter, keeping: Keeping) -> None:
        self._writer = writer
        self._keeping = keeping
        self._gone: list[tuple[int, list[str]]] = []

    def step(self) -> Job | None:
        """Do the most urgent job; None where there is none. Raises OSError or duckdb.Error when
        the disk refuses: the history is then as it was.
        """
        now_us = int(self._writer.clock.now().timestamp() * 1_000_000)
        self._remove(now_us)
        with self._writer.locked():
            parts = {level: self._writer.manifest.parts(level) for level in Level}
        job = next(iter(due(parts, now_us, self._keeping)), None)
        match job:
            case Join(day, old):
                self._exchange(old, [self._joined(day, old, now_us)], now_us)
            case RollUp(day, old):
                self._exchange([], self._roll_up(day, old, now_us), now_us, rolled=old)
            case Thin(day, old, keep):
                self._exchange(old, [self._thinned(day, old, now_us)] if keep else [], now_us)
            case Drop(old):
                self._exchange(old, [], now_us)
            case None:
                pass
        return job

    def _joined(self, day: int, old: Sequence[Part], now_us: int) -> Part:
        files = self._writer.files
        part = files.write_rows(
            Level.RAW,
            day,
            _SORTED.format("SELECT * FROM read_parquet($files)"),
            now_us,
            {"files": files.paths(old)},
        )
        return _as(part, rolled=old[0].rolled)

    def _roll_up(self, day: int, old: Sequence[Part], now_us: int) -> list[Part]:
        """The day's minutes, and with them the hours of its month."""
        readings = {"files": self._writer.files.paths(old)}
        minutes = rolled_up(Level.MINUTE, source="read_parquet($files)")
        hours = rolled_up(Level.HOUR, source="read_parquet($files)")
        return [
            self._added(Level.MINUTE, day, minutes, readings, now_us),
            self._added(Level.HOUR, month_of(day), hours, readings, now_us),
        ]

    def _thinned(self, day: int, old: Sequence[Part], now_us: int) -> Part:
        readings = {"files": self._writer.files.paths(old)}
        seconds = rolled_up(Level.SECOND, source="read_parquet($files)")
        return self._added(Level.SECOND, day, seconds, readings, now_us)

    def _added(
        self, level: Level, day: int, sql: str, readings: dict[str, list[str]], now_us: int
    ) -> Part:
        """What `sql` answers, together with what the level has of this day."""
        old = self._same(level, day)
        values: dict[str, object] = dict(readings)
        if old:
            values["kept"] = self._writer.files.paths(old)
            sql = added_up(level, source=f"({sql} UNION ALL FROM read_parquet($kept))")
        return self._writer.files.write_rows(level, day, _SORTED.format(sql), now_us, values)

    def _same(self, level: Level, day: int) -> list[Part]:
        with self._writer.locked():
            return [part for part in self._writer.manifest.parts(level) if part.day == day]

    def _exchange(
        self,
        old: Sequence[Part],
        made: Sequence[Part],
        now_us: int,
        *,
        rolled: Sequence[Part] = (),
    ) -> None:
        """One commit: new files in, those that they replace out, `rolled` marked as rolled up."""
        manifest = self._writer.manifest
        replaced = [
            same.name
            for part in made
            if part.level in ROLLUPS
            for same in self._same(Level(part.level), part.day)
        ]
        gone = [*(part.name for part in old), *replaced]
        with self._writer.locked(), manifest.change():
            manifest.drop_parts([*gone, *(part.name for part in rolled)])
            manifest.add_parts([*made, *(_as(part, rolled=True) for part in rolled)])
        self._gone.append((now_us, gone))

    def _remove(self, now_us: int) -> None:
        ready = [names for at, names in self._gone if now_us - at >= LINGER_US]
        self._gone = [each for each in self._gone if now_us - each[0] < LINGER_US]
        for names in ready:
            self._writer.files.remove(names)


def month_of(day: int) -> int:
    """The first day of a UTC day's month: hours of a month lie in one file."""
    first = datetime.fromtimestamp(day * DAY_US // SECOND_US, UTC).replace(day=1)
    return int(first.timestamp()) // 86_400


def _as(part: Part, *, rolled: bool) -> Part:
    return Part(
        part.name,
        part.level,
        part.day,
        part.since_us,
        part.until_us,
        part.rows,
        part.bytes,
        rolled=rolled,
        made_us=part.made_us,
    )

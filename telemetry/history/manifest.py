"""What the history consists of: one SQLite file that says which Parquet files count (I2).

One transaction names the new files, forgets those that they replace, and moves the position in the
segments. A file that is not named does not exist, whatever lies in the folder: that makes readings
count exactly once, whenever a process is killed. One process writes, any number reads.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from contracts.telemetry import Calibration, SeriesKey
from telemetry.segments import Position

FILE: Final = "manifest.db"
SET_BACK_US: Final = 60_000_000
"""A reading that comes after another and came in so much earlier: the clock was set back between."""
UNDECODED: Final = "undecoded"
"""Level of files with messages that no template of today reads, as they were received."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), segment INTEGER NOT NULL,
    byte INTEGER NOT NULL, catalogue TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, device TEXT NOT NULL,
    quantity TEXT NOT NULL, channel TEXT NOT NULL, unit TEXT NOT NULL,
    UNIQUE (device, quantity, channel, unit));
CREATE TABLE IF NOT EXISTS standing (series INTEGER NOT NULL, since_us INTEGER NOT NULL,
    place TEXT NOT NULL, calibration TEXT NOT NULL, PRIMARY KEY (series, since_us));
CREATE TABLE IF NOT EXISTS last (series INTEGER PRIMARY KEY, at_us INTEGER NOT NULL,
    received_us INTEGER NOT NULL, value REAL NOT NULL);
CREATE TABLE IF NOT EXISTS parts (name TEXT PRIMARY KEY, level TEXT NOT NULL, day INTEGER NOT NULL,
    since_us INTEGER NOT NULL, until_us INTEGER NOT NULL, rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL, rolled INTEGER NOT NULL, made_us INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS parts_by_time ON parts (level, day);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, n INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file. Times are of measuring, both ends included; `day` is a UTC day since 1970.

    `rolled`: whether its readings stand in the files of the coarser levels.
    """

    name: str
    level: str
    day: int
    since_us: int
    until_us: int
    rows: int
    bytes: int
    rolled: bool
    made_us: int


@dataclass(frozen=True, slots=True)
class Line:
    """One series as history knows it: the same key with another unit is another line."""

    id: int
    key: SeriesKey
    unit: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a probe stood, and what its calibration was, from a time on."""

    since_us: int
    place: str
    calibration: Calibration


class Last(NamedTuple):
    series: int
    at_us: int
    received_us: int
    value: float


class Manifest:
    """`open` makes what is missing; `read_only` for those who only ask."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @classmethod
    def open(cls, folder: Path) -> Manifest:
        """For the one writer. Durable at every commit."""
        folder.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(
            folder / FILE, isolation_level=None, check_same_thread=False, timeout=30
        )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(_TABLES)
        return cls(db)

    @classmethod
    def read_only(cls, folder: Path) -> Manifest:
        """Raises sqlite3.OperationalError where there is no history yet."""
        db = sqlite3.connect(
            f"{(folder / FILE).absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=5,
        )
        return cls(db)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """All of it or none."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # A full disk may have ended the transaction already.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def view(self) -> Iterator[None]:
        """Several questions about one state."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    # position

    def position(self) -> Position | None:
        row = self._one("SELECT segment, byte FROM state")
        return None if row is None else Position(row[0], row[1])

    def catalogue(self) -> str:
        """Version of the templates that what was left over was last tried with; empty: never."""
        row = self._one("SELECT catalogue FROM state")
        return "" if row is None else str(row[0])

    def set_position(self, position: Position) -> None:
        self._db.execute(
            "INSERT INTO state VALUES (1, ?, ?, '') ON CONFLICT (one) DO UPDATE SET"
            " segment = excluded.segment, byte = excluded.byte",
            position,
        )

    def set_catalogue(self, catalogue: str) -> None:
        self._db.execute("UPDATE state SET catalogue = ?", (catalogue,))

    # series

    def lines(self) -> list[Line]:
        rows = self._db.execute("SELECT id, device, quantity, channel, unit FROM series")
        return [Line(row[0], SeriesKey(*row[1:4]), row[4]) for row in rows]

    def lines_of(self, key: SeriesKey) -> list[Line]:
        """Newest unit last."""
        rows = self._db.execute(
            "SELECT id, unit FROM series WHERE device = ? AND quantity = ? AND channel = ?"
            " ORDER BY id",
            (key.device, key.quantity, key.channel),
        )
        return [Line(row[0], key, row[1]) for row in rows]

    def add_lines(self, told: Iterable[tuple[Line, Standing]]) -> None:
        """Lines that may be new, and where they stand from now on."""
        for line, standing in told:
            key = line.key
            self._db.execute(
                "INSERT OR IGNORE INTO series VALUES (?, ?, ?, ?, ?)",
                (line.id, key.device, key.quantity, key.channel, line.unit),
            )
            self._db.execute(
                "INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?)",
                (
                    line.id,
                    standing.since_us,
                    standing.place,
                    json.dumps(asdict(standing.calibration)),
                ),
            )

    def standings(self, line: int) -> list[Standing]:
        """Oldest first."""
        rows = self._db.execute(
            "SELECT since_us, place, calibration FROM standing WHERE series = ? ORDER BY since_us",
            (line,),
        )
        return [Standing(row[0], row[1], Calibration(**json.loads(row[2]))) for row in rows]

    def lines_at(self, place: str) -> list[int]:
        """Series that stood at `place` at any time."""
        rows = self._db.execute("SELECT DISTINCT series FROM standing WHERE place = ?", (place,))
        return [row[0] for row in rows]

    def set_last(self, values: Iterable[Last]) -> None:
        """A value never replaces one that was measured later; but for one of a future that was
        taken back, since the machine's clock was set: it came in later than this and before it.
        """
        self._db.executemany(
            "INSERT INTO last VALUES (?, ?, ?, ?) ON CONFLICT (series) DO UPDATE SET"
            " at_us = excluded.at_us, received_us = excluded.received_us, value = excluded.value"
            " WHERE excluded.at_us >= last.at_us"
            " OR last.received_us > excluded.received_us + ?",
            [(*each, SET_BACK_US) for each in values],
        )

    def late(self, over_us: int, limit: int) -> dict[str, int]:
        """By how many microseconds the newest reading of a device came after it was measured, where
        that is more than `over_us`; the latest `limit` devices.
        """
        # SQLite gives the other columns of the row with the most (lang_select, "bare columns").
        rows = self._db.execute(
            "SELECT device, late FROM (SELECT device, max(received_us), received_us - at_us AS late"
            " FROM last JOIN series ON series.id = last.series GROUP BY device)"
            " WHERE late > ? ORDER BY late DESC LIMIT ?",
            (over_us, limit),
        )
        return dict(rows.fetchall())

    def last(self) -> list[Last]:
        return [Last(*row) for row in self._db.execute("SELECT * FROM last")]

    # parts

    def parts(
        self, level: str, from_us: int = 0, to_us: int = 1 << 62, *, rolled: bool | None = None
    ) -> list[Part]:
        """Files with times in [from_us, to_us), oldest first."""
        rows = self._db.execute(
            "SELECT * FROM parts WHERE level = ? AND until_us >= ? AND since_us < ?"
            " ORDER BY since_us, name",
            (level, from_us, to_us),
        )
        found = [replace(Part(*row), rolled=bool(row[7])) for row in rows]
        return [part for part in found if rolled is None or part.rolled is rolled]

    def names(self) -> set[str]:
        return {row[0] for row in self._db.execute("SELECT name FROM parts")}

    def add_parts(self, parts: Iterable[Part]) -> None:
        self._db.executemany(
            "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    p.name,
                    p.level,
                    p.day,
                    p.since_us,
                    p.until_us,
                    p.rows,
                    p.bytes,
                    p.rolled,
                    p.made_us,
                )
                for p in parts
            ],
        )

    def drop_parts(self, names: Iterable[str]) -> None:
        self._db.executemany("DELETE FROM parts WHERE name = ?", [(name,) for name in names])

    def sizes(self) -> list[tuple[str, int, int, int, int, int]]:
        """(level, files, rows, bytes, oldest_us, newest_us) of each level that has any."""
        return list(
            self._db.execute(
                "SELECT level, count(*), sum(rows), sum(bytes), min(since_us), max(until_us)"
                " FROM parts GROUP BY level"
            )
        )

    def count(self, name: str, n: int) -> None:
        self._db.execute(
            "INSERT INTO counts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n",
            (name, n),
        )

    def counts(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT name, n FROM counts ORDER BY name"))

    def _one(self, sql: str, values: Sequence[object] = ()) -> tuple[int, ...] | None:
        with closing(self._db.execute(sql, values)) as rows:
            found: tuple[int, ...] | None = rows.fetchone()
            return found

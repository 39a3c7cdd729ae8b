"""Parquet files by DuckDB: written whole and synced, then named by the manifest.

Rows lie sorted by series and time, so that one series is read by skipping almost all of a file.
Readings have the columns series, at_us, received_us, value; rollups series, at_us (start of the
step), least, most, total, count. Any tool that reads Parquet can read them beside us.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from telemetry.history.levels import DAY_US, Level
from telemetry.history.manifest import Part

if TYPE_CHECKING:
    import duckdb
    import numpy.typing as npt

ROW_GROUP: Final = 65_536
"""Rows that are skipped or read together: 18 hours of one reading a second."""
_FRESH: Final = "COMPRESSION snappy"
_SETTLED: Final = "COMPRESSION zstd, COMPRESSION_LEVEL 3"
SUFFIX: Final = ".parquet"
_STATS: Final = "min(at_us) AS since_us, max(at_us) AS until_us, count(*) AS n"


def connect(folder: Path, *, threads: int = 1, memory_mb: int = 256) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own that never reaches out; what does not fit in memory goes to `folder`."""
    import duckdb

    connection = duckdb.connect(
        config={
            "threads": threads,
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": str(folder / "spilled"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET parquet_metadata_cache = true")
    return connection


class PartFiles:
    """Writes and removes files below the history's folder. Nothing here knows the manifest."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.folder = folder
        self._db = connection

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def paths(self, parts: Sequence[Part]) -> list[str]:
        return [self.path(part.name) for part in parts]

    def write(
        self, level: str, day: int, columns: Mapping[str, npt.NDArray[Any]], made_us: int
    ) -> Part:
        """One file of columns that are sorted already and lie within one UTC day."""
        return self._copy(level, day, "SELECT * FROM columns", made_us, _FRESH, columns=columns)

    def write_rows(
        self, level: str, day: int, sql: str, made_us: int, values: Mapping[str, object]
    ) -> Part:
        """One file of what `sql` answers, in its order, packed for keeping."""
        return self._copy(level, day, sql, made_us, _SETTLED, values=values)

    def _copy(
        self,
        level: str,
        day: int,
        sql: str,
        made_us: int,
        packed: str,
        *,
        columns: Mapping[str, npt.NDArray[Any]] | None = None,
        values: Mapping[str, object] | None = None,
    ) -> Part:
        name = f"{level}/{day_name(day)}-{secrets.token_hex(6)}{SUFFIX}"
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cursor = self._db.cursor()
        if columns is not None:
            cursor.register("columns", dict(columns))
        try:
            # S608: the path is ours, of hexadecimal digits.
            cursor.execute(
                f"COPY ({sql}) TO '{_quoted(path)}' (FORMAT parquet, PARQUET_VERSION v2, {packed},"
                f" ROW_GROUP_SIZE {ROW_GROUP}, OVERWRITE)",
                values or {},
            )
            since, until, rows = cursor.execute(
                f"SELECT {_STATS} FROM read_parquet(?)",  # noqa: S608 -- a constant
                [str(path)],
            ).fetchone() or (None, None, 0)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            cursor.close()
        sync(path)
        sync(path.parent)
        sync(self.folder)
        start = day * DAY_US
        return Part(
            name,
            level,
            day,
            start if since is None else since,
            start if until is None else until,
            rows,
            path.stat().st_size,
            rolled=level != Level.RAW,
            made_us=made_us,
        )

    def remove(self, names: Sequence[str]) -> None:
        """Files that the manifest does not name any more."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def found(self) -> set[str]:
        """Names of all files in the folder, whether the manifest names them or not."""
        return {str(path.relative_to(self.folder)) for path in self.folder.glob(f"*/*{SUFFIX}")}


def day_name(day: int) -> str:
    """A UTC day since 1970 as ISO 8601 writes it."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(day * 86400, UTC).date().isoformat()


def sync(path: Path) -> None:
    """What was written to a file or folder survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def rolled_up(level: Level, *, source: str) -> str:
    """SQL that rolls readings of `source` up to `level`, unsorted."""
    step = level.step_us
    return (
        f"SELECT series, at_us // {step} * {step} AS at_us, min(value) AS least,"  # noqa: S608 -- constants
        " max(value) AS most, sum(value) AS total, count(*) AS count"
        f" FROM {source} GROUP BY series, at_us // {step}"
    )


def added_up(level: Level, *, source: str) -> str:
    """SQL that joins rollups of the same steps, or of finer ones, into rows of `level`."""
    step = level.step_us
    return (
        f"SELECT series, at_us // {step} * {step} AS at_us, min(least) AS least,"  # noqa: S608 -- constants
        " max(most) AS most, sum(total) AS total, sum(count)::BIGINT AS count"
        f" FROM {source} GROUP BY series, at_us // {step}"
    )

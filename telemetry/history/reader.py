"""Questions to history: an envelope of least and most for charts, traces for reports, rows for CSV.

Readings that no rollup holds yet are rolled up while asking, so an answer is complete up to the
last flush, whatever the keeper has come to.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from contracts.clock import Clock
from contracts.errors import NotFoundError, UnavailableError
from contracts.telemetry import Calibration, SeriesKey, TracePoint
from telemetry.history.files import connect
from telemetry.history.levels import Keeping, Level, buckets, choose
from telemetry.history.manifest import UNDECODED, Last, Line, Manifest, Part, Standing
from telemetry.segments import Position

if TYPE_CHECKING:
    import duckdb

MOST_POINTS: Final = 20_000
_TRIES: Final = 3
_CHUNK: Final = 10_000
_MINUTE_US: Final = Level.MINUTE.step_us
_WHERE: Final = "WHERE series = $series AND at_us >= $first AND at_us < $to_us"
_KEPT: Final = f"SELECT at_us, least, most, total, count FROM read_parquet($kept) {_WHERE}"  # noqa: S608 -- constants
_RAW: Final = (
    "SELECT at_us, value AS least, value AS most, value AS total, 1 AS count"  # noqa: S608 -- constants
    f" FROM read_parquet($raw) {_WHERE}"
)
Answer = TypeVar("Answer")
Row = tuple[int, float, float, float, int]
"""(at_us, least, most, mean, count)"""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One series for a chart: columns of equal length. Empty buckets are left out.

    Where `step_us` is 1 every point is one reading; else it stands for [at, at + step).
    """

    key: SeriesKey
    unit: str
    level: Level
    from_us: int
    to_us: int
    step_us: int
    at_us: tuple[int, ...]
    least: tuple[float, ...]
    most: tuple[float, ...]
    mean: tuple[float, ...]
    count: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlaceTrace:
    """What one probe measured while it stood at a place, by minutes."""

    key: SeriesKey
    unit: str
    calibration: Calibration
    points: tuple[TracePoint, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """One series with its newest reading."""

    line: Line
    standing: Standing | None
    last: Last | None


@dataclass(frozen=True, slots=True)
class LevelSize:
    """What is kept of one level; `keep_days` 0: for ever."""

    level: str
    files: int
    rows: int
    bytes: int
    oldest_us: int
    newest_us: int
    keep_days: int


@dataclass(frozen=True, slots=True)
class Stored:
    """The history as a whole. `counts`: readings taken in, and `undecoded.<code>` messages that
    wait for a template which reads them.
    """

    levels: tuple[LevelSize, ...]
    series: int
    counts: dict[str, int]
    position: Position | None
    keeping: Keeping


class History:
    """Reads one history folder, also while it is written. Safe to use from several threads."""

    def __init__(
        self,
        folder: Path,
        keeping: Keeping,
        clock: Clock,
        *,
        threads: int = 2,
        memory_mb: int = 128,
    ) -> None:
        self._folder = folder
        self._keeping = keeping
        self._clock = clock
        self._threads, self._memory_mb = threads, memory_mb
        self._lock = threading.Lock()
        self._opened: tuple[Manifest, duckdb.DuckDBPyConnection] | None = None

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened[0].close()
                self._opened[1].close()
                self._opened = None

    def known(self) -> list[Known]:
        """Every series, by device, and in the order of its template; nothing where there is no
        history yet.
        """
        try:
            with self._manifest() as manifest:
                last = {each.series: each for each in manifest.last()}
                return [
                    Known(
                        line, next(reversed(manifest.standings(line.id)), None), last.get(line.id)
                    )
                    for line in sorted(
                        manifest.lines(), key=lambda line: (line.key.device, line.id)
                    )
                ]
        except UnavailableError:
            return []

    def stored(self) -> Stored:
        """What there is; nothing where there is no history yet."""
        try:
            with self._manifest() as manifest, manifest.view():
                sizes = {row[0]: row for row in manifest.sizes()}
                return Stored(
                    tuple(
                        LevelSize(*sizes[name], keep_days=self._keep_days(name))
                        for name in (*Level, UNDECODED)
                        if name in sizes
                    ),
                    len(manifest.lines()),
                    manifest.counts(),
                    manifest.position(),
                    self._keeping,
                )
        except UnavailableError:
            return Stored((), 0, {}, None, self._keeping)

    def _keep_days(self, name: str) -> int:
        return 0 if name == UNDECODED else self._keeping.days(Level(name))

    def history(self, key: SeriesKey, from_us: int, to_us: int, points: int) -> Envelope:
        """About `points` points of a series between two times, in its newest unit.

        Raises NotFoundError for a series that was never heard.
        """
        points = max(1, min(points, MOST_POINTS))
        line = self._line(key)
        begins = {level: self._keeping.begins(level, self._now_us()) for level in Level}
        level = choose(from_us, to_us, points, begins)
        if level in (Level.RAW, Level.SECOND) and begins[Level.RAW] <= from_us:
            # Few readings stand as they are: a sensor that speaks every minute has no seconds.
            single = _ask(partial(self._readings, line, from_us, to_us, points))
            if single is not None:
                at, value = single
                ones = (1,) * len(at)
                return Envelope(
                    key, line.unit, Level.RAW, from_us, to_us, 1, at, value, value, value, ones
                )
        step = buckets(from_us, to_us, points, level.step_us)
        rows = _ask(partial(self._rolled, level, line, from_us, to_us, step))
        columns = tuple(zip(*rows, strict=True)) or ((), (), (), (), ())
        return Envelope(key, line.unit, level, from_us, to_us, step, *columns)

    def readings(self, place: str, quantity: str, from_us: int, to_us: int) -> list[PlaceTrace]:
        """Minutes of every probe of `quantity` that stood at `place`, while it stood there.

        A probe that was calibrated anew or moved in between has several traces.
        """
        found = []
        for line, since, until, standing in self._stood(place, quantity, from_us, to_us):
            first = since // _MINUTE_US * _MINUTE_US
            rows = _ask(partial(self._rolled, Level.MINUTE, line, first, until, _MINUTE_US))
            points = tuple(TracePoint(*row) for row in rows)
            found.append(PlaceTrace(line.key, line.unit, standing.calibration, points))
        return [trace for trace in found if trace.points]

    def rows(self, key: SeriesKey, from_us: int, to_us: int) -> tuple[Level, str, Iterator[Row]]:
        """Everything that is kept of a series between two times, at the finest level that is kept
        for all of it: (level, unit, rows of at_us, least, most, mean, count).

        Raises NotFoundError for a series that was never heard.
        """
        line = self._line(key)
        begins = {level: self._keeping.begins(level, self._now_us()) for level in Level}
        level = choose(from_us, to_us, max(1, to_us - from_us), begins)
        return level, line.unit, self._streamed(level, line, from_us, to_us)

    # inside

    def _streamed(self, level: Level, line: Line, from_us: int, to_us: int) -> Iterator[Row]:
        """In pieces of days, so that no answer has to fit in memory."""
        width = max(level.step_us, 86_400_000_000 * 30 if level is Level.HOUR else 86_400_000_000)
        at = from_us
        while at < to_us:
            until = min(to_us, (at // width + 1) * width)
            if level is Level.RAW:
                single = _ask(partial(self._readings, line, at, until, 1 << 62))
                for time, value in zip(*single, strict=True) if single else ():
                    yield time, value, value, value, 1
            else:
                yield from _ask(partial(self._rolled, level, line, at, until, level.step_us))
            at = until

    def _line(self, key: SeriesKey) -> Line:
        with self._manifest() as manifest:
            lines = manifest.lines_of(key)
        if not lines:
            raise NotFoundError(
                f"No reading of {key} is in the history", mend="Choose one from the list of sensors"
            )
        return lines[-1]

    def _stood(
        self, place: str, quantity: str, from_us: int, to_us: int
    ) -> list[tuple[Line, int, int, Standing]]:
        found = []
        with self._manifest() as manifest:
            lines = {line.id: line for line in manifest.lines() if line.key.quantity == quantity}
            for number in manifest.lines_at(place):
                standings = manifest.standings(number) if number in lines else []
                ends = [*(each.since_us for each in standings[1:]), to_us]
                for standing, end in zip(standings, ends, strict=True) if standings else ():
                    since, until = max(from_us, standing.since_us), min(to_us, end)
                    if standing.place == place and since < until:
                        found.append((lines[number], since, until, standing))
        return found

    def _readings(
        self, line: Line, from_us: int, to_us: int, most: int
    ) -> tuple[tuple[int, ...], tuple[float, ...]] | None:
        """Single readings in time; None where there are more than `most`."""
        with self._manifest() as manifest:
            files = self._paths(manifest.parts(Level.RAW, from_us, to_us))
        if not files:
            return (), ()
        rows = self._cursor().execute(
            "SELECT at_us, value FROM read_parquet($files) WHERE series = $series"
            " AND at_us >= $from_us AND at_us < $to_us ORDER BY at_us LIMIT $most",
            {
                "files": files,
                "series": line.id,
                "from_us": from_us,
                "to_us": to_us,
                "most": most + 1,
            },
        )
        found = rows.fetchnumpy()
        if len(found["at_us"]) > most:
            return None
        return tuple(found["at_us"].tolist()), tuple(found["value"].tolist())

    def _rolled(
        self, level: Level, line: Line, from_us: int, to_us: int, step_us: int
    ) -> list[Row]:
        """Each bucket that has any."""
        first = from_us // step_us * step_us
        # What is rolled up stands in minutes and hours; seconds stand only where readings do not.
        rolled = False if level in (Level.MINUTE, Level.HOUR) else None
        with self._manifest() as manifest, manifest.view():
            kept = manifest.parts(level, first - level.step_us, to_us) if level != Level.RAW else []
            raw = manifest.parts(Level.RAW, first, to_us, rolled=rolled)
        values: dict[str, object] = {"series": line.id, "first": first, "to_us": to_us}
        sources = []
        if kept:
            values["kept"] = self._paths(kept)
            sources.append(_KEPT)
        if raw:
            values["raw"] = self._paths(raw)
            sources.append(_RAW)
        if not sources:
            return []
        sql = (
            f"SELECT at_us // {step_us} * {step_us} AS step, min(least), max(most),"  # noqa: S608 -- numbers and constants
            " sum(total) / sum(count), sum(count)::BIGINT"
            f" FROM ({' UNION ALL '.join(sources)}) GROUP BY step ORDER BY step"
        )
        return self._cursor().execute(sql, values).fetchall()

    def _paths(self, parts: Sequence[Part]) -> list[str]:
        return [str(self._folder / part.name) for part in parts]

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        return self._open()[1].cursor()

    @contextmanager
    def _manifest(self) -> Iterator[Manifest]:
        manifest = self._open()[0]
        with self._lock:
            yield manifest

    def _open(self) -> tuple[Manifest, duckdb.DuckDBPyConnection]:
        with self._lock:
            if self._opened is None:
                try:
                    manifest = Manifest.read_only(self._folder)
                    manifest.position()
                except sqlite3.OperationalError as error:
                    raise UnavailableError(
                        "There is no sensor history yet",
                        mend="It begins some seconds after the gateway's first reading",
                    ) from error
                database = connect(self._folder, threads=self._threads, memory_mb=self._memory_mb)
                self._opened = manifest, database
            return self._opened

    def _now_us(self) -> int:
        return int(self._clock.now().timestamp() * 1_000_000)


def _ask(question: Callable[[], Answer]) -> Answer:
    """Ask again where a file went away between the manifest and the reading of it."""
    import duckdb

    for _ in range(_TRIES - 1):
        try:
            return question()
        except duckdb.IOException:
            continue
    return question()

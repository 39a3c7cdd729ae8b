"""What a fence would have told, over readings that are kept: before anybody signs it.

The same engine goes through what was measured, at the readings' own time, so a trial and a watch
never differ in what they call an alarm.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from zoneinfo import ZoneInfo

from contracts.errors import BadInputError
from contracts.reason import Reason
from contracts.telemetry import AlarmChange, AlarmChanged, SeriesKey
from telemetry.describing.series import SeriesBook
from telemetry.watching.engine import Engine
from telemetry.watching.fences import Fence, Scope
from telemetry.watching.places import Whereabouts

_SECOND = 1_000_000
MOST_ROWS = 500_000
_LONGEST_DAYS = 400
"""A mistyped year would keep the fence's hours and timers going for centuries."""
_FIRST_YEAR, _LAST_YEAR = 1970, 9999
_NOWHERE = Whereabouts()

Reading = tuple[int, int, float]
"""(time in microseconds, number of the series, value)"""


@dataclass(frozen=True, slots=True)
class TriedAlarm:
    """One alarm of a trial; `cleared_us` None: it was still going at the end."""

    series: SeriesKey
    kind: str
    since_us: int
    raised_us: int
    cleared_us: int | None
    worst: float | None
    severity: str


@dataclass(frozen=True, slots=True)
class Curve:
    """What was measured by one series, for a chart. Columns of equal length."""

    series: SeriesKey
    unit: str
    at_us: tuple[int, ...]
    least: tuple[float, ...]
    most: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """`step_us`: what stood between two of these times was looked at by its least and most only."""

    from_us: int
    to_us: int
    alarms: tuple[TriedAlarm, ...]
    curves: tuple[Curve, ...]
    readings: int
    step_us: int = 1
    troubles: tuple[Reason, ...] = ()


def try_out(
    fence: Fence,
    book: SeriesBook,
    readings: Iterable[Reading],
    *,
    from_us: int,
    to_us: int,
    whereabouts: Whereabouts = _NOWHERE,
) -> tuple[list[TriedAlarm], int, list[Reason]]:
    """Alarms in the order of their beginning, the number of readings, and why a series was left out.

    `readings` are in the order of time. Raises BadInputError for a fence that cannot watch.
    """
    # A trial shows when an alarm began and was over: what is told meanwhile would only fill memory.
    quiet = replace(fence, tell_s=0)
    engine = Engine([quiet], book=book, now_us=from_us, whereabouts=whereabouts)
    latest, latest_us, watch = engine.latest, engine.latest_us, engine.watch
    changes: list[AlarmChanged] = []
    count = 0
    for at_us, number, value in readings:
        engine.tick(at_us)
        latest[number], latest_us[number] = value, at_us
        watcher = watch[number]
        if not watcher.low <= value <= watcher.high:
            watcher.see(at_us, value)
        count += 1
    engine.tick(to_us)
    changes += engine.take_changes()
    return _alarms(changes), count, engine.troubles


def _alarms(changes: Sequence[AlarmChanged]) -> list[TriedAlarm]:
    raised: dict[str, int] = {}
    newest: dict[str, AlarmChanged] = {}
    for change in changes:
        raised.setdefault(change.alarm_id, change.at_us)
        newest[change.alarm_id] = change
    found = [
        TriedAlarm(
            last.series,
            last.kind,
            last.since_us,
            raised[name],
            last.at_us if last.change is AlarmChange.CLEARED else None,
            last.worst,
            last.severity,
        )
        for name, last in newest.items()
    ]
    return sorted(found, key=lambda each: (each.since_us, each.series))


def try_file(fence: Fence, text: str, zone: ZoneInfo) -> Tried:
    """A trial over a CSV file: a line is `time,value`, ISO 8601 time, the site's where it names no
    zone; a first line of names is left out. The readings count as the fence's own quantity.

    Raises BadInputError with the number of the line that cannot be read.
    """
    rows = sorted(_rows(text, zone))
    if not rows:
        raise BadInputError(
            "The file holds no readings", mend="Give lines like 2026-11-22T08:00,5.4"
        )
    key = SeriesKey("file", fence.quantity)
    book = SeriesBook()
    book.put(key, fence.unit)
    from_us, to_us = rows[0][0], rows[-1][0] + 1
    if to_us - from_us > _LONGEST_DAYS * 86_400 * _SECOND:
        raise BadInputError(
            f"The file goes from {_day(from_us)} to {_day(to_us)}",
            mend=f"Give {_LONGEST_DAYS} days at most, and look at the years",
        )
    anywhere = replace(fence, scope=Scope())
    alarms, count, troubles = try_out(
        anywhere, book, ((at, 0, value) for at, value in rows), from_us=from_us, to_us=to_us
    )
    values = tuple(value for _, value in rows)
    curve = Curve(key, fence.unit, tuple(at for at, _ in rows), values, values)
    return Tried(from_us, to_us, tuple(alarms), (curve,), count, 1, tuple(troubles))


def _rows(text: str, zone: ZoneInfo) -> list[tuple[int, float]]:
    found: list[tuple[int, float]] = []
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not row or not "".join(row).strip():
            continue
        if number > MOST_ROWS:
            raise BadInputError(
                f"The file has more than {MOST_ROWS} lines", mend="Give a shorter part of it"
            )
        try:
            at = datetime.fromisoformat(row[0].strip())
            value = _finite(row[1])
            if not _FIRST_YEAR < at.year < _LAST_YEAR:
                raise ValueError(row[0])  # noqa: TRY301 -- said with its line below
        except (ValueError, IndexError) as error:
            if number == 1:
                continue
            raise BadInputError(
                f"Line {number} is no reading: {','.join(row)[:60]!r}",
                mend="Write lines like 2026-11-22T08:00,5.4",
                line=number,
            ) from error
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        found.append((int(at.timestamp() * _SECOND), value))
    return found


def _day(at_us: int) -> str:
    return str((datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).date())


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value

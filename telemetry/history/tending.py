"""What is to be done with the files of a history now. Pure: parts in, jobs out.

Many small files are joined into larger ones of one day (sixteen of about one size at a time, so
that a reading is rewritten a few times only). A day that is over, and quiet, is rolled up into
minutes and hours. What is older than its level is kept is rolled into the next coarser one that is
kept longer, then dropped. Late readings are files like others: they are added up when they come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from telemetry.history.levels import DAY_US, SECOND_US, Keeping, Level
from telemetry.history.manifest import Part

TOGETHER: Final = 16
MOST_ROWS: Final = 4_000_000
"""A file is not made larger: about an hour of a thousand readings a second."""
OVER_US: Final = 15 * 60 * SECOND_US
"""So long after its end a day is over: sensors that were away a moment have told by then."""
QUIET_US: Final = 10 * 60 * SECOND_US
MANY: Final = 64


@dataclass(frozen=True, slots=True)
class Join:
    """Files of readings of one day into one."""

    day: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class RollUp:
    """Readings that stand in no rollup yet into the minutes and hours of their day."""

    day: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Thin:
    """Readings of one day into seconds, then away; `keep` False: away at once."""

    day: int
    parts: tuple[Part, ...]
    keep: bool


@dataclass(frozen=True, slots=True)
class Drop:
    """Rollups that are older than they are kept."""

    parts: tuple[Part, ...]


Job = Join | RollUp | Thin | Drop


def due(parts: Mapping[Level, Sequence[Part]], now_us: int, keeping: Keeping) -> list[Job]:
    """What to do now, in this order; to be asked again after each job, as it changes the parts."""
    raw: dict[int, list[Part]] = defaultdict(list)
    for part in parts.get(Level.RAW, ()):
        raw[part.day].append(part)
    begins = {level: keeping.begins(level, now_us) for level in Level}
    jobs: list[Job] = []
    for day, of_day in sorted(raw.items()):
        jobs += _of_day(day, of_day, now_us, begins)
    for level in (Level.SECOND, Level.MINUTE, Level.HOUR):
        old = tuple(part for part in parts.get(level, ()) if part.until_us < begins[level])
        jobs += [Drop(old)] if old else []
    return jobs


def _of_day(day: int, parts: list[Part], now_us: int, begins: Mapping[Level, int]) -> Iterable[Job]:
    over = now_us >= (day + 1) * DAY_US + OVER_US
    unrolled = tuple(part for part in parts if not part.rolled)
    if over and unrolled and _settled(unrolled, now_us):
        yield RollUp(day, unrolled)
        return
    if over and not unrolled and day * DAY_US < begins[Level.RAW]:
        yield Thin(day, tuple(parts), keep=day * DAY_US >= begins[Level.SECOND])
        return
    for rolled in (False, True):
        alike = [part for part in parts if part.rolled is rolled]
        yield from (Join(day, group) for group in _groups(alike, everything=over and rolled))


def _settled(parts: Sequence[Part], now_us: int) -> bool:
    return len(parts) >= MANY or all(now_us - part.made_us >= QUIET_US for part in parts)


def _groups(parts: list[Part], *, everything: bool) -> Iterable[tuple[Part, ...]]:
    """Files to join. `everything`: the day is over, whatever is small goes together."""
    if everything:
        yield from _packed(parts)
        return
    tiers: dict[int, list[Part]] = defaultdict(list)
    for part in parts:
        # A tier holds files between 16 to the n and 16 to the n + 1 rows.
        tiers[(max(1, part.rows).bit_length() - 1) // 4].append(part)
    for tier in tiers.values():
        for group in _packed(tier):
            if len(group) >= TOGETHER or sum(part.rows for part in group) > MOST_ROWS // 2:
                yield group


def _packed(parts: list[Part]) -> Iterable[tuple[Part, ...]]:
    """Neighbours in time, as many as one file holds, at least two."""
    group: list[Part] = []
    rows = 0
    for part in sorted(parts, key=lambda each: (each.since_us, each.name)):
        if group and rows + part.rows > MOST_ROWS:
            if len(group) > 1:
                yield tuple(group)
            group, rows = [], 0
        group.append(part)
        rows += part.rows
    if len(group) > 1:
        yield tuple(group)

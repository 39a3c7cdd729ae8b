"""Counts of cartons folded into rates, by whatever the core counts them under. Pure.

Read and review sum to the cartons of every row, and the rows of every table to the same cartons.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import TypeVar

from appliance.readrates.intervals import Share
from appliance.readrates.window import quarter_of, time_of
from erp_link.domain.reads import CAUSES
from erp_link.service.read_queries import QuarterTally, ReadTally

_HOURS_UP_TO = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Count:
    """Cartons of one row. `known`, `misread` and `audited` are of those that were read;
    `proposed` of the reviews are those whose truth is known.
    """

    cartons: int = 0
    read: int = 0
    known: int = 0
    misread: int = 0
    audited: int = 0
    proposed: int = 0
    proposed_wrong: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.cartons + other.cartons,
            self.read + other.read,
            self.known + other.known,
            self.misread + other.misread,
            self.audited + other.audited,
            self.proposed + other.proposed,
            self.proposed_wrong + other.proposed_wrong,
        )

    @property
    def review(self) -> int:
        return self.cartons - self.read

    @property
    def read_share(self) -> Share:
        return Share(self.read, self.cartons)

    @property
    def review_share(self) -> Share:
        return Share(self.review, self.cartons)

    @property
    def misread_share(self) -> Share:
        """Of the cartons that were read and whose truth a person said."""
        return Share(self.misread, self.known)

    @property
    def proposed_wrong_share(self) -> Share:
        """Of the reviews that a person settled: how often the machine's own answer was wrong."""
        return Share(self.proposed_wrong, self.proposed)


@dataclass(frozen=True, slots=True)
class Row:
    value: str
    count: Count


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch of time, [since, until), in the site's time zone."""

    since: datetime
    until: datetime
    count: Count


Key = TypeVar("Key")


def _count_of(tally: ReadTally) -> Count:
    cell, n = tally.cell, tally.cartons
    known = cell.was_right is not None
    wrong = cell.was_right is False
    if cell.accepted:
        return Count(n, n, n * known, n * wrong, n * cell.audited)
    return Count(n, proposed=n * known, proposed_wrong=n * wrong)


def total(tallies: Iterable[ReadTally]) -> Count:
    return sum((_count_of(tally) for tally in tallies), Count())


def by_facet(tallies: Iterable[ReadTally], facet: str) -> list[Row]:
    """One row a value of `facet`, the one with most cartons first."""
    counts = _folded((getattr(each.cell.facet, facet), _count_of(each)) for each in tallies)
    return [
        Row(value, counts[value]) for value in sorted(counts, key=lambda v: (-counts[v].cartons, v))
    ]


def by_cause(tallies: Iterable[ReadTally]) -> list[Row]:
    """Why cartons were not read, the most frequent cause first; sums to the reviews."""
    counts = _folded(
        (each.cell.cause, _count_of(each)) for each in tallies if not each.cell.accepted
    )
    known = {cause: place for place, cause in enumerate(CAUSES)}
    rank = sorted(counts, key=lambda c: (-counts[c].cartons, known.get(c, len(known)), c))
    return [Row(cause, counts[cause]) for cause in rank]


def by_hour_of_day(quarters: Iterable[QuarterTally], zone: tzinfo) -> list[Row]:
    """The hours of the site's day in which cartons came."""
    counts = _by_time(quarters, lambda at: at.hour, zone)
    return [Row(f"{hour:02d}", counts[hour]) for hour in sorted(counts)]


def by_day(quarters: Iterable[QuarterTally], zone: tzinfo) -> list[Row]:
    """The site's days, newest first, as ISO 8601 dates."""
    counts = _by_time(quarters, datetime.date, zone)
    return [Row(day.isoformat(), counts[day]) for day in sorted(counts, reverse=True)]


def timeline(
    quarters: Iterable[QuarterTally], zone: tzinfo, *, since: datetime, until: datetime
) -> list[Bucket]:
    """Hours up to three days, days beyond; also those in which no carton came.

    A day of a clock change has 23 or 25 hours and is one bucket all the same.
    """
    edges = _edges(since.astimezone(zone), until)
    counts = [Count()] * len(edges)
    for each in quarters:
        place = bisect_right(edges, each.quarter) - 1
        if place >= 0:
            counts[place] += _count_at(each)
    ends = [*edges[1:], quarter_of(until)]
    return [
        Bucket(time_of(begin, zone), time_of(end, zone), count)
        for begin, end, count in zip(edges, ends, counts, strict=True)
    ]


def _edges(since: datetime, until: datetime) -> list[int]:
    first, last = quarter_of(since), quarter_of(until)
    if until - since <= _HOURS_UP_TO:
        return list(range(first, last, 4))
    edges, day = [first], since.date() + timedelta(days=1)
    while (edge := quarter_of(datetime.combine(day, time(), since.tzinfo))) < last:
        edges.append(edge)
        day += timedelta(days=1)
    return edges


def _by_time(
    quarters: Iterable[QuarterTally], of: Callable[[datetime], Key], zone: tzinfo
) -> dict[Key, Count]:
    return _folded((of(time_of(each.quarter, zone)), _count_at(each)) for each in quarters)


def _count_at(each: QuarterTally) -> Count:
    return Count(each.cartons, each.read, each.known, each.misread)


def _folded(counted: Iterable[tuple[Key, Count]]) -> dict[Key, Count]:
    counts: dict[Key, Count] = {}
    for key, count in counted:
        counts[key] = counts.get(key, Count()) + count
    return counts

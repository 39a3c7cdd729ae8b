"""When a fence holds: spans of the week in the site's own clock time, daylight saving included.

A span that ends at or before it begins ends on the next day. Where the clock jumps over a time, 02:30
counts as long after midnight as ever, which is 03:30 by the clock; where an hour comes twice, the
first one counts (PEP 495, fold=0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_DAYS = "1234567"
_MOST_SPANS = 20
_AHEAD_DAYS = 9
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """`days` are ISO weekdays on which it begins, "12345" is Monday to Friday; times are HH:MM."""

    days: str
    begins: str
    ends: str


@dataclass(frozen=True, slots=True)
class Hours:
    """`zone` is an IANA name."""

    zone: str
    spans: tuple[Span, ...]

    def faults(self) -> Iterator[str]:
        """What cannot be used, in words."""
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield f"there is no time zone {self.zone[:60]!r}"
        if not 1 <= len(self.spans) <= _MOST_SPANS:
            yield f"1 to {_MOST_SPANS} spans of the week"
        for span in self.spans:
            if not span.days or list(span.days) != sorted(set(span.days) & set(_DAYS)):
                yield f"{span.days[:20]!r} are no weekdays, 1 is Monday and 7 Sunday"
            if not _TIME.fullmatch(span.begins) or not _TIME.fullmatch(span.ends):
                yield f"{span.begins[:20]!r} to {span.ends[:20]!r} are no times like 18:00"

    def holds(self, at_us: int) -> bool:
        """Whether the fence holds at `at_us`, microseconds since 1970 UTC."""
        return any(begins <= at_us < ends for begins, ends in self._near(at_us))

    def next_change(self, at_us: int) -> int | None:
        """The first time after `at_us` from which `holds` answers otherwise; None where it never
        does within a week.
        """
        now = self.holds(at_us)
        edges = sorted({edge for span in self._near(at_us) for edge in span if edge > at_us})
        return next((edge for edge in edges if self.holds(edge) != now), None)

    def _near(self, at_us: int) -> tuple[tuple[int, int], ...]:
        day = datetime.fromtimestamp(at_us // _SECOND, ZoneInfo(self.zone)).date()
        return _intervals(self, day)


@lru_cache(maxsize=256)
def _intervals(hours: Hours, around: date) -> tuple[tuple[int, int], ...]:
    """Begin and end of every span that touches the days around, in microseconds."""
    zone, found = ZoneInfo(hours.zone), []
    for ahead in range(-1, _AHEAD_DAYS):
        day = around + timedelta(days=ahead)
        for span in hours.spans:
            if str(day.isoweekday()) in span.days:
                last = day if span.ends > span.begins else day + timedelta(days=1)
                edges = _us(day, span.begins, zone), _us(last, span.ends, zone)
                found.append(edges)
    return tuple(found)


def _us(day: date, clock: str, zone: ZoneInfo) -> int:
    local = datetime.combine(day, time.fromisoformat(clock), zone)
    return int(local.astimezone(UTC).timestamp()) * _SECOND

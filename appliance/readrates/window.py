"""What of the cartons is asked for: days or hours of the site, and one value of each facet. Pure.

A question stands whole in an address, so that every number on the page is a link to its cartons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from urllib.parse import urlencode

from contracts.errors import BadInputError
from erp_link.domain.reads import CAUSES
from erp_link.service.read_queries import WHAT, ReadWindow

QUARTER_S = 15 * 60
FACETS = ("camera", "supplier", "carrier", "print_style", "source", "model_set")
NAMELESS = "-"
"""Stands in an address for the value "": a carrier that no symbol names."""
DEFAULT_DAYS = 7
_MOST_DAYS = 366
_HOURS = 24
_YEARS = range(1971, 9000)


def quarter_of(at: datetime) -> int:
    """The quarter of an hour that holds `at`, counted since 1970."""
    return int(at.timestamp() // QUARTER_S)


def time_of(quarter: int, zone: tzinfo | None) -> datetime:
    """When a quarter begins."""
    return datetime.fromtimestamp(quarter * QUARTER_S, zone)


@dataclass(frozen=True, slots=True)
class Question:
    """`since` and `until` are aware, in the site's zone; `hour` is an hour of every day between."""

    since: datetime
    until: datetime
    facets: tuple[tuple[str, str], ...] = ()
    what: str = "all"
    cause: str = ""
    hour: int | None = None

    def window(self) -> ReadWindow:
        """The question in the core's terms."""
        return ReadWindow(self._spans(), self.facets, self.what, self.cause)

    def _spans(self) -> tuple[tuple[int, int], ...]:
        first, last = quarter_of(self.since), -int(-self.until.timestamp() // QUARTER_S)
        if self.hour is None:
            return ((first, last),)
        spans = []
        day = self.since.date()
        while day <= self.until.date():
            begin = quarter_of(datetime.combine(day, time(self.hour), self.since.tzinfo))
            spans.append((max(first, begin), min(last, begin + 4)))
            day += timedelta(days=1)
        return tuple((a, b) for a, b in spans if a < b)

    @property
    def last_day(self) -> date:
        """The last day asked for, as a person would say it."""
        return (self.until - timedelta(microseconds=1)).date()

    def facet(self, name: str) -> str | None:
        return dict(self.facets).get(name)

    def of(self, name: str, value: str) -> Question:
        """The same question about one value of a facet, a cause or an hour."""
        if name == "cause":
            return replace(self, cause=value)
        if name == "hour":
            return replace(self, hour=int(value))
        if name == "day":
            begin = datetime.combine(date.fromisoformat(value), time(), self.since.tzinfo)
            end = datetime.combine(begin.date() + timedelta(days=1), time(), self.since.tzinfo)
            return replace(self, since=max(self.since, begin), until=min(self.until, end))
        kept = {**dict(self.facets), name: value}
        return replace(self, facets=tuple((n, kept[n]) for n in FACETS if n in kept))

    def between(self, since: datetime, until: datetime) -> Question:
        return replace(self, since=max(self.since, since), until=min(self.until, until))

    def asking(self, what: str) -> Question:
        return replace(self, what=what)

    def address(self, **more: str | int) -> str:
        """The question as an address's query."""
        whole = _is_midnight(self.since) and _is_midnight(self.until)
        begin, end = (
            (self.since.date().isoformat(), self.last_day.isoformat())
            if whole
            else (_minute(self.since), _minute(self.until))
        )
        said: dict[str, str | int] = {"from": begin, "to": end}
        said.update((name, value or NAMELESS) for name, value in self.facets)
        if self.what != "all":
            said["what"] = self.what
        if self.cause:
            said["cause"] = self.cause
        if self.hour is not None:
            said["hour"] = self.hour
        return urlencode({**said, **more})


def question_of(asked: Mapping[str, str], *, now: datetime, zone: tzinfo) -> Question:
    """A question from an address's values; without any the last seven days, today included.

    `from` and `to` are ISO 8601 dates, `to` included, or local times, `to` not included; `days`
    counts back from today. Raises BadInputError where a value cannot be read.
    """
    today = now.astimezone(zone).date()
    days = _number(asked, "days", 1, _MOST_DAYS)
    end = _moment(asked.get("to", ""), zone, end=True) or _midnight(today + timedelta(days=1), zone)
    back = timedelta(days=days or DEFAULT_DAYS)
    since = _moment(asked.get("from", ""), zone, end=False)
    if since is None:
        since = _midnight((end - timedelta(microseconds=1)).date() + timedelta(days=1) - back, zone)
    if since >= end or end - since > timedelta(days=_MOST_DAYS + 1):
        raise BadInputError(
            "The time asked for is empty or longer than a year",
            mend="Give a first day that is not after the last one, at most 366 days before it",
        )
    what, cause = asked.get("what") or "all", asked.get("cause") or ""
    if what not in WHAT:
        raise BadInputError(f"what={what!r} is not known", mend=f"Use {', '.join(WHAT)}")
    if cause and cause not in CAUSES:
        raise BadInputError(f"cause={cause!r} is not known", mend=f"Use {', '.join(CAUSES)}")
    if any("\0" in asked[name] for name in FACETS if name in asked):
        raise BadInputError("A name with a NUL in it is none", mend="Choose one on the page")
    facets = tuple(
        (name, "" if asked[name] == NAMELESS else asked[name]) for name in FACETS if asked.get(name)
    )
    return Question(since, end, facets, what, cause, _number(asked, "hour", 0, _HOURS - 1))


def _number(asked: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = asked.get(name, "")
    if not text:
        return None
    short = len(text) <= len(str(most))
    if not (short and text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise BadInputError(
            f"{name}={text!r} is not a number from {least} to {most}", mend="Choose one on the page"
        )
    return int(text)


def _moment(text: str, zone: tzinfo, *, end: bool) -> datetime | None:
    if not text:
        return None
    try:
        if "T" in text:
            at = datetime.fromisoformat(text)
            whole = at.astimezone(zone) if at.tzinfo else at.replace(tzinfo=zone)
        else:
            day = date.fromisoformat(text)
            whole = _midnight(day + timedelta(days=1) if end else day, zone)
    except (ValueError, OverflowError) as error:
        raise _no_date(text) from error
    if whole.year not in _YEARS:
        raise _no_date(text)
    return whole


def _no_date(text: str) -> BadInputError:
    return BadInputError(
        f"{text[:40]!r} is not a date", mend="Write it as 2026-11-22, or 2026-11-22T14:00"
    )


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _minute(at: datetime) -> str:
    return at.isoformat(timespec="minutes")


def _is_midnight(at: datetime) -> bool:
    return at.time() == time()

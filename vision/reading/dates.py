"""The dates that cartons carry: one grammar for reading them and for writing what to look for.

Year first with any mark or none (2028-12-03, 2028年12月3日, 20281203), day first with a four-digit
year (03/12/2028), month in letters (03 DEC 2028, DEC 03 2028), month only (2028/12, DEC 2028), which means the
last day of the month (GS1 General Specifications 3.4.7, AI 17). A two-digit year is read only as
YYMMDD, as in AI 17, and only where the caller says so: 03/12/28 has two meanings. Impossible
dates are refused, never rolled over.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from vision.reading.align import SEPARATOR

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
FIRST_YEAR, LAST_YEAR = 2000, 2099
_MARK = r"\s*[-/.年月,\s]\s*"
_YEAR = r"(?P<y>20\d\d)"
_NAME = r"(?P<name>" + "|".join(MONTHS) + r")[A-Z]{0,6}\.?"
_START, _END = r"(?<!\d)", r"(?!\d)"
_PATTERNS = tuple(
    re.compile(_START + body + _END, re.IGNORECASE)
    for body in (
        _YEAR + r"(?P<mark>" + _MARK + r")(?P<m>\d{1,2})" + _MARK + r"(?P<d>\d{1,2})\s*日?",
        r"(?P<d>\d{1,2})" + _MARK + r"(?P<m>\d{1,2})" + _MARK + _YEAR,
        r"(?P<d>\d{1,2})[-/.\s]*" + _NAME + r"[-/.,\s]*" + _YEAR,
        _NAME + r"[-/.,\s]*(?P<d>\d{1,2})[-/.,\s]+" + _YEAR,
        _YEAR + r"(?P<m>\d\d)(?P<d>\d\d)",
        _NAME + r"[-/.,\s]*" + _YEAR,
        _YEAR + _MARK + r"(?P<m>\d{1,2})\s*月?",
        r"(?P<m>\d{1,2})" + _MARK + _YEAR,
    )
)
_SHORT = re.compile(_START + r"(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d)" + _END)


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date and where it stands in the text; `month_only` when its day was filled in."""

    value: date
    start: int
    end: int
    month_only: bool = False


def find_dates(text: str, *, two_digit_year: bool = False) -> tuple[FoundDate, ...]:
    """Every date in `text`, left to right, none overlapping. Impossible ones are left out, and
    so is what overlaps them: half of a wrong date is not a date.
    """
    taken: list[tuple[int, int]] = []
    found = []
    patterns = (*_PATTERNS, _SHORT) if two_digit_year else _PATTERNS
    for pattern in patterns:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < e and s < end for s, e in taken):
                continue
            taken.append((start, end))
            value = _value(match)
            if value is not None:
                found.append(FoundDate(value, start, end, "d" not in match.groupdict()))
    return tuple(sorted(found, key=lambda each: each.start))


def parse_date(text: str, *, two_digit_year: bool = False) -> date | None:
    """The one date that `text` is, or None when it is no date, an impossible one, or several."""
    found = find_dates(text.strip(), two_digit_year=two_digit_year)
    if len(found) == 1 and found[0].start == 0 and found[0].end == len(text.strip()):
        return found[0].value
    return None


def last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _value(match: re.Match[str]) -> date | None:
    parts = match.groupdict()
    year = int(parts["y"])
    year += 2000 if year < 100 else 0  # noqa: PLR2004 -- two digits
    name = parts.get("name")
    month = MONTHS.index(name.upper()) + 1 if name else int(parts["m"])
    if not 1 <= month <= len(MONTHS) or not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    if parts.get("d") is None:
        return last_day(year, month)
    day = int(parts["d"])
    # GS1: day 00 stands for the last day of the month.
    if day == 0 and len(parts["y"]) == 2:  # noqa: PLR2004 -- YYMMDD only
        return last_day(year, month)
    try:
        return date(year, month, day)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Written:
    """A value as it may be printed. `slots` tells for each character of `text` which character of
    the value's normal form it shows, -1 for none.
    """

    text: str
    slots: tuple[int, ...]


def written_forms(value: date) -> Iterator[Written]:
    """How `value` may be printed, with SEPARATOR where a mark may stand; the normal form is
    YYYYMMDD. YYMMDD only behind its application identifier: six digits alone stand in any number.
    """
    month = MONTHS[value.month - 1]
    year, two, digits, day = (0, 1, 2, 3), (2, 3), (4, 5), (6, 7)
    yield _written(value, year, SEPARATOR, digits, SEPARATOR, day)
    yield _written(value, day, SEPARATOR, digits, SEPARATOR, year)
    yield _written(value, day, SEPARATOR, month, SEPARATOR, year)
    yield _written(value, month, SEPARATOR, day, SEPARATOR, year)
    if value == last_day(value.year, value.month):
        yield _written(value, year, SEPARATOR, digits)
        yield _written(value, digits, SEPARATOR, year)
        yield _written(value, month, SEPARATOR, year)
    yield _written(value, "(17)", two, digits, day)


def _written(value: date, *parts: tuple[int, ...] | str) -> Written:
    normal = f"{value:%Y%m%d}"
    text = "".join(p if isinstance(p, str) else "".join(normal[i] for i in p) for p in parts)
    slots = [i for p in parts for i in (p if isinstance(p, tuple) else (-1,) * len(p))]
    return Written(text, tuple(slots))

"""A rollout's plan from the words of a command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, cast
from zoneinfo import ZoneInfo

from contracts.errors import BadInputError
from ota.rollout.plan import Wave, Window

_WINDOW = re.compile(r"(?:([A-Za-z]{3})(?:-([A-Za-z]{3}))? )?(\d\d):(\d\d)-(\d\d):(\d\d)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = ("box", "cell", "site")
_HOURS, _MINUTES = 24, 60


def waves_of(words: Sequence[str], *, strata: str, by: str, certify: bool) -> tuple[Wave, ...]:
    """Each wave in a word: `25` (percent by chance), `cell:dock-1,dock-2`, `site:north`,
    `box:edge-01,edge-02`; parts of one wave are joined by `+`. Raises BadInputError.
    """
    if by not in _UNITS:
        raise BadInputError(f"{by!r} cannot be drawn", mend=f"Draw {', '.join(_UNITS)}")
    unit = cast("Literal['box', 'cell', 'site']", by)
    return tuple(_wave(word, strata=strata, by=unit, certify=certify) for word in words)


def window_of(word: str) -> Window:
    """`22:00-05:00`, or with days before it: `Mon-Fri 22:00-05:00`. Raises BadInputError."""
    refused = BadInputError(
        f"{word!r} is no window", mend="Write 22:00-05:00 or Mon-Fri 22:00-05:00"
    )
    found = _WINDOW.fullmatch(word)
    if found is None:
        raise refused
    first, last, *clock = found.groups()
    from_hour, from_minute, to_hour, to_minute = map(int, clock)
    if max(from_hour, to_hour) > _HOURS or max(from_minute, to_minute) >= _MINUTES:
        raise refused
    start, end = from_hour * _MINUTES + from_minute, to_hour * _MINUTES + to_minute
    if start >= _HOURS * _MINUTES or end > _HOURS * _MINUTES:
        raise refused
    return Window(start, end, _days(first, last or first, refused))


def moment_of(text: str, zone: str) -> int:
    """An ISO 8601 moment as microseconds since 1970; without an offset it is the site's time.

    Raises BadInputError.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"{text!r} is no moment", mend="Write 2026-11-23T22:00") from error
    aware = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
    return int(aware.timestamp() * 1_000_000)


def _wave(word: str, *, strata: str, by: Literal["box", "cell", "site"], certify: bool) -> Wave:
    percent = 0.0
    named: dict[str, tuple[str, ...]] = {"cell": (), "site": (), "box": ()}
    for part in word.split("+"):
        kind, colon, names = part.partition(":")
        if colon and kind in named:
            named[kind] = tuple(name.strip() for name in names.split(",") if name.strip())
            continue
        try:
            percent = float(part.removesuffix("%"))
        except ValueError as error:
            raise BadInputError(
                f"Wave {word!r} cannot be read", mend="Write a percent, cell:A,B, site:A or box:A,B"
            ) from error
    return Wave(
        percent,
        cells=named["cell"],
        sites=named["site"],
        boxes=named["box"],
        strata=strata,
        by=by,
        certify=certify,
    )


def _days(first: str | None, last: str | None, refused: BadInputError) -> tuple[int, ...]:
    if first is None or last is None:
        return tuple(range(7))
    try:
        begin, end = _DAYS.index(first.lower()), _DAYS.index(last.lower())
    except ValueError:
        raise refused from None
    return tuple((begin + n) % 7 for n in range((end - begin) % 7 + 1))

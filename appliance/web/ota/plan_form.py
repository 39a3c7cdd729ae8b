"""A rollout as somebody types it, and the plan that it stands for. Pure.

Waves are lines: a percent, names of boxes, cells or sites, or both (`5%`, `dock-1`, `25% box-07`).
Windows are `Mon-Fri 22:00-05:00`, more of them behind a semicolon.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from contracts.errors import BadInputError
from ota.rollout.plan import SHADOWED, Plan, Scope, Wave, Window

WAVES: Final = 5
"""Lines for waves in the form."""
DRAWS: Final = ("box", "cell", "site")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW: Final = re.compile(
    r"(?:(?P<days>[A-Za-z]{3}(?:[-,][A-Za-z]{3})*)\s+)?(?P<h1>\d{1,2}):(?P<m1>\d{2})\s*-\s*"
    r"(?P<h2>\d{1,2}):(?P<m2>\d{2})"
)
_PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%")
_HUNDRED: Final = 100


@dataclass(frozen=True, slots=True)
class Places:
    """What names in a form may mean."""

    boxes: Collection[str]
    cells: Collection[str]
    sites: Collection[str]


def plan_of(
    typed: Mapping[str, str],
    chosen_cells: Sequence[str],
    places: Places,
    *,
    lane: str,
    zone: tzinfo,
) -> Plan:
    """The plan. Raises BadInputError naming the field and how to write it."""
    judges = lane in SHADOWED
    shadow = judges and "shadow" in typed
    certify = judges and (shadow or "certify" in typed)
    lines = [typed.get(f"wave{n}", "").strip() for n in range(1, WAVES + 1)]
    waves = tuple(_wave(line, typed, places, certify=certify) for line in lines if line)
    if not waves:
        raise BadInputError("No wave is written", mend="Write one at least, such as 5%")
    return Plan(
        lane,
        typed.get("candidate", ""),
        why=typed.get("why", ""),
        waves=waves,
        scope=Scope(cells=_known(chosen_cells, places.cells)),
        seed=_number(typed.get("seed", ""), "seed"),
        shadow=shadow,
        watch=judges,
        decide=shadow and "decide" in typed,
        most_failed_percent=float(_number(typed.get("most_failed", "25"), "most_failed", _HUNDRED)),
        soak_s=60 * _number(typed.get("soak", "10"), "soak", 7 * 24 * 60),
        not_before_us=_start(typed.get("start", ""), zone),
        windows=windows_of(typed.get("windows", "")),
        zone=_zone_name(zone),
    )


def _wave(line: str, typed: Mapping[str, str], places: Places, *, certify: bool) -> Wave:
    found = _PERCENT.search(line)
    percent = float(found.group(1)) if found else 0.0
    names = re.split(r"[\s,;]+", _PERCENT.sub(" ", line).strip())
    named = {name for name in names if name}
    if line.isascii() and line.isdigit():
        percent, named = float(line), set()
    if percent > _HUNDRED:
        raise BadInputError(f"{line!r} is more than 100 %", mend="Percentages end at 100")
    rest = named - set(places.cells) - set(places.sites) - set(places.boxes)
    if rest:
        raise BadInputError(
            f"No box, cell or site is called {', '.join(sorted(rest))[:120]}",
            mend="Write a percent, such as 5%, or names from the list of boxes",
            word="ota.plan.no_such",
            named={"names": ", ".join(sorted(rest))[:120]},
        )
    by: Any = typed.get("by", "box")
    draw: Literal["box", "cell", "site"] = by if by in DRAWS else "box"
    strata = typed.get("strata", "")
    cells = named & set(places.cells)
    sites = (named & set(places.sites)) - cells
    return Wave(
        percent,
        cells=tuple(sorted(cells)),
        sites=tuple(sorted(sites)),
        boxes=tuple(sorted(named - cells - sites)),
        strata=strata if strata != draw else "",
        by=draw,
        certify=certify,
    )


def windows_of(text: str) -> tuple[Window, ...]:
    """Windows from their text; none from an empty one. Raises BadInputError."""
    return tuple(_window(part.strip()) for part in text.split(";") if part.strip())


def _window(text: str) -> Window:
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise BadInputError(
            f"{text[:60]!r} is no window",
            mend="Write it as Mon-Fri 22:00-05:00, more of them behind a semicolon",
            word="ota.plan.no_window",
            named={"text": text[:60]},
        )
    begin = 60 * int(found["h1"]) + int(found["m1"])
    end = 60 * int(found["h2"]) + int(found["m2"])
    if begin >= 24 * 60 or end > 24 * 60:
        raise BadInputError(f"{text[:60]!r} is no time of a day", mend="A day ends at 24:00")
    return Window(begin, end, _days(found["days"] or "Mon-Sun"))


def _days(text: str) -> tuple[int, ...]:
    days: set[int] = set()
    for part in text.lower().split(","):
        ends = part.split("-")
        if not set(ends) <= set(_DAYS) or len(ends) > 2:  # noqa: PLR2004 -- a day, or from one to another
            raise BadInputError(f"{part!r} is no day", mend=f"Days are {', '.join(_DAYS).title()}")
        first, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        days |= {(first + n) % 7 for n in range((last - first) % 7 + 1)}
    return tuple(sorted(days))


def window_text(window: Window) -> str:
    """As it is typed."""
    days = (
        ""
        if len(window.days) == len(_DAYS)
        else ",".join(_DAYS[day].title() for day in window.days) + " "
    )
    begin, end = window.from_minute, window.to_minute
    return f"{days}{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


def wave_text(wave: Wave) -> str:
    """As it is typed."""
    percent = [f"{wave.percent:g}%"] if wave.percent else []
    return " ".join([*percent, *wave.cells, *wave.sites, *wave.boxes])


def _start(text: str, zone: tzinfo) -> int:
    if not text:
        return 0
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(
            f"{text[:40]!r} is no moment", mend="Write it as 2026-11-23T22:00"
        ) from error
    aware = at if at.tzinfo else at.replace(tzinfo=zone)
    return int(aware.timestamp() * 1_000_000)


def _number(text: str, field: str, most: int = 2**31) -> int:
    written = text.strip()
    if not written:
        return 0
    if not (written.isascii() and written.isdigit()) or int(written) > most:
        raise BadInputError(
            f"{written[:20]!r} in the field {field} is no whole number from 0 to {most}",
            mend="Write digits only",
        )
    return int(written)


def _known(names: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names) & set(known)))


def _zone_name(zone: tzinfo) -> str:
    return zone.key if isinstance(zone, ZoneInfo) else "UTC"

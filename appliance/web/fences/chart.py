"""What was measured, the limits, and what would have been an alarm, as SVG numbers.

The box is 1000 by 240 without proportions; the template draws it, a limit can be dragged in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from math import floor, log10

from contracts.telemetry import SeriesKey
from telemetry.watching.fences import Fence
from telemetry.watching.trials.trying import Curve, Tried

WIDTH, HEIGHT = 1000.0, 240.0
_MOST_CHARTS = 6
_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at `at` per cent of the axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class LimitLine:
    """`field` is the form's; `y` in the box."""

    field: str
    y: float
    value: float


@dataclass(frozen=True, slots=True)
class Shade:
    """An alarm: from `x`, `width` wide."""

    x: float
    width: float
    severity: str


@dataclass(frozen=True, slots=True)
class Chart:
    series: SeriesKey
    unit: str
    band: str
    """Points of the area between least and most."""
    line: str
    low: float
    high: float
    limits: tuple[LimitLine, ...]
    shades: tuple[Shade, ...]
    times: tuple[Mark, ...]
    values: tuple[Mark, ...]
    alarms: int


def charts(fence: Fence, tried: Tried, zone: tzinfo) -> list[Chart]:
    """One for each sensor that was looked at, those with alarms first."""
    tried = _from_the_first(tried)
    counts = {curve.series: 0 for curve in tried.curves}
    for alarm in tried.alarms:
        counts[alarm.series] = counts.get(alarm.series, 0) + 1
    ordered = sorted(tried.curves, key=lambda each: (-counts[each.series], each.series))
    return [_chart(each, fence, tried, zone) for each in ordered[:_MOST_CHARTS]]


def _from_the_first(tried: Tried) -> Tried:
    """A week of which an hour was recorded is drawn as that hour."""
    first = min((each.at_us[0] for each in tried.curves if each.at_us), default=tried.from_us)
    room = (tried.to_us - first) // 50
    return replace(tried, from_us=max(tried.from_us, first - room))


def _chart(curve: Curve, fence: Fence, tried: Tried, zone: tzinfo) -> Chart:
    limits = {name: getattr(fence, name) for name in ("above", "below")}
    known = [value for value in limits.values() if value is not None]
    low = min((*curve.least, *known), default=0.0)
    high = max((*curve.most, *known), default=1.0)
    room = (high - low) * 0.08 or 1.0
    low, high = low - room, high + room
    span = max(1, tried.to_us - tried.from_us)

    def x(at_us: int) -> float:
        return round(
            WIDTH * (min(max(at_us, tried.from_us), tried.to_us) - tried.from_us) / span, 1
        )

    def y(value: float) -> float:
        return round(HEIGHT * (high - value) / (high - low), 1)

    upper = [f"{x(at)},{y(value)}" for at, value in zip(curve.at_us, curve.most, strict=True)]
    lower = [f"{x(at)},{y(value)}" for at, value in zip(curve.at_us, curve.least, strict=True)]
    own = [alarm for alarm in tried.alarms if alarm.series == curve.series]
    return Chart(
        curve.series,
        curve.unit,
        " ".join(upper + lower[::-1]),
        " ".join(upper),
        low,
        high,
        tuple(
            LimitLine(name, y(value), value) for name, value in limits.items() if value is not None
        ),
        tuple(
            Shade(
                x(each.since_us),
                max(2.0, round(x(each.cleared_us or tried.to_us) - x(each.since_us), 1)),
                each.severity,
            )
            for each in own
        ),
        _times(tried, zone),
        _values(low, high),
        len(own),
    )


def _times(tried: Tried, zone: tzinfo) -> tuple[Mark, ...]:
    begin = datetime.fromtimestamp(tried.from_us / _US, UTC).astimezone(zone)
    end = datetime.fromtimestamp(tried.to_us / _US, UTC).astimezone(zone)
    form = "%H:%M" if (end - begin).days < 2 else "%m-%d"  # noqa: PLR2004 -- hours for a day or two
    parts = 6
    step = (end - begin) / parts
    return tuple(
        Mark(round(100 * at / parts, 1), (begin + at * step).strftime(form)) for at in range(parts)
    )


def _values(low: float, high: float) -> tuple[Mark, ...]:
    """Round numbers between, at most six (Heckbert, "Nice numbers for graph labels", 1990)."""
    rough = (high - low) / 5
    power = 10.0 ** floor(log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
    first = floor(low / step) + 1
    marks = []
    for at in range(first, first + 7):
        value = at * step
        if value < high:
            marks.append(Mark(round(100 * (high - value) / (high - low), 1), f"{value:g}"))
    return tuple(marks)

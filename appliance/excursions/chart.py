"""The curve of an excursion, as points of a box of 1000 by 100: for the page and the PDF."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from itertools import pairwise
from typing import Any

from contracts.telemetry import TracePoint
from erp_link.domain.excursions.exposure import BRIDGED_US, MINUTE_US
from erp_link.domain.excursions.judging import number
from erp_link.service.excursions.report import ExcursionReport
from erp_link.service.excursions.whereabouts import moment

WIDTH, HEIGHT = 1000.0, 100.0
_MOST_POINTS = 600
_TICKS = 4


def drawn(found: ExcursionReport, zone: tzinfo) -> dict[str, Any]:
    """`bands` are closed outlines of least and most, one for each stretch without a silence; `lines`
    the fence's limit; `xs` and `ys` the words of the axes with their places. Empty where nothing was
    measured. y grows downward.
    """
    points = thinned(found.trace)
    if not points:
        return {"bands": [], "means": [], "lines": [], "xs": [], "ys": []}
    begun = points[0].at_us
    span = max(points[-1].at_us + MINUTE_US - begun, MINUTE_US)
    limit = found.alarm.limit
    known = [] if limit is None else [limit]
    low = min([*(p.least for p in points), *known])
    high = max([*(p.most for p in points), *known])
    room = max((high - low) * 0.08, 0.5)
    low, high = low - room, high + room

    def x(at_us: int) -> float:
        return round(WIDTH * (at_us - begun) / span, 2)

    def y(value: float) -> float:
        return round(HEIGHT * (high - value) / (high - low), 2)

    bands, means = [], []
    for part in _unbroken(points):
        middle = [x(p.at_us + MINUTE_US // 2) for p in part]
        upper = [(at, y(p.most)) for at, p in zip(middle, part, strict=True)]
        lower = [(at, y(p.least)) for at, p in zip(middle, part, strict=True)]
        bands.append([*upper, *reversed(lower)])
        means.append([(at, y(p.mean)) for at, p in zip(middle, part, strict=True)])
    return {
        "bands": bands,
        "means": means,
        "lines": [y(each) for each in known],
        "xs": [
            [round(WIDTH * at / _TICKS, 2), _hour(begun + span * at // _TICKS, zone)]
            for at in range(_TICKS + 1)
        ],
        "ys": [
            [y(value), number(value)] for value in dict.fromkeys((low + room, *known, high - room))
        ],
    }


def thinned(points: Sequence[TracePoint]) -> list[TracePoint]:
    """At most a few hundred points that still reach every extreme."""
    if len(points) <= _MOST_POINTS:
        return list(points)
    size = -(-len(points) // _MOST_POINTS)
    found = []
    for at in range(0, len(points), size):
        part = points[at : at + size]
        count = sum(p.count for p in part)
        found.append(
            TracePoint(
                part[0].at_us,
                min(p.least for p in part),
                max(p.most for p in part),
                sum(p.mean * p.count for p in part) / count,
                count,
            )
        )
    return found


def _unbroken(points: Sequence[TracePoint]) -> list[list[TracePoint]]:
    parts: list[list[TracePoint]] = [[points[0]]]
    usual = BRIDGED_US + (points[1].at_us - points[0].at_us if len(points) > 1 else 0)
    for before, point in pairwise(points):
        if point.at_us - before.at_us > usual:
            parts.append([])
        parts[-1].append(point)
    return parts


def _hour(at_us: int, zone: tzinfo) -> str:
    return moment(at_us).astimezone(zone).strftime("%m-%d %H:%M")

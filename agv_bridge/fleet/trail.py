"""Where a vehicle drove lately, short enough to send and to draw for a thousand vehicles. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

STEP_M = 0.1
"""Nearer than this it is the same point: localisation trembles while a vehicle stands."""
STRAIGHT_M = 0.05
"""A point that lies so near to the line of its neighbours says nothing."""
MOST_POINTS = 80
KEPT = timedelta(minutes=10)
_SAME_M = 1e-6
JUMP_M = 3.0
FASTEST_M_S = 8.0
"""A longer leap in less time is a vehicle that was localised anew, not one that drove."""


@dataclass(frozen=True, slots=True)
class Crumb:
    """One point of a trail, in metres on its map."""

    x: float
    y: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Trail:
    """Oldest first, all on one map."""

    map_id: str = ""
    crumbs: tuple[Crumb, ...] = ()


def go_on(trail: Trail, crumb: Crumb, *, map_id: str) -> Trail:
    """The trail with one more position. A late one is left out; another map or a jump begins anew."""
    if not trail.crumbs or trail.map_id != map_id:
        return Trail(map_id, (crumb,))
    last = trail.crumbs[-1]
    if crumb.at < last.at:
        return trail
    gone = math.hypot(crumb.x - last.x, crumb.y - last.y)
    if gone < STEP_M:
        return trail
    if gone > JUMP_M and gone > FASTEST_M_S * (crumb.at - last.at).total_seconds():
        return Trail(map_id, (crumb,))
    kept = trail.crumbs
    if len(kept) > 1 and _between(kept[-2], kept[-1], crumb) < STRAIGHT_M:
        kept = kept[:-1]
    return Trail(map_id, _lately((*kept, crumb), crumb.at))


def _lately(crumbs: tuple[Crumb, ...], now: datetime) -> tuple[Crumb, ...]:
    if len(crumbs) <= MOST_POINTS and now - crumbs[0].at <= KEPT:
        return crumbs
    crumbs = crumbs[-MOST_POINTS:]
    first = next((i for i, each in enumerate(crumbs) if now - each.at <= KEPT), len(crumbs) - 1)
    # The one before the first: the line to where the vehicle was then begins there.
    return crumbs[max(0, first - 1) :]


def _between(begin: Crumb, middle: Crumb, end: Crumb) -> float:
    """How far `middle` lies from the line between the other two, in metres; from `begin` where it
    lies outside of them.
    """
    dx, dy = end.x - begin.x, end.y - begin.y
    length = math.hypot(dx, dy)
    if length < _SAME_M:
        return math.hypot(middle.x - begin.x, middle.y - begin.y)
    along = ((middle.x - begin.x) * dx + (middle.y - begin.y) * dy) / length**2
    if not 0.0 <= along <= 1.0:
        return math.hypot(middle.x - begin.x, middle.y - begin.y)
    return abs((middle.x - begin.x) * dy - (middle.y - begin.y) * dx) / length

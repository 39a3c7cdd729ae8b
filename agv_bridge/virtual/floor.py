"""The floor that virtual vehicles drive on: where a node lies, and the way between two. Pure.

A warehouse as it is drawn: docks, gates and parking along the front, rack aisles behind, a lane
across before the racks and one behind them. Vehicles keep to aisles and lanes. A node that the order
gives no position always lies in the same spot.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from zlib import crc32

MAP_ID = "floor"
WIDTH_M, DEPTH_M = 42.0, 26.0
_FRONT_M = 1.0
_LANES_M = (4.0, 24.0)
"""Across, before the racks and behind them."""
_FIRST_AISLE_M, _BETWEEN_AISLES_M, _AISLES = 6.0, 3.0, 12
_FIRST_BAY_M, _BAY_M, _BAYS = 5.5, 1.4, 13
_SLOT = re.compile(r"([A-Za-z]+)-?(\d+)(?:-\d+)?")
"""Aisle and bay, with or without the level: `A-03-2`, `B12`."""
_QUARANTINE = (WIDTH_M - 2.0, _LANES_M[1])


@dataclass(frozen=True, slots=True)
class Spot:
    """Metres from the corner of the map; theta in radians, anticlockwise from the x axis."""

    x: float
    y: float
    theta: float = 0.0


@dataclass(frozen=True, slots=True)
class Way:
    """Corners to drive through, the first where the vehicle stands."""

    corners: tuple[Spot, ...]

    @property
    def length_m(self) -> float:
        return sum(_distance(a, b) for a, b in zip(self.corners, self.corners[1:], strict=False))

    def at(self, part: float) -> Spot:
        """Where a vehicle is after `part` (0 to 1) of the way, looking where it drives."""
        left = max(0.0, min(1.0, part)) * self.length_m
        here = self.corners[0]
        for ahead in self.corners[1:]:
            step = _distance(here, ahead)
            if step == 0:
                continue
            theta = math.atan2(ahead.y - here.y, ahead.x - here.x)
            if left <= step:
                share = left / step
                return Spot(
                    here.x + (ahead.x - here.x) * share, here.y + (ahead.y - here.y) * share, theta
                )
            left -= step
            here = Spot(ahead.x, ahead.y, theta)
        return here


def spot_of(node_id: str) -> Spot:
    """Where a node lies. Slots stand in their aisle, quarantine in the far corner, all else along
    the front.
    """
    if node_id.upper().startswith("QUARANTINE"):
        return Spot(*_QUARANTINE)
    match = _SLOT.fullmatch(node_id)
    if match is None:
        return Spot(float(_number(node_id) % int(WIDTH_M - 2)) + 1.0, _FRONT_M)
    aisle, bay = match[1].upper(), int(match[2])
    column = ord(aisle) - ord("A") if len(aisle) == 1 else _number(aisle)
    return Spot(
        _FIRST_AISLE_M + column % _AISLES * _BETWEEN_AISLES_M,
        round(_FIRST_BAY_M + (bay - 1) % _BAYS * _BAY_M, 3),
    )


def way(start: Spot, end: Spot) -> Way:
    """Along the aisle to the nearer lane, across, and down the other aisle."""
    if start.x == end.x:
        return Way((start, end))
    return min(
        (Way((start, Spot(start.x, lane), Spot(end.x, lane), end)) for lane in _LANES_M),
        key=lambda one: one.length_m,
    )


def _distance(a: Spot, b: Spot) -> float:
    return math.hypot(b.x - a.x, b.y - a.y)


def _number(text: str) -> int:
    return crc32(text.encode())

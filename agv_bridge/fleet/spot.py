"""Points that can be drawn: a coordinate that is none would push everything else off the map. Pure."""

from __future__ import annotations

import math
from typing import Protocol

FARTHEST_M = 1_000_000.0
Spot = tuple[float, float]
"""x, y in metres."""


class HasPlace(Protocol):
    """A position, a node's position, a control point, a waypoint."""

    @property
    def x(self) -> float: ...

    @property
    def y(self) -> float: ...


def spot_of(where: HasPlace | None) -> Spot | None:
    """None where there is none, or where it is no place on earth."""
    if where is None or not (math.isfinite(where.x) and math.isfinite(where.y)):
        return None
    return (where.x, where.y) if max(abs(where.x), abs(where.y)) <= FARTHEST_M else None

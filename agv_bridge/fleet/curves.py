"""NURBS of VDA 5050 trajectories as lines to draw. Pure.

De Boor's algorithm over homogeneous coordinates (Piegl, Tiller: The NURBS Book, 2nd ed., A4.1), for
the curves of VDA 5050 2.1.0 chapter 6.7 and 3.0.0 `trajectory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from agv_bridge.fleet.spot import Spot, spot_of
from agv_bridge.vda5050.messages import Trajectory

MOST_CONTROL_POINTS = 200
_HIGHEST_DEGREE = 8
_STEPS = 24
_WEIGHTS = (1e-6, 1e6)
Line = tuple[Spot, ...]


def line_of(trajectory: Trajectory | None) -> Line:
    """A trajectory as at most 25 points, or as many as it has control points.

    The control points themselves where degree or knots make no curve; empty where there are none.
    """
    if trajectory is None:
        return ()
    weighted = [
        (*where, _weight(each.weight))
        for each in trajectory.control_points[:MOST_CONTROL_POINTS]
        if (where := spot_of(each)) is not None
    ]
    degree = trajectory.degree or 1
    knots = _knots(trajectory.knot_vector, len(weighted), degree)
    if knots is None or degree == 1:
        return tuple((x, y) for x, y, _ in weighted)
    begin, end = knots[degree], knots[len(weighted)]
    return tuple(
        _at(begin + (end - begin) * i / _STEPS, degree, knots, weighted) for i in range(_STEPS + 1)
    )


def _weight(given: float | None) -> float:
    return given if given is not None and _WEIGHTS[0] <= given <= _WEIGHTS[1] else 1.0


def _knots(given: Sequence[float] | None, points: int, degree: int) -> Sequence[float] | None:
    """The knot vector, clamped and even where none is given; None where it makes no curve."""
    if not 1 <= degree <= _HIGHEST_DEGREE or points <= degree:
        return None
    if not given:
        inner = points - degree
        return [0.0] * degree + [i / inner for i in range(inner + 1)] + [1.0] * degree
    right = len(given) == points + degree + 1 and all(0.0 <= knot <= 1.0 for knot in given)
    rising = all(a <= b for a, b in pairwise(given))
    return given if right and rising and given[degree] < given[points] else None


def _at(
    u: float, degree: int, knots: Sequence[float], points: Sequence[tuple[float, float, float]]
) -> Spot:
    """The curve's point for the parameter `u`. points: (x, y, weight)."""
    span = degree
    while span < len(points) - 1 and u >= knots[span + 1]:
        span += 1
    near = [(x * w, y * w, w) for x, y, w in (points[span - degree + j] for j in range(degree + 1))]
    for level in range(1, degree + 1):
        for j in range(degree, level - 1, -1):
            low, high = knots[span - degree + j], knots[span + 1 + j - level]
            share = (u - low) / (high - low) if high > low else 0.0
            a, b = near[j - 1], near[j]
            near[j] = (
                a[0] + (b[0] - a[0]) * share,
                a[1] + (b[1] - a[1]) * share,
                a[2] + (b[2] - a[2]) * share,
            )
    x, y, w = near[degree]
    return x / w, y / w

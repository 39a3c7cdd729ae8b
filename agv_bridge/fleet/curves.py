"""NURBS of VDA 5050 trajectories as lines to draw. Pure.

De Boor's algorithm over homogeneous coordinates (Piegl, Tiller: The NURBS Book, 2nd ed., A4.1), for
the curves of VDA 5050 2.1.0 chapter 6.7 and 3.0.0 `trajectory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from agv_bridge.fleet.reading import number, parts, point

MOST_CONTROL_POINTS = 200
_HIGHEST_DEGREE = 8
_STEPS = 24
_WEIGHTS = (1e-6, 1e6)
Line = tuple[tuple[float, float], ...]
"""Points in metres."""


def line_of(trajectory: object) -> Line:
    """A trajectory (degree, knotVector, controlPoints) as at most 25 points, or as many as it has.

    The control points themselves where degree or knots make no curve; empty where there are none.
    """
    control = parts(trajectory, "controlPoints")[:MOST_CONTROL_POINTS]
    points = [(point(each), number(each, "weight")) for each in control]
    weighted = [
        (
            where[0],
            where[1],
            1.0 if weight is None or not _WEIGHTS[0] <= weight <= _WEIGHTS[1] else weight,
        )
        for where, weight in points
        if where is not None
    ]
    degree = int(number(trajectory, "degree") or 1)
    plain = tuple((x, y) for x, y, _ in weighted)
    knots = _knots(trajectory, len(weighted), degree)
    if knots is None or degree == 1:
        return plain
    begin, end = knots[degree], knots[len(weighted)]
    return tuple(
        _at(begin + (end - begin) * i / _STEPS, degree, knots, weighted) for i in range(_STEPS + 1)
    )


def _knots(trajectory: object, points: int, degree: int) -> list[float] | None:
    """The knot vector, clamped and even where none is given; None where it makes no curve."""
    if not 1 <= degree <= _HIGHEST_DEGREE or points <= degree:
        return None
    given = parts(trajectory, "knotVector")
    if not given:
        inner = points - degree
        return [0.0] * degree + [i / inner for i in range(inner + 1)] + [1.0] * degree
    knots = [float(k) for k in given if isinstance(k, int | float) and not isinstance(k, bool)]
    right = len(knots) == len(given) == points + degree + 1
    rising = all(a <= b for a, b in pairwise(knots))
    return knots if right and rising and knots[degree] < knots[points] else None


def _at(
    u: float, degree: int, knots: Sequence[float], points: Sequence[tuple[float, float, float]]
) -> tuple[float, float]:
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

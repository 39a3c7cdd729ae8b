"""Plots as plain SVG numbers: a template draws them, no script is needed, and they print.

All plots lie in a box of 1000 by 100, drawn without keeping its proportions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1000.0, 100.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; `value` is what it stands for."""

    x: float
    y: float
    width: float
    height: float
    value: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, in per cent of the plot, and what it says."""

    at: float
    text: str


def bars(values: Sequence[float], *, most: float | None = None, gap: float = 0.15) -> list[Bar]:
    """One bar a value, side by side, standing on the ground. `most` is the height of the plot."""
    top = _most(values, most)
    step = WIDTH / max(1, len(values))
    return [
        Bar(
            round(at * step, 2),
            round(HEIGHT * (1 - value / top), 2),
            round(step * (1 - gap), 2),
            round(HEIGHT * value / top, 2),
            value,
        )
        for at, value in enumerate(values)
    ]


def steps(values: Sequence[float], *, most: float | None = None) -> str:
    """The points of a line that holds each value for its whole step, as SVG writes them."""
    top = _most(values, most)
    step = WIDTH / max(1, len(values))
    points = [
        f"{at * step:.1f},{HEIGHT * (1 - value / top):.1f} "
        f"{(at + 1) * step:.1f},{HEIGHT * (1 - value / top):.1f}"
        for at, value in enumerate(values)
    ]
    return " ".join(points)


def curve(points: Sequence[tuple[float, float]]) -> str:
    """A line through points given as shares (0 to 1) from the lower left corner."""
    return " ".join(f"{WIDTH * x:.1f},{HEIGHT * (1 - y):.1f}" for x, y in points)


def ticks(texts: Sequence[str], *, most: int = 6) -> list[Tick]:
    """Labels under the plot, so many that they stand apart."""
    every = max(1, -(-len(texts) // most))
    return [
        Tick(round(100 * at / max(1, len(texts)), 2), text)
        for at, text in enumerate(texts)
        if at % every == 0
    ]


def _most(values: Sequence[float], most: float | None) -> float:
    return max(most or 0, *values, 1e-9) if values else 1.0

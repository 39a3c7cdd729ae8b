"""Places in a picture, in pixels of the frame that was judged, origin top left."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
"""Corners clockwise from the text's top left."""


@dataclass(frozen=True, slots=True)
class BoxMm:
    """A box in millimetres on the goods, from the frame's top left."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Region:
    """A box with a score: where a defect was seen; `kind` is its class where one was taught."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int
    score: float
    kind: str = "anomaly"
    mm: BoxMm | None = None
    """None where the camera's scale is not known."""

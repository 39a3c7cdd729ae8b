"""Cracks drawn into good pictures, and things that are no cracks: what a network learns from.

The forms were chosen by measurement (see models/recipes/defect/cracks): lines, arcs, wandering
walks and broken fractal lines, with branches and tapering ends, 0.8 to 6 px wide, 2.5 to 10 times
as dark as the ground is rough. Fainter ones taught nothing. Beside them stand smudges, dots, edges,
bright lines and shadows, so that a network learns what a crack is rather than what was drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Path = NDArray[np.float32]
"""(n, 2) points x, y in pixels."""

WIDTH_PX = (0.8, 6.0)
CONTRAST = (2.5, 10.0)
"""In deviations of the ground."""
_FINE = 4
"""Lines are drawn so many times larger and shrunk: widths are fractions of pixels."""
_SEEN = 0.25
"""A pixel belongs to a crack from this share of it on."""


def crack(
    grey: NDArray[np.float32], sigma: float, draw: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A crack in (h, w) grey 0..255: the picture with it, and (h, w) where it is."""
    cover = _cover(grey.shape[0], grey.shape[1], draw)
    depth = sigma * _log_uniform(draw, *CONTRAST)
    uneven = 1.0 + 0.3 * _soft_noise(grey.shape, 6.0, draw)
    dark = grey - cover * np.float32(depth) * uneven
    if draw.random() < _SPALL:
        # Broken edges throw light: a thin bright seam beside the line.
        seam = np.roll(cover, (int(draw.integers(1, 3)), int(draw.integers(1, 3))), (0, 1))
        dark = dark + np.maximum(seam - cover, 0) * np.float32(depth * draw.uniform(0.2, 0.6))
    return np.clip(dark, 0, 255).astype(np.float32), cover > _SEEN


_SPALL = 0.2


def distraction(
    grey: NDArray[np.float32], sigma: float, draw: np.random.Generator
) -> NDArray[np.float32]:
    """Something that is no crack in (h, w) grey 0..255."""
    made = _DISTRACTIONS[int(draw.integers(len(_DISTRACTIONS)))](grey.shape, draw)
    depth = sigma * _log_uniform(draw, 1.5, 25.0)
    return np.clip(grey + made * np.float32(depth), 0, 255).astype(np.float32)


def _cover(height: int, width: int, draw: np.random.Generator) -> NDArray[np.float32]:
    """(h, w) in 0..1: how much of each pixel a new crack covers."""
    fine = np.zeros((height * _FINE, width * _FINE), np.uint8)
    length = _log_uniform(draw, 0.15, 1.1) * min(height, width)
    thick = _log_uniform(draw, *WIDTH_PX)
    heading = float(draw.uniform(0, 2 * math.pi))
    form = _FORMS[int(draw.integers(len(_FORMS)))]
    trunk = form(np.zeros(2, np.float32), heading, length, draw)
    # Some point of it lies in the picture, wherever it comes from and goes to.
    seen = trunk[int(draw.integers(len(trunk)))]
    trunk = trunk - seen + draw.uniform((0, 0), (width, height)).astype(np.float32)
    _stroke(fine, trunk, thick, draw)
    for _ in range(int(draw.choice(4, p=(0.5, 0.25, 0.15, 0.1)))):
        at = int(draw.integers(1, max(2, len(trunk) - 1)))
        ahead = trunk[min(at, len(trunk) - 1)] - trunk[at - 1]
        turned = math.atan2(float(ahead[1]), float(ahead[0])) + draw.choice((-1, 1)) * draw.uniform(
            0.3, 1.2
        )
        branch = form(trunk[at - 1], turned, length * float(draw.uniform(0.2, 0.6)), draw)
        _stroke(fine, branch, thick * float(draw.uniform(0.4, 0.9)), draw)
    shrunk = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    cover: NDArray[np.float32] = np.asarray(shrunk, np.float32) / np.float32(255)
    soft = float(draw.uniform(0.0, 0.9))
    if soft > _LEAST_BLUR:
        cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), soft), np.float32)
    return cover


_LEAST_BLUR = 0.2


def _stroke(fine: NDArray[np.uint8], path: Path, thick: float, draw: np.random.Generator) -> None:
    """A line whose width swells and tapers; `path` in pixels, drawn `_FINE` times larger."""
    count = len(path)
    taper_in, taper_out = draw.uniform(0.0, 0.5, 2)
    for step in range(count - 1):
        share = step / max(1, count - 2)
        rise = min(1.0, share / taper_in) if taper_in > 0 else 1.0
        fall = min(1.0, (1 - share) / taper_out) if taper_out > 0 else 1.0
        width = max(1, round(_FINE * thick * max(0.25, min(rise, fall)) * draw.uniform(0.8, 1.2)))
        (x0, y0), (x1, y1) = (path[step : step + 2] * _FINE).round().astype(int).tolist()
        cv2.line(fine, (x0, y0), (x1, y1), 255, width, cv2.LINE_8)


def _line(start: Path, heading: float, length: float, draw: np.random.Generator) -> Path:
    return _along(start, heading + 0.02 * draw.standard_normal(_steps(length)), length)


def _arc(start: Path, heading: float, length: float, draw: np.random.Generator) -> Path:
    bend = float(draw.uniform(-1.8, 1.8))
    return _along(start, heading + np.linspace(0, bend, _steps(length)), length)


def _walk(start: Path, heading: float, length: float, draw: np.random.Generator) -> Path:
    turns = draw.standard_normal(_steps(length)) * float(draw.uniform(0.1, 0.45))
    # Each turn is partly taken back, so that the line wanders without curling up.
    offsets = np.empty(len(turns))
    now = 0.0
    for place, turn in enumerate(turns):
        now = 0.85 * now + turn
        offsets[place] = now
    return _along(start, heading + offsets, length)


def _fractal(start: Path, heading: float, length: float, draw: np.random.Generator) -> Path:
    """Midpoint displacement: ever finer kinks."""
    end = start + length * np.array((math.cos(heading), math.sin(heading)), np.float32)
    path = np.stack([start, end])
    rough = float(draw.uniform(0.08, 0.25)) * length
    while len(path) < _steps(length):
        middle = (path[:-1] + path[1:]) / 2
        middle = middle + rough * draw.standard_normal(middle.shape).astype(np.float32) * 0.5
        rough *= 0.5
        longer = np.empty((len(path) + len(middle), 2), np.float32)
        longer[0::2], longer[1::2] = path, middle
        path = longer
    return path


_FORMS: tuple[Callable[[Path, float, float, np.random.Generator], Path], ...] = (
    _line,
    _arc,
    _walk,
    _walk,
    _fractal,
    _fractal,
)


def _steps(length: float) -> int:
    return max(6, round(length / 4))


def _along(start: Path, headings: NDArray[np.float64], length: float) -> Path:
    stride = length / len(headings)
    moves = stride * np.stack([np.cos(headings), np.sin(headings)], axis=1)
    return np.concatenate([start[None], start + np.cumsum(moves, axis=0)]).astype(np.float32)


def _smudge(shape: tuple[int, ...], draw: np.random.Generator) -> NDArray[np.float32]:
    spot = np.zeros(shape, np.float32)
    axes = (int(draw.uniform(3, 30)), int(draw.uniform(3, 30)))
    cv2.ellipse(spot, _spot(shape, draw), axes, float(draw.uniform(0, 180)), 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(spot, (0, 0), float(draw.uniform(1.5, 8)))
    return np.asarray(soft * draw.choice((-1, 1)), np.float32)


def _dots(shape: tuple[int, ...], draw: np.random.Generator) -> NDArray[np.float32]:
    dots = np.zeros(shape, np.float32)
    for _ in range(int(draw.integers(1, 12))):
        cv2.circle(
            dots, _spot(shape, draw), int(draw.integers(0, 4)), float(draw.choice((-1, 1))), -1
        )
    return np.asarray(cv2.GaussianBlur(dots, (0, 0), float(draw.uniform(0.4, 1.2))), np.float32)


def _step(shape: tuple[int, ...], draw: np.random.Generator) -> NDArray[np.float32]:
    """The edge of a face: one side lighter than the other."""
    side = _side(shape, draw)
    return np.asarray(np.tanh(side / draw.uniform(0.5, 4.0)) * 0.5, np.float32)


def _bright_line(shape: tuple[int, ...], draw: np.random.Generator) -> NDArray[np.float32]:
    return _cover(shape[0], shape[1], draw)


def _shadow(shape: tuple[int, ...], draw: np.random.Generator) -> NDArray[np.float32]:
    """A dark or light band far wider than a crack."""
    side = _side(shape, draw)
    return np.asarray(
        np.exp(-((side / draw.uniform(8, 30)) ** 2)) * draw.choice((-1, 1)), np.float32
    )


def _slope(shape: tuple[int, ...], draw: np.random.Generator) -> NDArray[np.float32]:
    return np.asarray(_side(shape, draw) / max(shape) * 2, np.float32)


_DISTRACTIONS: tuple[Callable[[tuple[int, ...], np.random.Generator], NDArray[np.float32]], ...] = (
    _smudge,
    _smudge,
    _dots,
    _step,
    _bright_line,
    _bright_line,
    _shadow,
    _slope,
)


def _side(shape: tuple[int, ...], draw: np.random.Generator) -> NDArray[np.float32]:
    """(h, w): how far each pixel is from a line across the picture, with a sign."""
    x, y = _spot(shape, draw)
    turn = float(draw.uniform(0, 2 * math.pi))
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return np.asarray((columns - x) * math.cos(turn) + (rows - y) * math.sin(turn), np.float32)


def _spot(shape: tuple[int, ...], draw: np.random.Generator) -> tuple[int, int]:
    return int(draw.integers(shape[1])), int(draw.integers(shape[0]))


def _soft_noise(
    shape: tuple[int, ...], soft_px: float, draw: np.random.Generator
) -> NDArray[np.float32]:
    """(h, w) smooth noise of deviation one."""
    small = (max(2, round(shape[0] / soft_px)), max(2, round(shape[1] / soft_px)))
    noise = draw.standard_normal(small).astype(np.float32)
    return np.asarray(
        cv2.resize(noise, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _log_uniform(draw: np.random.Generator, low: float, high: float) -> float:
    return float(math.exp(draw.uniform(math.log(low), math.log(high))))

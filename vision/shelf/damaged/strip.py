"""A linear code's picture as bands: upright, one row of brightness for each band of its height.

Damage seldom is the same at every height, so bands stay apart until the digits are weighed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BANDS = 12
_TURNS = np.deg2rad(np.arange(-3.0, 3.01, 0.75))
_LEAST_ROWS = 6
_ROW_SHARE = 0.4
_LONGEST_PX = 900
_MARGIN = 0.18
"""Of a region's width, looked at on both sides of it: damage hides a code's ends."""


@dataclass(frozen=True, slots=True)
class Strip:
    """`bands` (BANDS, w) brightness 0..255. `back` (2, 3) maps strip pixels to the crop's; `top`
    and `bottom` are the bars' rows in the strip's upright picture `upright` (h, w).
    """

    bands: Floats
    back: Floats
    top: int
    bottom: int
    upright: NDArray[np.uint8]


def strip_of(grey: NDArray[np.uint8], quad: Floats | None) -> Strip | None:
    """The bars in a crop (h, w), around `quad` (4, 2) where that is known. None where nothing with
    parallel bars stands there.
    """
    turned = _upright(grey, quad)
    if turned is None:
        return None
    upright, back = turned
    across = np.abs(np.diff(cv2.GaussianBlur(upright, (1, 3), 0).astype(np.float32), axis=1))
    along = np.abs(np.diff(upright.astype(np.float32), axis=0))
    energy = across[:-1].mean(axis=1) - along[:, :-1].mean(axis=1)
    energy = np.convolve(energy, np.ones(5) / 5, mode="same")
    rows = _longest_run(energy > _ROW_SHARE * float(energy.max(initial=0.0)))
    if rows is None or rows[1] - rows[0] < _LEAST_ROWS or energy.max() <= 0:
        return None
    top, bottom = rows
    trim = max(1, (bottom - top) // 12)
    edges = np.linspace(top + trim, bottom - trim, BANDS + 1).round().astype(int)
    whole = upright.astype(np.float64)
    bands = np.stack([whole[a : max(b, a + 1)].mean(axis=0) for a, b in pairwise(edges.tolist())])
    return Strip(bands, back, top, bottom, upright)


def _upright(
    grey: NDArray[np.uint8], quad: Floats | None
) -> tuple[NDArray[np.uint8], Floats] | None:
    """The crop turned so that bars stand, and the way back (2, 3)."""
    height, width = grey.shape
    if quad is None:
        angle = _angle(grey, None)
        if angle is None:
            return None
        c, s = abs(np.cos(angle)), abs(np.sin(angle))
        size = (width * c + height * s, width * s + height * c)
        middle = np.array([width / 2, height / 2])
    else:
        along = quad[1] - quad[0] + quad[2] - quad[3]
        near = float(np.arctan2(along[1], along[0]))
        angle = _angle(grey, near)
        angle = near if angle is None else angle
        wide = float(np.linalg.norm(along)) / 2
        high = float(np.linalg.norm(quad[3] - quad[0] + quad[2] - quad[1])) / 2
        size = (wide * (1 + 2 * _MARGIN) + 8, max(high * 1.6, 24.0))
        middle = quad.mean(axis=0)
    if max(size) > _LONGEST_PX * 2 or min(size) < _LEAST_ROWS:
        return None
    best = max(
        (_turned(grey, middle, size, angle + turn) for turn in _TURNS), key=lambda each: each[0]
    )
    return best[1], best[2]


def _turned(
    grey: NDArray[np.uint8], middle: Floats, size: tuple[float, float], angle: float
) -> tuple[float, NDArray[np.uint8], Floats]:
    """How sharp the bars stand when the crop is turned by `angle` around `middle`, and the result."""
    w, h = max(8, round(size[0])), max(8, round(size[1]))
    c, s = np.cos(angle), np.sin(angle)
    back = np.array(
        [
            [c, -s, middle[0] - c * w / 2 + s * h / 2],
            [s, c, middle[1] - s * w / 2 - c * h / 2],
        ]
    )
    picture = cv2.warpAffine(
        grey,
        back,
        (w, h),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    upright = np.asarray(picture, dtype=np.uint8)
    quarter = h // 4
    mean = upright[quarter : h - quarter].astype(np.float32).mean(axis=0)
    return float(np.square(np.diff(mean)).sum()), upright, back


def _angle(grey: NDArray[np.uint8], near: float | None) -> float | None:
    """The direction across the bars, by the structure tensor, -pi/2..pi/2 or nearest to `near`."""
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    xx, yy, xy = (float((a * b).sum()) for a, b in ((across, across), (down, down), (across, down)))
    strength = xx + yy
    coherent = float(np.hypot(xx - yy, 2 * xy)) / strength if strength > 0 else 0.0
    if coherent < 0.25:  # noqa: PLR2004 -- print and clutter have no one direction
        return None
    angle = 0.5 * float(np.arctan2(2 * xy, xx - yy))
    if near is not None:
        angle += np.pi * round((near - angle) / np.pi)
        if abs(angle - near) > np.deg2rad(25):
            return None
    return angle


def _longest_run(mask: NDArray[np.bool_]) -> tuple[int, int] | None:
    padded = np.concatenate([[False], mask, [False]])
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    if not len(changes):
        return None
    begins, ends = changes[::2], changes[1::2]
    longest = int((ends - begins).argmax())
    return int(begins[longest]), int(ends[longest])

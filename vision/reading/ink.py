"""Ink: a cheap picture of everything thin that is darker than the ground around it.

A black top-hat keeps what is darker than its surroundings and thinner than nine pixels at 640 (dots,
strokes, bars), the distance to the local ground keeps the gaps between white scratches out. Blots,
shadows and tape are neither. The dot-matrix finder (vision.reading.dot_rows) reads rows off the map,
lines are stretched by it (vision.reading.line_ends), and blank rows are told (vision.reading.label_area).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]

SIDE_PX = 640
_HAT_PX = 9
_GROUND_SHRINK = 4
_GROUND_PX = 11
_LEAST_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Ink:
    """`map` (h, w), long side 640: grey levels below the ground. `grey` (h, w): the frame at that
    size. `scale`: map pixels per frame pixel. `level`: from here on it is print, not grain of the board.
    """

    map: Mask
    grey: Mask
    scale: float
    level: int

    @property
    def print(self) -> Mask:
        """(h, w) of 0 and 1: what is print."""
        return np.asarray(self.map > self.level, dtype=np.uint8)


def ink_of(image: NDArray[np.uint8]) -> Ink:
    """The ink of `image` (h, w, 3) BGR."""
    height, width = image.shape[:2]
    scale = SIDE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    coarse = cv2.resize(
        grey,
        (max(1, size[0] // _GROUND_SHRINK), max(1, size[1] // _GROUND_SHRINK)),
        interpolation=cv2.INTER_AREA,
    )
    ground = cv2.resize(cv2.medianBlur(coarse, _GROUND_PX), size, interpolation=cv2.INTER_LINEAR)
    hat = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((_HAT_PX, _HAT_PX), np.uint8))
    ink = np.asarray(cv2.min(hat, cv2.subtract(ground, grey)), dtype=np.uint8)
    counts = cv2.calcHist([ink], [0], None, [256], [0, 256]).ravel()
    return Ink(ink, np.asarray(grey, dtype=np.uint8), scale, _level(np.cumsum(counts) / ink.size))


def _level(below: NDArray[np.float64]) -> int:
    """Where print begins, from the share of pixels at most that dark: above the grain of the board
    (the darkest twentieth, unless that is print), and never so high that clear print is lost.
    """
    quarter, most, print_ = (int(np.searchsorted(below, share)) for share in (0.75, 0.96, 0.995))
    return max(_LEAST_LEVEL, int(min(1.5 * most, 5 * quarter + 2, 0.4 * print_)))

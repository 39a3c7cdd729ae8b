"""Where a matrix code may be: a dense square of edges in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from vision.reading.symbols_erasures.lattice import PATCH_PX

Floats = NDArray[np.float64]

_WIDTH_PX = 640
_DENSE_PX = 17
_TEXT_PX = 19
"""Higher than lines of text are, at _WIDTH_PX."""
_CLOSE_PX = 31
"""Pieces of one symbol are nearer to each other."""
_SHARE = 0.3
_LEAST_PX, _MOST_PX = 28, 300
_MOST_ASPECT = 1.9
_MARGIN = 1.18
_WEAKEST = 8.0


@dataclass(frozen=True, slots=True)
class Square:
    """Middle and side in frame pixels, angle in radians up to quarter turns."""

    x: float
    y: float
    side: float
    angle: float

    @property
    def matrix(self) -> Floats:
        """The affine map (2, 3) from the frame to its patch."""
        half = self.side / 2
        c, s = np.cos(self.angle) * half, np.sin(self.angle) * half
        corners = [(-c + s, -s - c), (c + s, s - c), (-c - s, -s + c)]
        source = np.array([(self.x + dx, self.y + dy) for dx, dy in corners], np.float32)
        target = np.array([(0, 0), (PATCH_PX, 0), (0, PATCH_PX)], np.float32)
        return np.asarray(cv2.getAffineTransform(source, target), dtype=np.float64)


def find_squares(grey: NDArray[np.uint8], *, most: int) -> list[Square]:
    """Up to `most` candidates in a frame (h, w), the densest first."""
    scale = _WIDTH_PX / max(grey.shape)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    across = cv2.Sobel(small, cv2.CV_16S, 1, 0)
    down = cv2.Sobel(small, cv2.CV_16S, 0, 1)
    window = (_DENSE_PX, _DENSE_PX)
    ways = [cv2.blur(cv2.convertScaleAbs(way, alpha=0.25), window) for way in (across, down)]
    if min(float(way.max()) for way in ways) < _WEAKEST:
        return []
    # Each way by its own strongest: motion wipes out edges across it, but not those along.
    scaled = [cv2.convertScaleAbs(way, alpha=255 / float(way.max())) for way in ways]
    dense = np.asarray(np.minimum(*scaled), dtype=np.uint8)
    dense_enough = (dense > _SHARE * float(dense.max())).astype(np.uint8)
    text, gap = np.ones((_TEXT_PX, _TEXT_PX), np.uint8), np.ones((_CLOSE_PX, _CLOSE_PX), np.uint8)
    opened = cv2.morphologyEx(dense_enough, cv2.MORPH_OPEN, text)
    mask = np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, gap), dtype=np.uint8)
    found = list(_blobs(mask, dense, (across, down), scale))
    found.sort(key=lambda each: -each[0])
    return [square for _, square in found[:most]]


def _blobs(
    mask: NDArray[np.uint8],
    dense: NDArray[np.uint8],
    edges: tuple[MatLike, MatLike],
    scale: float,
) -> Iterator[tuple[float, Square]]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    for k in range(1, count):
        x, y, w, h, _ = (int(v) for v in stats[k])
        low, high = sorted((w, h))
        if low < _LEAST_PX or high > _MOST_PX or high > _MOST_ASPECT * low:
            continue
        own = labels[y : y + h, x : x + w] == k
        across, down = (each[y : y + h, x : x + w][own] / 1000.0 for each in edges)
        # Edges of a square lattice point four ways: the fourth power brings them together.
        angle = float(np.angle(np.sum((across + 1j * down) ** 4)) / 4)
        rows, columns = np.nonzero(own)
        u = columns * np.cos(angle) + rows * np.sin(angle)
        v = -columns * np.sin(angle) + rows * np.cos(angle)
        (u0, u1), (v0, v1) = np.percentile(u, [1, 99]), np.percentile(v, [1, 99])
        side = max(u1 - u0, v1 - v0)
        mu, mv = (u0 + u1) / 2, (v0 + v1) / 2
        cx = x + mu * np.cos(angle) - mv * np.sin(angle)
        cy = y + mu * np.sin(angle) + mv * np.cos(angle)
        weight = float(dense[y : y + h, x : x + w][own].sum())
        square = Square(
            float(cx + 0.5) / scale, float(cy + 0.5) / scale, _MARGIN * side / scale, angle
        )
        yield weight, square

"""Where a linear code stands that was not read: close edges in one direction, none across it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in cells."""

_EVERY = 4
_CELL_PX, _CELL_ROWS = 8, 2
_STEPS = (_EVERY * _CELL_ROWS, _CELL_PX)
_LEAST_EDGE = 14.0
_ONE_WAY = 2.2
_LEAST_CELLS = 8
_LEAST_WIDTH_PX = 32
_LEAST_ASPECT = 0.4
"""Damage may leave a narrow rest of a code."""
_SAME_ROWS = 0.6
_WIDEST = 3.6
"""Width of a code in its heights, at most."""
_MOST = 40


def find_unread(grey: NDArray[np.uint8], read: Sequence[Floats]) -> list[Floats]:
    """Quads (4, 2) of upright places in a frame (h, w) with bars, that none of `read` covers."""
    height, width = (n // step * step for n, step in zip(grey.shape, _STEPS, strict=True))
    if height == 0 or width == 0:
        return []
    width -= _CELL_PX
    if width <= 0:
        return []
    rows = grey[:height:_EVERY]
    # Whole numbers of pixels a cell are what makes the resize below fast.
    across = cv2.absdiff(rows[:, :width], rows[:, 1 : width + 1])
    along = cv2.absdiff(rows[:, :width], grey[1:height:_EVERY, :width])
    size = (width // _CELL_PX, len(rows) // _CELL_ROWS)
    x, y = (
        np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
        for each in (across, along)
    )
    scale = np.array([_CELL_PX, _EVERY * _CELL_ROWS], dtype=np.float64)
    bars = ((x > _LEAST_EDGE) & (x > _ONE_WAY * y)).astype(np.uint8)
    cell_y = _EVERY * _CELL_ROWS
    for quad in read:
        # A linear code's quad covers the rows that were read: bars go on above and below. Plain
        # floats: arrays of four points cost more than the rest of this.
        left, top, right, bottom = box_of(quad)
        rim_x, rim_y = 0.08 * (right - left) + _CELL_PX, 0.35 * (right - left) + _CELL_PX
        up, down = max(0, int((top - rim_y) / cell_y)), int((bottom + rim_y) / cell_y) + 1
        bars[
            up:down, max(0, int((left - rim_x) / _CELL_PX)) : int((right + rim_x) / _CELL_PX) + 1
        ] = 0
    bars = np.asarray(cv2.morphologyEx(bars, cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8)))
    count, _, stats, _ = cv2.connectedComponentsWithStats(bars, connectivity=4)
    pieces = [
        (left, top, left + wide, top + high)
        for left, top, wide, high, cells in stats[1:count].tolist()
        if cells >= _LEAST_CELLS
    ]
    found = []
    for left, top, right, bottom in sorted(_joined(pieces), key=_area)[:_MOST]:
        (x0, y0), (x1, y1) = (left, top) * scale, (right, bottom) * scale
        if x1 - x0 >= _LEAST_WIDTH_PX and x1 - x0 >= _LEAST_ASPECT * (y1 - y0):
            found.append(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
    return found


def box_of(quad: Floats) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a quad (4, 2)."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad.tolist()
    return min(ax, bx, cx, dx), min(ay, by, cy, dy), max(ax, bx, cx, dx), max(ay, by, cy, dy)


def _joined(pieces: list[Box]) -> list[Box]:
    """Damage cuts a code in two: what stands beside each other in the same rows is one code."""
    left = sorted(pieces)
    out: list[Box] = []
    for piece in left:
        k = next((k for k, other in enumerate(out) if _one_code(other, piece)), None)
        if k is None:
            out.append(piece)
        else:
            one = out[k]
            out[k] = (
                min(one[0], piece[0]), min(one[1], piece[1]),
                max(one[2], piece[2]), max(one[3], piece[3]),
            )  # fmt: skip
    return out


def _one_code(one: Box, other: Box) -> bool:
    if other[1] >= one[3] or other[3] <= one[1]:
        return False
    together = min(one[3], other[3]) - max(one[1], other[1])
    gap = other[0] - one[2]
    wide, high = (
        max(one[2] - one[0], other[2] - other[0]),
        max(one[3], other[3]) - min(one[1], other[1]),
    )
    same_rows = together >= _SAME_ROWS * min(one[3] - one[1], other[3] - other[1])
    across = (max(one[2], other[2]) - one[0]) * _CELL_PX
    return same_rows and gap <= wide and across <= _WIDEST * high * _EVERY * _CELL_ROWS


def _area(box: Box) -> int:
    return -(box[2] - box[0]) * (box[3] - box[1])

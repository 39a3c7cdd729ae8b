"""Strangeness of patches and cracks -> a picture of where it is strange, and boxes around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.geometry import BoxMm, Region
from contracts.inspection import DefectKind

MOST_REGIONS = 8
_LEAST_LIMIT = 0.5
_GAP_PLACES = 7
"""A crack is seen in pieces: gaps up to so many places (2 px each) are closed."""
_MM_DECIMALS = 2


def heatmap(
    strangeness: NDArray[np.float32],
    limit: float,
    width_px: int,
    height_px: int,
    *,
    cracks: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """(rows, columns) of patches, and of cracks on a finer grid -> (height, width) in 0..1; 0.5 is
    the limit. Both in the unit of the score.
    """
    limit = max(limit, _LEAST_LIMIT)
    heat = _large(strangeness, limit, width_px, height_px)
    if cracks is not None:
        np.maximum(heat, _large(cracks, limit, width_px, height_px), out=heat)
    return heat


def _large(
    strangeness: NDArray[np.float32], limit: float, width_px: int, height_px: int
) -> NDArray[np.float32]:
    share = np.clip(strangeness / np.float32(2 * limit), 0.0, 1.0)
    large = cv2.resize(share, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, dtype=np.float32)


def regions(
    strangeness: NDArray[np.float32],
    limit: float,
    width_px: int,
    height_px: int,
    *,
    cracks: NDArray[np.float32] | None = None,
    mm_per_px: float | None = None,
) -> tuple[Region, ...]:
    """Boxes of touching places beyond `limit`, the strangest first, at most eight.

    A region's score is its peak, in the unit of the image score; it is a crack where that peak is
    one of `cracks`. Boxes are in millimetres too where `mm_per_px` of the frame is known.
    """
    grid, beyond = strangeness, (strangeness > limit).astype(np.uint8)
    thin: NDArray[np.bool_] | None = None
    if cracks is not None:
        rows, columns = cracks.shape
        coarse = cv2.resize(strangeness, (columns, rows), interpolation=cv2.INTER_NEAREST)
        thin = cracks > coarse
        grid = np.maximum(coarse, cracks)
        lines = cv2.morphologyEx(
            (cracks > limit).astype(np.uint8),
            cv2.MORPH_CLOSE,
            np.ones((_GAP_PLACES, _GAP_PLACES), np.uint8),
        )
        beyond = (lines.astype(bool) | (coarse > limit)).astype(np.uint8)
    rows, columns = grid.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats(beyond, connectivity=8)
    found = []
    for label, place in _peaks(grid.ravel(), np.asarray(labels, np.int32).ravel()):
        left, top, wide, high = (int(stats[label, column]) for column in range(4))
        x, right = (round(edge * width_px / columns) for edge in (left, left + wide))
        y, bottom = (round(edge * height_px / rows) for edge in (top, top + high))
        found.append(
            Region(
                x,
                y,
                right - x,
                bottom - y,
                round(float(grid.flat[place]), 3),
                kind=DefectKind.CRACK if thin is not None and thin.flat[place] else "anomaly",
                mm=in_mm((x, y, right - x, bottom - y), mm_per_px),
            )
        )
    return tuple(found)


def in_mm(box_px: tuple[int, int, int, int], mm_per_px: float | None) -> BoxMm | None:
    """x, y, width, height of a box in millimetres; None where the scale is not known."""
    if mm_per_px is None:
        return None
    return BoxMm(*(round(side * mm_per_px, _MM_DECIMALS) for side in box_px))


def _peaks(grid: NDArray[np.float32], labels: NDArray[np.int32]) -> list[tuple[int, int]]:
    """Label and place of the strangest regions' peaks, the strangest first."""
    inside = np.flatnonzero(labels)
    strangest_first = inside[np.argsort(-grid[inside], kind="stable")]
    known, first = np.unique(labels[strangest_first], return_index=True)
    order = np.argsort(first, kind="stable")[:MOST_REGIONS]
    return [(int(known[one]), int(strangest_first[first[one]])) for one in order]

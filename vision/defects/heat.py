"""Patch distances -> a picture of where it is strange, and boxes around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.geometry import Region

MOST_REGIONS = 8


def heatmap(
    patch_distances: NDArray[np.float32], limit: float, width_px: int, height_px: int
) -> NDArray[np.float32]:
    """(rows, columns) distances -> (height, width) in 0..1; 0.5 is the limit."""
    share = np.clip(patch_distances / (2 * max(limit, 1e-6)), 0.0, 1.0).astype(np.float32)
    large = cv2.resize(share, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, dtype=np.float32)


def regions(
    patch_distances: NDArray[np.float32], limit: float, unit: float, width_px: int, height_px: int
) -> tuple[Region, ...]:
    """Boxes of touching patches beyond `limit`, the strangest first, at most eight.

    A region's score is its peak, in the unit of the image score.
    """
    rows, columns = patch_distances.shape
    beyond = (patch_distances > limit).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(beyond, connectivity=8)
    found = []
    for label in range(1, count):
        left, top, wide, high = (int(stats[label, column]) for column in range(4))
        x, right = (round(edge * width_px / columns) for edge in (left, left + wide))
        y, bottom = (round(edge * height_px / rows) for edge in (top, top + high))
        peak = float(patch_distances[labels == label].max())
        found.append(Region(x, y, right - x, bottom - y, round(peak / unit, 3)))
    found.sort(key=lambda region: -region.score)
    return tuple(found[:MOST_REGIONS])

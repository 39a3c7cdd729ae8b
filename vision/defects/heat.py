"""Strangeness of patches -> a picture of where it is strange, and boxes around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.geometry import Region

MOST_REGIONS = 8
_LEAST_LIMIT = 0.5


def heatmap(
    strangeness: NDArray[np.float32], limit: float, width_px: int, height_px: int
) -> NDArray[np.float32]:
    """(rows, columns) -> (height, width) in 0..1; 0.5 is the limit."""
    limit = max(limit, _LEAST_LIMIT)
    share = np.clip(strangeness / (2 * limit), 0.0, 1.0).astype(np.float32)
    large = cv2.resize(share, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, dtype=np.float32)


def regions(
    strangeness: NDArray[np.float32], limit: float, width_px: int, height_px: int
) -> tuple[Region, ...]:
    """Boxes of touching patches beyond `limit`, the strangest first, at most eight.

    A region's score is its peak, in the unit of the image score.
    """
    rows, columns = strangeness.shape
    beyond = (strangeness > limit).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(beyond, connectivity=8)
    found = []
    for label in range(1, count):
        left, top, wide, high = (int(stats[label, column]) for column in range(4))
        x, right = (round(edge * width_px / columns) for edge in (left, left + wide))
        y, bottom = (round(edge * height_px / rows) for edge in (top, top + high))
        peak = float(strangeness[labels == label].max())
        found.append(Region(x, y, right - x, bottom - y, round(peak, 3)))
    found.sort(key=lambda region: -region.score)
    return tuple(found[:MOST_REGIONS])

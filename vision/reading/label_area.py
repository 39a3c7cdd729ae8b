"""Which lines are worth reading first, judged by geometry and ink before anything is read.

Batch, dates and numbers stand in blocks of like rows or as one long small line under a symbol; what
stands alone and large (FRAGILE, this side up) or heads the label (the product's name) says nothing
that a reading needs. Completion also looks where nothing is printed; a row without ink need not be
read at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.reading.boxes import dominant_angle, to_flat
from vision.reading.detector import corners
from vision.reading.ink import Ink

Boxes = NDArray[np.float64]
Floats = NDArray[np.float64]

_ROWS = 8


@dataclass(frozen=True, slots=True)
class WorthSettings:
    """`like_height`: heights of one block, the smaller
    to the larger. `row_distance`: between rows of a block, in line heights. `long`: length from
    which a line is likely a number with its brackets, in heights.
    """

    like_height: float = 0.72
    row_distance: float = 2.2
    long: float = 12.0


def worth_reading(boxes: Boxes, settings: WorthSettings) -> NDArray[np.intp]:
    """Numbers of all `boxes` (n, 5), the most promising first: read from the front, stop when what
    was asked for is read. Geometry alone drops nothing: now and then a date stands alone.
    """
    return np.argsort(-worth(boxes, settings), kind="stable")


def worth(boxes: Boxes, settings: WorthSettings) -> Floats:
    """How much each box (n, 5) looks like a line with a number in it, 0..1."""
    if len(boxes) == 0:
        return np.empty(0)
    flat = to_flat(boxes, dominant_angle(boxes))
    aspect = flat[:, 2] / np.maximum(flat[:, 3], 1e-6)
    low = np.minimum(flat[:, None, 3], flat[None, :, 3])
    high = np.maximum(flat[:, None, 3], flat[None, :, 3])
    apart = np.abs(flat[:, None, 1] - flat[None, :, 1])
    left, right = flat[:, 0] - flat[:, 2] / 2, flat[:, 0] + flat[:, 2] / 2
    shared = np.minimum(right[:, None], right[None]) - np.maximum(left[:, None], left[None])
    rows = (
        (low > settings.like_height * high)
        & (apart > 0.5 * low)
        & (apart < settings.row_distance * high)
        & (shared > 0)
    ).sum(axis=1)
    # Names and handling marks are printed larger than the lines that matter.
    usual = float(np.median(flat[:, 3]))
    small = np.clip((1.6 * usual - flat[:, 3]) / (0.6 * usual), 0.0, 1.0)
    company = np.maximum(np.minimum(rows, 2) / 2, np.clip(aspect / settings.long, 0.0, 1.0) ** 2)
    scores: Floats = 0.45 * company + 0.35 * small + 0.2 * np.clip(aspect / settings.long, 0.0, 1.0)
    return scores


def ink_shares(boxes: Boxes, ink: Ink) -> Floats:
    """Share of each box (n, 5) that is print."""
    print_ = ink.print * 255
    shares = np.empty(len(boxes))
    for i, box in enumerate(boxes):
        width = int(np.clip(round(box[2] / max(box[3], 1e-6) * _ROWS), 1, 100 * _ROWS))
        quad = corners(box) * ink.scale
        target = np.array([[0, 0], [width, 0], [0, _ROWS]], dtype=np.float32)
        matrix = cv2.getAffineTransform(quad[[0, 1, 3]].astype(np.float32) - 0.5, target - 0.5)
        shares[i] = cv2.warpAffine(print_, matrix, (width, _ROWS)).mean() / 255
    return shares

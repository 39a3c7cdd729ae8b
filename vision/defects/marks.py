"""Where a person marked a crack -> the pixels of the crack itself.

A box says where a crack is, not which of its pixels. The crack is the thin dark line in it: what a
closing with a small disc fills up (black top-hat; Serra 1982), parted from the ground by Otsu's
threshold (1979).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_DISC_SHARE = 0.02
_LEAST_SHARE = 0.002
"""Of a box: fewer pixels are no line, and the whole box is taken."""


def mask_in_boxes(
    image: NDArray[np.uint8], boxes: Sequence[tuple[float, float, float, float]]
) -> NDArray[np.bool_]:
    """(h, w, 3) BGR and boxes (centre x, y, width, height as shares) -> (h, w) where it is cracked."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    side = 2 * max(3, round(_DISC_SHARE * max(height, width))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    dark = cv2.morphologyEx(cv2.GaussianBlur(grey, (3, 3), 0), cv2.MORPH_BLACKHAT, disc)
    mask = np.zeros(grey.shape, np.bool_)
    for x, y, wide, high in boxes:
        left, right = (round(np.clip(edge, 0, 1) * width) for edge in (x - wide / 2, x + wide / 2))
        top, bottom = (round(np.clip(edge, 0, 1) * height) for edge in (y - high / 2, y + high / 2))
        inside = np.ascontiguousarray(dark[top:bottom, left:right])
        if not inside.size:
            continue
        _, line = cv2.threshold(inside, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        found = np.asarray(line) > 0
        if found.mean() < _LEAST_SHARE:
            found[:] = True
        mask[top:bottom, left:right] |= found
    return mask

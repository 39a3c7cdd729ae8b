"""The picture kept as evidence: the frame with the heatmap laid over it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

_MOST_AREA_PX = 1280 * 960
_QUALITY = 85
_COLD = 0.25
"""Below half of the limit nothing is tinted: evidence shows the goods, not the colours."""


def heatmap_jpeg(image: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> bytes:
    """JPEG bytes of (h, w, 3) BGR with (h, w) in 0..1 over it; at most about 1280 x 960 px."""
    scale = math.sqrt(_MOST_AREA_PX / heatmap.size)
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(
            np.uint8
        )
    height, width = image.shape[:2]
    heat = cv2.resize(heatmap, (width, height), interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    weight = np.clip((heat - _COLD) / (1 - _COLD), 0.0, 0.75)[:, :, None]
    mixed = (image * (1 - weight) + colours * weight).astype(np.uint8)
    done, jpeg = cv2.imencode(".jpg", mixed, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise RuntimeError("OpenCV could not write a JPEG")
    return bytes(jpeg)

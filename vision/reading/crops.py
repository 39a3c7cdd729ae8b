"""Cut a line out of the frame: upright, 48 pixels high, contrast brought to one level."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.engine import bucket
from vision.reading.detector import corners

HEIGHT_PX = 48
WIDTH_STEP_PX = 32
MOST_WIDTH_PX = 1280


def rectify(
    image: NDArray[np.uint8], box: NDArray[np.float64], *, margin: float
) -> NDArray[np.uint8]:
    """The line in `box` (5,) as (48, w, 3) BGR, w a multiple of 32 (the line is stretched by less
    than one step). `margin` is added on each side, in line heights.
    """
    grown = box.copy()
    grown[2] += 2 * margin * box[3]
    grown[3] += 2 * margin * box[3]
    aspect = grown[2] / max(grown[3], 1e-6)
    width = bucket(
        max(1, round(HEIGHT_PX * aspect - WIDTH_STEP_PX / 2)),
        step=WIDTH_STEP_PX,
        most=MOST_WIDTH_PX,
    )
    quad = corners(grown)
    level = 0
    while grown[3] / 2**level > 2 * HEIGHT_PX:
        level += 1
    if level:
        image, quad = _shrunk(image, quad, 2**level)
    target = np.array([[0, 0], [width, 0], [0, HEIGHT_PX]], dtype=np.float32)
    matrix = cv2.getAffineTransform(quad[[0, 1, 3]].astype(np.float32) - 0.5, target - 0.5)
    crop = cv2.warpAffine(
        image, matrix, (width, HEIGHT_PX), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(crop, dtype=np.uint8)


def _shrunk(
    image: NDArray[np.uint8], quad: NDArray[np.float64], factor: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of the picture around `quad`, made smaller without aliasing."""
    low = np.maximum(np.floor(quad.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + 1, image.shape[1::-1])
    part = image[low[1] : high[1], low[0] : high[0]]
    if part.size == 0:
        return image, quad
    size = (max(1, part.shape[1] // factor), max(1, part.shape[0] // factor))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    scale = np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
    return np.asarray(small, dtype=np.uint8), (quad - low) * scale


def normalise(crop: NDArray[np.uint8], *, mean: float, spread: float) -> NDArray[np.float32]:
    """A crop (48, w, 3) as network input (1, 3, 48, w) in about -1..1, its grey level brought to
    `mean` and its standard deviation to `spread` (both on 0..255).
    """
    pixels = crop.astype(np.float32)
    centre, deviation = float(pixels.mean()), float(pixels.std())
    level = (pixels - centre) * (spread / max(deviation, 4.0)) + mean
    return np.ascontiguousarray((np.clip(level, 0, 255) / 127.5 - 1.0).transpose(2, 0, 1)[None])

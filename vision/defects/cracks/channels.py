"""A picture -> what the crack network looks at: contrast against the neighbourhood.

A crack is a few pixels of a darker line; how dark depends on light and material. So the network is
given the picture relative to its surroundings, once in units of the local deviation and once in
units of how rough the whole ground is at a crack's scale (keeps a faint line on smooth ground beside
a dark bar that the local deviation drowns it in), and how far the picture's border is, because parts have dark rims.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

WINDOW_PX = 41
RIM_PX = 32
"""The border channel grows over so many pixels and stays at one."""
STRIDE_PX = 16
"""Sides are cut to multiples of this: the network halves the picture four times."""
MOST_AREA_PX = 640 * 640
_LEAST_SIGMA = 1.5
"""Grey levels: below it the camera's noise would be taken for texture."""
_CLIP = 8.0
_FINE_PX, _LEAST_FINE, _FINE_UNITS = 4.0, 1.0, 2.0
_NORMAL = 1.4826
"""Median absolute deviation -> standard deviation of a normal distribution."""


def working_size(width_px: int, height_px: int) -> tuple[int, int]:
    """(width, height) at which cracks are looked for: native, at most about 640 x 640 px in area."""
    scale = min(1.0, math.sqrt(MOST_AREA_PX / (width_px * height_px)))

    def side(length_px: int) -> int:
        return max(2 * STRIDE_PX, round(length_px * scale / STRIDE_PX) * STRIDE_PX)

    return side(width_px), side(height_px)


def grey_at_work(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w, 3) BGR or (h, w) -> (rows, columns) grey 0..255 at working size."""
    colour = image.shape[2:] != ()
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if colour else image
    size = working_size(grey.shape[1], grey.shape[0])
    if size != (grey.shape[1], grey.shape[0]):
        shrinks = size[0] * size[1] < grey.size
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(grey, dtype=np.float32)


def texture_sigma(grey: NDArray[np.float32]) -> float:
    """How rough the ground is at the scale of a crack, in grey levels, at least one.

    The median absolute difference from a slight blur, as a deviation: bars, edges and shadows,
    which are wider than a crack or rare, do not count.
    """
    apart = grey - cv2.GaussianBlur(grey, (0, 0), _FINE_PX)
    # One pixel in nine tells the median as well as all of them, in a ninth of the time.
    fine = np.abs(apart[::3, ::3])
    return max(_LEAST_FINE, _NORMAL * float(np.median(fine)))


def channels(
    grey: NDArray[np.float32],
    *,
    sigma: float | None = None,
    rim: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """(h, w) grey 0..255 -> (3, h, w): local contrast, contrast of the whole, border.

    A crop is told the whole picture's `sigma` (`texture_sigma`) and its part of the border map.
    """
    mean, local = _local(grey)
    apart = grey - mean
    whole = _FINE_UNITS * (texture_sigma(grey) if sigma is None else sigma)
    found = np.empty((3, *grey.shape), np.float32)
    np.clip(apart / local, -_CLIP, _CLIP, out=found[0])
    np.clip(apart / np.float32(whole), -_CLIP, _CLIP, out=found[1])
    found[2] = border(*grey.shape) if rim is None else rim
    return found


def border(height_px: int, width_px: int) -> NDArray[np.float32]:
    """(h, w) in 0..1: how far the nearest border of the picture is."""
    y = np.arange(height_px, dtype=np.float32)
    x = np.arange(width_px, dtype=np.float32)
    down = np.minimum(y, height_px - 1 - y)[:, None]
    across = np.minimum(x, width_px - 1 - x)[None, :]
    return np.asarray(np.minimum(np.minimum(down, across) / RIM_PX, 1.0), np.float32)


def _local(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and deviation of each pixel's neighbourhood."""
    window = (WINDOW_PX, WINDOW_PX)
    mean = cv2.blur(grey, window, borderType=cv2.BORDER_REFLECT)
    # Around a common level: squares of 0..255 in float32 lose the small deviations of dark ground.
    level = np.float32(grey.mean())
    square = cv2.blur((grey - level) ** 2, window, borderType=cv2.BORDER_REFLECT)
    variance = square - (mean - level) ** 2
    sigma = np.sqrt(np.maximum(variance, np.float32(_LEAST_SIGMA**2)))
    return np.asarray(mean, np.float32), np.asarray(sigma, np.float32)

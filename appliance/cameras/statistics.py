"""What a frame's picture says of its camera: brightness, sharpness, where things stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.cameras.frame import Frame, Image

GREY_WIDTH: Final = 320
GREY_HEIGHT: Final = 240
TILES: Final = 6
"""The picture is watched in 6 x 6 tiles, so that a passing carton does not hide the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameStats:
    """`seconds` is when the frame came, on a monotonic clock. `grey` is (240, 320) float32 0..255;
    `means` and `sharpness` (variance of the Laplacian) are (6, 6) float32, one a tile.
    """

    seconds: float
    fingerprint: str
    grey: NDArray[np.float32]
    means: NDArray[np.float32]
    sharpness: NDArray[np.float32]

    @property
    def brightness(self) -> float:
        return float(self.means.mean())


def look_at(frame: Frame, *, seconds: float) -> FrameStats:
    """The statistics of one frame; about a millisecond."""
    grey = small_grey(frame.image)
    edges = cv2.Laplacian(grey, cv2.CV_32F).astype(np.float32)
    spread = tiles(np.square(edges)) - np.square(tiles(edges))
    return FrameStats(seconds, frame.sha256, grey, tiles(grey), spread)


def small_grey(image: Image) -> NDArray[np.float32]:
    """(240, 320) float32, 0..255, whatever the frame's shape."""
    small = cv2.resize(image, (GREY_WIDTH, GREY_HEIGHT), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)


def tiles(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of each of 6 x 6 tiles, (6, 6) float32."""
    return cv2.resize(values, (TILES, TILES), interpolation=cv2.INTER_AREA).astype(np.float32)


def sharpness_of(image: Image) -> float:
    """Variance of the Laplacian at 320 x 240: ranks frames of one carton, says nothing alone."""
    return float(cv2.Laplacian(small_grey(image), cv2.CV_32F).var())


def shift_between(
    reference: NDArray[np.float32], grey: NDArray[np.float32]
) -> tuple[float, float, float]:
    """How far `grey` stands from `reference`: dx, dy in pixels of 320 x 240, and how much better
    the two agree once moved back (0 not at all .. 1 wholly).

    Phase correlation (Kuglin and Hines 1975) under a Hann window finds the one shift; comparing
    the pictures after it tells a moved camera from a moving carton.
    """
    window = cv2.createHanningWindow((GREY_WIDTH, GREY_HEIGHT), cv2.CV_32F)
    # OpenCV 5.0 multiplies the window into its arguments: give it copies.
    (dx, dy), _ = cv2.phaseCorrelate(reference.copy(), grey.copy(), window)
    back = np.array([[1, 0, -dx], [0, 1, -dy]], dtype=np.float64)
    moved = cv2.warpAffine(grey, back, (GREY_WIDTH, GREY_HEIGHT))
    seen = cv2.warpAffine(np.ones_like(grey), back, (GREY_WIDTH, GREY_HEIGHT)) > 0.99  # noqa: PLR2004 -- inside
    if not seen.any():
        return dx, dy, 0.0
    before = float(np.median(np.abs(grey - reference)[seen]))
    after = float(np.median(np.abs(moved - reference)[seen]))
    return dx, dy, max(0.0, 1 - after / before) if before > 0 else 0.0

"""Find lines of text: a DB network (Liao et al. 2020, "Real-time Scene Text Detection with
Differentiable Binarization") gives a map of text kernels; each blob becomes a rotated box.

Boxes are (n, 5) float64 arrays: centre x, centre y, length along the text, height across it, in
frame pixels, and the angle of the text in radians (0 is upright, positive turns clockwise).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.engine import Engine, bucket

Boxes = NDArray[np.float64]

_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)
_STEP_PX = 32


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """`side_px`: the long side is scaled to this. `grow`: how far a kernel is unclipped."""

    side_px: int = 640
    threshold: float = 0.25
    least_score: float = 0.4
    grow: float = 1.5
    least_height_px: float = 2.0


@dataclass(frozen=True, slots=True)
class Detector:
    engine: Engine
    settings: DetectorSettings

    def boxes(self, image: NDArray[np.uint8]) -> Boxes:
        """Boxes of the lines in `image` (h, w, 3) BGR."""
        height, width = image.shape[:2]
        scale = self.settings.side_px / max(height, width)
        batch = self._batch(image, scale)
        probability = self.engine.run(batch)[0][0, 0]
        # A picture a thousand times as wide as high is still one pixel high.
        used = probability[: max(1, round(height * scale)), : max(1, round(width * scale))]
        found: Boxes = boxes_of_map(used, self.settings) * np.array([1 / scale] * 4 + [1.0])
        return found

    def _batch(self, image: NDArray[np.uint8], scale: float) -> NDArray[np.float32]:
        side = self.settings.side_px
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(image, size, interpolation=how)
        rows = bucket(size[1], step=_STEP_PX, most=side)
        columns = bucket(size[0], step=_STEP_PX, most=side)
        batch = np.zeros((1, 3, rows, columns), dtype=np.float32)
        # Channel by channel into place: one pass each, no copy of the whole picture as floats.
        for channel, (mean, spread) in enumerate(zip(_MEAN, _STD, strict=True)):
            plane = batch[0, channel, : size[1], : size[0]]
            np.multiply(small[:, :, channel], np.float32(1 / (255.0 * spread)), out=plane)
            plane -= mean / spread
        return batch


def boxes_of_map(probability: NDArray[np.float32], settings: DetectorSettings) -> Boxes:
    """Blobs of a kernel map (h, w) in 0..1 as boxes, each grown by area * grow / perimeter."""
    mask = (probability > settings.threshold).astype(np.uint8)
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    if count <= 1:
        return np.empty((0, 5))
    flat = labels.ravel()
    sizes = np.bincount(flat, minlength=count)
    scores = np.bincount(flat, weights=probability.ravel(), minlength=count) / np.maximum(sizes, 1)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        x, y = contour[0, 0]
        if scores[labels[y, x]] < settings.least_score:
            continue
        (cx, cy), (w, h), degrees = cv2.minAreaRect(contour)
        if w < h:
            w, h, degrees = h, w, degrees - 90.0
        if h < settings.least_height_px:
            continue
        grown = w * h * settings.grow / (2 * (w + h))
        angle = np.deg2rad((degrees + 90.0) % 180.0 - 90.0)
        found.append((cx + 0.5, cy + 0.5, w + 2 * grown, h + 2 * grown, angle))
    return np.array(found, dtype=np.float64).reshape(-1, 5)


def corners(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """A box (5,) as corners (4, 2), clockwise from the text's top left."""
    cx, cy, length, height, angle = box
    along = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    across = np.array([-np.sin(angle), np.cos(angle)]) * height / 2
    centre = np.array([cx, cy])
    return np.stack(
        [
            centre - along - across,
            centre + along - across,
            centre + along + across,
            centre - along + across,
        ]
    )

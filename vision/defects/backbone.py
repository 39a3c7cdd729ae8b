"""Pixels -> patch vectors, through the frozen first half of EfficientNet-Lite0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.engine import Engine, OnnxEngine

FILE = "backbone.onnx"
STRIDE_PX = 8
CHANNELS = 152
_SIDE_PX = 256
_STEP_PX = 16


def analysis_size(width_px: int, height_px: int) -> tuple[int, int]:
    """(width, height) at which a picture is analysed: its shape, about 256 x 256 px in area."""
    scale = _SIDE_PX / math.sqrt(width_px * height_px)

    def side(length_px: int) -> int:
        return max(2 * _STEP_PX, round(length_px * scale / _STEP_PX) * _STEP_PX)

    return side(width_px), side(height_px)


@dataclass(frozen=True, slots=True)
class Backbone:
    engine: Engine

    @classmethod
    def load(cls, folder: Path, *, threads: int) -> Backbone:
        """Raises ArtefactRefusedError for a file that is no network."""
        return cls(OnnxEngine.load(folder / FILE, threads=threads, keep_arena=True))

    def patches(self, image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
        """(h, w, 3) BGR -> (rows, columns, 152) unit vectors, one for each 8 px of `size`."""
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        (planes,) = self.engine.run(small.astype(np.float32))
        vectors = np.ascontiguousarray(planes.transpose(1, 2, 0))
        lengths = np.linalg.norm(vectors, axis=2, keepdims=True)
        unit: NDArray[np.float32] = vectors / np.maximum(lengths, np.float32(1e-6))
        return unit

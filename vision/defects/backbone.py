"""Pixels -> patch vectors, through the frozen first half of EfficientNet-Lite0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError
from vision.engine import CPU, Engine, load_engine, network_file

STEM = "backbone"
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
    variant: str = CPU
    """The engine that it runs on, as manifests and results name it."""

    @classmethod
    def load(cls, folder: Path, *, threads: int, variant: str = CPU) -> Backbone:
        """Load the network of the set in `folder` that `variant` runs.

        Raises ArtefactRefusedError for a set without such a file or a file that is no network,
        BadInputError for a variant that nobody knows, UnavailableError for one not installed.
        """
        path = folder / network_file(STEM, variant)
        if not path.is_file():
            raise ArtefactRefusedError(
                f"{folder} has no {path.name}, which {variant} runs",
                mend=f"Choose {CPU}, or install a set that has the file",
            )
        engine = load_engine(path, variant=variant, threads=threads, keep_arena=True)
        return cls(engine, variant)

    def patches(self, image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
        """(h, w, 3) BGR -> (rows, columns, 152) unit vectors, one for each 8 px of `size`."""
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        (planes,) = self.engine.run(small.astype(np.float32))
        vectors = np.ascontiguousarray(planes.transpose(1, 2, 0))
        lengths = np.linalg.norm(vectors, axis=2, keepdims=True)
        unit: NDArray[np.float32] = vectors / np.maximum(lengths, np.float32(1e-6))
        return unit

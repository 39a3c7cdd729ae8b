"""Pictures for campaigns that enrol hundreds of times: the network sees each picture once.

Photos of cookies, cut by a margin so that a camera moved by some pixels sees what really lay
beside its view, instead of a border that was made up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import BadInputError
from vision.defects.backbone import Backbone
from vision.defects.inspector import DefectInspector
from vision.frames import decode_frame

Picture = NDArray[np.uint8]
MARGIN_PX = 12
COOKIES = "defects/cookies/cookie-dataset/dataset-files/training-images"


@dataclass(frozen=True, slots=True)
class Remembering(Backbone):
    """A backbone that keeps what it saw, by the picture's bytes."""

    known: dict[bytes, NDArray[np.float16]] = field(default_factory=dict)

    def patches(self, image: Picture, size: tuple[int, int]) -> NDArray[np.float32]:
        key = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
        key += repr(size).encode()
        if key not in self.known:
            self.known[key] = Backbone.patches(self, image, size).astype(np.float16)
        return self.known[key].astype(np.float32)


def remembering(inspector: DefectInspector) -> DefectInspector:
    """The same inspector without cracks, asking its network once a picture."""
    return DefectInspector(Remembering(inspector.backbone.engine), inspector.model_set)


def cookies(data: Path, kind: str) -> list[Picture]:
    """The photos of `kind` (normal, anomaly), (768, 576, 3). Raises BadInputError without them."""
    paths = sorted((data / COOKIES).glob(f"{kind}-*.jpg"))
    if not paths:
        raise BadInputError(f"No photos in {data / COOKIES}", mend="Name the test data with --data")
    return [decode_frame(path.read_bytes(), name=path.name) for path in paths]


def view(image: Picture, *, right: int = 0, down: int = 0) -> Picture:
    """What a camera sees that was moved by so many pixels, at most the margin."""
    height, width = image.shape[:2]
    top, left = MARGIN_PX + down, MARGIN_PX + right
    return np.ascontiguousarray(
        image[top : height - MARGIN_PX + down, left : width - MARGIN_PX + right]
    )


def _lit(image: Picture, gain: float) -> Picture:
    lit: Picture = np.clip(view(image).astype(np.float32) * gain, 0, 255).astype(np.uint8)
    return lit


def _blurred(image: Picture) -> Picture:
    return cv2.GaussianBlur(view(image), (0, 0), BLUR_PX).astype(np.uint8)


GAIN, SHIFT_PX, BLUR_PX = 0.15, 8, 1.5
DRIFTS: Mapping[str, Callable[[Picture], Picture]] = {
    "darker": lambda image: _lit(image, 1 - GAIN),
    "brighter": lambda image: _lit(image, 1 + GAIN),
    "moved right": lambda image: view(image, right=SHIFT_PX),
    "moved left": lambda image: view(image, right=-SHIFT_PX),
    "moved down": lambda image: view(image, down=SHIFT_PX),
    "blurred": _blurred,
}

"""Made goods with misses worth teaching: brushed plates, harmless specks, and faint faults.

The specks are stranger to a memory of patches than the faults are, and lie on good plates too: they
set the limit, and the faults stay below it. That is what people teach for.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 320
FAULTS = ("wet", "dent", "tear")
_PATCH_PX = 46
Picture = NDArray[np.uint8]
Plane = NDArray[np.float64]


def plate(seed: int, *, fault: str = "") -> Picture:
    """Plate `seed` (320, 320, 3) BGR, whole or with one of FAULTS somewhere on it."""
    random = np.random.default_rng((20, seed))
    grain = cv2.GaussianBlur(random.normal(0, 30, (SIDE_PX, SIDE_PX)), (0, 0), sigmaX=6, sigmaY=0.7)
    x, y = (40 + random.integers(-4, 5, 2)).tolist()
    body = np.zeros(grain.shape, np.uint8)
    cv2.rectangle(body, (x, y), (x + 240, y + 240), 1, -1)
    grey = np.where(body == 1, 150 + grain, 70.0) + random.normal(0, 3, grain.shape)
    cv2.circle(grey, (x + 120, y + 120), 40, 90, 6)
    if fault:
        _spoil(grey, fault, random)
    grey *= random.uniform(0.985, 1.015)
    image = np.clip(np.stack([grey * 0.95, grey, grey * 1.03], axis=2), 0, 255).astype(np.uint8)
    return _specked(image, random)


def _spoil(grey: Plane, fault: str, random: np.random.Generator) -> None:
    x, y = random.integers(70, 200, 2).tolist()
    part = grey[y : y + _PATCH_PX, x : x + _PATCH_PX]
    down, across = np.mgrid[-1 : 1 : _PATCH_PX * 1j, -1 : 1 : _PATCH_PX * 1j]
    soft = np.clip(2 * np.exp(-3 * (down**2 + across**2)), 0, 1)
    if fault == "wet":
        part += soft * (cv2.GaussianBlur(part, (0, 0), 2.5) - part)
    elif fault == "dent":
        part += 34 * soft * across
    else:
        threads = cv2.GaussianBlur(random.normal(0, 30, part.shape), (0, 0), sigmaX=0.7, sigmaY=6)
        part += 0.9 * soft * threads


def _specked(image: Picture, random: np.random.Generator) -> Picture:
    for _ in range(int(random.integers(1, 4))):
        x, y = random.integers(70, 250, 2).tolist()
        colour = [int(value) for value in random.integers(60, 250, 3)]
        cv2.circle(image, (x, y), int(random.integers(3, 7)), colour, -1, cv2.LINE_AA)
    return image

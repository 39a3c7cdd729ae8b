"""Unit vectors as bytes: each row in 255 steps of its own largest number.

Only the direction is kept, which is all that a unit vector has: a patch so packed is off by about
a hundredth of its length, about 1e-4 of a cosine, where good patches lie 0.02 and more from each other.
Packing what was unpacked changes nothing, so a profile taught a hundred times has the same bank.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEPS = 127


def packed(rows: NDArray[np.float32]) -> NDArray[np.int8]:
    """(..., n) vectors -> their directions in whole steps."""
    if not rows.size:
        return np.zeros(rows.shape, np.int8)
    largest = np.maximum(np.abs(rows).max(axis=-1, keepdims=True), np.float32(1e-6))
    steps: NDArray[np.int8] = np.rint(rows / largest * _STEPS).astype(np.int8)
    return steps


def unpacked(steps: NDArray[np.int8]) -> NDArray[np.float32]:
    """(..., n) unit vectors, read-only; a row of zeros stays one."""
    rows = steps.astype(np.float32)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: NDArray[np.float32] = rows / np.maximum(lengths, np.float32(1.0))
    unit.setflags(write=False)
    return unit

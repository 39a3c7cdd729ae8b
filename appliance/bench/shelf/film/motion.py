"""How the phone moves: homographies from the shelf's plane to the picture, periodic, so that a film
that begins anew has no cut.

Coordinates are canvas coordinates: the first pixel covers 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

Homography = NDArray[np.float64]
"""(3, 3)"""


@dataclass(frozen=True, slots=True)
class Motion:
    """Amplitudes. Each part is a sine with a whole number of swings in a film of `seconds`."""

    pan_px: float = 0.0
    pan_s: float = 5.0
    """About how long one swing to and fro takes."""
    shake_px: float = 0.0
    """Of a hand: slow sway, with a tremor of a quarter of it."""
    zoom: float = 0.0
    turn_degrees: float = 0.0
    askew_degrees: float = 0.8
    """Always: nobody holds a phone level, and bars that stand level on the pixels are a case apart."""
    lean: float = 0.0
    """Perspective: by how much nearer the right side is than the left, 0.1 is a tenth."""


STILL = Motion()
HAND = Motion(shake_px=5.0, zoom=0.01, turn_degrees=0.6, lean=0.01)
WALK = Motion(pan_px=240.0, shake_px=6.0, zoom=0.05, turn_degrees=2.0, lean=0.04)
MOTIONS = {"still": STILL, "hand": HAND, "walk": WALK}

_SWAY_HZ, _TREMOR_HZ = 0.9, 6.0


def pose(
    motion: Motion, at: float, *, seconds: float, size: tuple[int, int], seed: int
) -> Homography:
    """Plane to picture at the time `at` in seconds; size is (width, height) in pixels."""
    width, height = size

    def swing(hertz: float, number: int) -> float:
        times = max(1, round(hertz * seconds))
        phase = (seed * 0.61803 + number * 0.41421) % 1.0
        return sin(2 * pi * (times * at / seconds + phase))

    sway = [swing(_SWAY_HZ * (1 + 0.3 * n), n) for n in range(2)]
    tremor = [0.25 * swing(_TREMOR_HZ * (1 + 0.2 * n), 2 + n) for n in range(2)]
    x = motion.pan_px * swing(1 / motion.pan_s, 4) + motion.shake_px * (sway[0] + tremor[0])
    y = 0.12 * motion.pan_px * swing(1.4 / motion.pan_s, 5) + motion.shake_px * (
        sway[1] + tremor[1]
    )
    scale = 1 + motion.zoom * swing(0.23, 6)
    turn = radians(motion.askew_degrees + motion.turn_degrees * swing(0.31, 7))
    lean = motion.lean * swing(0.19, 8)
    to_middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]], np.float64)
    moved = np.array(
        [
            [scale * cos(turn), -scale * sin(turn), width / 2 + x],
            [scale * sin(turn), scale * cos(turn), height / 2 + y],
            [0, 0, 1],
        ],
        np.float64,
    )
    leaned = np.array([[1, 0, 0], [0, 1, 0], [lean / width, 0, 1]], np.float64)
    # In the middle's coordinates first, then back where the picture's origin is.
    whole = moved @ leaned @ to_middle
    result: Homography = whole / whole[2, 2]
    return result


def through(homography: Homography, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, 2) of the plane as the picture shows them."""
    lifted = np.column_stack([points, np.ones(len(points))]) @ homography.T
    seen: NDArray[np.float64] = lifted[:, :2] / lifted[:, 2:]
    return seen

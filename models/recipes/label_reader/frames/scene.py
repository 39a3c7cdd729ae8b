"""The camera's view of a carton's face: pose, wrinkles, light, lens, motion and sensor."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.recipes.label_reader.frames.surfaces import FACE, noise

WIDTH, HEIGHT = 1280, 960
STEP = 8
MARGIN = 6.0
Picture = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """From the face's pixels to the camera's: `matrix` after a shift that wrinkles cause."""

    matrix: Points
    waves: tuple[tuple[float, float, float, float, float], ...]
    """Amplitude px, wave vector x and y, phase, and share that shifts x rather than y."""

    def shift(self, x: Points, y: Points) -> tuple[Points, Points]:
        dx, dy = np.zeros_like(x), np.zeros_like(y)
        for amplitude, kx, ky, phase, sideways in self.waves:
            wave = amplitude * np.sin(kx * x + ky * y + phase)
            dx += wave * sideways
            dy += wave * (1 - sideways)
        return dx, dy

    def to_camera(self, points: Points) -> Points:
        """(n, 2) face pixels to (n, 2) camera pixels."""
        flat = points.astype(np.float64).copy()
        for _ in range(4):
            dx, dy = self.shift(flat[:, 0], flat[:, 1])
            flat = points - np.column_stack((dx, dy))
        return _project(self.matrix, flat)


def pick_pose(
    must_show: Points, wrinkle: float, turn_degrees: float, rng: np.random.Generator
) -> Pose:
    """A pose in which all of `must_show` (n, 2) stays in the picture."""
    waves = []
    for _ in range(3 if wrinkle else 0):
        length, heading = float(rng.uniform(130, 420)), float(rng.normal(0, 0.5))
        k = 2 * np.pi / length
        waves.append(
            (
                wrinkle * float(rng.uniform(0.3, 0.6)),
                k * float(np.cos(heading)),
                k * float(np.sin(heading)),
                float(rng.uniform(0, 6.28)),
                float(rng.uniform(0.1, 0.5)),
            )
        )
    ease = 1.0
    while True:
        pose = Pose(_matrix(turn_degrees * ease, ease, rng), tuple(waves))
        seen = pose.to_camera(must_show)
        inside = (seen >= MARGIN) & (seen <= (WIDTH - MARGIN, HEIGHT - MARGIN))
        if inside.all():
            return pose
        ease *= 0.85


def _matrix(turn_degrees: float, ease: float, rng: np.random.Generator) -> Points:
    height, width = FACE
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)
    turn = np.deg2rad(float(np.clip(rng.normal(0, turn_degrees / 2), -turn_degrees, turn_degrees)))
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    scale = float(rng.uniform(0.86, 1.0))
    seen = (corners - (width / 2, height / 2)) * scale @ spin
    seen += (WIDTH / 2, HEIGHT / 2)
    seen += rng.uniform(-28, 28, 2) * ease + rng.uniform(-30, 30, (4, 2)) * ease
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), seen.astype(np.float32))
    return matrix.astype(np.float64, copy=False)


def _project(matrix: Points, points: Points) -> Points:
    moved = np.column_stack((points, np.ones(len(points)))) @ matrix.T
    done: Points = moved[:, :2] / moved[:, 2:]
    return done


@dataclass(frozen=True, slots=True)
class Light:
    """Of one picture. `contrast` 1 is full; `motion` is the length of its blur in pixels."""

    contrast: float
    motion: int
    wrinkle: float


def photograph(face: Picture, ground: Picture, pose: Pose, light: Light, rng: np.random.Generator) -> Picture:  # fmt: skip
    """(960, 1280, 3) uint8: the face on the ground. Works in `ground`."""
    rows, columns = HEIGHT // STEP, WIDTH // STEP
    x = (np.arange(columns) + 0.5) * STEP - 0.5
    y = (np.arange(rows) + 0.5) * STEP - 0.5
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    back = np.linalg.inv(pose.matrix).astype(np.float64, copy=False)
    flat = _project(back, grid)
    dx, dy = pose.shift(flat[:, 0], flat[:, 1])
    _shadow(ground, pose)
    maps = [
        cv2.resize(values.reshape(rows, columns).astype(np.float32), (WIDTH, HEIGHT))
        for values in (flat[:, 0] + dx, flat[:, 1] + dy)
    ]
    seen = cv2.remap(
        face, maps[0], maps[1], cv2.INTER_LINEAR, dst=ground, borderMode=cv2.BORDER_TRANSPARENT
    )
    table = np.clip(
        (np.arange(256) - 118.0) * light.contrast + 118 - 10 * (1 - light.contrast), 0, 255
    ).astype(np.uint8)
    seen = cv2.LUT(seen, table)
    gain = _gain(pose, flat, (rows, columns), rng)
    seen = cv2.multiply(seen, cv2.merge([gain] * 3), scale=1 / 128)
    if light.motion > 1:
        seen = cv2.filter2D(seen, -1, _motion_kernel(light.motion, rng))
    seen = cv2.GaussianBlur(seen, (5, 5), float(rng.uniform(0.45, 0.95)))
    return _grained(seen.astype(np.uint8), rng)


def _shadow(ground: Picture, pose: Pose) -> None:
    height, width = FACE
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)
    cast = (_project(pose.matrix, corners) + np.array((14, 12))) / STEP
    dark = np.full((HEIGHT // STEP, WIDTH // STEP), 128, dtype=np.uint8)
    cv2.fillPoly(dark, [np.rint(cast * 8).astype(np.int32)], 50, cv2.LINE_AA, 3)
    soft = cv2.resize(cv2.GaussianBlur(dark, (0, 0), 1.6), (WIDTH, HEIGHT))
    cv2.multiply(ground, cv2.merge([soft] * 3), dst=ground, scale=1 / 128)


def _gain(pose: Pose, flat: Points, shape: tuple[int, int], rng: np.random.Generator) -> Picture:  # fmt: skip
    """How bright each place is, 128 meaning unchanged: slope, lamp, vignette and wrinkles."""
    rows, columns = shape
    y = np.linspace(-1, 1, rows)[:, None]
    x = np.linspace(-1, 1, columns)[None, :]
    slope = 1 + float(rng.normal(0, 0.06)) * x + float(rng.normal(0, 0.05)) * y
    lamp = cv2.resize(
        rng.standard_normal((4, 5), dtype=np.float32),
        (columns, rows),
        interpolation=cv2.INTER_CUBIC,
    )
    fall = 1 - float(rng.uniform(0.05, 0.2)) * (x * x + y * y) / 2
    gain = slope * fall * (1 + 0.045 * lamp) * float(rng.uniform(0.82, 1.08))
    bent = np.zeros(rows * columns)
    for amplitude, kx, ky, phase, _ in pose.waves:
        bent += amplitude * np.hypot(kx, ky) * np.cos(kx * flat[:, 0] + ky * flat[:, 1] + phase)
    gain = gain * (1 + 0.85 * bent.reshape(rows, columns))
    coarse = np.clip(gain * 128, 30, 255).astype(np.uint8)
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _motion_kernel(length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    turn = float(rng.uniform(0, np.pi))
    kernel = np.zeros((length | 1, length | 1), dtype=np.float32)
    middle = (length | 1) // 2
    reach = (length - 1) / 2
    for along in np.linspace(-reach, reach, length * 4):
        px, py = middle + along * np.cos(turn), middle + along * np.sin(turn)
        kernel[round(py), round(px)] += 1
    kernel /= kernel.sum()
    return kernel


def _grained(seen: Picture, rng: np.random.Generator) -> Picture:
    grain = noise()
    down, right = rng.integers(0, (grain.shape[0] - HEIGHT, grain.shape[1] - WIDTH))
    piece = grain[down : down + HEIGHT, right : right + WIDTH]
    strength = float(rng.uniform(0.015, 0.08))
    return cv2.addWeighted(seen, 1.0, piece, strength, -128 * strength).astype(np.uint8)

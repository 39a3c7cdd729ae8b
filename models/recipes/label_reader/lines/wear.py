"""What happens to print between the printer and the camera: stains, ink, tears, glare, smears,
abrasion. Everything works on a line's picture and reports how much of the ink it hid.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float32]
Picture = NDArray[np.float32]
Window = tuple[slice, slice]


def blob(
    window: Window, centre: tuple[float, float], size: tuple[float, float], rough: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:  # fmt: skip
    """A ragged patch in 0..1 of a window's shape: an ellipse whose rim follows smooth noise."""
    rows, columns = window
    high, wide = rows.stop - rows.start, columns.stop - columns.start
    angle = rng.uniform(0, np.pi)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    dx = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] - np.float32(centre[0])
    dy = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - np.float32(centre[1])
    along, across = (dx * c + dy * s) / np.float32(size[0]), (dy * c - dx * s) / np.float32(size[1])
    far = cv2.magnitude(along, across)
    grain = max(3, int(min(size) / 2))
    noise = rng.standard_normal((high // grain + 2, wide // grain + 2), dtype=np.float32)
    field = cv2.resize(noise, (wide, high), interpolation=cv2.INTER_CUBIC)
    return np.clip((1 + np.float32(rough) * field - far) * np.float32(rng.uniform(3, 12)), 0, 1)


def _window(
    shape: tuple[int, int], centre: tuple[float, float], reach: tuple[float, float]
) -> Window:
    """The part of the picture that a patch can touch."""
    left, top = (max(0, int(at - far)) for at, far in zip(centre, reach, strict=True))
    right, bottom = (round(at + far) + 1 for at, far in zip(centre, reach, strict=True))
    return slice(top, min(shape[0], bottom)), slice(left, min(shape[1], right))


def _strokes(
    window: Window, centre: tuple[float, float], size: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A hatch of scratches in one direction."""
    rows, columns = window
    page = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.uint8)
    angle = rng.uniform(0, np.pi)
    middle = np.array(centre) - (columns.start, rows.start)
    for _ in range(rng.integers(6, 22)):
        a = angle + rng.normal(0, 0.15)
        mid = middle + rng.normal(0, size / 2, 2)
        half = np.array([np.cos(a), np.sin(a)]) * size * rng.uniform(0.5, 1.3)
        (px, py), (qx, qy) = mid - half, mid + half
        thick = max(1, round(size * rng.uniform(0.04, 0.12)))
        cv2.line(page, (round(px), round(py)), (round(qx), round(qy)), 255, thick, cv2.LINE_AA)
    return page.astype(np.float32) / 255


def wear(
    picture: Picture, ink: NDArray[np.float32], ground: Colour, inked: Colour, share: float,
    band: tuple[float, float], rng: np.random.Generator,
) -> tuple[Picture, NDArray[np.float32]]:  # fmt: skip
    """Destroy about `share` of the ink. `picture` (h, w, 3) and `ink` alpha (h, w); `band` is the
    line's top and bottom. Changes the picture; returns it and how much is hidden (h, w) 0..1.
    """
    shape = (ink.shape[0], ink.shape[1])
    height = band[1] - band[0]
    hidden = np.zeros(shape, dtype=np.float32)
    lost, target = 0.0, share * float(ink.sum())
    for _ in range(40):
        if share <= 0 or lost >= target:
            break
        radius = height * rng.uniform(0.25, 1.1)
        centre = (
            rng.uniform(0, shape[1]),
            rng.uniform(band[0] - 0.3 * height, band[1] + 0.3 * height),
        )
        at = _window(shape, centre, (2.6 * radius, 2.6 * radius))
        if at[0].stop - at[0].start < 2 or at[1].stop - at[1].start < 2:
            continue
        part = picture[at]
        hides = _damage(part, at, centre, radius, ground, inked, height, rng)
        before = hidden[at].copy()
        hidden[at] = 1 - (1 - before) * (1 - hides)
        lost += float((ink[at] * (hidden[at] - before)).sum())
    return picture, hidden


def _damage(
    part: Picture, at: Window, centre: tuple[float, float], radius: float, ground: Colour,
    inked: Colour, height: float, rng: np.random.Generator,
) -> NDArray[np.float32]:  # fmt: skip
    """Damage one spot of `part` in place; returns how much is hidden there, 0..1."""
    size = (radius * rng.uniform(0.6, 1.6), radius)
    patch = blob(at, centre, size, rng.uniform(0.1, 0.6), rng)
    match rng.choice(("water", "ink", "tear", "glare", "smear", "abrade", "scratch", "tape")):
        case "water":
            patch *= np.float32(rng.uniform(0.6, 1.0))
            _lay(part, ground * np.float32(rng.uniform(0.62, 1.02)), patch)
        case "ink":
            patch *= np.float32(rng.uniform(0.75, 1.0))
            _lay(part, np.full(3, rng.uniform(10, 70), dtype=np.float32), patch)
        case "tear":
            paper = np.array([0.75, 0.9, 1.0]) * rng.uniform(130, 240)
            colour = paper if rng.random() < 0.5 else ground * rng.uniform(0.8, 1.15)
            _lay(part, colour.astype(np.float32), patch)
        case "glare":
            patch = cv2.GaussianBlur(patch, (0, 0), max(0.5, radius * rng.uniform(0.02, 0.3)))
            _lay(part, np.full(3, rng.uniform(225, 255), dtype=np.float32), patch)
        case "smear":
            length = max(3, round(height * rng.uniform(0.5, 1.4)))
            kernel = np.zeros((length, length), dtype=np.float32)
            angle, half = rng.normal(0, 0.4), length / 2
            end = (round(half * (1 + np.cos(angle))), round(half * (1 + np.sin(angle))))
            cv2.line(kernel, (length - end[0], length - end[1]), end, 1.0, 1)
            drawn = cv2.filter2D(part, -1, kernel / max(float(kernel.sum()), 1e-6))
            drawn = drawn * np.float32(1 - 0.3 * rng.random()) + inked * np.float32(0.15)
            part += (drawn - part) * patch[..., None]
            patch *= np.float32(0.9)
        case "abrade":
            grain = max(2, round(height / rng.uniform(5, 14)))
            cells = (patch.shape[0] // grain + 2, patch.shape[1] // grain + 2)
            field = cv2.resize(rng.random(cells, dtype=np.float32), patch.shape[::-1])
            patch *= np.clip((field - np.float32(rng.uniform(0.1, 0.4))) * 5, 0, 1)
            _lay(part, ground * np.float32(rng.uniform(0.95, 1.08)), patch)
        case "scratch":
            patch = _strokes(at, centre, radius, rng) * np.float32(rng.uniform(0.7, 1.0))
            white = np.full(3, rng.uniform(190, 250), dtype=np.float32)
            _lay(part, white if rng.random() < 0.7 else ground, patch)
        case _:
            patch = np.zeros(part.shape[:2], dtype=np.float32)
            start = int(rng.uniform(0, patch.shape[1]))
            stop = int(start + rng.uniform(0.2, 1.2) * height)
            patch[:, start:stop] = rng.uniform(0.5, 1.0)
            _lay(part, np.clip(ground * np.float32(rng.uniform(0.8, 1.4)), 0, 250), patch)
    return np.clip(patch, 0, 1)


def _lay(part: Picture, colour: Colour, patch: NDArray[np.float32]) -> None:
    part += (colour - part) * patch[..., None]

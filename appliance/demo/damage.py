"""What happens to labels on the way: torn off, smeared, scratched."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.demo.story import Damage
from appliance.demo.texture import Picture, blur, field, over, streaks, unit

_ROUNDS = 60


def damage_mask(
    kind: Damage, code_area: NDArray[np.bool_], share: float, rng: np.random.Generator
) -> Picture:
    """(h, w) 0..1, grown until `share` of the code area is gone."""
    height, width = code_area.shape
    mask = np.zeros((height, width), dtype=np.float32)
    for _ in range(_ROUNDS):
        if destroyed_share(mask, code_area) >= share:
            break
        mask = np.maximum(mask, _STROKES[kind](height, width, rng))
    return mask


def destroyed_share(mask: Picture, code_area: NDArray[np.bool_]) -> float:
    """The part of the code area that is gone, 0..1."""
    return float((mask[code_area] > 0.5).mean())  # noqa: PLR2004 -- half covered counts as gone


def apply_damage(
    kind: Damage, label: Picture, board: Picture, mask: Picture, rng: np.random.Generator
) -> Picture:
    """The label (h, w, 3) with `mask` torn, smeared or scratched; `board` lies under it."""
    height, width = mask.shape
    if kind is Damage.TEAR:
        # Paper tears in two: the face goes first, a fringe of white core stays.
        fringe = np.clip(blur(mask, 7) * 2.2, 0, 1) * (1 - mask)
        core = np.full_like(label, 0.93) + field(rng, height, width, 5)[:, :, None] * 0.02
        return over(over(label, core, fringe.astype(np.float32, copy=False)), board, mask)
    if kind is Damage.SMEAR:
        dragged = cv2.blur(label, (151, 7)).astype(np.float32, copy=False) - 0.22
        uneven = 1 + 0.16 * streaks(rng, height, width, along=120, across=7)
        dirt = dragged * uneven[:, :, None] * np.array((0.84, 0.92, 0.96), dtype=np.float32)
        return over(label, dirt.astype(np.float32, copy=False), blur(mask, 5) * 0.94)
    return over(label, (board * 0.4 + 0.55).astype(np.float32, copy=False), mask)


def _tear(height: int, width: int, rng: np.random.Generator) -> Picture:
    """A ragged strip that starts at the label's edge."""
    x = float(rng.uniform(0.25, 0.8)) * width
    reach = float(rng.uniform(0.5, 0.72)) * height
    half = float(rng.uniform(95, 150))
    steps = 26
    down = np.linspace(height + 20, height - reach, steps)
    left = np.column_stack((x - half * np.linspace(1.5, 0.2, steps), down))
    right = np.column_stack((x + half * np.linspace(1.5, 0.2, steps), down))[::-1]
    outline = np.vstack((left, right))
    outline[:, 0] += np.cumsum(rng.normal(0, 5, len(outline))) * 0.6 + rng.normal(
        0, 6, len(outline)
    )
    return _fill(height, width, outline, rng)


def _smear(height: int, width: int, rng: np.random.Generator) -> Picture:
    y, x = float(rng.uniform(0.25, 0.85)) * height, float(rng.uniform(0.1, 0.6)) * width
    length, half = float(rng.uniform(260, 520)), float(rng.uniform(26, 50))
    steps = 24
    along = np.linspace(0, length, steps)
    wave = np.cumsum(rng.normal(0, 2.5, steps))
    upper = np.column_stack((x + along, y - half + wave))
    lower = np.column_stack((x + along, y + half + wave))[::-1]
    return _fill(height, width, np.vstack((upper, lower)), rng)


def _scratch(height: int, width: int, rng: np.random.Generator) -> Picture:
    mask = np.zeros((height, width), dtype=np.uint8)
    start = rng.uniform((0, 0.2 * height), (0.7 * width, 0.9 * height))
    heading = float(rng.normal(0.35, 0.25))
    for _ in range(int(rng.integers(3, 7))):
        begin = start + rng.normal(0, 16, 2)
        end = begin + float(rng.uniform(220, 480)) * np.array([np.cos(heading), np.sin(heading)])
        a, b = (tuple(int(v) for v in point) for point in (begin, end))
        cv2.line(mask, a, b, 255, int(rng.integers(3, 11)), cv2.LINE_AA)
    skip = field(rng, height, width, 9) > -0.7  # noqa: PLR2004 -- scratches jump over a quarter
    return (unit(mask) * skip).astype(np.float32, copy=False)


def _fill(
    height: int, width: int, outline: NDArray[np.float64], rng: np.random.Generator
) -> Picture:
    mask = np.zeros((height, width), dtype=np.uint8)
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 255)
    ragged = blur(unit(mask), 5) + field(rng, height, width, 12) * 0.13
    return (np.clip((ragged - 0.5) * 6, -0.5, 0.5) + 0.5).astype(np.float32, copy=False)


_STROKES = {Damage.TEAR: _tear, Damage.SMEAR: _smear, Damage.SCRATCH: _scratch}

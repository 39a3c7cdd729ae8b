"""What happens to prints on the way, until a given share of the code area is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
"""(h, w), 0 untouched or 255 gone."""
Picture = NDArray[np.uint8]
GONE = 127
TOLERANCE = 0.012
ROUNDS = 400


@dataclass(frozen=True, slots=True, eq=False)
class Harm:
    """Where each kind struck, and the share of the code area (0..1) that all of them destroyed."""

    masks: Mapping[str, Mask]
    coverage: float

    @property
    def gone(self) -> Mask | None:
        masks = list(self.masks.values())
        if not masks:
            return None
        whole = masks[0].copy()
        for mask in masks[1:]:
            np.maximum(whole, mask, out=whole)
        return whole


def strike(
    boxes: list[tuple[float, float, float, float]],
    shape: tuple[int, int],
    share: float,
    kinds: tuple[str, ...],
    rng: np.random.Generator,
) -> Harm:
    """Grow the masks of `kinds` until `share` of the union of `boxes` (the code area) is gone,
    within TOLERANCE. Strokes start at a random place of a random box, the larger the likelier.
    """
    area = np.zeros(shape, dtype=np.uint8)
    for left, top, right, bottom in boxes:
        area[max(0, round(top)) : round(bottom), max(0, round(left)) : round(right)] = 255
    total = max(1, cv2.countNonZero(area))
    weights = np.array([(b[2] - b[0]) * (b[3] - b[1]) for b in boxes])
    weights /= weights.sum()
    whole = np.zeros(shape, dtype=np.uint8)
    masks = {kind: np.zeros(shape, dtype=np.uint8) for kind in kinds}
    covered, size = 0.0, 1.0
    for _ in range(ROUNDS):
        if not kinds or covered >= share - TOLERANCE:
            break
        kind = kinds[int(rng.integers(0, len(kinds)))]
        left, top, right, bottom = boxes[int(rng.choice(len(boxes), p=weights))]
        x, y = float(rng.uniform(left, right)), float(rng.uniform(top, bottom))
        stroke = np.zeros(shape, dtype=np.uint8)
        STROKES[kind](stroke, (x, y), size, rng)
        now = cv2.countNonZero(cv2.bitwise_and(cv2.bitwise_or(whole, stroke), area)) / total
        if now > share + TOLERANCE:
            size = max(0.15, size * 0.8)
            continue
        covered = now
        whole = cv2.bitwise_or(whole, stroke).astype(np.uint8)
        masks[kind] = cv2.bitwise_or(masks[kind], stroke).astype(np.uint8)
    struck = {kind: mask for kind, mask in masks.items() if mask.any()}
    return Harm(MappingProxyType(struck), covered)


def destroyed(ink: NDArray[np.uint8], gone: Mask | None, box: tuple[float, float, float, float]) -> float:  # fmt: skip
    """Share (0..1) of an item's ink pixels that are gone."""
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    window = (slice(top, int(np.ceil(box[3]))), slice(left, int(np.ceil(box[2]))))
    mine = ink[window] > GONE
    if gone is None or not mine.any():
        return 0.0
    return float((gone[window][mine] > GONE).mean())


def apply(
    picture: Picture, blank: Picture, under: Picture, harm: Harm, rng: np.random.Generator
) -> None:
    """Damage `picture` (h, w, 3) in place. `blank` is it before printing, `under` what shows
    where the surface is torn off.
    """
    for kind, mask in harm.masks.items():
        x, y, width, height = cv2.boundingRect(mask)
        pad = 12
        box = (
            slice(max(0, y - pad), y + height + pad),
            slice(max(0, x - pad), x + width + pad),
        )
        part = picture[box].astype(np.float32)
        blurred = cv2.GaussianBlur(mask[box], (0, 0), 1.1).astype(np.float32)
        soft = (blurred / 255).astype(np.float32, copy=False)
        effect = EFFECTS[kind]
        done = effect(part, blank[box].astype(np.float32), under[box].astype(np.float32), soft, rng)
        picture[box] = np.clip(done, 0, 255).astype(np.uint8)


# --- shapes -----------------------------------------------------------------------------------

Point = tuple[float, float]


def _polygon(mask: Mask, points: NDArray[np.float64]) -> None:
    cv2.fillPoly(mask, [np.rint(points * 8).astype(np.int32)], 255, cv2.LINE_8, 3)


def _blob(mask: Mask, at: Point, radius: float, ragged: float, rng: np.random.Generator, stretch: float = 1.0) -> None:  # fmt: skip
    turns = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    wobble = sum(
        rng.normal(0, ragged / k) * np.cos(k * turns + rng.uniform(0, 6)) for k in (2, 3, 5, 8, 11)
    )
    reach = radius * np.clip(1 + wobble, 0.35, 2.0)
    lean = float(rng.uniform(-0.5, 0.5))
    x, y = reach * np.cos(turns) * stretch, reach * np.sin(turns)
    points = np.column_stack(
        (at[0] + x * np.cos(lean) - y * np.sin(lean), at[1] + x * np.sin(lean) + y * np.cos(lean))
    )
    _polygon(mask, points)


def _band(mask: Mask, at: Point, length: float, half: float, turn: float, rng: np.random.Generator) -> None:  # fmt: skip
    along = np.linspace(-length / 2, length / 2, 14)
    wave = np.cumsum(rng.normal(0, half * 0.10, 14))
    edge = half * (1 + rng.normal(0, 0.12, (2, 14)))
    upper = np.column_stack((along, wave - edge[0]))
    lower = np.column_stack((along, wave + edge[1]))[::-1]
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    _polygon(mask, np.vstack((upper, lower)) @ spin + at)


def _spot(mask: Mask, at: Point, size: float, rng: np.random.Generator) -> None:
    _blob(mask, at, float(rng.uniform(13, 34)) * size, 0.16, rng, float(rng.uniform(0.9, 1.7)))


def _torn(mask: Mask, at: Point, size: float, rng: np.random.Generator) -> None:
    _blob(mask, at, float(rng.uniform(12, 36)) * size, 0.34, rng, float(rng.uniform(0.8, 2.0)))


def _shine(mask: Mask, at: Point, size: float, rng: np.random.Generator) -> None:
    _blob(mask, at, float(rng.uniform(12, 26)) * size, 0.10, rng, float(rng.uniform(1.4, 3.2)))


def _drag(mask: Mask, at: Point, size: float, rng: np.random.Generator) -> None:
    length = float(rng.uniform(60, 170)) * size
    _band(mask, at, length, float(rng.uniform(9, 20)) * size, float(rng.normal(0, 0.25)), rng)


def _scratches(mask: Mask, at: Point, size: float, rng: np.random.Generator) -> None:
    heading = float(rng.uniform(-0.9, 0.9))
    way = np.array([np.cos(heading), np.sin(heading)])
    for _ in range(int(rng.integers(3, 8))):
        start = np.array(at) + rng.normal(0, 10 * size, 2)
        half = way * float(rng.uniform(18, 55)) * size
        a, b = np.rint((start - half) * 8), np.rint((start + half) * 8)
        width = max(1, round(float(rng.uniform(3, 9)) * size))
        cv2.line(mask, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), 255, width, cv2.LINE_8, 3)


def _strip(mask: Mask, at: Point, size: float, rng: np.random.Generator) -> None:
    turn = float(rng.choice((0.0, 1.57))) + float(rng.normal(0, 0.2))
    length, half = float(rng.uniform(90, 200)) * size, float(rng.uniform(12, 22)) * size
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = np.array([(-length, -half), (length, -half), (length, half), (-length, half)])
    _polygon(mask, corners * (0.5, 1.0) @ spin + at)


def _scribble(mask: Mask, at: Point, size: float, rng: np.random.Generator) -> None:
    steps = int(rng.integers(4, 8))
    across = np.linspace(-1, 1, steps) * float(rng.uniform(30, 80)) * size
    down = np.where(np.arange(steps) % 2, 1, -1) * float(rng.uniform(6, 16)) * size
    points = np.column_stack((across, down)) + rng.normal(0, 4 * size, (steps, 2)) + at
    width = max(2, round(float(rng.uniform(7, 13)) * size))
    cv2.polylines(mask, [np.rint(points * 8).astype(np.int32)], False, 255, width, cv2.LINE_8, 3)


def _fold(mask: Mask, at: Point, size: float, rng: np.random.Generator) -> None:
    turn = float(rng.choice((0.0, 1.57, 0.8))) + float(rng.normal(0, 0.25))
    length = float(rng.uniform(80, 320)) * size
    _band(mask, at, length, float(rng.uniform(4, 9)) * max(0.5, size), turn, rng)


def _specks(mask: Mask, at: Point, size: float, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(8, 20))):
        place = np.array(at) + rng.normal(0, 18 * size, 2)
        _blob(mask, (place[0], place[1]), float(rng.uniform(3, 10)) * size, 0.2, rng)


STROKES: Mapping[str, Callable[[Mask, Point, float, np.random.Generator], None]] = MappingProxyType(
    {
        "water": _spot,
        "ink": _spot,
        "glare": _shine,
        "tear": _torn,
        "smear": _drag,
        "abrade": _scratches,
        "tape": _strip,
        "marker": _scribble,
        "crease": _fold,
        "mould": _specks,
    }
)

# --- effects: picture, blank, under, soft mask -> picture, float 0..255 -------------------------

Float = NDArray[np.float32]


def _mix(part: Float, upper: Float | tuple[float, float, float], alpha: Float) -> Float:
    weight = alpha[:, :, None]
    mixed: Float = part + (np.asarray(upper, dtype=np.float32) - part) * weight
    return mixed


def _water(part: Float, blank: Float, _under: Float, soft: Float, rng: np.random.Generator) -> Float:  # fmt: skip
    tint = np.array((0.80, 0.88, 0.93), dtype=np.float32) * np.float32(rng.uniform(0.86, 1.0))
    ring = np.clip(cv2.GaussianBlur(soft, (0, 0), 4) - soft, 0, 1).astype(np.float32)
    wet = _mix(part, blank * tint, soft * 0.94)
    return _mix(wet, wet * 0.8, ring * 0.8)


def _ink(part: Float, _blank: Float, _under: Float, soft: Float, rng: np.random.Generator) -> Float:
    level = float(rng.uniform(18, 50))
    return _mix(part, (level * 1.1, level, level), soft * 0.97)


def _glare(part: Float, _blank: Float, _under: Float, soft: Float, rng: np.random.Generator) -> Float:  # fmt: skip
    halo = np.clip(cv2.GaussianBlur(soft, (0, 0), 5) * 0.9, 0, 1).astype(np.float32)
    return _mix(part, (252, 252, 252), np.maximum(soft * 0.97, halo * float(rng.uniform(0.6, 0.9))))


def _tear(part: Float, _blank: Float, under: Float, soft: Float, rng: np.random.Generator) -> Float:
    fringe = np.clip(cv2.GaussianBlur(soft, (0, 0), 2.2) * 2.4, 0, 1).astype(np.float32)
    light = float(rng.uniform(205, 235))
    return _mix(_mix(part, (light, light, light), fringe * 0.9), under, soft)


def _smear(part: Float, blank: Float, _under: Float, soft: Float, rng: np.random.Generator) -> Float:  # fmt: skip
    dragged = cv2.blur(part, (max(3, min(81, part.shape[1] // 2)), 9)).astype(np.float32)
    dirt = np.minimum(dragged, blank * 0.85) * float(rng.uniform(0.7, 0.92))
    return _mix(part, dirt.astype(np.float32), soft * 0.95)


def _abrade(part: Float, blank: Float, _under: Float, soft: Float, rng: np.random.Generator) -> Float:  # fmt: skip
    bare = blank * 0.35 + float(rng.uniform(120, 150))
    return _mix(part, bare.astype(np.float32), soft * 0.96)


def _tape(part: Float, _blank: Float, _under: Float, soft: Float, rng: np.random.Generator) -> Float:  # fmt: skip
    brown = np.array(((92, 132, 168), (150, 152, 154), (60, 60, 62)))[int(rng.integers(0, 3))]
    taped = _mix(part, (float(brown[0]), float(brown[1]), float(brown[2])), soft * 0.95)
    gloss = np.float32(14) * np.sin(np.linspace(0, 9, part.shape[1], dtype=np.float32))
    return taped + gloss[None, :, None] * soft[:, :, None]


def _marker(part: Float, _blank: Float, _under: Float, soft: Float, rng: np.random.Generator) -> Float:  # fmt: skip
    pen = ((32, 28, 28), (120, 46, 30), (36, 34, 150))[int(rng.integers(0, 3))]
    return _mix(part, pen, soft * 0.96)


def _crease(part: Float, blank: Float, _under: Float, soft: Float, rng: np.random.Generator) -> Float:  # fmt: skip
    worn = _mix(part, blank * 0.55 + 105, soft * 0.95)
    side = np.roll(soft, int(rng.choice((-4, 4))), axis=0)
    return _mix(worn, worn * 0.72, np.clip(side - soft, 0, 1) * 0.8)


def _mould(part: Float, _blank: Float, _under: Float, soft: Float, rng: np.random.Generator) -> Float:  # fmt: skip
    level = float(rng.uniform(60, 100))
    return _mix(part, (level * 0.9, level * 1.05, level), soft * 0.95)


EFFECTS: Mapping[str, Callable[[Float, Float, Float, Float, np.random.Generator], Float]] = (
    MappingProxyType(
        {
            "water": _water,
            "ink": _ink,
            "glare": _glare,
            "tear": _tear,
            "smear": _smear,
            "abrade": _abrade,
            "tape": _tape,
            "marker": _marker,
            "crease": _crease,
            "mould": _mould,
        }
    )
)

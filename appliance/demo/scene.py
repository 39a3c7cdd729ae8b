"""The label camera's view: a carton on the belt, seen from above and a little from the front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.demo.damage import apply_damage, damage_mask, destroyed_share
from appliance.demo.dots import dot_positions
from appliance.demo.label import HEIGHT as LABEL_HEIGHT
from appliance.demo.label import WIDTH as LABEL_WIDTH
from appliance.demo.label import draw_label, made_on
from appliance.demo.story import Damage, SampleCarton
from appliance.demo.texture import (
    Picture,
    blur,
    field,
    filled,
    mask_of,
    over,
    photograph,
    streaks,
    unit,
)

WIDTH: Final = 1280
HEIGHT: Final = 960
_TOP = (944, 1248)
"""The carton's top as a flat picture: height, width."""
_LABEL_SCALE = 0.8
_SPARE = 120
_FRONT = (208, 1248)
_KRAFT = (0.42, 0.58, 0.71)
_PRINT = (0.17, 0.23, 0.30)


@dataclass(frozen=True, slots=True, eq=False)
class Scenery:
    """What all cartons of a delivery share: `belt` (960, 1280, 3) and a sheet of `board` that each
    carton is cut from, so that it need not be rendered twelve times.
    """

    belt: Picture
    board: Picture


def scenery(rng: np.random.Generator) -> Scenery:
    return Scenery(_belt(rng), _cardboard(_TOP[0] + _SPARE, _TOP[1] + _SPARE, rng))


def label_frame(
    carton: SampleCarton, rng: np.random.Generator, around: Scenery
) -> tuple[NDArray[np.uint8], float]:
    """(960, 1280, 3) uint8 BGR, and the part of the code area that is destroyed (0..1)."""
    top = _cut(around.board, *_TOP, rng)
    _seam_and_tape(top, rng)
    gone = 0.0
    if carton.printing == "dots":
        _coder(top, carton, rng)
    else:
        top, gone = _stick_label(top, carton, around.board, rng)
    front = _cut(around.board, *_FRONT, rng)
    front *= 0.62
    _stamp(front, "向上 UP   ·   FRAGILE 易碎", (96, 120), 46)
    return photograph(
        _compose(around.belt.copy(), top, front, rng), rng, exposure=float(rng.uniform(0.96, 1.06))
    ), gone


def _cut(board: Picture, height: int, width: int, rng: np.random.Generator) -> Picture:
    down, right = rng.integers(0, (board.shape[0] - height + 1, board.shape[1] - width + 1))
    piece = board[down : down + height, right : right + width]
    turned = cv2.flip(piece, 1) if rng.random() < 0.5 else piece.copy()  # noqa: PLR2004 -- a coin
    turned *= np.float32(rng.uniform(0.95, 1.05))
    return turned.astype(np.float32, copy=False)


def _cardboard(height: int, width: int, rng: np.random.Generator) -> Picture:
    flutes = np.sin(np.arange(height, dtype=np.float32) * (2 * np.pi / 15.5))[:, None]
    fibres = streaks(rng, height, width, along=22, across=1.6)
    shade = (
        1
        + 0.022 * fibres
        + 0.012 * flutes * (1 + 0.5 * field(rng, height, width, 90))
        + 0.030 * field(rng, height, width, 260)
        + 0.010 * rng.standard_normal((height, width), dtype=np.float32)
    )
    board: Picture = shade.astype(np.float32, copy=False)[:, :, None] * np.array(
        _KRAFT, dtype=np.float32
    )
    for x, y in rng.uniform((0, 0), (width, height), (width * height // 24_000, 2)):
        speck = (0.27, 0.38, 0.48)
        cv2.circle(board, (int(x), int(y)), int(rng.integers(1, 3)), speck, -1, cv2.LINE_AA)
    return board


def _seam_and_tape(top: Picture, rng: np.random.Generator) -> None:
    """Two flaps meet in the middle; clear brown tape holds them."""
    height, width = top.shape[:2]
    middle = height // 2 + int(rng.integers(-24, 24))
    tape = top[middle - 56 : middle + 56]
    tape *= 0.86
    tape += np.array((0.05, 0.085, 0.115), dtype=np.float32)
    tape += np.clip(field(rng, 112, width, 60), 0, None)[:, :, None] * 0.035
    top[middle - 1 : middle + 2] *= 0.55
    top[middle - 57 : middle - 55] *= 1.07
    top[middle + 54 : middle + 57] *= 0.9


def _stamp(board: Picture, text: str, at: tuple[int, int], size: int) -> None:
    """Flexo print: part of the board's texture shows through."""
    ink = np.zeros(board.shape, dtype=np.uint8)
    cv2.putText(ink, text, at, (255, 255, 255), cv2.FontFace("uni"), size, 400)
    over(board, _PRINT, blur(unit(ink[:, :, 0]), 0.8) * 0.8)


def _stick_label(
    top: Picture, carton: SampleCarton, board: Picture, rng: np.random.Generator
) -> tuple[Picture, float]:
    flat = draw_label(carton, int(rng.integers(0, 6)))
    label = unit(flat.image)
    wrinkles = field(rng, LABEL_HEIGHT, LABEL_WIDTH, 210) * 0.016
    paper = field(rng, LABEL_HEIGHT, LABEL_WIDTH, 3) * 0.006
    label *= (0.93 + wrinkles + paper)[:, :, None]
    height, width = top.shape[:2]
    left, upper = int(rng.integers(70, 150)), int(rng.integers(80, 150))
    gone = 0.0
    if carton.damage is not Damage.NONE:
        mask = damage_mask(carton.damage, flat.code_area, carton.damage_share, rng)
        gone = destroyed_share(mask, flat.code_area)
        below = _cut(board, LABEL_HEIGHT, LABEL_WIDTH, rng)
        label = apply_damage(carton.damage, label, below, mask, rng)
    turn = cv2.getRotationMatrix2D((0, 0), float(rng.uniform(-2.2, 2.2)), _LABEL_SCALE)
    turn[:, 2] += (left, upper)
    laid = cv2.warpAffine(blur(label.astype(np.float32, copy=False), 0.5), turn, (width, height))
    edge = np.ones((LABEL_HEIGHT, LABEL_WIDTH), dtype=np.float32)
    alpha = cv2.warpAffine(edge, turn, (width, height)).astype(np.float32, copy=False)
    shadow = blur(np.roll(alpha, (3, 3), axis=(0, 1)), 4) * 0.3
    over(top, (0.10, 0.13, 0.16), shadow)
    return over(top, laid.astype(np.float32, copy=False), alpha), gone


def _coder(top: Picture, carton: SampleCarton, rng: np.random.Generator) -> None:
    """An ink-jet coder's four rows: dots that wander, thin out and bleed into the board."""
    rows = (
        f"LOT {carton.batch}",
        f"MFG {made_on(carton):%Y/%m/%d}",
        f"EXP {carton.expiry:%Y/%m/%d}",
        carton.product.gtin,
    )
    height, width = top.shape[:2]
    ink = np.zeros((height, width), dtype=np.float32)
    pitch_x, pitch_y = 8.6, 9.0
    for index, row in enumerate(rows):
        dots = dot_positions(row) * (pitch_x, pitch_y)
        dots += (200, 100 + index * 80)
        dots[:, 1] += np.sin(dots[:, 0] / 210) * 2.4
        dots += rng.normal(0, 0.45, dots.shape)
        for (x, y), size in zip(dots, rng.normal(4.0, 0.3, len(dots)), strict=True):
            strength = float(rng.uniform(0.78, 0.95))
            centre = (round(x * 16), round(y * 16))
            cv2.circle(ink, centre, round(size * 16), strength, -1, cv2.LINE_AA, 4)
    bleed = blur(ink, 1.3) * (1 + 0.06 * field(rng, height, width, 6))
    over(top, (0.13, 0.12, 0.14), np.clip(bleed, 0, 1).astype(np.float32, copy=False))
    _stamp(top, "小心轻放 HANDLE WITH CARE", (200, 830), 50)


def _compose(scene: Picture, top: Picture, front: Picture, rng: np.random.Generator) -> Picture:
    shift = rng.uniform(-14, 14, 2)
    corners = np.array([(150, 84), (1136, 78), (1196, 762), (86, 776)], dtype=np.float64)
    corners = corners + shift + rng.uniform(-9, 9, (4, 2))
    foot = np.array([(1158, 900), (122, 915)], dtype=np.float64) + shift
    front_corners = np.vstack((corners[3], corners[2], foot))
    reach = np.array([(26, -6), (26, -6), (60, 40), (48, 26), (48, 26)], dtype=np.float64)
    cast = np.vstack((corners[:2], corners[1:2], foot)) + reach
    coarse = mask_of(HEIGHT // 4, WIDTH // 4, cast / 4, soft_px=5.5) * 0.62
    shadow = cv2.resize(coarse, (WIDTH, HEIGHT)).astype(np.float32, copy=False)
    over(scene, (0.03, 0.03, 0.035), shadow)
    _lay(scene, front, front_corners)
    _lay(scene, top, corners)
    rim = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    cv2.polylines(rim, [np.rint(corners).astype(np.int32)], True, 255, 2, cv2.LINE_AA)
    lit = blur(unit(rim), 1.4) * 0.22
    over(scene, (0.62, 0.76, 0.86), lit)
    slope = np.linspace(1.07, 0.93, WIDTH, dtype=np.float32)[None, :]
    lamp = 1 + 0.035 * field(rng, HEIGHT, WIDTH, 520)
    scene *= (slope * lamp)[:, :, None]
    return scene


def _lay(scene: Picture, flat: Picture, corners: NDArray[np.float64]) -> None:
    height, width = flat.shape[:2]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32, copy=False))
    laid = cv2.warpPerspective(flat, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    over(scene, laid.astype(np.float32, copy=False), mask_of(HEIGHT, WIDTH, corners, soft_px=0.7))


def _belt(rng: np.random.Generator) -> Picture:
    """Dark rubber with a woven look between two steel rails, out of focus."""
    weave = (
        field(rng, HEIGHT, WIDTH, 4) * 0.010
        + streaks(rng, HEIGHT, WIDTH, along=160, across=3) * 0.010
    )
    belt = filled(HEIGHT, WIDTH, (0.135, 0.13, 0.125)) + weave[:, :, None]
    for upper, lower in ((0, 44), (HEIGHT - 30, HEIGHT)):
        steel = 0.50 + 0.03 * streaks(rng, lower - upper, WIDTH, along=500, across=2)
        belt[upper:lower] = steel[:, :, None] * np.array((1.0, 0.98, 0.95), dtype=np.float32)
        belt[lower - 6 : lower] *= 0.55
    return blur(belt.astype(np.float32, copy=False), 1.8)

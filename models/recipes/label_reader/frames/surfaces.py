"""What prints are on and what lies around the carton: textures, made once a process.

They depend on their name only, so that a frame is the same whichever process renders it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.demo.texture import blur, field, streaks

Picture = NDArray[np.uint8]
Float = NDArray[np.float32]
FACE = (860, 1180)
"""A carton's face as a flat picture: height, width."""
_SPARE = 140
_ROOM = (960, 1280)


@lru_cache(maxsize=32)
def texture(name: str) -> Picture:
    """(h, w, 3) uint8 BGR; faces have room to cut FACE from, grounds have the camera's size."""
    rng = np.random.default_rng([*name.encode()])
    made = MAKERS[name](rng)
    return np.clip(made * 255, 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def noise() -> Picture:
    """(1100, 1420, 3) sensor noise around 128 with a deviation of 40, partly common to all
    channels.
    """
    rng = np.random.default_rng(7)
    height, width = _ROOM[0] + _SPARE, _ROOM[1] + _SPARE
    common = rng.standard_normal((height, width, 1), dtype=np.float32)
    apart = rng.standard_normal((height, width, 3), dtype=np.float32)
    made: Picture = np.clip(128 + 40 * (0.8 * common + 0.6 * apart), 0, 255).astype(np.uint8)
    return made


def cut(name: str, rng: np.random.Generator) -> Picture:
    """A face (860, 1180, 3) cut from the texture, turned and tinted."""
    whole = texture(name)
    down, right = rng.integers(0, (whole.shape[0] - FACE[0] + 1, whole.shape[1] - FACE[1] + 1))
    piece = whole[down : down + FACE[0], right : right + FACE[1]]
    code = int(rng.integers(-2, 2))
    piece = piece.copy() if code == -2 else cv2.flip(piece, code).astype(np.uint8)
    return tinted(piece, rng)


def ground(name: str, rng: np.random.Generator) -> Picture:
    """(960, 1280, 3) of what the carton stands on."""
    whole = texture(name)
    code = int(rng.integers(-2, 2))
    return tinted(whole.copy() if code == -2 else cv2.flip(whole, code).astype(np.uint8), rng)


def tinted(picture: Picture, rng: np.random.Generator) -> Picture:
    levels = np.arange(256, dtype=np.float32)[:, None]
    gains = rng.uniform(0.9, 1.08) * rng.uniform(0.97, 1.03, 3)
    table = np.clip(levels * gains.astype(np.float32), 0, 255).astype(np.uint8)
    return cv2.LUT(picture, table[None]).astype(np.uint8)


def _shape() -> tuple[int, int]:
    return FACE[0] + _SPARE, FACE[1] + _SPARE


def _coloured(shade: Float, bgr: tuple[float, float, float]) -> Float:
    done: Float = shade[:, :, None] * np.array(bgr, dtype=np.float32)
    return done


def _board(
    rng: np.random.Generator,
    bgr: tuple[float, float, float],
    *,
    flutes: float = 0.0,
    fibre: float = 0.02,
    grain: float = 0.01,
    specks: int = 0,
) -> Float:
    height, width = _shape()
    shade = (
        1
        + fibre * streaks(rng, height, width, along=24, across=2)
        + 0.03 * field(rng, height, width, 240)
        + grain * rng.standard_normal((height, width), dtype=np.float32)
    )
    if flutes:
        wave = np.sin(np.arange(height, dtype=np.float32) * (2 * np.pi / 13.7))[:, None]
        shade += flutes * wave * (1 + 0.5 * field(rng, height, width, 120))
    board = _coloured(shade.astype(np.float32), bgr)
    for x, y in rng.uniform((0, 0), (width, height), (specks, 2)):
        colour = tuple(c * float(rng.uniform(0.5, 0.8)) for c in bgr)
        cv2.circle(board, (int(x), int(y)), int(rng.integers(1, 3)), colour, -1, cv2.LINE_AA)
    return board


def _kraft(rng: np.random.Generator) -> Float:
    return _board(rng, (0.44, 0.60, 0.73), specks=60)


def _recycled(rng: np.random.Generator) -> Float:
    return _board(rng, (0.52, 0.58, 0.63), fibre=0.035, specks=400)


def _corrugated(rng: np.random.Generator) -> Float:
    return _board(rng, (0.47, 0.63, 0.77), flutes=0.035, specks=40)


def _dark(rng: np.random.Generator) -> Float:
    return _board(rng, (0.34, 0.47, 0.58), flutes=0.03, fibre=0.03, specks=200)


def _white(rng: np.random.Generator) -> Float:
    return _board(rng, (0.86, 0.89, 0.90), fibre=0.008, grain=0.006, flutes=0.008)


def _printed(rng: np.random.Generator) -> Float:
    """A retail carton: white board with coloured bands and shapes, pale where codes go."""
    board = _board(rng, (0.84, 0.88, 0.90), fibre=0.006, grain=0.006)
    height, width = board.shape[:2]
    layer = np.ones_like(board)
    colour = (0.62, 0.74, 0.55)
    cv2.rectangle(layer, (0, 0), (width, 90), colour, -1)
    cv2.rectangle(layer, (0, height - 110), (width, height), (0.55, 0.60, 0.80), -1)
    for _ in range(14):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        pale = tuple(float(v) for v in rng.uniform(0.86, 0.97, 3))
        cv2.ellipse(
            layer,
            centre,
            (int(rng.integers(40, 220)), int(rng.integers(20, 120))),
            float(rng.uniform(0, 180)),
            0,
            360,
            pale,
            -1,
            cv2.LINE_AA,
        )
    return (board * layer).astype(np.float32)


def _wrapped(rng: np.random.Generator) -> Float:
    """Pale board under stretch film: slanted folds that shine."""
    board = _board(rng, (0.70, 0.78, 0.84), fibre=0.012)
    height, width = board.shape[:2]
    folds = streaks(rng, height * 2, width * 2, along=900, across=16)
    turn = cv2.getRotationMatrix2D((width, height), float(rng.uniform(12, 24)), 1.0)
    turned = cv2.warpAffine(folds, turn, (width * 2, height * 2)).astype(np.float32)
    part = turned[height // 2 : height // 2 + height, width // 2 : width // 2 + width]
    shine = np.clip(blur(part, 2.0) - 1.1, 0, 1)[:, :, None] * 0.20
    shade = np.clip(-part - 1.2, 0, 1)[:, :, None] * 0.10
    made: Float = (board * (1 - shade) * (1 - shine) + shine).astype(np.float32)
    return made


def _wood(rng: np.random.Generator) -> Float:
    """Planed board with a long grain."""
    height, width = _shape()
    rings = streaks(rng, height, width, along=420, across=5)
    fine = streaks(rng, height, width, along=90, across=1.4)
    bend = field(rng, height, width, 150)
    shade = 1 + 0.045 * rings + 0.025 * fine + 0.04 * bend
    return _coloured(shade.astype(np.float32), (0.50, 0.66, 0.78))


def _belt(rng: np.random.Generator) -> Float:
    weave = 0.012 * field(rng, *_ROOM, 4) + 0.012 * streaks(rng, *_ROOM, along=150, across=3)
    belt = _coloured((1 + weave * 5).astype(np.float32), (0.24, 0.25, 0.235))
    return blur(belt, 1.5)


def _floor(rng: np.random.Generator) -> Float:
    shade = 1 + 0.05 * field(rng, *_ROOM, 180) + 0.02 * field(rng, *_ROOM, 3)
    return blur(_coloured(shade.astype(np.float32), (0.46, 0.48, 0.47)), 1.2)


def _rollers(rng: np.random.Generator) -> Float:
    """A roller conveyor from above."""
    height, width = _ROOM
    x = np.arange(width, dtype=np.float32)
    turn = (x % 118) / 118
    round_ = np.clip(np.sin(turn * np.pi) ** 0.6 * 0.62, 0, 1) * (turn < 0.8)
    metal = np.repeat((0.07 + round_)[None], height, axis=0).astype(np.float32)
    metal *= 1 + 0.04 * streaks(rng, width, height, along=300, across=3).T
    return blur(_coloured(metal, (0.98, 0.97, 0.94)), 1.4)


def _concrete(rng: np.random.Generator) -> Float:
    shade = (
        1
        + 0.06 * field(rng, *_ROOM, 90)
        + 0.05 * field(rng, *_ROOM, 14)
        + 0.03 * rng.standard_normal(_ROOM, dtype=np.float32)
    )
    return blur(_coloured(shade.astype(np.float32), (0.55, 0.57, 0.58)), 1.0)


def _pallet(rng: np.random.Generator) -> Float:
    height, width = _ROOM
    shade = 1 + 0.09 * streaks(rng, height, width, along=260, across=5)
    wood = _coloured(shade.astype(np.float32), (0.36, 0.49, 0.60))
    for gap in range(70, height, 190):
        wood[gap : gap + 46] *= 0.16
    return blur(wood, 1.6)


MAKERS: Mapping[str, Callable[[np.random.Generator], Float]] = MappingProxyType(
    {
        "kraft": _kraft,
        "recycled": _recycled,
        "corrugated": _corrugated,
        "dark": _dark,
        "white": _white,
        "printed": _printed,
        "wrapped": _wrapped,
        "wood": _wood,
        "belt": _belt,
        "floor": _floor,
        "rollers": _rollers,
        "concrete": _concrete,
        "pallet": _pallet,
    }
)

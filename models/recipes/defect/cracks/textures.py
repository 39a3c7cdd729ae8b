"""Grounds to draw cracks on: made surfaces, and crops of a few free photos.

What a factory or a dock looks at: cast and brushed metal, machining marks, sheets, woven and
sprayed surfaces, cells with straight bars, parts with dark rims, printed shapes. None of them is
anybody's product; a product's own look is learned at enrolment.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]


def ground(side_px: int, photos: Sequence[Grey], draw: np.random.Generator) -> Grey:
    """(side, side) grey 0..255: a surface without a crack."""
    if photos and draw.random() < 0.3:
        made = _photo(side_px, photos, draw)
    else:
        made = _surface(side_px, draw)
    return _taken(made, draw)


def _surface(side: int, draw: np.random.Generator) -> Grey:
    made = np.zeros((side, side), np.float32)
    for kind in draw.choice(len(_KINDS), int(draw.integers(1, 4)), replace=False):
        layer = _KINDS[int(kind)](side, draw)
        made += layer / max(1e-3, float(layer.std())) * np.float32(draw.uniform(0.3, 1.0))
    made /= max(1e-3, float(made.std()))
    level = draw.uniform(50, 200)
    made = level + made * draw.uniform(1.0, 16.0)
    for part, chance in ((_shade, 0.6), (_bars, 0.3), (_rim, 0.3), (_shapes, 0.3)):
        if draw.random() < chance:
            made = part(made, draw)
    return made.astype(np.float32)


def _photo(side: int, photos: Sequence[Grey], draw: np.random.Generator) -> Grey:
    photo = photos[int(draw.integers(len(photos)))]
    want = int(side * draw.uniform(0.6, 1.6))
    want = min(want, *photo.shape)
    y = int(draw.integers(photo.shape[0] - want + 1))
    x = int(draw.integers(photo.shape[1] - want + 1))
    crop = cv2.resize(photo[y : y + want, x : x + want], (side, side), interpolation=cv2.INTER_AREA)
    crop = np.rot90(crop, int(draw.integers(4)))
    if draw.random() < 0.5:
        crop = crop[:, ::-1]
    return np.ascontiguousarray(crop, dtype=np.float32)


def _cloud(side: int, draw: np.random.Generator) -> Grey:
    """Octaves of smooth noise: cast skin, card, concrete."""
    made = np.zeros((side, side), np.float32)
    fall = draw.uniform(0.4, 0.9)
    weight, cell = 1.0, float(side)
    while cell > 2:
        made += weight * _noise(side, cell, cell, draw)
        weight *= fall
        cell /= 2
    return made


def _grain(side: int, draw: np.random.Generator) -> Grey:
    soft = draw.uniform(0.4, 2.5)
    return cv2.GaussianBlur(draw.standard_normal((side, side)).astype(np.float32), (0, 0), soft)


def _brushed(side: int, draw: np.random.Generator) -> Grey:
    """Fine parallel marks, straight or slightly bent."""
    wide = int(side * 1.5)
    noise = draw.standard_normal((wide, wide)).astype(np.float32)
    along, across = draw.uniform(8, 60), draw.uniform(0.4, 1.6)
    marks = cv2.GaussianBlur(noise, (0, 0), sigmaX=along, sigmaY=across)
    turn = cv2.getRotationMatrix2D((wide / 2, wide / 2), float(draw.uniform(0, 180)), 1.0)
    marks = cv2.warpAffine(marks, turn, (wide, wide), borderMode=cv2.BORDER_REFLECT)
    edge = (wide - side) // 2
    return marks[edge : edge + side, edge : edge + side]


def _turned(side: int, draw: np.random.Generator) -> Grey:
    """Circular marks of a lathe or a grinder."""
    x, y = draw.uniform(-side, 2 * side, 2)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    radius = np.hypot(columns - x, rows - y)
    rings = draw.standard_normal(4 * side).astype(np.float32)
    rings = cv2.GaussianBlur(rings[None], (0, 0), draw.uniform(0.5, 3))[0]
    return rings[np.clip(radius, 0, len(rings) - 1).astype(int)]


def _woven(side: int, draw: np.random.Generator) -> Grey:
    period = draw.uniform(3, 16)
    turn = draw.uniform(0, math.pi)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    a = columns * math.cos(turn) + rows * math.sin(turn)
    b = -columns * math.sin(turn) + rows * math.cos(turn)
    weave = np.sin(2 * math.pi * a / period) + np.sin(2 * math.pi * b / period)
    return (weave + 0.3 * _noise(side, 20, 20, draw)).astype(np.float32)


def _pits(side: int, draw: np.random.Generator) -> Grey:
    made = np.zeros((side, side), np.float32)
    for _ in range(int(draw.integers(5, 120))):
        spot = (int(draw.integers(side)), int(draw.integers(side)))
        axes = (int(draw.integers(1, 6)), int(draw.integers(1, 6)))
        cv2.ellipse(
            made, spot, axes, float(draw.uniform(0, 180)), 0, 360, float(draw.uniform(-1, 0.6)), -1
        )
    return cv2.GaussianBlur(made, (0, 0), draw.uniform(0.4, 1.5))


def _crystals(side: int, draw: np.random.Generator) -> Grey:
    """Flat cells with straight borders: grains of a metal, poly-crystalline silicon."""
    count = int(draw.integers(6, 60))
    seeds = draw.uniform(0, side, (count, 2)).astype(np.float32)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    far = (columns[..., None] - seeds[:, 0]) ** 2 + (rows[..., None] - seeds[:, 1]) ** 2
    tone = draw.standard_normal(count).astype(np.float32)
    return cv2.GaussianBlur(tone[far.argmin(axis=2)], (0, 0), draw.uniform(0.5, 2))


_KINDS: tuple[Callable[[int, np.random.Generator], Grey], ...] = (
    _cloud,
    _cloud,
    _grain,
    _grain,
    _brushed,
    _brushed,
    _turned,
    _woven,
    _pits,
    _crystals,
)


def _noise(side: int, cell_x: float, cell_y: float, draw: np.random.Generator) -> Grey:
    small = (max(2, round(side / cell_y)), max(2, round(side / cell_x)))
    noise = draw.standard_normal(small).astype(np.float32)
    return np.asarray(
        cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC), dtype=np.float32
    )


def _shade(made: Grey, draw: np.random.Generator) -> Grey:
    light = _noise(len(made), len(made), len(made), draw)
    return made * (1 + np.clip(0.15 * light, -0.4, 0.4))


def _bars(made: Grey, draw: np.random.Generator) -> Grey:
    """Straight lines through the whole picture: bars of a cell, joints, edges of a sheet."""
    depth = draw.uniform(5, 60) * draw.choice((-1, -1, 1))
    period, first = draw.uniform(25, 200), draw.uniform(0, 100)
    wide = draw.uniform(1.0, 10)
    place = np.arange(len(made), dtype=np.float32)
    near = np.abs((place - first + period / 2) % period - period / 2)
    bar = (depth * 0.5 * (1 - np.tanh((near - wide / 2) / 1.2))).astype(np.float32)
    bars = np.broadcast_to(bar[:, None], made.shape)
    if draw.random() < 0.4:
        gaps = (_noise(len(made), 30, 30, draw)[:1] > draw.uniform(-1, 0.5)).astype(np.float32)
        bars = bars * cv2.GaussianBlur(gaps, (0, 0), 2)
    return made + (bars if draw.random() < 0.5 else bars.T)


def _rim(made: Grey, draw: np.random.Generator) -> Grey:
    """The part ends near the border of the picture."""
    side = len(made)
    edge = draw.uniform(2, side / 4)
    place = np.arange(side, dtype=np.float32)
    fade = 0.5 * (1 + np.tanh((place - edge) / draw.uniform(1.2, 12)))
    fade = draw.uniform(0.05, 0.6) * (1 - fade) + fade
    turned = np.rot90(np.broadcast_to(fade[:, None], made.shape), int(draw.integers(4)))
    return made * turned


def _shapes(made: Grey, draw: np.random.Generator) -> Grey:
    """Printed or stamped things, holes, corners."""
    layer = np.zeros_like(made)
    side = len(made)
    for _ in range(int(draw.integers(1, 5))):
        tone = float(draw.uniform(-60, 60))
        kind = int(draw.integers(4))
        a, b = draw.integers(0, side, 2).tolist(), draw.integers(0, side, 2).tolist()
        thick = int(draw.choice((-1, 6, 9, 12)))
        if kind == 0:
            cv2.circle(layer, a, int(draw.integers(4, side // 2)), tone, thick)
        elif kind == 1:
            cv2.rectangle(layer, a, b, tone, thick)
        elif kind == 2:
            # OpenCV writes on bytes only.
            written = np.zeros((side, side), np.uint8)
            cv2.putText(
                written,
                "".join(chr(c) for c in draw.integers(48, 91, 4)),
                a,
                int(draw.integers(0, 4)),
                float(draw.uniform(0.6, 2.5)),
                255,
                int(draw.integers(2, 7)),
                cv2.LINE_AA,
            )
            layer += written.astype(np.float32) * (tone / 255)
        else:
            points = draw.integers(0, side, (int(draw.integers(3, 6)), 2)).astype(np.int32)
            cv2.fillPoly(layer, [points], tone)
    return made + cv2.GaussianBlur(layer, (0, 0), draw.uniform(0.4, 1.5))


def _taken(made: Grey, draw: np.random.Generator) -> Grey:
    """What a camera adds: blur, gain, noise."""
    if draw.random() < 0.5:
        made = cv2.GaussianBlur(made, (0, 0), draw.uniform(0.3, 1.2))
    made = made * draw.uniform(0.5, 1.3)
    made = made + draw.standard_normal(made.shape) * draw.uniform(0.2, 3.0)
    return np.clip(made, 0, 255).astype(np.float32)

"""The inspect camera's view of the goods, in a fixed pose, with the variation that goods have."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.demo.story import Defect, Goods
from appliance.demo.texture import Picture, blur, field, filled, over, photograph, unit

SIDE: Final = 512
_Y, _X = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32, copy=False)


def goods_frame(
    goods: Goods, rng: np.random.Generator, defect: Defect = Defect.NONE
) -> NDArray[np.uint8]:
    """(512, 512, 3) uint8 BGR. The pose shifts by a pixel or two, the light by a few per cent."""
    picture = _DRAW[goods](rng, defect)
    move = np.array([[1, 0, rng.normal(0, 0.6)], [0, 1, rng.normal(0, 0.6)]], dtype=np.float64)
    placed = cv2.warpAffine(picture, move, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    light = 1 + float(rng.normal(0, 0.012))
    return photograph(
        placed.astype(np.float32, copy=False), rng, exposure=light, grain=0.010, vignette=0.12
    )


def _biscuits(rng: np.random.Generator, defect: Defect) -> Picture:
    """A tray of sixteen round biscuits with a wavy rim and six holes each."""
    paper = (1 + 0.01 * field(rng, SIDE, SIDE, 40))[:, :, None] * _wells()
    tray = (paper * np.array((0.80, 0.83, 0.86), dtype=np.float32)).astype(np.float32, copy=False)
    chosen = int(rng.integers(0, 16)) if defect is not Defect.NONE else -1
    crumb = field(rng, SIDE, SIDE, 2.2) * 0.028 + field(rng, SIDE, SIDE, 9) * 0.022
    for index in range(16):
        centre = np.array([76 + 120 * (index % 4), 76 + 120 * (index // 4)], dtype=np.float32)
        centre = centre + rng.normal(0, 1.2, 2).astype(np.float32, copy=False)
        bite = defect if index == chosen else Defect.NONE
        tray = _biscuit(tray, centre, crumb, rng, bite)
    return tray


@lru_cache(maxsize=1)
def _wells() -> Picture:
    """(512, 512, 1) how much light the tray's sixteen wells leave."""
    shade = np.ones((SIDE, SIDE), dtype=np.float32)
    for index in range(16):
        x, y = 76 + 120 * (index % 4), 76 + 120 * (index // 4)
        away = np.hypot(_X - x, _Y - y)
        shade *= 1 - 0.16 * np.exp(-(((away - 55) / 5) ** 2))
    wells: Picture = shade[:, :, None]
    return wells


def _biscuit(
    tray: Picture,
    centre: NDArray[np.float32],
    crumb: Picture,
    rng: np.random.Generator,
    defect: Defect,
) -> Picture:
    x0, y0 = int(centre[0]) - 60, int(centre[1]) - 60
    x1, y1 = x0 + 120, y0 + 120
    window = (slice(max(y0, 0), y1), slice(max(x0, 0), x1))
    dx, dy = _X[window] - centre[0], _Y[window] - centre[1]
    away, angle = _polar(dx, dy)
    turn = float(rng.uniform(0, 2 * np.pi))
    radius = 47 + float(rng.normal(0, 0.7)) + 1.7 * np.cos((angle + turn) * 18)
    inside = np.clip(radius - away, 0, 1)
    bake = 1 + float(rng.normal(0, 0.03))
    rim = np.exp(-(((radius - away) / 9) ** 2))
    dome = 1.02 - 0.09 * (away / 47) ** 2 - 0.05 * (dx + dy) / 90
    shade = (dome * bake + crumb[window])[:, :, None]
    colour = np.array((0.42, 0.66, 0.86), dtype=np.float32)
    brown = np.array((0.20, 0.40, 0.63), dtype=np.float32)
    body = (colour * (1 - 0.75 * rim[:, :, None]) + brown * 0.75 * rim[:, :, None]) * shade
    body = body * (1 - 0.6 * _holes(dx, dy, turn))[:, :, None]
    if defect is Defect.BROKEN:
        inside = inside * _without_bite(dx, dy, rng)
    if defect is Defect.CRACK:
        body = body * (1 - 0.72 * _crack(dx, dy, rng))[:, :, None]
    ground = (
        tray[window]
        * (1 - 0.35 * np.clip(blur(inside.astype(np.float32, copy=False), 4), 0, 1))[:, :, None]
    )
    tray[window] = over(
        ground.astype(np.float32, copy=False), body.astype(np.float32, copy=False), inside
    )
    return tray


def _holes(dx: Picture, dy: Picture, turn: float) -> Picture:
    """0..1, six docking holes around the middle."""
    canvas = np.zeros(dx.shape, dtype=np.uint8)
    for hole in range(6):
        at = hole * np.pi / 3 + turn
        x, y = 22 * np.cos(at) - float(dx.flat[0]), 22 * np.sin(at) - float(dy.flat[0])
        cv2.circle(canvas, (round(x * 16), round(y * 16)), 40, 255, -1, cv2.LINE_AA, 4)
    return blur(unit(canvas), 1.2)


def _polar(dx: Picture, dy: Picture) -> tuple[Picture, Picture]:
    away, angle = cv2.cartToPolar(dx, dy)
    return away.astype(np.float32, copy=False), angle.astype(np.float32, copy=False)


def _without_bite(dx: Picture, dy: Picture, rng: np.random.Generator) -> Picture:
    """1 where the biscuit remains: a piece beyond a ragged line is gone."""
    turn = float(rng.uniform(0, 2 * np.pi))
    across = dx * np.cos(turn) + dy * np.sin(turn)
    along = -dx * np.sin(turn) + dy * np.cos(turn)
    ragged = 16 + 3.5 * np.sin(along / 4.3) + 2.5 * np.sin(along / 1.9 + turn)
    remains: Picture = np.clip(ragged - across, 0, 1).astype(np.float32, copy=False)
    return remains


def _crack(dx: Picture, dy: Picture, rng: np.random.Generator) -> Picture:
    """0..1, a jagged dark line across the biscuit with one branch."""
    turn = float(rng.uniform(0, np.pi))
    canvas = np.zeros(dx.shape, dtype=np.uint8)
    steps = np.linspace(-46, 46, 17)
    wander = np.cumsum(rng.normal(0, 2.6, len(steps)))
    line = np.column_stack((steps, wander - wander.mean()))
    branch = np.column_stack((np.linspace(4, 34, 8), np.linspace(2, 30, 8))) + rng.normal(
        0, 1.2, (8, 2)
    )
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.array([-float(dx.flat[0]), -float(dy.flat[0])])
    for path, width in ((line, 3), (branch, 2)):
        points = np.rint((path @ spin.T + middle) * 16).astype(np.int32)
        cv2.polylines(canvas, [points], False, 255, width, cv2.LINE_AA, 4)
    return blur(unit(canvas), 0.7)


def _bottles(rng: np.random.Generator, defect: Defect) -> Picture:
    """A blue crate of twelve bottles from above: steel caps with a fluted skirt."""
    crate = filled(SIDE, SIDE, (0.52, 0.27, 0.12))
    crate = crate * (1 + 0.012 * field(rng, SIDE, SIDE, 30))[:, :, None]
    chosen = int(rng.integers(0, 12)) if defect is not Defect.NONE else -1
    brushed = field(rng, SIDE, SIDE, 3) * 0.012
    crate = crate.astype(np.float32, copy=False)
    for index in range(12):
        cx, cy = 76 + 120 * (index % 4), 100 + 156 * (index // 4)
        crate = _bottle(crate, (cx, cy), brushed, rng, defect if index == chosen else Defect.NONE)
    for edge in (*range(16, SIDE, 120), SIDE - 16):
        crate[:, max(edge - 7, 0) : edge + 7] *= np.array((1.22, 1.22, 1.22), dtype=np.float32)
        crate[:, max(edge + 5, 0) : edge + 8] *= 0.7
    for edge in (22, 178, 334, 490):
        crate[edge - 7 : edge + 7] *= np.array((1.22, 1.22, 1.22), dtype=np.float32)
        crate[edge + 5 : edge + 8] *= 0.7
    return crate


def _bottle(
    crate: Picture,
    centre: tuple[int, int],
    brushed: Picture,
    rng: np.random.Generator,
    defect: Defect,
) -> Picture:
    cx, cy = centre[0] + float(rng.normal(0, 1.3)), centre[1] + float(rng.normal(0, 1.3))
    window = (slice(max(centre[1] - 74, 0), centre[1] + 74), slice(centre[0] - 56, centre[0] + 56))
    dx, dy = _X[window] - cx, _Y[window] - cy
    away, angle = _polar(dx, dy)
    part = crate[window]
    part = over(part, (0.10, 0.075, 0.06), np.clip(50 - away, 0, 1))
    shoulder = np.clip(46 - away, 0, 1) * (0.35 + 0.25 * np.cos(angle + 2.2))
    part = over(part, (0.52, 0.56, 0.47), shoulder.astype(np.float32, copy=False))
    if defect is Defect.MISSING_CAP:
        lip = np.exp(-(((away - 21) / 3.2) ** 2)) * (0.75 + 0.25 * np.cos(angle + 2.2))
        part = over(part, (0.86, 0.90, 0.84), lip.astype(np.float32, copy=False))
        mouth = np.clip(18 - away, 0, 1).astype(np.float32, copy=False)
        part = over(part, (0.09, 0.10, 0.08), mouth)
    else:
        part = _cap(part, dx, dy, brushed[window], rng, dented=defect is Defect.DENT)
    crate[window] = part
    return crate


def _cap(
    part: Picture,
    dx: Picture,
    dy: Picture,
    brushed: Picture,
    rng: np.random.Generator,
    *,
    dented: bool,
) -> Picture:
    away, angle = _polar(dx, dy)
    turn = float(rng.uniform(0, 2 * np.pi))
    radius = 34 + 1.6 * np.cos(21 * (angle + turn))
    lamp = 0.10 * np.cos(angle + 2.2)
    skirt = np.clip(away - 26, 0, None) / 8
    shade = 0.80 + lamp * (0.3 + skirt) - 0.22 * skirt + 0.10 * np.cos(21 * (angle + turn)) * skirt
    gleam = 0.16 * np.exp(-(((dx + 9) ** 2 + (dy + 10) ** 2) / 130))
    shade = shade + gleam + brushed
    if dented:
        tx, ty = 15 * np.cos(turn), 15 * np.sin(turn)
        near = np.exp(-(((dx - tx) ** 2 + (dy - ty) ** 2) / 90))
        shade = shade - 0.34 * near * np.sign(dx * np.cos(turn) + dy * np.sin(turn) - 15)
    metal = np.array((0.92, 0.93, 0.95), dtype=np.float32) * shade[:, :, None]
    ring = np.clip(17 - away, 0, 1) * (1 - 0.9 * np.exp(-(((away - 9) / 2.2) ** 2)))
    printed = over(
        metal.astype(np.float32, copy=False),
        (0.62, 0.34, 0.12),
        (ring * 0.8).astype(np.float32, copy=False),
    )
    return over(part, printed, np.clip(radius - away, 0, 1).astype(np.float32, copy=False))


_DRAW: dict[Goods, Callable[[np.random.Generator, Defect], Picture]] = {
    Goods.BISCUITS: _biscuits,
    Goods.BOTTLES: _bottles,
}

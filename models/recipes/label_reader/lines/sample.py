"""One training line: drawn, worn, photographed, cut out as the line finder cuts it."""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.recipes.label_reader.lines.dots import Raster, drops, five_by_seven, sampled
from models.recipes.label_reader.lines.dots import ink as dot_ink
from models.recipes.label_reader.lines.faces import Faces
from models.recipes.label_reader.lines.faces import ink as face_ink
from models.recipes.label_reader.lines.texts import Line, line
from models.recipes.label_reader.lines.wear import Picture, wear

HEIGHT_PX = 48
WIDTH_STEP_PX = 32
MOST_WIDTH_PX = 960
_WORK_PX = 40.0
SEEN = 0.2
"""A character with less than this share of its ink left counts as unreadable."""


@dataclass(frozen=True, slots=True)
class Sample:
    """`picture` (48, w, 3) uint8 BGR; `text` as printed; `seen` says of each character but spaces
    whether enough of it is left.
    """

    picture: NDArray[np.uint8]
    text: str
    seen: tuple[bool, ...]


def make(faces: Faces, seed: int) -> Sample:
    """The line number `seed`: the same number gives the same line."""
    rng, words = np.random.default_rng(seed), random.Random(seed)  # noqa: S311 -- pictures, no secrets
    if rng.random() < 0.03:
        return _nothing(rng)
    printed = line(words)
    dotted = printed.coder and rng.random() < 0.5 and printed.text.isascii()
    drawn = _dots(printed, faces, rng) if dotted else None
    on_carton = drawn is not None or rng.random() < 0.15
    if drawn is None:
        drawn = face_ink(printed.text, faces, _WORK_PX, rng)
    alpha, spans = drawn
    alpha, spans = _margins(alpha, spans, rng)
    whole, mine = _neighbours(alpha, spans, words, faces, rng, dotted=dotted)
    native = float(rng.uniform(15, 44) if dotted else rng.uniform(9, 32))
    whole, mine = _at_scale(whole, native / _WORK_PX), _at_scale(mine, native / _WORK_PX)
    spans = spans * (native / _WORK_PX)
    ground, inked, picture = _surface(whole, rng, carton=on_carton)
    top = (whole.shape[0] - native) / 2
    share = float(rng.choice([0, 0, rng.uniform(0, 0.2), rng.uniform(0.1, 0.6)]))
    picture, hidden = wear(picture, mine, ground, inked, share, (top, top + native), rng)
    seen = _seen(printed.text, spans, mine, hidden)
    return Sample(_photograph(picture, native, rng), printed.text, seen)


def _at_scale(alpha: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """The print as many pixels large as the camera sees it."""
    size = (max(8, round(alpha.shape[1] * scale)), max(8, round(alpha.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(alpha, size, interpolation=how), dtype=np.float32)


def _dots(
    printed: Line, faces: Faces, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]] | None:
    glyphs: list[Raster] | None = None
    kind = rng.random()
    if kind < 0.6:
        glyphs = five_by_seven(printed.text, rng)
    else:
        pool = faces.dotted if faces.dotted and kind < 0.7 else faces.latin
        rows = int(rng.choice([7, 7, 8, 9, 9, 10, 12, 14, 16]))
        face = pool[rng.integers(len(pool))]
        glyphs = sampled(printed.text, face.path, rows, float(rng.uniform(0.3, 0.5)))
    if not glyphs:
        return None
    widest = max(each.shape[1] for each in glyphs)
    fixed = rng.random() < 0.7
    cell = widest + int(rng.integers(1, 3)) if fixed else None
    made = drops(glyphs, gap=1, cell=cell, double=bool(rng.random() < 0.35), rng=rng)
    return dot_ink(made, _WORK_PX, rng)


def _margins(
    alpha: NDArray[np.float32], spans: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Room around the line: the finder stretches boxes to the block's edges and beyond."""
    wide = rng.choice([0.2, 0.5, 2.0, 6.0], p=[0.5, 0.3, 0.13, 0.07])
    left, right = (int(rng.uniform(0, wide) * _WORK_PX) for _ in range(2))
    up = round(0.9 * _WORK_PX - (alpha.shape[0] - _WORK_PX) / 2)
    return np.pad(alpha, ((up, up), (left, right))), spans + left


def _neighbours(
    alpha: NDArray[np.float32], spans: NDArray[np.float64], words: random.Random, faces: Faces,
    rng: np.random.Generator, *, dotted: bool,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
    """The rows above and below. Returns all ink, and the line's own."""
    mine = alpha
    whole = alpha.copy()
    for way in (-1, 1):
        if rng.random() < 0.35:
            continue
        other = line(words)
        drawn = _dots(other, faces, rng) if dotted else face_ink(other.text, faces, _WORK_PX, rng)
        if drawn is None:
            continue
        ink = drawn[0]
        pitch = round(way * _WORK_PX * rng.uniform(1.2, 1.9))
        start = max(0, int(spans[0, 0] - _WORK_PX / 2)) if len(spans) else 0
        y = round((alpha.shape[0] - ink.shape[0]) / 2) + pitch
        top, bottom = max(0, y), min(alpha.shape[0], y + ink.shape[0])
        wide = min(ink.shape[1], alpha.shape[1] - start)
        if bottom > top and wide > 0:
            part = whole[top:bottom, start : start + wide]
            np.maximum(part, ink[top - y : bottom - y, :wide], out=part)
    return whole, mine


def _surface(
    alpha: NDArray[np.float32], rng: np.random.Generator, *, carton: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32], Picture]:
    """Ground and ink colours (3,), and the printed surface (h, w, 3), all 0..255 BGR."""
    high, wide = alpha.shape
    if carton:
        base = np.array([110, 155, 190]) * rng.uniform(0.5, 1.25) + rng.normal(0, 14, 3)
        colours = ([30, 30, 30], [60, 40, 30], [50, 50, 110], [110, 60, 40], [60, 60, 70])
        inked = np.array(colours[rng.integers(len(colours))]) + rng.normal(0, 10, 3)
    else:
        level = rng.choice([rng.uniform(200, 255), rng.uniform(90, 235)])
        base = np.full(3, level) + rng.normal(0, 5, 3)
        inked = np.full(3, rng.uniform(5, 70)) + rng.normal(0, 4, 3)
    if rng.random() < 0.03:
        base, inked = inked + 20, base + 40
    contrast = rng.uniform(0.3, 1.0)
    ground = np.clip(base, 5, 255).astype(np.float32)
    ink = (ground + (np.clip(inked, 0, 255) - ground) * contrast).astype(np.float32)
    picture = np.broadcast_to(ground, (high, wide, 3)).copy()
    if carton or rng.random() < 0.3:
        x, y = np.arange(wide), np.arange(high)
        flutes = np.sin(x * 2 * np.pi / rng.uniform(14, 60) + rng.uniform(0, 6)) * rng.uniform(0, 9)
        fibres = rng.normal(0, rng.uniform(1, 7), (high // 2 + 1, wide // 8 + 1)).astype(np.float32)
        picture += (flutes[None, :] + 0 * y[:, None])[..., None].astype(np.float32)
        picture += cv2.resize(fibres, (wide, high))[..., None]
    shade = np.cumsum(rng.normal(0, 0.06, 6))
    light = cv2.resize((1 + shade - shade.mean()).astype(np.float32)[None], (wide, 1))
    picture *= np.clip(light, 0.5, 1.4)[..., None]
    shaded = ink * np.clip(light, 0.5, 1.4)[..., None]
    picture += (shaded - picture) * alpha[..., None]
    return ground, ink, picture


def _seen(
    text: str, spans: NDArray[np.float64], mine: NDArray[np.float32], hidden: NDArray[np.float32]
) -> tuple[bool, ...]:
    left = mine * (1 - hidden)
    whole = mine.sum(axis=0)
    kept = left.sum(axis=0)
    out = []
    for character, (start, end) in zip(text, spans, strict=True):
        if character == " ":
            continue
        part = slice(max(0, int(start)), max(1, round(end)))
        total = float(whole[part].sum())
        out.append(total > 0 and float(kept[part].sum()) >= SEEN * total)
    return tuple(out)


def _photograph(picture: Picture, native: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """As the camera sees it and `rectify` cuts it: waves, tilt, blur, noise, JPEG. `native` is the
    height of capitals in pixels.
    """
    high, wide = picture.shape[:2]
    blur = native * rng.choice([0, rng.uniform(0, 0.13), rng.uniform(0.05, 0.3)])
    if blur > 1:
        picture = cv2.filter2D(picture, -1, _motion(blur, rng))
    if rng.random() < 0.6:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 1.1)))
    noise = np.empty(picture.shape, dtype=np.float32)
    picture = picture + cv2.randn(noise, (0, 0, 0), (float(rng.uniform(0, 6)),) * 3)
    eight = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        _, coded = cv2.imencode(
            ".jpg", eight, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 96))]
        )
        eight = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    crop = native * rng.uniform(1.08, 1.75)
    step = WIDTH_STEP_PX
    width = round(wide * HEIGHT_PX / crop * rng.uniform(0.88, 1.14) / step) * step
    width = min(max(step, width), MOST_WIDTH_PX)
    u = np.arange(width, dtype=np.float32) / width * wide
    v = (np.arange(HEIGHT_PX, dtype=np.float32) / HEIGHT_PX - 0.5) * crop
    tilt = rng.normal(0, 0.006) * (u - wide / 2)
    wave = rng.choice([0, 1]) * rng.uniform(0, 0.09) * native
    bend = wave * np.sin(u / (wide / rng.uniform(0.5, 3)) * 2 * np.pi + rng.uniform(0, 6))
    middle = high / 2 + rng.normal(0, 0.05) * native
    map_y = middle + v[:, None] + (tilt + bend)[None, :]
    map_x = u[None, :] + rng.normal(0, 0.05) * v[:, None]
    cut = cv2.remap(
        eight, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(cut, dtype=np.uint8)


def _motion(length_px: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A line of that length as a kernel; belts move along the line more often than not."""
    side = max(3, round(length_px) | 1)
    kernel = np.zeros((side, side), dtype=np.float32)
    angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
    dx, dy = np.cos(angle) * length_px / 2, np.sin(angle) * length_px / 2
    mid = (side - 1) / 2
    cv2.line(kernel, (round(mid - dx), round(mid - dy)), (round(mid + dx), round(mid + dy)), 1.0)
    return kernel / max(float(kernel.sum()), 1e-6)


def _nothing(rng: np.random.Generator) -> Sample:
    """Bare ground, with or without stains: rows that the finder put where none is."""
    native = float(rng.uniform(10, 40))
    alpha = np.zeros((round(2.8 * native), round(native * rng.uniform(3, 16))), dtype=np.float32)
    ground, inked, picture = _surface(alpha, rng, carton=bool(rng.random() < 0.7))
    mine = np.zeros_like(alpha)
    if rng.random() < 0.6:
        band = (0.9 * native, 1.9 * native)
        mine[round(band[0]) : round(band[1])] = 0.01
        picture, _ = wear(picture, mine, ground, inked, float(rng.uniform(0, 0.5)), band, rng)
    return Sample(_photograph(picture, native, rng), "", ())

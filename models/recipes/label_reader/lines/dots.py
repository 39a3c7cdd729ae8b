"""Print of dot-matrix heads: a raster of dots per glyph, one drop of ink per dot.

Rasters come from three sources, so that the network learns dots and not one face: the 5x7 face of
the demo, its variants (slashed and dotted zeros, doubled columns), and outline fonts sampled at
the few rows a print head has.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from appliance.demo.dots import dot_positions

Raster = NDArray[np.uint8]

_ZEROS = {
    "plain": "0E 11 11 11 11 11 0E",
    "slashed": "0E 11 13 15 19 11 0E",
    "dotted": "0E 11 11 15 11 11 0E",
    "narrow": "0E 0A 0A 0A 0A 0A 0E",
    "tall": "04 0A 11 11 11 0A 04",
}
_OTHER_FORMS = {
    "1": ("04 0C 14 04 04 04 1F", "02 06 02 02 02 02 02", "04 0C 04 04 04 04 04"),
    "2": ("0E 11 01 02 04 08 1F", "0E 11 01 0E 10 10 1F", "1E 01 01 0E 10 10 1F"),
    "3": ("0E 11 01 06 01 11 0E", "1E 01 01 0E 01 01 1E", "1F 01 02 06 01 11 0E"),
    "4": ("02 06 0A 12 1F 02 02", "11 11 11 1F 01 01 01", "10 10 12 12 1F 02 02"),
    "5": ("1F 10 10 1E 01 11 0E", "1F 10 10 1E 01 01 1E", "1F 10 1E 11 01 11 0E"),
    "6": ("0E 11 10 1E 11 11 0E", "0E 10 10 1E 11 11 0E", "03 04 08 1E 11 11 0E"),
    "7": ("1F 01 01 02 04 04 04", "1F 01 01 02 02 04 04", "1F 11 01 02 04 04 04"),
    "8": ("0E 11 11 0E 11 11 0E", "1E 11 11 1E 11 11 1E", "0E 0A 0A 04 0A 0A 0E"),
    "9": ("0E 11 11 0F 01 11 0E", "0E 11 11 0F 01 01 0E", "0E 11 11 0F 01 01 1E"),
    "A": ("0E 11 11 1F 11 11 11", "04 0A 11 11 1F 11 11", "0E 11 11 11 1F 11 11"),
    "B": ("1E 09 09 0E 09 09 1E", "1E 11 11 1E 11 11 1E", "1C 12 12 1E 11 11 1E"),
    "G": ("0E 11 10 17 11 11 0E", "0E 10 10 13 11 11 0E", "0F 10 10 13 11 11 0F"),
    "M": ("11 1B 15 11 11 11 11", "11 1B 1B 15 15 11 11"),
    "Q": ("0E 11 11 11 15 13 0F",),
    "S": ("0E 11 10 0E 01 11 0E",),
    "D": ("1E 11 11 11 11 11 1E", "1E 09 09 09 09 09 1E"),
    "I": ("0E 04 04 04 04 04 0E", "04 04 04 04 04 04 04", "1F 04 04 04 04 04 1F"),
    "/": ("00 01 02 04 08 10 00", "01 02 02 04 08 08 10"),
    ".": ("00 00 00 00 00 0C 0C", "00 00 00 00 00 00 04", "00 00 00 00 00 04 04"),
    ":": ("00 0C 0C 00 0C 0C 00", "00 00 04 00 04 00 00"),
    "-": ("00 00 00 1F 00 00 00", "00 00 00 0E 00 00 00"),
    "(": ("02 04 08 08 08 04 02",), ")": ("08 04 02 02 02 04 08",),
    "+": ("00 04 04 1F 04 04 00",), "*": ("00 15 0E 1F 0E 15 00",), "#": ("0A 0A 1F 0A 1F 0A 0A",),
    ",": ("00 00 00 00 0C 04 08",), "%": ("18 19 02 04 08 13 03",), "&": ("0C 12 14 08 15 12 0D",),
    "'": ("04 04 08 00 00 00 00",), "_": ("00 00 00 00 00 00 1F",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drops:
    """The dots of a line: `at` (n, 2) columns and rows of the raster, `of` (n,) the character each
    belongs to; `columns` and `rows` of the whole raster; `spans` (characters, 2) columns.
    """

    at: NDArray[np.float64]
    of: NDArray[np.intp]
    columns: int
    rows: int
    spans: NDArray[np.float64]


def _parse(rows: str) -> Raster:
    bits = [int(row, 16) for row in rows.split()]
    return np.array([[value >> (4 - x) & 1 for x in range(5)] for value in bits], dtype=np.uint8)


@functools.cache
def _demo(character: str) -> Raster:
    raster = np.zeros((7, 5), dtype=np.uint8)
    at = dot_positions(character).astype(int)
    raster[at[:, 1], at[:, 0]] = 1
    return raster


def five_by_seven(text: str, rng: np.random.Generator) -> list[Raster] | None:
    """Glyphs of a 5x7 head, with one choice of form for each character; None where it has none."""
    zero = rng.choice(tuple(_ZEROS))
    chosen: dict[str, Raster] = {}
    for character in set(text):
        forms = _OTHER_FORMS.get(character, ())
        if character == "0":
            chosen[character] = _parse(_ZEROS[zero])
        elif forms and rng.random() < 0.7:
            chosen[character] = _parse(forms[rng.integers(len(forms))])
        else:
            try:
                chosen[character] = _demo(character)
            except KeyError:
                if not forms:
                    return None
                chosen[character] = _parse(forms[0])
    return [chosen[character] for character in text]


@functools.lru_cache(maxsize=64)
def _font(path: str) -> tuple[ImageFont.FreeTypeFont, float, float]:
    font = ImageFont.truetype(path, 64)
    boxes = [font.getbbox(character) for character in "08AEHLX"]
    return font, min(box[1] for box in boxes), max(box[3] for box in boxes)


@functools.lru_cache(maxsize=50000)
def _grey(path: str, character: str, rows: int) -> Raster | None:
    """One glyph on `rows` rows, 0..255; None where the font draws nothing or something huge."""
    font, top, bottom = _font(path)
    left, _, right, _ = font.getbbox(character)
    if bottom - top < 8:
        return None
    wide = max(1, round((right - left) * rows / (bottom - top)))
    if wide > 2 * rows:
        return None
    page = Image.new("L", (max(1, int(right - left)), int(bottom - top)))
    ImageDraw.Draw(page).text((-left, -top), character, font=font, fill=255)
    return cv2.resize(np.asarray(page), (wide, rows), interpolation=cv2.INTER_AREA)


def sampled(text: str, path: str, rows: int, level: float) -> list[Raster] | None:
    """Glyphs of an outline font on `rows` rows of dots; None where it draws nothing for some."""
    out = []
    for character in text:
        if character == " ":
            out.append(np.zeros((rows, max(2, rows // 2)), dtype=np.uint8))
            continue
        grey = _grey(path, character, rows)
        if grey is None or int(grey.max()) <= 255 * level:
            return None
        out.append((grey > 255 * level).astype(np.uint8))
    return out


def drops(
    glyphs: list[Raster], *, gap: int, cell: int | None, double: bool, rng: np.random.Generator
) -> Drops:
    """The dots of `glyphs` in a row, `gap` free columns between them, or one pitch of `cell`
    columns for all; `double` prints every column twice, as slow belts do.
    """
    at, of, spans = [], [], []
    x = 0.0
    for i, glyph in enumerate(glyphs):
        y_of, x_of = np.nonzero(glyph)
        width = glyph.shape[1]
        start = x + (max(0, cell - gap - width) / 2 if cell else 0)
        at.append(np.stack([x_of + start, y_of], axis=1))
        of.append(np.full(len(x_of), i))
        spans.append((start, start + width))
        x += cell or width + gap
    positions = np.concatenate(at).astype(float)
    owner = np.concatenate(of)
    if double:
        shift = float(rng.uniform(0.35, 0.6))
        positions = np.concatenate([positions, positions + np.array([shift, 0])])
        owner = np.concatenate([owner, owner])
    return Drops(positions, owner, int(np.ceil(x)), glyphs[0].shape[0], np.array(spans))


def ink(
    line: Drops, height: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Draw the drops: alpha (h, w) in 0..1 with a rim of half a height, and the characters' spans
    (n, 2) in pixels. Drops wander, differ in size, and some never land.
    """
    pitch_y = height / line.rows
    pitch_x = pitch_y * rng.uniform(0.6, 1.15)
    rim = round(height / 2)
    slant = rng.normal(0, 0.06) * (rng.random() < 0.5)
    wide, high = round(line.columns * pitch_x) + 2 * rim, round(height) + 2 * rim
    jitter = rng.uniform(0, 0.13)
    at = line.at + rng.normal(0, jitter, line.at.shape)
    landed = rng.random(len(at)) > rng.choice([0.0, 0.02, 0.06, 0.12])
    if rng.random() < 0.08:
        landed &= line.at[:, 1] != rng.integers(line.rows)
    at = at[landed]
    x = rim + (at[:, 0] + 0.5) * pitch_x + slant * (line.rows - at[:, 1]) * pitch_y
    y = rim + (at[:, 1] + 0.5) * pitch_y
    y += (at[:, 0] % 7) * rng.normal(0, 0.012) * pitch_y
    scale = 4
    page = np.zeros((high * scale // 2, wide * scale // 2), dtype=np.uint8)
    half = scale / 2
    radius = pitch_y * rng.uniform(0.3, 0.62)
    sizes = np.clip(rng.normal(1, 0.12, len(x)), 0.6, 1.5) * radius * half
    oval = float(rng.uniform(0.8, 1.5))
    fixed = 16  # sub-pixel places, four bits of fraction
    centres = np.stack([x, y], axis=1) * half * fixed
    axes = np.maximum(np.stack([sizes * oval, sizes], axis=1) * fixed, 1)
    for centre, axis in zip(
        centres.round().astype(int).tolist(), axes.round().astype(int).tolist(), strict=True
    ):
        cv2.ellipse(page, centre, axis, 0, 0, 360, 255, -1, cv2.LINE_8, 4)
    alpha = cv2.resize(page, (wide, high), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    blur = rng.uniform(0.0, 0.25) * pitch_y
    if blur > 0.4:
        alpha = cv2.GaussianBlur(alpha, (0, 0), blur)
    if rng.random() < 0.4:
        drift = rng.normal(0, 0.2, max(2, wide // 60)).astype(np.float32)
        alpha *= np.clip(1 - np.abs(cv2.resize(drift[None], (wide, 1))), 0.3, 1)
    return np.clip(alpha, 0, 1), rim + line.spans * pitch_x

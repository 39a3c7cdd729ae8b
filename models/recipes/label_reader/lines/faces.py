"""Print of outline fonts, as label printers and thermal ink-jets make it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_SIZE = 56


@dataclass(frozen=True, slots=True)
class Face:
    """A font file and the characters it has."""

    path: str
    has: frozenset[int]

    def draws(self, text: str) -> bool:
        return all(ord(c) in self.has for c in text if c != " ")


@dataclass(frozen=True, slots=True)
class Faces:
    """`latin` faces draw ASCII; `chinese` ones draw captions; `dotted` are pixel and dot faces."""

    latin: tuple[Face, ...]
    chinese: tuple[Face, ...]
    dotted: tuple[Face, ...]


_DOT_WORDS = ("vt323", "pixel", "press", "silk", "doto", "codystar", "dots", "dotgothic", "terminus",
              "unifont", "tiny5", "jersey", "micro5", "handjet", "sixtyfour", "workbench")  # fmt: skip


def load_faces(folder: Path) -> Faces:
    """The faces under `folder` (TTF, OTF, TTC), sorted by what they can draw."""
    from fontTools.ttLib import TTCollection, TTFont

    latin, chinese, dotted = [], [], []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in {".ttf", ".otf", ".ttc"}:
            continue
        try:
            font = (
                TTCollection(str(path), lazy=True).fonts[0]
                if path.suffix.lower() == ".ttc"
                else TTFont(str(path), lazy=True)
            )
            face = Face(str(path), frozenset(font.getBestCmap() or ()))
            ImageFont.truetype(str(path), 20)
        except Exception as error:  # noqa: BLE001 -- a font that cannot be opened is left out, and said
            print(f"{path.name}: {error}")
            continue
        if not face.draws("0123456789AEXPLOT:-/."):
            continue
        if face.draws("批号生产日期有效至"):
            chinese.append(face)
        if any(word in path.name.lower() for word in _DOT_WORDS):
            dotted.append(face)
        latin.append(face)
    return Faces(tuple(latin), tuple(chinese), tuple(dotted))


@functools.lru_cache(maxsize=256)
def _font(path: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, _SIZE)


@functools.lru_cache(maxsize=20000)
def _advance(path: str, character: str) -> float:
    return max(4.0, float(_font(path).getlength(character)))


def ink(
    text: str, faces: Faces, height: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Draw `text`: alpha (h, w) in 0..1 with a rim of half a height, and the characters' spans
    (n, 2) in pixels. `height` is that of capitals.
    """
    pool = faces.dotted if faces.dotted and rng.random() < 0.1 else faces.latin
    latin = pool[rng.integers(len(pool))]
    second = faces.chinese[rng.integers(len(faces.chinese))]
    font, other = _font(latin.path), _font(second.path)
    spacing = rng.normal(0, 1.5) + (rng.uniform(2, 10) if rng.random() < 0.1 else 0)
    squeeze = rng.uniform(0.75, 1.25)
    top = font.getbbox("H")[1]
    capital = max(8.0, font.getbbox("H")[3] - top)
    rim = round(capital / 2)
    x = float(rim)
    places = []
    spans = []
    for character in text:
        own = character == " " or ord(character) in latin.has
        places.append((x, font if own else other))
        advance = _advance(latin.path if own else second.path, character)
        spans.append((x, x + advance))
        x += max(4.0, advance + spacing)
    page = Image.new("L", (int(x) + rim + 8, int(capital) + 2 * rim))
    draw = ImageDraw.Draw(page)
    stroke = int(rng.random() < 0.15)
    for character, (at, chosen) in zip(text, places, strict=True):
        high = top if chosen is font else chosen.getbbox("日")[1] + 2
        draw.text((at, rim - high), character, font=chosen, fill=255, stroke_width=stroke)
    scale = height / capital
    size = (max(8, round(page.width * scale * squeeze)), max(8, round(page.height * scale)))
    alpha = (
        cv2.resize(np.asarray(page), size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    )
    if rng.random() < 0.12:
        for _ in range(rng.integers(1, 4)):
            y = rng.integers(alpha.shape[0])
            alpha[y : y + max(1, round(height / 28))] *= rng.uniform(0, 0.5)
    if rng.random() < 0.2:
        spots = rng.normal(0, 1, (alpha.shape[0] // 3 + 1, alpha.shape[1] // 3 + 1))
        field = cv2.resize(spots.astype(np.float32), (alpha.shape[1], alpha.shape[0]))
        alpha *= np.clip(1.4 - np.maximum(field, 0) * rng.uniform(0.3, 0.9), 0, 1)
    return alpha, np.array(spans).reshape(-1, 2) * scale * squeeze

"""Fonts of one pool, and text drawn with them: Latin in the label's face, Chinese in another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont
BUILT_IN = "built in"
"""Stands for the face that comes inside Pillow, so that tests need no font files."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Paths by kind of face. Without Chinese faces labels are in English only."""

    latin: tuple[tuple[str, ...], ...]
    """Families; within one the lighter weight first."""
    chinese: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path, name: str) -> Pool:
        """The pool `name` of a folder that fonts.py filled."""
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        mine = [entry for entry in index if entry["pool"] == name]
        files = {
            entry["family"]: tuple(str(folder / name / f) for f in entry["files"]) for entry in mine
        }
        chinese = [e["family"] for e in mine if e["kind"] == "cjk"]
        return cls(tuple(files.values()), tuple(f for c in chinese for f in files[c]))

    @classmethod
    def built_in(cls) -> Pool:
        return cls(((BUILT_IN,),), ())


@dataclass(frozen=True, slots=True)
class Face:
    """The faces of one label."""

    latin: str
    bold: str
    chinese: str

    @classmethod
    def pick(cls, pool: Pool, rng: np.random.Generator) -> Face:
        family = pool.latin[int(rng.integers(0, len(pool.latin)))]
        latin = family[int(rng.integers(0, len(family)))]
        chinese = str(rng.choice(pool.chinese)) if pool.chinese else ""
        return cls(latin, family[-1], chinese)

    def box(self, text: str, size: int, *, bold: bool = False) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the ink, from the baseline's left end."""
        boxes = []
        x = 0.0
        for run, font in self._runs(text, size, bold=bold):
            if run.strip():
                left, top, right, bottom = font.getbbox(run, anchor="ls")
                boxes.append((x + left, top, x + right, bottom))
            x += font.getlength(run)
        lows, highs = np.min(boxes, axis=0), np.max(boxes, axis=0)
        return float(lows[0]), float(lows[1]), float(highs[2]), float(highs[3])

    def draw(
        self, on: ImageDraw.ImageDraw, text: str, at: tuple[float, float], size: int, *, bold: bool
    ) -> None:
        """`at` is the baseline's left end."""
        x, y = at
        for run, font in self._runs(text, size, bold=bold):
            on.text((x, y), run, fill=255, font=font, anchor="ls")
            x += font.getlength(run)

    def _runs(self, text: str, size: int, *, bold: bool) -> list[tuple[str, Font]]:
        latin = _font(self.bold if bold else self.latin, size)
        runs: list[tuple[str, Font]] = []
        for letter in text:
            font = _font(self.chinese, size) if ord(letter) > 0x2E80 and self.chinese else latin
            if runs and runs[-1][1] is font:
                runs[-1] = (runs[-1][0] + letter, font)
            else:
                runs.append((letter, font))
        return runs


@lru_cache(maxsize=512)
def _font(path: str, size: int) -> Font:
    """Sized by the height of its capitals, which differs between faces of one nominal size."""
    wanted = size * 0.72
    font = _load(path, size)
    _, top, _, bottom = font.getbbox("H", anchor="ls")
    return _load(path, max(6, round(size * wanted / max(1.0, bottom - top))))


def _load(path: str, size: int) -> Font:
    if path == BUILT_IN:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
        return font
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)

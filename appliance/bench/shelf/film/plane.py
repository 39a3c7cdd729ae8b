"""The plane that a film looks at: shelf boards, goods, and a label in each place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.bench.shelf.film.codes import Code, modules
from contracts.errors import BadInputError

SCALE = 2.0
"""Samples of the plane's picture for one pixel of a frame."""
MARGIN = (320.0, 120.0)
"""Pixels of plane left and right, above and below of what a phone at rest sees."""

_WORDS = ("Rolled oats", "Green tea", "Apple juice", "Rice 5 kg", "Soy sauce", "Noodles", "Honey")
_CARD, _INK, _SPOILT = 236, 28, 150
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Grid:
    """Places in rows and columns; `size` is (width, height) of the picture in pixels."""

    columns: int
    rows: int
    size: tuple[int, int]

    @property
    def cell(self) -> tuple[float, float]:
        return self.size[0] / self.columns, self.size[1] / self.rows

    def middle(self, place: int) -> tuple[float, float]:
        row, column = divmod(place, self.columns)
        width, height = self.cell
        return (column + 0.5) * width, (row + 0.5) * height


@dataclass(frozen=True, slots=True)
class Label:
    """Corners in the plane's pixels: the code's own, with its quiet zone, and of the whole card."""

    code: Code
    quad: NDArray[np.float64]
    zone: NDArray[np.float64]
    card: NDArray[np.float64]


class Plane:
    """Draws itself once: `picture` at SCALE, `labels` in the places' order."""

    def __init__(
        self,
        codes: Sequence[Code],
        grid: Grid,
        module_px: float,
        spoilt: frozenset[int],
        seed: int,
    ) -> None:
        random = np.random.default_rng(seed)
        self.picture = _background(grid, random)
        self.labels = [
            self._label(place, code, grid, module_px, spoilt=place in spoilt)
            for place, code in enumerate(codes)
        ]

    def _label(
        self, place: int, code: Code, grid: Grid, module_px: float, *, spoilt: bool
    ) -> Label:
        middle_x, middle_y = grid.middle(place)
        cell_width, cell_height = grid.cell
        drawn = modules(code)
        rows, columns = drawn.shape
        width = _half(columns * module_px)
        height = _half(rows * module_px) if not code.linear else _half(min(cell_height * 0.48, 72))
        quiet = _half(code.quiet * module_px) + 1
        if width + 2 * quiet > cell_width or height > cell_height - 42:
            raise BadInputError(
                f"{code.text} at {module_px} px a module does not fit a place of "
                f"{cell_width:.0f} x {cell_height:.0f} px",
                mend="Take fewer columns or rows, or smaller modules",
            )
        card_width = min(_half(cell_width) - 4, max(width + 2 * quiet, cell_width * 0.8))
        card_height = min(_half(cell_height) - 4, height + 38)
        left, top = _half(middle_x - width / 2), _half(middle_y - card_height / 2) + 19
        card = (_half(middle_x - card_width / 2), top - 19, card_width, card_height)
        self._fill(card, _CARD)
        self._write(_WORDS[place % len(_WORDS)], left, top - 6, 0.42)
        self._write(f"{code.text[:24]}", left, top + height + 13, 0.34)
        self._print(drawn, left, top, width, height)
        if spoilt:
            self._spoil(place, left, top, width, height)
        return Label(
            code,
            _corners(left, top, width, height),
            _corners(left - quiet, top, width + 2 * quiet, height),
            _corners(*card),
        )

    def _print(
        self, drawn: NDArray[np.uint8], left: float, top: float, width: float, height: float
    ) -> None:
        """Every module as large as it is, sampled by its share of each sample."""
        x, y, w, h = _sampled(left, top, width, height)
        fine = cv2.resize(drawn, None, fx=16, fy=16, interpolation=cv2.INTER_NEAREST)
        code = cv2.resize(fine, (w, h), interpolation=cv2.INTER_AREA)
        inked = _INK + code.astype(np.float32) * ((_CARD - _INK) / 255)
        self.picture[y : y + h, x : x + w] = np.round(inked).astype(np.uint8)

    def _spoil(self, place: int, left: float, top: float, width: float, height: float) -> None:
        """Torn away from top to bottom, in stripes that leave no scan line whole."""
        random = np.random.default_rng(place)
        for part in (0.2, 0.45, 0.7):
            begin = left + width * (part + random.uniform(-0.04, 0.04))
            self._fill((_half(begin), top, _half(width * 0.13), height), _SPOILT)

    def _fill(self, box: tuple[float, float, float, float], grey: int) -> None:
        x, y, w, h = _sampled(*box)
        self.picture[y : y + h, x : x + w] = grey

    def _write(self, text: str, left: float, base: float, size: float) -> None:
        x, y, _, _ = _sampled(left, base, 0, 0)
        cv2.putText(
            self.picture, text, (x, y), _FONT, size * SCALE, (_INK,), int(SCALE), cv2.LINE_AA
        )


def _background(grid: Grid, random: np.random.Generator) -> NDArray[np.uint8]:
    """Boards under every row, and goods with edges to hold on to."""
    width, height = (int((grid.size[at] + 2 * MARGIN[at]) * SCALE) for at in (0, 1))
    coarse = random.integers(70, 150, (height // 96 + 1, width // 96 + 1)).astype(np.uint8)
    grown = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    picture = cast("NDArray[np.uint8]", grown)
    for _ in range(260):
        x, y = int(random.integers(0, width)), int(random.integers(0, height))
        w, h = (int(each) for each in random.integers(20, 160, 2))
        cv2.rectangle(picture, (x, y), (x + w, y + h), (int(random.integers(60, 200)),), -1)
    for row in range(grid.rows + 1):
        y = int((MARGIN[1] + row * grid.cell[1]) * SCALE)
        cv2.line(picture, (0, y), (width, y), (50,), 4)
    return picture


def _half(value: float) -> float:
    """On the grid of samples, so that edges stand where the truth says."""
    return round(value * SCALE) / SCALE


def _sampled(left: float, top: float, width: float, height: float) -> tuple[int, int, int, int]:
    return (
        round((left + MARGIN[0]) * SCALE),
        round((top + MARGIN[1]) * SCALE),
        round(width * SCALE),
        round(height * SCALE),
    )


def _corners(left: float, top: float, width: float, height: float) -> NDArray[np.float64]:
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])

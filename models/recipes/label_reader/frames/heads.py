"""Print heads: one alphabet of strokes, laid on whatever grid of dots a head has.

The strokes were drawn for this project on a grid of five by seven.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.uint8]
"""(h, w), 0 none .. 255 full."""

_ROUND = "1,0 3,0 4,1 4,5 3,6 1,6 0,5 0,1 1,0"
STROKES = {
    "0": _ROUND,
    "1": "1,1 2,0 2,6|1,6 3,6",
    "2": "0,1 1,0 3,0 4,1 4,2 0,6 4,6",
    "3": "0,1 1,0 3,0 4,1 4,2 3,3 4,4 4,5 3,6 1,6 0,5|2,3 3,3",
    "4": "3,6 3,0 0,4 4,4",
    "5": "4,0 0,0 0,2 3,2 4,3 4,5 3,6 1,6 0,5",
    "6": "3,0 2,0 0,2 0,5 1,6 3,6 4,5 4,4 3,3 0,3",
    "7": "0,0 4,0 4,1 2,4 2,6",
    "8": "1,0 3,0 4,1 4,2 3,3 1,3 0,2 0,1 1,0|1,3 0,4 0,5 1,6 3,6 4,5 4,4 3,3",
    "9": "4,3 1,3 0,2 0,1 1,0 3,0 4,1 4,4 2,6 1,6",
    "A": "0,6 0,2 2,0 4,2 4,6|0,4 4,4",
    "B": "0,0 3,0 4,1 4,2 3,3 0,3|3,3 4,4 4,5 3,6 0,6 0,0",
    "C": "4,1 3,0 1,0 0,1 0,5 1,6 3,6 4,5",
    "D": "0,0 2,0 4,2 4,4 2,6 0,6 0,0",
    "E": "4,0 0,0 0,6 4,6|0,3 3,3",
    "F": "4,0 0,0 0,6|0,3 3,3",
    "G": "4,1 3,0 1,0 0,1 0,5 1,6 4,6 4,3 3,3",
    "H": "0,0 0,6|4,0 4,6|0,3 4,3",
    "I": "1,0 3,0|2,0 2,6|1,6 3,6",
    "J": "2,0 4,0|3,0 3,5 2,6 1,6 0,5",
    "K": "0,0 0,6|4,0 1,3 4,6|0,3 1,3",
    "L": "0,0 0,6 4,6",
    "M": "0,6 0,0 2,2 4,0 4,6",
    "N": "0,6 0,0|0,1 4,5|4,0 4,6",
    "O": _ROUND,
    "P": "0,6 0,0 3,0 4,1 4,2 3,3 0,3",
    "Q": _ROUND + "|2,4 4,6",
    "R": "0,6 0,0 3,0 4,1 4,2 3,3 0,3|1,3 4,6",
    "S": "4,0 1,0 0,1 0,2 1,3 3,3 4,4 4,5 3,6 0,6",
    "T": "0,0 4,0|2,0 2,6",
    "U": "0,0 0,5 1,6 3,6 4,5 4,0",
    "V": "0,0 0,4 2,6 4,4 4,0",
    "W": "0,0 0,6 2,4 4,6 4,0",
    "X": "0,0 0,1 4,5 4,6|4,0 4,1 0,5 0,6",
    "Y": "0,0 0,1 2,3 4,1 4,0|2,3 2,6",
    "Z": "0,0 4,0 4,1 0,5 0,6 4,6",
    "-": "1,3 3,3",
    "/": "0,6 0,5 4,1 4,0",
    ":": "2,2 2,2|2,5 2,5",
    ".": "2,6 2,6",
    " ": "",
}
ZEROS = {"plain": "", "slashed": "|1,4 3,2", "dotted": "|2,3 2,3"}


@dataclass(frozen=True, slots=True)
class Head:
    """Dots across and down a glyph; strokes `bold` dots wide and `tall` dots high. A thermal head
    lays dots so close that they run into each other, and loses whole rows instead of dots.
    """

    name: str
    columns: int
    rows: int
    bold: int = 1
    tall: int = 1
    thermal: bool = False

    @property
    def width(self) -> int:
        return self.columns + self.bold - 1

    @property
    def height(self) -> int:
        return self.rows + self.tall - 1

    @property
    def advance(self) -> int:
        """Dot columns from one glyph to the next."""
        return self.width + max(1, round(self.width / 5))


@dataclass(frozen=True, slots=True)
class Habit:
    """How a head prints today, in dot pitches unless told otherwise."""

    pitch_x: float
    pitch_y: float
    radius: float
    jitter: float
    slant: float
    """Columns that a drop line leans over the height of a row."""
    wave: float
    lost: float
    """Share of dots that never land."""
    dead_rows: tuple[int, ...] = ()


def dots(text: str, head: Head, zero: str) -> NDArray[np.float64]:
    """(n, 2) columns and rows of the dots of `text`. Raises KeyError for a character that heads
    of this kind do not print.
    """
    places = []
    for place, letter in enumerate(text):
        glyph = _glyph(letter, head, zero)
        if len(glyph):
            places.append(glyph + np.array((place * head.advance, 0)))
    return np.concatenate(places).astype(np.float64) if places else np.zeros((0, 2))


@lru_cache(maxsize=2048)
def _glyph(letter: str, head: Head, zero: str) -> NDArray[np.int64]:
    grid = np.zeros((head.height, head.width), dtype=np.uint8)
    strokes = STROKES[letter] + (ZEROS[zero] if letter == "0" else "")
    for stroke in strokes.split("|"):
        points = [tuple(float(v) for v in pair.split(",")) for pair in stroke.split()]
        placed = [
            (round(x * (head.columns - 1) / 4 + 1e-6), round(y * (head.rows - 1) / 6 + 1e-6))
            for x, y in points
        ]
        for a, b in pairwise(placed):
            cv2.line(grid, a, b, 1, 1)
    if head.bold > 1 or head.tall > 1:
        grid = cv2.dilate(
            grid, np.ones((head.tall, head.bold), np.uint8), anchor=(head.bold - 1, head.tall - 1)
        ).astype(np.uint8)
    if letter in ".:":
        grid = cv2.dilate(grid, np.ones((1, 2), np.uint8)).astype(np.uint8)
    return np.argwhere(grid)[:, ::-1]


def print_row(
    ink: Ink,
    text: str,
    at: tuple[float, float],
    head: Head,
    habit: Habit,
    zero: str,
    rng: np.random.Generator,
) -> tuple[float, float, float, float]:
    """Lay one row of `text` on `ink`, its upper left dot at `at`; gives the box of its ink."""
    grid = dots(text, head, zero)
    alive = rng.random(len(grid)) >= habit.lost
    alive &= ~np.isin(grid[:, 1], habit.dead_rows)
    x = grid[:, 0] * habit.pitch_x
    y = grid[:, 1] * habit.pitch_y
    x += habit.slant * habit.pitch_x * (head.height - 1 - grid[:, 1]) / max(1, head.height - 1)
    y += habit.wave * habit.pitch_y * np.sin(x / 190 + float(rng.uniform(0, 6)))
    placed = np.column_stack((x, y)) + at
    wander = habit.jitter * min(habit.pitch_x, habit.pitch_y)
    placed += rng.normal(0, wander, placed.shape)
    size = habit.radius * min(habit.pitch_x, habit.pitch_y)
    sizes = np.clip(rng.normal(size, size * 0.09, len(placed)), size * 0.7, None)
    strength = rng.integers(205, 256, len(placed))
    fine = np.rint(placed * 16).astype(int)
    for (cx, cy), r, s in zip(fine[alive], sizes[alive], strength[alive], strict=True):
        cv2.circle(ink, (int(cx), int(cy)), round(r * 16), int(s), -1, cv2.LINE_AA, 4)
    low, high = placed.min(axis=0) - size, placed.max(axis=0) + size
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])

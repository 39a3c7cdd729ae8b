"""From a CTC network's output to characters that keep their doubts.

A reading is a row of glyphs: each a place in the line with a probability for every character and
for "nothing here". Fusion weighs them against what was announced; greedy text is only for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FOLD = str.maketrans("（），：；。－／～", "(),:;.-/~")
BLANK = 0


@dataclass(frozen=True)
class Charset:
    """`columns` name the network's outputs after the blank; `letters` are the distinct ones after
    full-width forms are folded into ASCII.
    """

    columns: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Charset:
        """One character a line; `<space>` is the space."""
        rows = text.split("\n")[:-1]
        return cls(tuple(" " if row == "<space>" else row for row in rows))

    @cached_property
    def letters(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c.translate(FOLD) for c in self.columns))

    @cached_property
    def index(self) -> dict[str, int]:
        return {letter: i for i, letter in enumerate(self.letters)}

    @cached_property
    def fold(self) -> NDArray[np.float32]:
        """(1 + columns, 1 + letters): sums the probabilities of forms of one letter."""
        matrix = np.zeros((1 + len(self.columns), 1 + len(self.letters)), dtype=np.float32)
        matrix[0, 0] = 1
        for row, letter in enumerate(self.columns, start=1):
            matrix[row, 1 + self.index[letter.translate(FOLD)]] = 1
        return matrix


@dataclass(frozen=True, slots=True)
class Glyphs:
    """`letters` (n, 1 + letters) float32: probability of nothing (column 0) and of each letter.
    `at` (n,) is the place of each along the line, 0..1.
    """

    letters: NDArray[np.float32]
    at: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.at)


def collapse(steps: NDArray[np.float32], *, trace: float) -> Glyphs:
    """Gather steps (t, 1 + letters) into glyphs: runs of one best letter, and weak places where a
    letter has at least `trace` although the blank wins.
    """
    best = steps.argmax(axis=1)
    letter = 1 + steps[:, 1:].argmax(axis=1)
    seen = (best != BLANK) | (steps[:, BLANK] < 1 - trace)
    rows, places = [], []
    start = 0
    total = len(steps)
    for t in range(1, total + 1):
        if t < total and seen[t] == seen[start] and (not seen[t] or letter[t] == letter[start]):
            continue
        if seen[start]:
            run = steps[start:t]
            peak = run[np.argmin(run[:, BLANK])]
            rows.append(peak)
            places.append((start + t) / 2 / total)
        start = t
    return Glyphs(
        np.array(rows, dtype=np.float32).reshape(-1, steps.shape[1]),
        np.array(places, dtype=np.float32),
    )


def greedy(glyphs: Glyphs, charset: Charset) -> tuple[str, float]:
    """The best text and the mean probability of its letters."""
    best = glyphs.letters.argmax(axis=1) if len(glyphs) else np.empty(0, dtype=int)
    shown = best != BLANK
    if not shown.any():
        return "", 0.0
    text = "".join(charset.letters[i - 1] for i in best[shown])
    return text, float(glyphs.letters.max(axis=1)[shown].mean())

"""From a CTC network's output to characters that keep their doubts.

A reading is a row of glyphs: each a place in the line with a probability for every character, for
"nothing here", and for "a character that cannot be read any more". Fusion weighs them against what
was announced; greedy text is for people and for reading without a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FOLD = str.maketrans("（），：；。－／～", "(),:;.-/~")
BLANK = 0
UNREADABLE = "▯"
"""Stands in greedy text for a character that is there and cannot be read."""
_UNREADABLE_ROW = "<unreadable>"


@dataclass(frozen=True)
class Charset:
    """`columns` name the network's outputs after the blank; `letters` are the distinct ones after
    full-width forms are folded into ASCII. `admits`: the network has a second head with one more
    output, last, for a character that cannot be read.
    """

    columns: tuple[str, ...]
    admits: bool = False

    @classmethod
    def parse(cls, text: str) -> Charset:
        """One character a line; `<space>` is the space, a last `<unreadable>` sets `admits`."""
        rows = text.split("\n")[:-1]
        admits = bool(rows) and rows[-1] == _UNREADABLE_ROW
        known = rows[:-1] if admits else rows
        return cls(tuple(" " if row == "<space>" else row for row in known), admits)

    @cached_property
    def letters(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c.translate(FOLD) for c in self.columns))

    @cached_property
    def index(self) -> dict[str, int]:
        return {letter: i for i, letter in enumerate(self.letters)}

    def fold_of(self, other: Charset) -> NDArray[np.float32]:
        """(1 + other's columns, 1 + letters): another network's outputs as our letters. Small
        letters count as capitals where we have only those; what we do not have is dropped.
        """
        matrix = np.zeros((1 + len(other.columns), 1 + len(self.letters)), dtype=np.float32)
        matrix[0, 0] = 1
        for row, form in enumerate(other.columns, start=1):
            letter = form.translate(FOLD)
            known = self.index.get(letter, self.index.get(letter.upper()))
            if known is not None:
                matrix[row, 1 + known] = 1
        return matrix


@dataclass(frozen=True, slots=True)
class Glyphs:
    """`letters` (n, 1 + letters) float32: probability of nothing (column 0) and of each letter.
    `at` (n,) is the place of each along the line, 0..1. `hidden` (n,): probability that something
    stands there which cannot be read; a row of `letters` and its `hidden` sum to at most 1.
    """

    letters: NDArray[np.float32]
    at: NDArray[np.float32]
    hidden: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.at)


def collapse(
    steps: NDArray[np.float32], *, trace: float, hidden: NDArray[np.float32] | None = None
) -> Glyphs:
    """Gather steps (t, 1 + letters) into glyphs: runs of one best letter, and weak places where a
    letter has at least `trace` although the blank wins. `hidden` (t,) competes like a letter.
    """
    inked = steps[:, 1:] if hidden is None else np.column_stack([steps[:, 1:], hidden])
    letter = inked.argmax(axis=1)
    seen = (inked.max(axis=1) > steps[:, BLANK]) | (steps[:, BLANK] < 1 - trace)
    total = len(steps)
    changes = (seen[1:] != seen[:-1]) | (seen[1:] & (letter[1:] != letter[:-1]))
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), total] if total else [0]
    peaks, places = [], []
    for start, end in pairwise(edges):
        if seen[start]:
            peaks.append(start + int(steps[start:end, BLANK].argmin()))
            places.append((start + end) / 2 / total)
    at = np.array(peaks, dtype=np.intp)
    return Glyphs(
        np.ascontiguousarray(steps[at], dtype=np.float32),
        np.array(places, dtype=np.float32),
        None if hidden is None else hidden[at].astype(np.float32),
    )


def greedy(glyphs: Glyphs, charset: Charset) -> tuple[str, float]:
    """The best text and the mean probability of its characters."""
    text, sure = characters(glyphs, charset)
    return text, float(sure.mean()) if len(sure) else 0.0


def characters(glyphs: Glyphs, charset: Charset) -> tuple[str, NDArray[np.float32]]:
    """The best text and the probability of each of its characters (n,)."""
    if not len(glyphs):
        return "", np.empty(0, dtype=np.float32)
    whole = glyphs.letters
    if glyphs.hidden is not None:
        whole = np.column_stack([whole, glyphs.hidden])
    best = whole.argmax(axis=1)
    shown = best != BLANK
    names = (*charset.letters, UNREADABLE)
    return "".join(names[i - 1] for i in best[shown]), whole.max(axis=1)[shown]

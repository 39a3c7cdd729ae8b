"""Text and one score, as most readers give them, turned into glyphs that keep honest doubts.

Their score says little about single characters and is high for wrong ones too. So every character
gets the same probability, mapped from the score by two numbers fitted per model set, and what is
missing to one is spread: half over all other letters, half on "something that cannot be read".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision.reading.ctc import FOLD, Charset, Glyphs


@dataclass(frozen=True, slots=True)
class TextSettings:
    """A character of a line with score s is right with probability `trust` * s ** `power`."""

    trust: float = 0.9
    power: float = 2.0


def glyphs_of(text: str, score: float, charset: Charset, settings: TextSettings) -> Glyphs:
    """A glyph for each character of `text`, evenly along the line. A character that the charset
    lacks is something that cannot be read.
    """
    count = len(charset.letters)
    sure = settings.trust * min(max(score, 0.0), 1.0) ** settings.power
    rows = np.zeros((len(text), 1 + count), dtype=np.float32)
    hidden = np.full(len(text), (1 - sure) / 2, dtype=np.float32)
    for i, letter in enumerate(text.translate(FOLD)):
        known = charset.index.get(letter, charset.index.get(letter.upper()))
        if known is None:
            rows[i, 1:], hidden[i] = (1 - sure) / 2 / count, (1 + sure) / 2
        else:
            rows[i, 1:] = (1 - sure) / 2 / (count - 1)
            rows[i, 1 + known] = sure
    at = (np.arange(len(text), dtype=np.float32) + 0.5) / max(len(text), 1)
    return Glyphs(rows, at.astype(np.float32), hidden)

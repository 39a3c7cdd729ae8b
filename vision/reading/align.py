"""How well does each of many announced values fit what was read? All values at once, in numpy.

A value must fit as a whole, somewhere in one line (semi-global alignment, Needleman-Wunsch with
free ends in the text). Scores are log odds: how much likelier the glyphs are if the value is
printed there than if anything else is. Values that begin alike share their work (a trie walked
level by level), which makes five thousand lines cost little more than five hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vision.reading.ctc import Charset, Glyphs

SEPARATOR = "\x00"
"""In a pattern: any of the marks that stand between the parts of a date, or none."""

_SEPARATORS = "-/.,:; 年月日"
_WALL = 200.0

# What printing and damage make look alike, with the share of doubt given to the look-alike.
_ALIKE = (
    ("0ODQ", 0.30), ("08", 0.08), ("06", 0.06), ("0@", 0.30), ("1Il|", 0.30), ("17", 0.04),
    ("5S", 0.30), ("2Z", 0.30), ("8B", 0.20), ("69", 0.02), ("38", 0.05), ("56", 0.04),
    ("6G", 0.15), ("4A", 0.06), ("7T", 0.06), ("VU", 0.05), ("MN", 0.03), ("EF", 0.04),
    ("CG", 0.04), ("PF", 0.03), ("-.", 0.05), ("/1", 0.05), ("90", 0.04), ("39", 0.03),
    ("8@", 0.10), ("6b", 0.2), ("9g", 0.2), ("9q", 0.2),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlignSettings:
    """`doubt`: the share of every glyph's probability that is spread over all letters.
    `missing` and `extra` are the log odds paid for a character without glyph, and for a glyph
    without character; `space` for a blank between. `missing` costs more than a wrong glyph, so
    that a value's last character is compared with what stands there, not left out; `run_on` is
    paid where a letter or digit follows the value at once, as in A18B07 read for A18B0.
    """

    doubt: float = 0.10
    alphabet: float = 30.0
    missing: float = 3.2
    extra: float = 2.0
    space: float = 0.3
    run_on: float = 1.5


@dataclass(frozen=True, slots=True)
class Stream:
    """All lines of a reading behind each other, walls between them.

    `odds` (letters + 1, columns): log odds of each letter at each glyph, the separator last.
    `extra` (columns,): price of leaving a glyph out. `run_on` (columns,): price of a value that
    ends there. `starts` (lines,): first column of each line
    (its wall). `places`: number of glyphs in all.
    """

    odds: NDArray[np.float32]
    extra: NDArray[np.float32]
    run_on: NDArray[np.float32]
    starts: NDArray[np.intp]
    places: int


@dataclass(frozen=True)
class Matcher:
    """Turns glyphs of one charset into log odds."""

    charset: Charset
    settings: AlignSettings

    @cached_property
    def likeness(self) -> NDArray[np.float32]:
        """(letters, letters): probability that a printed column is taken for a row's letter."""
        letters = self.charset.letters
        index = self.charset.index
        matrix = np.eye(len(letters), dtype=np.float32)
        for group, share in _ALIKE:
            known = [index[c] for c in group if c in index]
            for a in known:
                for b in known:
                    if a != b:
                        matrix[a, b] = max(matrix[a, b], share)
        for letter in letters:
            if letter.islower() and letter.upper() in index:
                lower, upper = index[letter], index[letter.upper()]
                matrix[lower] = np.maximum(matrix[lower], matrix[upper])
                # Coders print capitals whatever the list says.
                matrix[lower, upper] = matrix[upper, lower] = 1.0
        return matrix

    def stream(self, lines: Sequence[Glyphs]) -> Stream:
        """Turn glyphs into log odds, once for a reading."""
        settings, letters = self.settings, self.charset.letters
        likeness = self.likeness
        separators = [self.charset.index[c] for c in _SEPARATORS if c in self.charset.index]
        space = self.charset.index[" "]
        inner = [i for i, c in enumerate(letters) if c.isascii() and c.isalnum()]
        odds_of, extra_of, run_on_of, starts = [], [], [], []
        column = 0
        for line in lines:
            starts.append(column)
            column += 1 + len(line)
            inked = line.letters[:, 1:]
            hidden = np.zeros(len(line)) if line.hidden is None else line.hidden
            hidden = hidden[:, None].astype(np.float32)
            sure = np.maximum(inked.sum(axis=1, keepdims=True) + hidden, 1e-6)
            share = inked / sure
            fit = np.minimum(share @ likeness, 1.0)
            fit = np.concatenate([fit, share[:, separators].sum(axis=1, keepdims=True)], axis=1)
            # What cannot be read is as likely under every hypothesis.
            fit = (1 - settings.doubt) * fit + settings.doubt / settings.alphabet
            fit += hidden / sure / settings.alphabet
            odds = np.log(fit * settings.alphabet)
            # A glyph that may be nothing at all proves less either way.
            odds *= 0.4 + 0.6 * np.minimum(sure, 1.0)
            odds_of += [np.full((1, len(letters) + 1), -_WALL, dtype=np.float32), odds]
            price = np.where(share.argmax(axis=1) == space, settings.space, settings.extra)
            price = price * np.minimum(sure[:, 0] - 0.5 * hidden[:, 0], 1.0)
            extra_of += [np.array([_WALL], dtype=np.float32), price]
            follows = inked[:, inner].sum(axis=1) * settings.run_on
            run_on_of.append(np.append(follows, [0.0]).astype(np.float32))
        if not lines:
            odds_of, extra_of = [np.full((1, len(letters) + 1), -_WALL)], [np.array([_WALL])]
            run_on_of, starts = [np.zeros(1, dtype=np.float32)], [0]
        return Stream(
            np.ascontiguousarray(np.concatenate(odds_of).T.astype(np.float32)),
            np.concatenate(extra_of).astype(np.float32),
            np.concatenate(run_on_of),
            np.array(starts, dtype=np.intp),
            max(1, column - len(starts)),
        )


@dataclass(frozen=True, slots=True)
class _Level:
    parent: NDArray[np.intp]
    letter: NDArray[np.intp]
    ends: NDArray[np.intp]
    values: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Trie:
    """Values by their shared beginnings; `size` values."""

    levels: tuple[_Level, ...]
    size: int
    unknown: int

    @classmethod
    def build(cls, values: Sequence[str], charset: Charset) -> Trie:
        """`values` in any order, doubles allowed; a letter outside the charset never fits."""
        unknown = len(charset.letters) + 1
        letters = {**charset.index, SEPARATOR: len(charset.letters)}
        here = {"": 0}
        levels = []
        depth = 0
        left = [i for i, value in enumerate(values) if value]
        while left:
            nodes: dict[str, int] = {}
            parent, letter = [], []
            ends, done = [], []
            for i in left:
                prefix = values[i][: depth + 1]
                if prefix not in nodes:
                    nodes[prefix] = len(nodes)
                    parent.append(here[prefix[:-1]])
                    last = prefix[-1]
                    letter.append(letters.get(last, letters.get(last.upper(), unknown)))
                if len(values[i]) == depth + 1:
                    ends.append(nodes[prefix])
                    done.append(i)
            levels.append(
                _Level(*(np.array(a, dtype=np.intp) for a in (parent, letter, ends, done)))
            )
            here = nodes
            depth += 1
            left = [i for i in left if len(values[i]) > depth]
        return cls(tuple(levels), len(values), unknown)


def fit(trie: Trie, stream: Stream, settings: AlignSettings) -> NDArray[np.float32]:
    """Log odds (values, lines): the best place for each value in each line."""
    columns = stream.odds.shape[1]
    never = np.full((1, columns), -_WALL, dtype=np.float32)
    odds = np.concatenate([stream.odds, never])
    skipped = np.cumsum(stream.extra, dtype=np.float32)
    # Leaving a separator out is nearly free: 20281203 and 2028-12-03 are one date.
    missing = np.full(len(odds), settings.missing, dtype=np.float32)
    missing[len(stream.odds) - 1] = 0.1
    score = np.zeros((1, columns), dtype=np.float32)
    out = np.full((trie.size, len(stream.starts)), -_WALL, dtype=np.float32)
    for level in trie.levels:
        before = score[level.parent]
        score = before - missing[level.letter][:, None]
        matched = before[:, :-1] + odds[level.letter, 1:]
        np.maximum(score[:, 1:], matched, out=score[:, 1:])
        score += skipped
        np.maximum.accumulate(score, axis=1, out=score)
        score -= skipped
        if len(level.ends):
            ended = score[level.ends] - stream.run_on
            out[level.values] = np.maximum.reduceat(ended, stream.starts, axis=1)
    return out

"""Where exactly a value stands in what was read, character by character.

`align` says which announced value fits best; this module says how well each of its characters is
supported, and whether another character would fit better in its place. That is the evidence for
"one character away from the list, and therefore not on it".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.reading.align import SEPARATOR, AlignSettings, Stream
from vision.reading.ctc import Charset
from vision.reading.dates import Written

ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Placed:
    """One place of a value: `columns` has the stream's column for each character, -1 where the
    character has no glyph; `slots` which character of the normal form each one is (-1 for none).
    """

    line: int
    score: float
    columns: tuple[int, ...]
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """Support of a value's characters, summed over its places.

    `odds` (n,): log odds of the expected character (0 where it was not seen). `rival` (n,): how
    much better the best other character of its class (digit, letter) fits; negative where the
    expected one wins, 0 where nothing was seen. `other` (n,): that character. `edit`: log odds that
    exactly one character is another one, every place and character being as likely before.
    """

    odds: NDArray[np.float64]
    rival: NDArray[np.float64]
    other: str
    places: int
    edit: float = 0.0

    @property
    def worst(self) -> float:
        """The strongest case for one other character (0 where some character was never seen)."""
        return float(self.rival.max()) if len(self.rival) else 0.0

    @property
    def share_sure(self) -> float:
        """Share of the characters that were clearly read as expected, 0..1."""
        return float((self.odds > 1.5).mean()) if len(self.odds) else 0.0  # noqa: PLR2004 -- 4.5 to 1

    @property
    def unseen(self) -> int:
        return int((self.odds == 0).sum())


def place(
    written: Written, stream: Stream, line: int, charset: Charset, settings: AlignSettings
) -> Placed:
    """The best place of a value in one line, with its way through the glyphs."""
    value = written.text
    first = int(stream.starts[line]) + 1
    ends = stream.starts[line + 1] if line + 1 < len(stream.starts) else stream.odds.shape[1]
    n = int(ends) - first
    index = charset.index
    separator = len(charset.letters)
    score = np.zeros(n + 1)
    ways = np.zeros((len(value), n + 1), dtype=np.int8)
    skip = stream.extra[first : first + n].astype(float)
    for i, letter in enumerate(value):
        known = index.get(letter, index.get(letter.upper()))
        column = separator if letter == SEPARATOR else known
        odds = (
            np.full(n, -50.0)
            if column is None
            else stream.odds[column, first : first + n].astype(float)
        )
        missing = 0.1 if letter == SEPARATOR else settings.missing
        after = score - missing
        match = score[:-1] + odds
        ways[i, 1:] = match > after[1:]
        after[1:] = np.maximum(after[1:], match)
        for j in range(1, n + 1):
            through = after[j - 1] - skip[j - 1]
            if through > after[j]:
                after[j] = through
                ways[i, j] = 2
        score = after
    score = score - stream.run_on[first - 1 : first + n]
    j = int(score.argmax())
    best = float(score[j])
    columns = [-1] * len(value)
    i = len(value) - 1
    while i >= 0:
        match ways[i, j]:
            case 1:
                columns[i] = first + j - 1
                i, j = i - 1, j - 1
            case 2:
                j -= 1
            case _:
                i -= 1
    return Placed(line, best, tuple(columns), written.slots)


def support(
    value: str, places: Sequence[Placed], stream: Stream, charset: Charset, *, share: float = 1.0
) -> Support:
    """Sum the evidence for each character of `value` (a normal form) over its places. `share` is
    what each place counts, below 1 where several are pictures of one print.
    """
    rows = np.array([charset.index[c] for c in ALNUM])
    odds = np.zeros(len(value))
    others = np.zeros((len(value), len(ALNUM)))
    seen = np.zeros(len(value), dtype=bool)
    for each in places:
        for column, i in zip(each.columns, each.slots, strict=True):
            known = charset.index.get(value[i], charset.index.get(value[i].upper()))
            if column < 0 or i < 0 or known is None:
                continue
            seen[i] = True
            mine = float(stream.odds[known, column])
            odds[i] += share * mine
            others[i] += share * (stream.odds[rows, column] - mine)
    digits = np.array([c.isdigit() for c in ALNUM])
    for i, letter in enumerate(value.upper()):
        if letter in ALNUM:
            # Batches of one maker keep their form: a letter where the list has a digit is a
            # misreading far more often than another batch.
            others[i, digits != letter.isdigit()] = -np.inf
            others[i, ALNUM.index(letter)] = -np.inf
        else:
            others[i] = -1.0
    best = others.argmax(axis=1)
    rival = np.where(seen, others.max(axis=1), 0.0)
    spread = others[np.isfinite(others) & (others != -1.0)] if len(value) else np.zeros(0)
    edit = float(np.logaddexp.reduce(spread) - np.log(len(spread))) if len(spread) else 0.0
    return Support(odds, rival, "".join(ALNUM[k] for k in best), len(places), edit)

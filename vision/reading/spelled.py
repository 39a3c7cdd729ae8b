"""A value read character by character, some of them not at all, and several readings of it
brought together: print and human-readable line of one label tell the same value twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, prod

from contracts.gs1 import has_valid_check_digit
from vision.reading.ctc import UNREADABLE

_LEAST, _MOST = 0.02, 0.999
_SURE = 0.8
_SEEN = 0.5

# What a digit field shows where the reader says a letter.
_AS_DIGIT = str.maketrans("ODQILZSBG", "000112586")
_LOOK_ALIKE = 0.8
_SOLVED = 0.9
_DENIES = 0.8


@dataclass(frozen=True, slots=True)
class Spelled:
    """`text` with UNREADABLE for what is not known, and how sure each character is, 0..1.
    `solved`: one of them was computed from the check digit, which then proves nothing more.
    """

    text: str
    sure: tuple[float, ...]
    solved: bool = False

    @property
    def whole(self) -> bool:
        return UNREADABLE not in self.text

    @property
    def probability(self) -> float:
        """That every character is right; 0 where one is missing."""
        return prod(self.sure) if self.whole and self.text else 0.0

    @property
    def mean(self) -> float:
        """How sure its characters are, those that are missing counting as not at all."""
        pairs = zip(self.text, self.sure, strict=True)
        return sum(s for c, s in pairs if c != UNREADABLE) / max(1, len(self.text))

    def fits(self, other: Spelled) -> bool:
        """Do both tell one value, apart from what is missing?"""
        return len(self.text) == len(other.text) and all(
            a == b or UNREADABLE in (a, b) for a, b in zip(self.text, other.text, strict=True)
        )

    def shown(self) -> str:
        """The text with weak characters as unreadable."""
        pairs = zip(self.text, self.sure, strict=True)
        return "".join(c if s > _SEEN else UNREADABLE for c, s in pairs)

    def part(self, start: int, end: int) -> Spelled:
        return Spelled(self.text[start:end], self.sure[start:end])

    def without(self, marks: str) -> Spelled:
        kept = [(c, s) for c, s in zip(self.text, self.sure, strict=True) if c not in marks]
        return Spelled("".join(c for c, _ in kept), tuple(s for _, s in kept))

    def scaled(self, share: float) -> Spelled:
        return Spelled(self.text, tuple(s * share for s in self.sure), self.solved)

    def digits(self) -> Spelled:
        """As digits: letters that look like one count as it, less surely."""
        text = self.text.translate(_AS_DIGIT)
        pairs = zip(self.text, text, self.sure, strict=True)
        return Spelled(text, tuple(s if a == b else s * _LOOK_ALIKE for a, b, s in pairs))


def together(readings: Sequence[Spelled]) -> tuple[Spelled, bool]:
    """One value from several readings, and whether two of them contradict each other surely.

    The surest leads; others of its length fill what it lacks, add to what they confirm and take
    from what they deny. One that tells another value takes trust from all of it, as much as it was
    sure itself. `readings` must not be empty.
    """
    ordered = sorted(readings, key=_weight, reverse=True)
    first = ordered[0]
    like = [each for each in ordered if len(each.text) == len(first.text)]
    conflict = any(
        each.probability > _SURE and each.text != first.text for each in ordered if each.whole
    )
    text, sure = [], []
    for place in range(len(first.text)):
        votes: dict[str, float] = {}
        for each in like:
            character = each.text[place]
            if character != UNREADABLE:
                votes[character] = votes.get(character, 0.0) + _odds(each.sure[place])
        if not votes:
            text.append(UNREADABLE)
            sure.append(0.0)
            continue
        best = max(votes, key=lambda c: votes[c])
        against = sum(max(odds, 0.0) for c, odds in votes.items() if c != best)
        text.append(best)
        sure.append(1 / (1 + exp(against - votes[best])))
    solved = all(each.solved for each in like)
    whole = Spelled("".join(text), tuple(sure), solved)
    doubt = prod(1 - _DENIES * each.mean for each in ordered if not each.fits(whole))
    return whole.scaled(doubt ** (1 / max(1, len(text)))), conflict


def with_check_digit(number: Spelled) -> Spelled | None:
    """A GTIN (13 or 14 digits) checked: one missing digit follows from the others. None for a
    number that fails, since some digit of it is wrong and nobody knows which.
    """
    missing = number.text.count(UNREADABLE)
    if missing == 0:
        return number if has_valid_check_digit(number.text) else None
    if missing > 1:
        return number
    place = number.text.index(UNREADABLE)
    for digit in "0123456789":
        text = number.text.replace(UNREADABLE, digit)
        if has_valid_check_digit(text):
            # As sure as the others together, and nothing is left to check them by.
            sure = tuple(_SOLVED if i == place else s for i, s in enumerate(number.sure))
            return Spelled(text, sure, solved=True)
    return number


def _weight(reading: Spelled) -> tuple[float, float]:
    return reading.probability, reading.mean


def _odds(probability: float) -> float:
    p = min(max(probability, _LEAST), _MOST)
    return log(p / (1 - p))

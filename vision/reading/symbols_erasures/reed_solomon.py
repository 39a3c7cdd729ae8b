"""Reed-Solomon decoding with erasures and errors over GF(256), for the fields of matrix codes.

Syndromes, the erasure locator, Berlekamp-Massey for the errors on top of it, Chien's search and
Forney's formula (Blahut, "Algebraic Codes for Data Transmission", 2003, 7.4). Ours, since the
libraries at hand keep the field in module state, and QR and Data Matrix differ in theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Field:
    """GF(256): powers of 2 (twice over, so that sums of logarithms need no modulo) and their
    logarithms. `first` is the exponent of the generator's first root.
    """

    exp: NDArray[np.int64]
    log: NDArray[np.int64]
    first: int

    @classmethod
    def of(cls, polynomial: int, *, first: int) -> Field:
        exp, log = np.zeros(510, np.int64), np.zeros(256, np.int64)
        value = 1
        for i in range(255):
            exp[i] = exp[i + 255] = value
            log[value] = i
            value <<= 1
            if value > 255:  # noqa: PLR2004 -- a byte
                value ^= polynomial
        return cls(exp, log, first)

    def multiply(self, a: int, b: int) -> int:
        return int(self.exp[self.log[a] + self.log[b]]) if a and b else 0

    def divide(self, a: int, b: int) -> int:
        return int(self.exp[self.log[a] - self.log[b] + 255]) if a else 0


QR = Field.of(0x11D, first=0)
DATA_MATRIX = Field.of(0x12D, first=1)


def correct(
    word: NDArray[np.int64], parity: int, erased: Sequence[int], field: Field, *, spare: int
) -> NDArray[np.int64] | None:
    """The codeword nearest to `word` (n,), its last `parity` symbols being the parity, where those
    at `erased` count as unknown; None where 2 * errors + erasures > parity - spare.

    `spare` symbols of the parity are kept as proof: a word of noise passes with a probability of
    about 256 ** -spare.
    """
    n = len(word)
    if len(erased) > parity - spare:
        return None
    syndromes = _syndromes(word, parity, field)
    if not any(syndromes):
        return word
    locator = [1]
    for at in erased:
        root = int(field.exp[(n - 1 - at) % 255])
        locator = _add(locator, [0, *(field.multiply(c, root) for c in locator)])
    locator = _massey(syndromes, locator, len(erased), field)
    most = len(erased) + (parity - spare - len(erased)) // 2
    degree = len(locator) - 1
    if degree > most:
        return None
    places = _roots(locator, n, field)
    if len(places) != degree:
        return None
    fixed = _forney(word, syndromes, locator, places, field)
    return None if fixed is None or any(_syndromes(fixed, parity, field)) else fixed


def _syndromes(word: NDArray[np.int64], parity: int, field: Field) -> list[int]:
    powers = np.arange(len(word) - 1, -1, -1)
    roots = np.arange(field.first, field.first + parity)
    terms = field.exp[(field.log[word][None] + roots[:, None] * powers[None]) % 255]
    return [int(s) for s in np.bitwise_xor.reduce(np.where(word[None] == 0, 0, terms), axis=1)]


def _massey(syndromes: list[int], locator: list[int], erased: int, field: Field) -> list[int]:
    """Berlekamp-Massey, begun with the erasures' locator."""
    current, previous, length = list(locator), list(locator), erased
    for r in range(erased, len(syndromes)):
        delta = 0
        for i, c in enumerate(current):
            if r - i >= 0:
                delta ^= field.multiply(c, syndromes[r - i])
        previous = [0, *previous]
        if delta:
            update = _add(current, [field.multiply(delta, c) for c in previous])
            if 2 * length <= r + erased:
                length = r + erased + 1 - length
                previous = [field.divide(c, delta) for c in current]
            current = update
    while len(current) > 1 and current[-1] == 0:
        current.pop()
    return current


def _roots(locator: list[int], n: int, field: Field) -> list[int]:
    """Places in the word whose inverse locator is a root."""
    inverse = (255 - np.arange(n)) % 255
    value = np.zeros(n, np.int64)
    for i, c in enumerate(locator):
        if c:
            value ^= field.exp[(field.log[c] + i * inverse) % 255]
    return [n - 1 - int(p) for p in np.flatnonzero(value == 0)]


def _forney(
    word: NDArray[np.int64],
    syndromes: list[int],
    locator: list[int],
    places: Sequence[int],
    field: Field,
) -> NDArray[np.int64] | None:
    evaluator = [0] * len(syndromes)
    for i, s in enumerate(syndromes):
        for j, c in enumerate(locator[: len(syndromes) - i]):
            evaluator[i + j] ^= field.multiply(s, c)
    fixed = word.copy()
    for at in places:
        power = len(word) - 1 - at
        inverse = -power % 255
        top = bottom = 0
        for i, c in enumerate(evaluator):
            if c:
                top ^= int(field.exp[(field.log[c] + i * inverse) % 255])
        for i in range(1, len(locator), 2):
            if locator[i]:
                bottom ^= int(field.exp[(field.log[locator[i]] + (i - 1) * inverse) % 255])
        if bottom == 0:
            return None
        scale = int(field.exp[(power * (1 - field.first)) % 255])
        fixed[at] ^= field.multiply(scale, field.divide(top, bottom))
    return fixed


def _add(a: list[int], b: list[int]) -> list[int]:
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    return [c ^ (shorter[i] if i < len(shorter) else 0) for i, c in enumerate(longer)]

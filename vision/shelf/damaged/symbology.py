"""How EAN-13 (UPC-A with a leading zero) and EAN-8 lay out their digits in modules.

From GS1 General Specifications 5.2.1 (number sets A, B and C, table 5.2.1.2-1; first digit by the
parity of the left half, table 5.2.1.2-2). A digit's outermost modules are the same in every digit of
its half, so a digit's blurred picture depends on itself alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

DIGIT_MODULES = 7
_A = (
    "0001101", "0011001", "0010011", "0111101", "0100011",
    "0110001", "0101111", "0111011", "0110111", "0001011",
)  # fmt: skip
_PARITY = (
    "AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB",
    "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA",
)  # fmt: skip
_SIDE_GUARD, _MIDDLE_GUARD = "101", "01010"


def _bits(text: str) -> list[float]:
    return [float(each) for each in text]


def _inverted(text: str) -> str:
    return text.translate(str.maketrans("01", "10"))


SETS = np.array(
    [
        [_bits(each) for each in _A],
        [_bits(_inverted(each)[::-1]) for each in _A],
        [_bits(_inverted(each)) for each in _A],
    ]
)
"""(3, 10, 7): number sets A, B, C; 1.0 is a bar."""


@dataclass(frozen=True)
class Symbology:
    """`digits` are encoded by bars; `leading` more digits (EAN-13's first) by the sets they use.
    `starts` (digits,) first module of each; `fixed` (modules,) 1.0 bar, 0.0 space, NaN digit.
    """

    name: str
    modules: int
    starts: NDArray[np.intp]
    fixed: NDArray[np.float64]
    leading: int

    @property
    def digits(self) -> int:
        return len(self.starts)

    @property
    def length(self) -> int:
        """Digits of the number, the check digit included."""
        return self.digits + self.leading

    def sets_of(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """(n, digits): the number set of each encoded digit; `numbers` (n, length)."""
        half = self.digits // 2
        right = np.full((len(numbers), half), 2)
        if not self.leading:
            return np.concatenate([np.zeros_like(right), right], axis=1)
        parity = np.array([["AB".index(c) for c in row] for row in _PARITY])
        return np.concatenate([parity[numbers[:, 0]], right], axis=1)


def _layout(name: str, half: int, leading: int) -> Symbology:
    side = DIGIT_MODULES * half
    text = _SIDE_GUARD + "?" * side + _MIDDLE_GUARD + "?" * side + _SIDE_GUARD
    fixed = np.array([np.nan if c == "?" else float(c) for c in text])
    left = len(_SIDE_GUARD) + DIGIT_MODULES * np.arange(half)
    right = left + side + len(_MIDDLE_GUARD)
    return Symbology(name, len(text), np.concatenate([left, right]), fixed, leading)


@cache
def ean13() -> Symbology:
    return _layout("EAN13", 6, 1)


@cache
def ean8() -> Symbology:
    return _layout("EAN8", 4, 0)


def numbers_of(gtins: list[str], symbology: Symbology) -> NDArray[np.intp]:
    """(n, length) digits of those GTINs, each 14 digits that fit `symbology`."""
    flat = "".join(gtin[-symbology.length :] for gtin in gtins)
    array = np.frombuffer(flat.encode("ascii"), dtype=np.uint8) - ord("0")
    return np.asarray(array.reshape(len(gtins), symbology.length), dtype=np.intp)


def fits(gtin: str, symbology: Symbology) -> bool:
    """Whether `symbology` can write a GTIN of 14 digits; what EAN-8 can write, EAN-13 does not."""
    short = gtin.startswith("000000")
    if symbology.name == "EAN8":
        return short
    return gtin.startswith("0") and not short

"""A 5x7 dot-matrix face, drawn for this project, as ink-jet coders print on cartons."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 5
HEIGHT: Final = 7

# Seven rows a glyph, five bits a row, the left dot first in hexadecimal.
_ROWS = {
    "0": "0E 11 11 11 11 11 0E",
    "1": "04 0C 04 04 04 04 0E",
    "2": "0E 11 01 06 08 10 1F",
    "3": "1F 02 04 06 01 11 0E",
    "4": "02 06 0A 12 1F 02 02",
    "5": "1F 10 1E 01 01 11 0E",
    "6": "06 08 10 1E 11 11 0E",
    "7": "1F 01 02 04 04 08 08",
    "8": "0E 11 11 0E 11 11 0E",
    "9": "0E 11 11 0F 01 02 0C",
    "A": "04 0A 11 11 1F 11 11",
    "B": "1E 11 11 1E 11 11 1E",
    "C": "0E 11 10 10 10 11 0E",
    "D": "1C 12 11 11 11 12 1C",
    "E": "1F 10 10 1E 10 10 1F",
    "F": "1F 10 10 1E 10 10 10",
    "G": "0E 11 10 13 11 11 0F",
    "H": "11 11 11 1F 11 11 11",
    "I": "0E 04 04 04 04 04 0E",
    "J": "07 02 02 02 02 12 0C",
    "K": "11 12 14 18 14 12 11",
    "L": "10 10 10 10 10 10 1F",
    "M": "11 1B 15 15 11 11 11",
    "N": "11 19 19 15 13 13 11",
    "O": "0E 11 11 11 11 11 0E",
    "P": "1E 11 11 1E 10 10 10",
    "Q": "0E 11 11 11 15 12 0D",
    "R": "1E 11 11 1E 14 12 11",
    "S": "0F 10 10 0E 01 01 1E",
    "T": "1F 04 04 04 04 04 04",
    "U": "11 11 11 11 11 11 0E",
    "V": "11 11 11 11 0A 0A 04",
    "W": "11 11 11 15 15 1B 11",
    "X": "11 11 0A 04 0A 11 11",
    "Y": "11 11 0A 04 04 04 04",
    "Z": "1F 01 02 04 08 10 1F",
    "-": "00 00 00 0E 00 00 00",
    "/": "01 01 02 04 08 10 10",
    ":": "00 04 04 00 04 04 00",
    ".": "00 00 00 00 00 0C 0C",
    " ": "00 00 00 00 00 00 00",
}


def dot_positions(text: str) -> NDArray[np.float64]:
    """Columns and rows of the dots of `text`, shape (n, 2), one column free between glyphs.

    Raises KeyError for a character that coders of this kind do not print.
    """
    dots = [
        (place * (WIDTH + 1) + column, row)
        for place, glyph in enumerate(text)
        for row, bits in enumerate(_ROWS[glyph].split())
        for column in range(WIDTH)
        if int(bits, 16) >> (WIDTH - 1 - column) & 1
    ]
    return np.array(dots, dtype=np.float64).reshape(-1, 2)

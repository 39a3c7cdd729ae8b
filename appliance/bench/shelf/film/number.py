"""A frame's number inside its picture, so that whoever sees the picture knows which frame it is.

20 squares of 8 by 8 pixels in the top left and again in the bottom right corner: 16 bits of the
number, highest first, then four that check it. Grey and not black, so that a tracker has better
points to hold on to. page/number.js reads the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SQUARE, SQUARES = 8, 20
DARK, LIGHT = 64, 192


def check_of(number: int) -> int:
    """Four bits: the nibbles of the number and ten, added up without carry."""
    return (number ^ number >> 4 ^ number >> 8 ^ number >> 12 ^ 0b1010) & 0b1111


def write(picture: NDArray[np.uint8], number: int) -> None:
    """Into a grey picture (height, width), both corners. number: below 65,536."""
    word = number << 4 | check_of(number)
    bits = np.array([word >> (SQUARES - 1 - at) & 1 for at in range(SQUARES)], np.uint8)
    strip = np.repeat(np.where(bits, LIGHT, DARK).astype(np.uint8), SQUARE)
    picture[:SQUARE, : len(strip)] = strip
    picture[-SQUARE:, -len(strip) :] = strip


def read(picture: NDArray[np.uint8]) -> int | None:
    """The number that either corner of a grey picture says, None where something covers both."""
    half, length = SQUARE // 2, SQUARE * SQUARES
    for row in (picture[half, :length], picture[-half, -length:]):
        word = 0
        for value in row[half::SQUARE]:
            word = word << 1 | int(value > (DARK + LIGHT) // 2)
        if check_of(word >> 4) == word & 0b1111:
            return word >> 4
    return None

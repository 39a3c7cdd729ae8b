"""QR Code model 2 (ISO/IEC 18004): where the codewords lie, and what never changes.

Versions 1 to 10 (57 modules a side), more than cartons carry.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from vision.reading.symbols_erasures.layout import Block, Layout

SIDES = tuple(range(21, 58, 4))
LEVELS = "LMQH"
_PARITY = {
    "L": (7, 10, 15, 20, 26, 18, 20, 24, 30, 18),
    "M": (10, 16, 26, 18, 24, 16, 18, 22, 22, 26),
    "Q": (13, 22, 18, 26, 18, 24, 18, 22, 20, 24),
    "H": (17, 28, 22, 16, 22, 28, 26, 26, 24, 28),
}
_BLOCKS = {
    "L": (1, 1, 1, 1, 1, 2, 2, 2, 2, 4),
    "M": (1, 1, 1, 2, 2, 4, 4, 4, 5, 5),
    "Q": (1, 1, 2, 2, 4, 4, 6, 6, 8, 8),
    "H": (1, 1, 2, 4, 4, 4, 5, 6, 8, 8),
}
"""Parity codewords of a block and number of blocks by version, ISO/IEC 18004 table 9."""
_ALIGNMENT: tuple[tuple[int, ...], ...] = (
    (), (6, 18), (6, 22), (6, 26), (6, 30), (6, 34), (6, 22, 38), (6, 24, 42), (6, 26, 46),
    (6, 28, 50),
)  # fmt: skip
_LEVEL_BITS = {"L": 1, "M": 0, "Q": 3, "H": 2}
_VERSION_INFO = 7
"""From this version on the symbol says its version."""


@cache
def layout(side: int, level: str, mask: int) -> Layout:
    """The symbol of `side` modules with error correction `level` and data mask `mask` (0..7)."""
    fixed = pattern(side).copy()
    path = _path(np.isnan(fixed))
    for (r, c), bit in zip(_format_places(side), 2 * format_bits(level, mask), strict=True):
        fixed[r, c] = 1.0 if bit else -1.0
    codewords = len(path) // 8
    bits = path[: 8 * codewords].reshape(codewords, 8, 2)
    # What is left over after the last codeword is light before masking.
    rows, columns = np.indices((side, side))
    flip = np.asarray(_MASKS[mask](rows, columns), dtype=np.bool_)
    for place in path[8 * codewords :]:
        y, x = int(place[0]), int(place[1])
        fixed[y, x] = 1.0 if flip[y, x] else -1.0
    return Layout(fixed, bits, _blocks((side - 17) // 4, level, codewords), flip)


def formats(soft: NDArray[np.float64]) -> list[tuple[str, int]]:
    """Level and mask, the likeliest first, from modules (side, side) in -1..1, 1 dark."""
    places = _format_places(soft.shape[0])
    seen = np.array([soft[r, c] for r, c in places])
    known = [(level, mask) for level in LEVELS for mask in range(8)]
    signs = np.array([2 * format_bits(*each) for each in known]) * 2.0 - 1.0
    return [known[i] for i in np.argsort(-(signs @ seen))]


def format_bits(level: str, mask: int) -> list[int]:
    """The 15 bits of format information, the highest first (ISO/IEC 18004, annex C)."""
    data = _LEVEL_BITS[level] << 3 | mask
    rest = data << 10
    for i in range(4, -1, -1):
        if rest >> (i + 10) & 1:
            rest ^= 0x537 << i
    word = (data << 10 | rest) ^ 0x5412
    return [word >> i & 1 for i in range(14, -1, -1)]


@cache
def pattern(side: int) -> NDArray[np.float64]:
    """What every symbol of `side` shows: 1.0 dark, -1.0 light, 0.0 format, NaN data."""
    version = (side - 17) // 4
    modules = np.full((side, side), np.nan)
    modules[6, :] = modules[:, 6] = np.where(np.arange(side) % 2 == 0, 1.0, -1.0)
    centres = _ALIGNMENT[version - 1]
    for y in centres:
        for x in centres:
            if (y, x) not in {(6, 6), (6, centres[-1]), (centres[-1], 6)}:
                modules[y - 2 : y + 3, x - 2 : x + 3] = _rings(2, (1.0, -1.0, 1.0))
    finder = _rings(4, (1.0, 1.0, -1.0, 1.0, -1.0))
    modules[:8, :8] = finder[1:, 1:]
    modules[:8, -8:] = finder[1:, :-1]
    modules[-8:, :8] = finder[:-1, 1:]
    for r, c in _format_places(side):
        modules[r, c] = 0.0
    modules[side - 8, 8] = 1.0
    if version >= _VERSION_INFO:
        rest = version << 12
        for i in range(5, -1, -1):
            if rest >> (i + 12) & 1:
                rest ^= 0x1F25 << i
        word = version << 12 | rest
        for i in range(18):
            value = 1.0 if word >> i & 1 else -1.0
            a, b = side - 11 + i % 3, i // 3
            modules[a, b] = modules[b, a] = value
    return modules


def _rings(reach: int, values: tuple[float, ...]) -> NDArray[np.float64]:
    """A square around its middle: `values` by distance."""
    line = np.abs(np.arange(-reach, reach + 1))
    return np.array(values)[np.maximum(line[:, None], line[None])]


def _format_places(side: int) -> list[tuple[int, int]]:
    """Both copies of the format information, the highest bit first."""
    one = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(r, 8) for r in (7, 5, 4, 3, 2, 1, 0)]
    two = [(side - 1 - i, 8) for i in range(7)] + [(8, side - 8 + i) for i in range(8)]
    return one + two


def _path(data: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Data modules in the order of their bits: up and down in columns of two, from the right."""
    side = data.shape[0]
    found = []
    upward = True
    for right in (*range(side - 1, 6, -2), 5, 3, 1):
        for r in range(side - 1, -1, -1) if upward else range(side):
            found += [(r, c) for c in (right, right - 1) if data[r, c]]
        upward = not upward
    return np.array(found, dtype=np.int64)


def _blocks(version: int, level: str, codewords: int) -> tuple[Block, ...]:
    parity, count = _PARITY[level][version - 1], _BLOCKS[level][version - 1]
    data = codewords - parity * count
    short, longer = data // count, data % count
    sizes = [short + (i >= count - longer) for i in range(count)]
    words: list[list[int]] = [[] for _ in range(count)]
    at = 0
    for k in range(short + 1):
        for i in range(count):
            if k < sizes[i]:
                words[i].append(at)
                at += 1
    for _ in range(parity):
        for i in range(count):
            words[i].append(at)
            at += 1
    return tuple(Block(np.array(each, dtype=np.int64), parity) for each in words)


_MASKS = (
    lambda r, c: (r + c) % 2 == 0,
    lambda r, c: (r + 0 * c) % 2 == 0,
    lambda r, c: (c + 0 * r) % 3 == 0,
    lambda r, c: (r + c) % 3 == 0,
    lambda r, c: (r // 2 + c // 3) % 2 == 0,
    lambda r, c: r * c % 2 + r * c % 3 == 0,
    lambda r, c: (r * c % 2 + r * c % 3) % 2 == 0,
    lambda r, c: ((r + c) % 2 + r * c % 3) % 2 == 0,
)

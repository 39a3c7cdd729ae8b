"""Data Matrix ECC 200 (ISO/IEC 16022): where the codewords lie, and what never changes.

Square symbols of up to 48 modules a side: one Reed-Solomon block each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vision.reading.symbols_erasures.layout import Block, Layout

_CODEWORDS = {
    10: (3, 5), 12: (5, 7), 14: (8, 10), 16: (12, 12), 18: (18, 14), 20: (22, 18), 22: (30, 20),
    24: (36, 24), 26: (44, 28), 32: (62, 36), 36: (86, 42), 40: (114, 48), 44: (144, 56),
    48: (174, 68),
}  # fmt: skip
"""Data and parity codewords by side, ISO/IEC 16022 table 7."""
_ONE_REGION = 26
SIDES = tuple(_CODEWORDS)


@cache
def layout(side: int) -> Layout:
    """The symbol of `side` modules."""
    data, parity = _CODEWORDS[side]
    fixed = pattern(side)
    places = _codewords(side - 2 * _regions(side))
    at = np.argwhere(np.isnan(fixed))
    inner = at.reshape(side - 2 * _regions(side), side - 2 * _regions(side), 2)
    bits = np.array(
        [[inner[r, c] for r, c in places[k]] for k in range(data + parity)], dtype=np.int64
    )
    filled = fixed.copy()
    free = np.ones(inner.shape[:2], bool)
    for r, c in places.reshape(-1, 2):
        free[r, c] = False
    for r, c in np.argwhere(free):
        # The corner that some sizes leave over is a small chequer.
        filled[tuple(inner[r, c])] = 1.0 if (r + c) % 2 == 0 else -1.0
    return Layout(filled, bits, (Block(np.arange(data + parity), parity),))


def _regions(side: int) -> int:
    return 1 if side <= _ONE_REGION else 2


def pattern(side: int) -> NDArray[np.float64]:
    """Borders of every region: solid left and below, broken above and right. NaN is data."""
    step = side // _regions(side)
    modules = np.full((side, side), np.nan)
    along = np.where(np.arange(side) % 2 == 0, 1.0, -1.0)
    for k in range(0, side, step):
        modules[k, :] = along
        modules[:, k + step - 1] = -along
    for k in range(0, side, step):
        modules[k + step - 1, :] = 1.0
        modules[:, k] = 1.0
    return modules


@dataclass
class _Placing:
    """Bits given to codewords one after another; `taken` (size, size) of those that are."""

    size: int
    taken: NDArray[np.bool_]
    found: list[list[tuple[int, int]]]

    def put(self, *bits: tuple[int, int]) -> None:
        places = []
        for row, column in bits:
            r, c = row, column
            if r < 0:
                r, c = r + self.size, c + 4 - (self.size + 4) % 8
            if c < 0:
                r, c = r + 4 - (self.size + 4) % 8, c + self.size
            self.taken[r, c] = True
            places.append((r, c))
        self.found.append(places)

    def sweep(self, row: int, column: int, step: int) -> tuple[int, int]:
        """Codewords along a diagonal, up and right (2) or down and left (-2), while inside."""
        while True:
            inside = 0 <= row < self.size and 0 <= column < self.size
            if inside and not self.taken[row, column]:
                r, c = row, column
                self.put(
                    (r - 2, c - 2), (r - 2, c - 1), (r - 1, c - 2), (r - 1, c - 1),
                    (r - 1, c), (r, c - 2), (r, c - 1), (r, c),
                )  # fmt: skip
            row, column = row - step, column + step
            if (row < 0 or column >= self.size) if step > 0 else (row >= self.size or column < 0):
                return row, column


def _codewords(size: int) -> NDArray[np.int64]:
    """Places (codewords, 8, 2) of the bits, the highest first (ISO/IEC 16022, annex F)."""
    placing = _Placing(size, np.zeros((size, size), bool), [])
    row, column = 4, 0
    while row < size or column < size:
        for corner in _corners(size, row, column):
            placing.put(*corner)
        row, column = placing.sweep(row, column, 2)
        row, column = placing.sweep(row + 1, column + 3, -2)
        row, column = row + 3, column + 1
    return np.array(placing.found, dtype=np.int64)


def _corners(size: int, row: int, column: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """The codewords that are broken over corners; which ones there are depends on the size."""
    n = size - 1
    side = ((0, n), (1, n), (2, n), (3, n))
    if (row, column) == (size, 0):
        yield ((n, 0), (n, 1), (n, 2), (0, n - 1), *side)
    if (row, column) == (size - 2, 0) and size % 4:
        yield ((n - 2, 0), (n - 1, 0), (n, 0), (0, n - 3), (0, n - 2), (0, n - 1), (0, n), (1, n))
    if (row, column) == (size - 2, 0) and size % 8 == 4:  # noqa: PLR2004 -- the standard's own case
        yield ((n - 2, 0), (n - 1, 0), (n, 0), (0, n - 1), *side)
    if (row, column) == (size + 4, 2) and not size % 8:
        yield ((n, 0), (n, n), (0, n - 2), (0, n - 1), (0, n), (1, n - 2), (1, n - 1), (1, n))

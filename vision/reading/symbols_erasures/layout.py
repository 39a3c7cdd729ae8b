"""What the two kinds of matrix codes have in common: fixed modules, codewords, parity blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Block:
    """One Reed-Solomon word: indices of its codewords in order, the last `parity` the parity."""

    codewords: NDArray[np.int64]
    parity: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A symbol of one size: `fixed` (side, side), 1.0 dark, -1.0 light, NaN where data is;
    `bits` (codewords, 8, 2) row and column of every bit, the highest first; `flip` (side, side)
    true where a mask inverts, None for no mask.
    """

    fixed: NDArray[np.float64]
    bits: NDArray[np.int64]
    blocks: tuple[Block, ...]
    flip: NDArray[np.bool_] | None = None

    def words(self, dark: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The codewords (n,) that stand in modules (side, side)."""
        plain = dark if self.flip is None else dark ^ self.flip
        bits = plain[self.bits[:, :, 0], self.bits[:, :, 1]]
        words: NDArray[np.int64] = bits.astype(np.int64) @ (1 << np.arange(7, -1, -1))
        return words

    def modules(self, words: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The clean symbol (side, side), true is dark, that holds the codewords (n,)."""
        bits = np.zeros(self.fixed.shape, bool)
        spread = (words[:, None] >> np.arange(7, -1, -1)) & 1
        bits[self.bits[:, :, 0], self.bits[:, :, 1]] = spread.astype(bool)
        if self.flip is not None:
            bits ^= self.flip
        return np.where(np.isnan(self.fixed), bits, self.fixed > 0)

"""Read a placed symbol with its unreliable codewords erased, and prove it (I7).

The codewords are erased from the least reliable on, more with each try (generalised minimum
distance decoding: Forney 1966). What comes out counts only where two parity symbols of every block
are left over as proof: noise passes one try in 65,000.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vision.reading.symbols_erasures import data_matrix, qr, reed_solomon
from vision.reading.symbols_erasures.layout import Layout
from vision.reading.symbols_erasures.modules import Placed

SPARE = 2
_STEPS = 4
_FORMATS_TRIED = 2
_STEEP = 5.0

Words = NDArray[np.int64]


def decode(placed: Placed) -> NDArray[np.bool_] | None:
    """The clean modules (side, side), true is dark, of a damaged symbol; None where they cannot
    be proven.
    """
    side = len(placed.soft)
    if placed.kind == "DataMatrix":
        return _corrected(placed, data_matrix.layout(side), reed_solomon.DATA_MATRIX)
    for level, mask in qr.formats(placed.soft)[:_FORMATS_TRIED]:
        modules = _corrected(placed, qr.layout(side, level, mask), reed_solomon.QR)
        if modules is not None:
            return modules
    return None


def _corrected(
    placed: Placed, layout: Layout, field: reed_solomon.Field
) -> NDArray[np.bool_] | None:
    words = layout.words(placed.soft > 0)
    bits = placed.soft[layout.bits[:, :, 0], layout.bits[:, :, 1]]
    # The chance that at least one bit of a codeword is wrong.
    doubt = 1 - np.prod(1 / (1 + np.exp(-_STEEP * np.abs(bits))), axis=1)
    fixed = words.copy()
    for block in layout.blocks:
        own = words[block.codewords]
        right = _block(own, doubt[block.codewords], block.parity, field)
        if right is None:
            return None
        fixed[block.codewords] = right
    return layout.modules(fixed)


def _block(
    words: Words, doubt: NDArray[np.float64], parity: int, field: reed_solomon.Field
) -> Words | None:
    order = np.argsort(-doubt)
    most = parity - SPARE
    likely = min(most, int(np.sum(doubt > 0.5)))  # noqa: PLR2004 -- more likely wrong than right
    tried = dict.fromkeys([likely, *(round(most * k / _STEPS) for k in range(_STEPS, -1, -1))])
    for count in tried:
        right = reed_solomon.correct(
            words, parity, [int(i) for i in order[:count]], field, spare=SPARE
        )
        if right is not None:
            return right
    return None

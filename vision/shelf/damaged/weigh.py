"""What the bars of one code say of each of its digits: log odds that damage cannot make certain.

Each band of the code's height is weighed by itself against every digit that could stand there, with
the chance that the band is damaged at this digit (a mixture, so that no smear of ink can outweigh
the rest). Bands are pictures of one print: together they count less than so many witnesses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.shelf.damaged.grid import Grid, darkness
from vision.shelf.damaged.symbology import DIGIT_MODULES, SETS, Symbology

Floats = NDArray[np.float64]

_SIGMA = 0.2
"""Of a module's darkness, its contrast being 1."""
_DAMAGED = 0.15
_DAMAGED_BESIDE = 0.85
"""Where some of its modules are gone, the rest of a digit seldom is whole."""
_SURPRISE = 1.5
"""A module that nothing explains, in nats: about 0.35 of the contrast off on average."""
_WITNESSES = 3.0
"""So many independent looks all bands together are worth."""
_WRONG_ANYWAY = 2e-3
"""Of a digit: its bars are whole, and it is another one all the same."""
_LONGEST_RUN = 4
"""Modules of one colour within EAN and UPC."""
_BLURS = (0.0, 0.08, 0.16, 0.24)


@dataclass(frozen=True, slots=True)
class Evidence:
    """`table` (digits, 3, 10): log odds of each digit in number sets A, B and C against nothing
    known; `seen` (digits,): share of the bands and modules that are clear, 0..1.
    """

    table: Floats
    seen: Floats


def weigh(bands: Floats, grid: Grid, symbology: Symbology) -> Evidence:
    """`bands` (n, w) of a strip, whose code stands at `grid`."""
    dark, clear = darkness(bands, grid.middles(symbology.modules), grid.width)
    clear = clear & ~_swallowed(dark)
    best: Evidence | None = None
    most = -np.inf
    for blur in _BLURS:
        one = _weighed(dark, clear, symbology, blur)
        total = float(one.table.max(axis=(1, 2)).sum())
        if total > most:
            best, most = one, total
    assert best is not None  # noqa: S101 -- there is at least one blur
    return best


def _weighed(dark: Floats, clear: NDArray[np.bool_], symbology: Symbology, blur: float) -> Evidence:
    # The modules beside a digit are the same for every digit of its half: number sets A and B begin
    # light behind a bar and end dark before a space, C the other way round.
    patterns = SETS.reshape(30, DIGIT_MODULES)
    before = np.concatenate([np.ones(20), np.zeros(10)])[:, None]
    wide = np.concatenate([before, patterns, 1 - before], axis=1)
    soft = (1 - 2 * blur) * wide[:, 1:-1] + blur * (wide[:, :-2] + wide[:, 2:])
    at = symbology.starts[:, None] + np.arange(DIGIT_MODULES)
    seen = dark[:, at]
    weight = clear[:, at].astype(np.float64)
    miss = (
        (weight * seen**2).sum(axis=2)[:, :, None]
        - 2 * (weight * seen) @ soft.T
        + weight @ (soft**2).T
    )
    fit = -miss / (2 * _SIGMA**2)
    nothing = -_SURPRISE * weight.sum(axis=2)[:, :, None]
    damaged = np.where(weight.mean(axis=2) < 1.0, _DAMAGED_BESIDE, _DAMAGED)[:, :, None]
    odds = np.logaddexp(np.log(1 - damaged) + fit, np.log(damaged) + nothing) - nothing
    table = _WITNESSES / len(dark) * odds.sum(axis=0)
    table = table.reshape(symbology.digits, 3, 10)
    # Against a digit of unknown value in its half, so that an unseen one says nothing.
    half = symbology.digits // 2
    usual = np.concatenate(
        [
            np.logaddexp.reduce(table[:half, :2].reshape(half, 20), axis=1) - np.log(20),
            np.logaddexp.reduce(table[half:, 2], axis=1) - np.log(10),
        ]
    )
    table = np.logaddexp(
        np.log(1 - _WRONG_ANYWAY) + table - usual[:, None, None], np.log(_WRONG_ANYWAY)
    )
    return Evidence(table, weight.mean(axis=(0, 2)))


def _swallowed(dark: Floats) -> NDArray[np.bool_]:
    """(n, modules): runs of one colour that are longer than any code has, and what they may have
    eaten of the bar or space beside them.
    """
    bits = dark > 0.5  # noqa: PLR2004 -- half of the contrast
    out = np.zeros(bits.shape, dtype=bool)
    for row, swallowed in zip(bits, out, strict=True):
        ends = np.concatenate([[0], np.flatnonzero(row[1:] != row[:-1]) + 1, [len(row)]])
        long = np.flatnonzero(np.diff(ends) > _LONGEST_RUN)
        for k in long.tolist():
            first, last = max(0, k - 1), min(len(ends) - 2, k + 1)
            swallowed[ends[first] : ends[last + 1]] = True
    return out

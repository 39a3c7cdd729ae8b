"""Which listed product a damaged code stands for, with the chance that it is on no list (I7).

Before anything is seen each listed code is as likely as the stock list says, what stands at the
person's place many times more. A code on no list is thought of as the worst one: it begins as some
listed one does (same country, same maker, or a neighbour that differs in the last digits alone) and
goes on at random. So digits that tell products apart must be seen, in bars or in print, before a
product is told as sure; without them it is a candidate to tap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.shelf.damaged.symbology import Symbology
from vision.shelf.damaged.weigh import Floats

OFF_LIST = 0.05
"""Share of damaged codes at a shelf that stand on no list, assumed."""
_SHARED = ((3, 0.15), (7, 0.2), (8, 0.15), (9, 0.15), (10, 0.15), (11, 0.2))
"""How many first digits of EAN-13 a code on no list has in common with a listed one, and how often;
counted from the end for shorter numbers."""
_CONTRADICTS = 2.3
"""Log odds at which a digit clearly reads as another one: 10 to 1."""


@dataclass(frozen=True)
class Numbers:
    """Listed codes that one symbology can write: `gtins` (n,), `digits` (n, length), `sets`
    (n, encoded digits) the number sets of the bars.
    """

    gtins: tuple[str, ...]
    digits: NDArray[np.intp]
    sets: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Answered:
    """`shares` (n,) of the listed codes, `off_list` of all others; together 1. `contradicted` (n,):
    a digit clearly reads as another than that code's.
    """

    shares: Floats
    off_list: float
    contradicted: NDArray[np.bool_]
    evidence: float


def answer(
    table: Floats, print_: Floats | None, prior: Floats, numbers: Numbers, symbology: Symbology
) -> Answered:
    """Weigh the list. `table` (digits, 3, 10) as Evidence has it, `print_` (length, 10) log odds of
    the digits below the bars or None, `prior` (n,) sums to 1.
    """
    at = np.arange(symbology.digits)
    encoded = numbers.digits[:, symbology.leading :]
    own = table[at, numbers.sets, encoded]
    # All ten digits in the number sets that each listed code uses: (n, digits, 10).
    both = table[at[None, :], numbers.sets]
    if print_ is not None:
        own = own + print_[symbology.leading + at, encoded]
        both = both + print_[symbology.leading + at][None]
    lead = _leading(print_, numbers, symbology)
    any_digit = np.logaddexp.reduce(both, axis=2) - np.log(10)
    best = both.max(axis=2)
    contradicted = (best - own > _CONTRADICTS).any(axis=1)
    log_prior = np.log(np.maximum(prior, 1e-300))
    listed = np.log1p(-OFF_LIST) + log_prior + lead + own.sum(axis=1)
    ahead = np.concatenate([np.zeros((len(own), 1)), np.cumsum(own, axis=1)], axis=1)
    behind = np.cumsum(any_digit[:, ::-1], axis=1)[:, ::-1]
    behind = np.concatenate([behind, np.zeros((len(own), 1))], axis=1)
    others = []
    for shared, weight in _SHARED:
        cut = max(0, symbology.digits - (13 - 1 - (shared - 1)))
        # What is listed itself is not off the list.
        stranger = log_prior + lead + ahead[:, cut] + behind[:, cut]
        others.append(np.log(OFF_LIST * weight) + np.logaddexp.reduce(stranger))
    off = float(np.logaddexp.reduce(others))
    total = float(np.logaddexp(np.logaddexp.reduce(listed), off))
    return Answered(np.exp(listed - total), float(np.exp(off - total)), contradicted, total)


def _leading(print_: Floats | None, numbers: Numbers, symbology: Symbology) -> Floats:
    if print_ is None or not symbology.leading:
        return np.zeros(len(numbers.gtins))
    return np.asarray(print_[0, numbers.digits[:, 0]])

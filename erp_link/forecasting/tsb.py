"""The level of demand by Teunter, Syntetos and Babai (European Journal of Operational Research 214,
2011): the chance of a demand is updated every day, its size on days of demand only. Unlike
Croston's method it follows a product that is dying out, and has no bias upwards.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CHANCE_STEP = 0.06
SIZE_STEP = 0.1
"""Smoothing of chance and size a day; the range that the literature uses is 0.05 to 0.3."""
_START_DAYS = 28


def level(demand: Floats, observed: Flags) -> tuple[Floats, Floats]:
    """The chance of a demand on a day and its size, after the last day; both of shape (n,).

    `demand` is units a day, (n, days), oldest first; a day that is not `observed` (no stock, or
    before the product came) changes nothing.
    """
    start = _first(observed)
    chance = np.zeros(len(demand))
    size = np.zeros(len(demand))
    begun = np.arange(demand.shape[1]) < start[:, None] + _START_DAYS
    opening = begun & observed
    days = np.maximum(opening.sum(axis=1), 1)
    hits = opening & (demand > 0)
    chance = hits.sum(axis=1) / days
    size = np.where(hits, demand, 0).sum(axis=1) / np.maximum(hits.sum(axis=1), 1)
    for day in range(demand.shape[1]):
        seen = observed[:, day]
        hit = seen & (demand[:, day] > 0)
        first = hit & (size == 0)
        size = np.where(hit, size + SIZE_STEP * (demand[:, day] - size), size)
        size = np.where(first, demand[:, day], size)
        chance = np.where(seen, chance + CHANCE_STEP * (hit - chance), chance)
    return chance, size


def _first(observed: Flags) -> NDArray[np.int64]:
    first: NDArray[np.int64] = np.where(
        observed.any(axis=1), observed.argmax(axis=1), observed.shape[1]
    )
    return first

"""Demand of a lead time by bootstrap: each future day is drawn from past days of the same weekday,
recent ones more often, and the sum is brought to today's level (tsb).

The drawn days are the same for every product, so goods that sell together stay together, and a
thousand products cost one gather. Bootstrap of lead-time demand: Willemain, Smart and Schwarz,
International Journal of Forecasting 20, 2004.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from erp_link.forecasting.tsb import Flags, Floats, level

PATHS = 200
WEEK = 7
_HALF_LIFE_DAYS = 45.0
_MOST_UP, _MOST_DOWN = 4.0, 0.1
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Spread:
    """What each product may need over its horizon, in units; all of shape (n,)."""

    a_day: Floats
    """The level of demand, units a day."""
    median: Floats
    high: Floats
    """The quantile that was asked for."""


def spread(
    demand: Floats,
    observed: Flags,
    *,
    horizon: NDArray[np.int64],
    late: NDArray[np.int64],
    share: Floats,
    seed: int,
) -> Spread:
    """Quantiles of the demand of the next `horizon` days, or up to `late` days more, each equally
    likely. `demand` is units a day, (n, days); `share` is the wanted quantile of each product.
    """
    chance, size = level(demand, observed)
    a_day = chance * size
    filled = np.where(observed, demand, a_day[:, None]).astype(np.float32)
    weights = 0.5 ** (np.arange(demand.shape[1])[::-1] / _HALF_LIFE_DAYS)
    mean = filled @ (weights / weights.sum())
    factor = np.clip(a_day / np.maximum(mean, 1e-9), _MOST_DOWN, _MOST_UP)
    median, high = np.zeros(len(demand)), np.zeros(len(demand))
    longest = int((horizon + late).max(initial=0))
    days, lateness = _drawn(demand.shape[1], longest, weights, seed)
    for days_ahead, days_late in {*zip(horizon.tolist(), late.tolist(), strict=True)}:
        counted = days_ahead + np.floor(lateness * (days_late + 1)).astype(np.int64)
        taken = np.arange(days_ahead + days_late) < counted[:, None]
        same = np.flatnonzero((horizon == days_ahead) & (late == days_late))
        for start in range(0, len(same), _AT_ONCE):
            rows = same[start : start + _AT_ONCE]
            drawn = filled[rows][:, days[:, : days_ahead + days_late]]
            sums = np.sort((drawn * taken).sum(axis=2), axis=1) * factor[rows, None]
            median[rows] = sums[:, PATHS // 2]
            rank = np.ceil(share[rows] * (PATHS + 1)).astype(np.int64) - 1
            high[rows] = sums[np.arange(len(rows)), np.clip(rank, 0, PATHS - 1)]
    return Spread(a_day, median, high)


def _drawn(known: int, ahead: int, weights: Floats, seed: int) -> tuple[NDArray[np.int64], Floats]:
    """Past days for each path and day ahead, (PATHS, ahead), and each path's lateness in [0, 1)."""
    random = np.random.default_rng(seed)
    days = np.empty((PATHS, ahead), np.int64)
    for day in range(ahead):
        same = np.arange((known + day) % WEEK, known, WEEK)
        shares = weights[same] / weights[same].sum()
        days[:, day] = random.choice(same, size=PATHS, p=shares)
    return days, random.random(PATHS)

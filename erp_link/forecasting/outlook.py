"""What a house's products will need: a quantile forecast for each, checked on the past (I7)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from erp_link.forecasting.conformal import Checked, checked
from erp_link.forecasting.paths import spread
from erp_link.forecasting.tsb import Flags, Floats

LEAST_DAYS = 28
LEAST_DEMANDS = 3
"""Below these nothing is forecast."""
_SEED = 20261122
_INTERVAL, _VARIATION = 1.32, 0.49
"""Borders of the classes: Syntetos, Boylan and Croston, Journal of the Operational Research
Society 56, 2005 (mean days between demands, squared variation of the sizes)."""


class Pattern(IntEnum):
    """How demand comes."""

    SMOOTH = 0
    ERRATIC = 1
    INTERMITTENT = 2
    LUMPY = 3
    UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class Outlook:
    """Arrays of shape (n,), units or days; `known` is False where the history is too short."""

    known: Flags
    pattern: NDArray[np.int64]
    a_day: Floats
    median: Floats
    high: Floats
    demands: NDArray[np.int64]
    observed_days: NDArray[np.int64]
    check: Checked


def outlook(
    demand: Floats,
    observed: Flags,
    *,
    horizon: NDArray[np.int64],
    late: NDArray[np.int64],
    share: Floats,
    seed: int = _SEED,
) -> Outlook:
    """The demand of each product's next `horizon` days (up to `late` more), with the bound that it
    stays under in `share` of the cases. `demand` is units a day, (n, days), oldest first, up to
    yesterday; days that are not `observed` say nothing. The same input gives the same answer.
    """
    days = observed.sum(axis=1)
    demands = ((demand > 0) & observed).sum(axis=1)
    known = (days >= LEAST_DAYS) & (demands >= LEAST_DEMANDS)
    pattern = np.where(known, _patterns(demand, observed), Pattern.UNKNOWN)
    now = spread(demand, observed, horizon=horizon, late=late, share=share, seed=seed)
    check = checked(now, demand, observed, horizon=horizon, share=share, kind=pattern, seed=seed)
    return Outlook(known, pattern, now.a_day, now.median, check.high, demands, days, check)


def _patterns(demand: Floats, observed: Flags) -> NDArray[np.int64]:
    hits = (demand > 0) & observed
    count = np.maximum(hits.sum(axis=1), 1)
    interval = observed.sum(axis=1) / count
    sizes = np.where(hits, demand, 0)
    mean = np.maximum(sizes.sum(axis=1) / count, 1e-9)
    variance = np.where(hits, (demand - mean[:, None]) ** 2, 0).sum(axis=1) / count
    seldom, uneven = interval >= _INTERVAL, variance / mean**2 >= _VARIATION
    pattern: NDArray[np.int64] = (2 * seldom + uneven).astype(np.int64)
    return pattern

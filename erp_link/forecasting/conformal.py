"""The check that makes a bound honest: how far would it have been off in the windows just past?

Split conformal prediction of a quantile (Romano, Patterson and Candès, NeurIPS 2019), by class of
demand (Mondrian: Vovk, Lindsay, Nouretdinov and Gammerman 2003): the misses of past windows, each
measured in the bound's own scale, say by how much the bound is raised. Windows of one product
follow each other and products share their weather, so coverage is not guaranteed as for
independent draws: it is measured, on the newest window, which the correction did not see.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from erp_link.forecasting.paths import WEEK, Spread, spread
from erp_link.forecasting.tsb import Flags, Floats

WINDOWS = 6
LEAST_SCORES = 60
LEAST_DAYS = 56
"""Days of history that an origin needs before it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A bound with its correction, and how often it held; arrays of shape (n,)."""

    high: Floats
    held: NDArray[np.int64]
    windows: NDArray[np.int64]
    """Windows of the product in which the corrected bound was looked at, and those it held in."""
    newest_held: int
    newest_windows: int
    """Over all products, in the newest window with a correction from older ones only."""


def checked(
    now: Spread,
    demand: Floats,
    observed: Flags,
    *,
    horizon: NDArray[np.int64],
    share: Floats,
    kind: NDArray[np.int64],
    seed: int,
) -> Checked:
    """`now.high` raised until it would have held in `share` of the past windows of its class.

    `kind` is the product's class of demand; a class with few scores takes those of all.
    """
    scores, used = _scores(demand, observed, horizon=horizon, share=share, seed=seed)
    lift = _lift(scores, used, share, kind)
    high = np.maximum(0, now.high + lift * _scale(now))
    held = ((scores <= lift[:, None] + 1e-9) & used).sum(axis=1)
    older = used.copy()
    older[:, 0] = False
    before = _lift(scores, older, share, kind)
    told = used[:, 0] & older.any(axis=1)
    return Checked(
        high,
        held.astype(np.int64),
        used.sum(axis=1).astype(np.int64),
        int((told & (scores[:, 0] <= before + 1e-9)).sum()),
        int(told.sum()),
    )


def _scores(
    demand: Floats, observed: Flags, *, horizon: NDArray[np.int64], share: Floats, seed: int
) -> tuple[Floats, Flags]:
    """How far the demand of each past window lay over its bound, in scales; (n, WINDOWS), newest
    first. Windows with days that were not observed are not used.
    """
    scores = np.zeros((len(demand), WINDOWS))
    used = np.zeros((len(demand), WINDOWS), bool)
    none_late = np.zeros(len(demand), np.int64)
    for days_ahead in np.unique(horizon).tolist():
        rows = np.flatnonzero(horizon == days_ahead)
        for window in range(WINDOWS):
            origin = demand.shape[1] - days_ahead - window * WEEK
            if origin < LEAST_DAYS:
                break
            past, ahead = np.s_[:origin], np.s_[origin : origin + days_ahead]
            known = observed[rows, past]
            found = spread(
                demand[rows, past],
                known,
                horizon=horizon[rows],
                late=none_late[rows],
                share=share[rows],
                seed=seed + window,
            )
            needed = demand[rows, ahead].sum(axis=1)
            scores[rows, window] = (needed - found.high) / _scale(found)
            used[rows, window] = observed[rows, ahead].all(axis=1) & (
                known.sum(axis=1) >= LEAST_DAYS
            )
    return scores, used


def _scale(found: Spread) -> Floats:
    """What a miss is measured in: the upper half of the spread, at least one unit."""
    return np.maximum(1.0, np.maximum(found.high - found.median, np.sqrt(found.median)))


def _lift(scores: Floats, used: Flags, share: Floats, kind: NDArray[np.int64]) -> Floats:
    lift = np.zeros(len(scores))
    for one, wanted in {*zip(kind.tolist(), share.tolist(), strict=True)}:
        rows = (kind == one) & (share == wanted)
        mine = (share == wanted)[:, None] & used
        own = rows[:, None] & used
        found = scores[own if own.sum() >= LEAST_SCORES else mine]
        if not len(found):
            continue
        rank = min(len(found) - 1, int(np.ceil(wanted * (len(found) + 1))) - 1)
        lift[rows] = np.partition(found, rank)[rank]
    return lift

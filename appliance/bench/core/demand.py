"""Demand as warehouses see it, made from a seed: five kinds, a fifth of the products each.

smooth with a weekly rhythm (Poisson), erratic and closed on Sundays (negative binomial),
intermittent, lumpy (log-normal sizes), and drifting (a random walk of the level).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KINDS = ("smooth", "erratic", "intermittent", "lumpy", "drifting")
_WEEK = np.array([1.2, 1.1, 1.0, 1.0, 1.3, 0.4, 0.0])
_SUNDAY = 6


def made_up(
    products: int, days: int, *, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Units a day, (products, days), and the kind of each product as its place in KINDS."""
    random = np.random.default_rng(seed)
    weekday = np.arange(days) % 7
    kinds = np.arange(products) % len(KINDS)
    demand = np.zeros((products, days))
    for row, kind in enumerate(kinds.tolist()):
        base = float(np.exp(random.normal(2.5, 1)))
        match KINDS[kind]:
            case "smooth":
                demand[row] = random.poisson(base * _WEEK[weekday])
            case "erratic":
                sizes = random.negative_binomial(2, 2 / (2 + base), days)
                demand[row] = sizes * (weekday != _SUNDAY)
            case "intermittent":
                hits = random.random(days) < random.uniform(0.03, 0.3)
                demand[row] = hits * (1 + random.poisson(base / 3, days))
            case "lumpy":
                hits = random.random(days) < random.uniform(0.03, 0.2)
                demand[row] = hits * np.ceil(random.lognormal(np.log(base), 1, days))
            case _:
                level = base * np.exp(np.cumsum(random.normal(0, 0.04, days)))
                demand[row] = random.poisson(level)
    return demand, kinds

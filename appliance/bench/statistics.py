"""Bounds for counts: what few failures among many trials allow one to claim (I7)."""

from __future__ import annotations

from math import comb, log


def upper_bound(failures: int, trials: int, *, level: float = 0.95) -> float:
    """The one-sided upper confidence bound of a rate (Clopper and Pearson, Biometrika 26, 1934).

    With no failures this is the "rule of three", about 3 / trials. 1.0 for no trials.
    """
    if trials == 0 or failures >= trials:
        return 1.0
    if failures == 0:
        return 1.0 - float((1.0 - level) ** (1.0 / trials))
    low, high = failures / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(failures, trials, middle) > 1.0 - level:
            low = middle
        else:
            high = middle
    return high


def _at_most(failures: int, trials: int, rate: float) -> float:
    """Binomial probability of `failures` or fewer; the large binomials stay exact integers."""
    return sum(
        comb(trials, k) * rate**k * (1.0 - rate) ** (trials - k) for k in range(failures + 1)
    )


def log_loss(probability: float, *, right: bool) -> float:
    """The negative log likelihood of one stated probability."""
    return -log(max(probability if right else 1.0 - probability, 1e-9))

"""Bounds for counts, and whether a stated confidence means what it says (I7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, log1p

BINS = 10


def upper_bound(failures: int, trials: int, *, level: float = 0.95) -> float:
    """The exact one-sided upper confidence bound of a rate (Clopper and Pearson, Biometrika 26,
    1934): the rate at which so few failures would be seen in only `1 - level` of all trials.

    With no failures this is the "rule of three", about 3 / trials. 1.0 for no trials.
    """
    if trials == 0 or failures >= trials:
        return 1.0
    if failures == 0:
        return 1.0 - float((1.0 - level) ** (1.0 / trials))
    whole = lgamma(trials + 1)
    ways = [whole - lgamma(k + 1) - lgamma(trials - k + 1) for k in range(failures + 1)]
    low, high = failures / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(ways, trials, middle) > 1.0 - level:
            low = middle
        else:
            high = middle
    return high


def _at_most(ways: Sequence[float], trials: int, rate: float) -> float:
    """Binomial probability of fewer failures than `ways` has entries: the logarithms of how many
    ways there are to each count. In logarithms, since the ways outgrow any float.
    """
    if rate >= 1.0:
        return 0.0
    hit, miss = log(rate), log1p(-rate)
    return sum(exp(way + k * hit + (trials - k) * miss) for k, way in enumerate(ways))


@dataclass(frozen=True, slots=True)
class Bin:
    """Statements with a confidence in [low, low + 1 / BINS): how many, their mean confidence, and
    the share of them that was right.
    """

    low: float
    count: int
    confidence: float
    right: float


def reliability(confidence: Sequence[float], right: Sequence[bool]) -> tuple[Bin, ...]:
    """Ten bins of equal width over 0..1, empty ones left out."""
    found = []
    places = [min(int(each * BINS), BINS - 1) for each in confidence]
    for place in sorted(set(places)):
        inside = [i for i, own in enumerate(places) if own == place]
        said = sum(confidence[i] for i in inside) / len(inside)
        true = sum(right[i] for i in inside) / len(inside)
        found.append(Bin(place / BINS, len(inside), said, true))
    return tuple(found)


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error, 0..1: how far confidence and share right lie apart, averaged
    over the statements (Naeini, Cooper, Hauskrecht, AAAI 2015). 0.0 for none.
    """
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.confidence - each.right) for each in bins) / max(1, total)

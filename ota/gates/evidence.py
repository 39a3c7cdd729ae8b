"""Evidence against a rate, valid at whatever moment somebody looks.

An e-process is a number that, while the hypothesis is true, is nowhere expected above 1; by Ville's
inequality it then ever reaches 100 with a chance of at most 1 in 100, however often it is looked at
(Ramdas, Gruenwald, Vovk, Shafer, "Game-theoretic statistics and safe anytime-valid inference",
Statistical Science 38, 2023). Here it is a mixture of likelihood ratios over the rates beyond the
limit, weighted by a truncated Beta density on a fixed grid: any such mixture is an e-process, so the
grid costs no validity. It depends on the counts alone, so a restart loses nothing, and what was
worked out is kept: after a frame of one box the thousand others are asked again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_POINTS = 64
_KEPT = 16_384


@dataclass(frozen=True, slots=True)
class Counts:
    """`events` of `frames` were bad. Raises ValueError for counts that cannot be."""

    frames: int = 0
    events: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.events <= self.frames:
            raise ValueError(f"{self.events} events of {self.frames} frames cannot be")

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.frames + other.frames, self.events + other.events)


@lru_cache(maxsize=_KEPT)
def log_evidence_above(counts: Counts, limit: float) -> float:
    """Ln of the evidence that the rate of events is above `limit` (0 < limit < 1).

    The mixture leans towards rates near the limit, Beta(1, 9): the harm of an ordinary mistake.
    """
    return _log_mixture(counts, limit, *_above(limit))


@lru_cache(maxsize=_KEPT)
def log_evidence_below(counts: Counts, limit: float) -> float:
    """Ln of the evidence that the rate of events is below `limit` (0 < limit < 1).

    Beta(1/2, 1/2), which expects most of a good candidate to show no event at all: 74 clean frames
    tell less than 5 %, 377 less than 1 % (evidence of 20).
    """
    return _log_mixture(counts, limit, *_below(limit))


def log_mean(logs: list[float], weights: list[float]) -> float:
    """Ln of the weighted mean of e-processes, itself one. `weights` are positive and sum to 1."""
    highest = max(logs)
    return highest + math.log(
        sum(weight * math.exp(each - highest) for each, weight in zip(logs, weights, strict=True))
    )


def _log_mixture(
    counts: Counts,
    limit: float,
    rates: NDArray[np.float64],
    log_weights: NDArray[np.float64],
) -> float:
    good = counts.frames - counts.events
    log_ratios = counts.events * np.log(rates / limit) + good * np.log((1 - rates) / (1 - limit))
    return float(np.logaddexp.reduce(log_weights + log_ratios))


@lru_cache(maxsize=64)
def _above(limit: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rates = limit + (1 - limit) * np.linspace(0, 1, _POINTS + 2)[1:-1]
    return rates, _log_weights((1 - rates) ** 8)


@lru_cache(maxsize=64)
def _below(limit: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Squares: half the weight of Beta(1/2, 1/2) lies near nought, and so do the points.
    rates = limit * np.linspace(0, 1, _POINTS + 2)[1:-1] ** 2
    density = 1 / np.sqrt(rates * (1 - rates))
    return rates, _log_weights(density * np.gradient(rates))


def _log_weights(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = np.log(weights / weights.sum())
    return logs

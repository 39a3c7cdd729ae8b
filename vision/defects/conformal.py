"""From scores of good items to a threshold with a stated bound on false alarms (I7).

Split-conformal: when the scores of n good items and of a new good item are exchangeable, the new
one exceeds their k-th largest with probability at most k / (n + 1) (Vovk, Gammerman and Shafer,
Algorithmic Learning in a Random World, chapter 2). The score of an enrolled item is its distance
to the *other* items' patches. A new item is compared with the patches of all of them, so its
score can only be lower than the one that exchangeability speaks of: the bound holds without
setting pictures aside. One score an item: pictures of one item are not independent.

Two guarantees are offered. `threshold` keeps its bound on average over enrolments: a single
profile may do better or worse. `sure_threshold` keeps it in 95 of 100 enrolments, and takes three
times as many items: the share of good items beyond the k-th largest of n is distributed as
Beta(k, n + 1 - k) (Vovk, Conditional validity of inductive conformal predictors, ACML 2012; of
tolerance limits, Wilks 1941). `sure_below` says that of any threshold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

BOUNDS_PERCENT = (1, 2, 5)
SURE = 0.95
_HALVINGS = 60


def needed_items(bound_percent: int) -> int:
    """How many good items the bound takes: 99, 49, 19 for 1, 2, 5 %."""
    return -(-100 // bound_percent) - 1


def strictest_bound(items: int) -> int | None:
    """The lowest bound in percent that so many good items allow; None below 19."""
    return next((bound for bound in BOUNDS_PERCENT if items >= needed_items(bound)), None)


def rank(items: int, bound_percent: int) -> int:
    """Which score of so many good items is the threshold, the largest being 1; 0: too few."""
    return bound_percent * (items + 1) // 100


def threshold(scores: Sequence[float], bound_percent: int) -> float | None:
    """The score that a new good item exceeds with at most `bound_percent` probability.

    `scores`: one for each good item. None when they are too few for the bound.
    """
    return _ranked(scores, rank(len(scores), bound_percent))


def needed_to_be_sure(bound_percent: int) -> int:
    """How many good items `sure_threshold` takes: 299, 149, 59 for 1, 2, 5 %."""
    return math.ceil(math.log(1 - SURE) / math.log(1 - bound_percent / 100))


def strictest_sure_bound(items: int) -> int | None:
    """The lowest bound that `sure_threshold` can keep with so many good items; None below 59."""
    return next((bound for bound in BOUNDS_PERCENT if items >= needed_to_be_sure(bound)), None)


def sure_rank(items: int, bound_percent: int) -> int:
    """Which score of so many good items is the sure threshold, the largest being 1; 0: too few."""
    share, found, tail = bound_percent / 100, 0, 0.0
    while found < items:
        tail += _binomial(items, found, share)
        if tail > 1 - SURE:
            break
        found += 1
    return found


def sure_threshold(scores: Sequence[float], bound_percent: int) -> float | None:
    """The score of which we are 95 % sure that at most `bound_percent` of all good items exceed it.

    `scores`: one for each good item. None when they are too few for the bound.
    """
    return _ranked(scores, sure_rank(len(scores), bound_percent))


def sure_below(items: int, at_rank: int, *, sure: float = SURE) -> float:
    """The share of good items beyond the threshold that lies above the true one in 95 of 100
    enrolments (or another share `sure` of them); 0.146 for the largest of 19. Raises ValueError
    for a rank outside 1..items.
    """
    if not 1 <= at_rank <= items:
        raise ValueError(f"No rank {at_rank} among {items} items")
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        fewer = sum(_binomial(items, count, middle) for count in range(at_rank))
        low, high = (middle, high) if fewer > 1 - sure else (low, middle)
    return high


def _ranked(scores: Sequence[float], at_rank: int) -> float | None:
    return sorted(scores, reverse=True)[at_rank - 1] if at_rank else None


def _binomial(count: int, hits: int, share: float) -> float:
    return math.comb(count, hits) * share**hits * (1 - share) ** (count - hits)

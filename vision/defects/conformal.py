"""From scores of good items to a threshold with a stated bound on false alarms (I7).

Split-conformal: when the scores of n good items and of a new good item are exchangeable, the new
one exceeds their k-th largest with probability at most k / (n + 1) (Vovk, Gammerman and Shafer,
Algorithmic Learning in a Random World, chapter 2). The score of an enrolled item is its distance
to the *other* items' patches. A new item is compared with the patches of all of them, so its
score can only be lower than the one that exchangeability speaks of: the bound holds without
setting pictures aside. One score an item: pictures of one item are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence

BOUNDS_PERCENT = (1, 2, 5)


def needed_items(bound_percent: int) -> int:
    """How many good items the bound takes: 99, 49, 19 for 1, 2, 5 %."""
    return -(-100 // bound_percent) - 1


def strictest_bound(items: int) -> int | None:
    """The lowest bound in percent that so many good items allow; None below 19."""
    return next((bound for bound in BOUNDS_PERCENT if items >= needed_items(bound)), None)


def threshold(scores: Sequence[float], bound_percent: int) -> float | None:
    """The score that a new good item exceeds with at most `bound_percent` probability.

    `scores`: one for each good item. None when they are too few for the bound.
    """
    rank = bound_percent * (len(scores) + 1) // 100
    return sorted(scores, reverse=True)[rank - 1] if rank else None

"""How strange is too strange: the limits of a profile, from its good items' scores.

One odd picture among the good ones sets a threshold that half of the broken goods stay below. It
may be a good item, so no promise about false alarms can be made without it; and it may be a bad
one. Until a person has said which, the stated threshold stays where the odd one put it, and what
lies beyond all the others becomes a review: nothing passes in its shadow, nothing is frozen by a
limit without a bound (I7).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from vision.defects.conformal import BOUNDS_PERCENT, needed_items, threshold

ODD = 6.0
"""Deviations beyond which a good item is called unlike the rest."""
_APART, _GAP = 4.0, 1.4
"""Or already beyond these, when the next score below is so many times smaller: one broken cookie
among 21 whole ones scored 5.5, the next 3.2, and half of the broken ones passed below it.
"""
_MANY = 10
_FEWEST = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """As in ProfileFacts."""

    bound_percent: int | None
    threshold: float | None
    review_limit: float | None


def odd_of(scores: Mapping[str, float]) -> tuple[str, ...]:
    """Items unlike the rest: far beyond the typical one, or the top tenth after a gap. Among fewer
    than eight nobody can say what the rest is like.
    """
    if len(scores) < _FEWEST:
        return ()
    ranked = sorted(scores.values(), reverse=True)
    least = ODD
    for number in range(len(ranked) // _MANY):
        if ranked[number] > max(_APART, _GAP * ranked[number + 1]):
            least = min(least, (ranked[number] + ranked[number + 1]) / 2)
    return tuple(item for item, score in scores.items() if score > least)


def bound_for(items: int, wanted_percent: int | None = None) -> int | None:
    """The strictest bound that so many good items allow, no stricter than the wanted one."""
    return next(
        (
            bound
            for bound in BOUNDS_PERCENT
            if bound >= (wanted_percent or 0) and items >= needed_items(bound)
        ),
        None,
    )


def limits_of(
    scores: Mapping[str, float],
    *,
    odd: Collection[str] = (),
    wanted_percent: int | None = None,
) -> Limits:
    """From one score for each good item. A looser bound than the strictest one lets more of the
    highest scores lie beyond the threshold, odd ones among them.
    """
    bound = bound_for(len(scores), wanted_percent)
    if bound is None:
        return Limits(None, None, None)
    limit = threshold(list(scores.values()), bound)
    usual = [score for item, score in scores.items() if item not in odd]
    closer = None
    if limit is not None and 0 < len(usual) < len(scores):
        kept = bound_for(len(usual), wanted_percent)
        closer = max(usual) if kept is None else threshold(usual, kept)
    if closer is not None and limit is not None and closer >= limit:
        closer = None
    return Limits(bound, limit, closer)

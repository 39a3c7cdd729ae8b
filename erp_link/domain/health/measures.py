"""Turnover, age and importance of stock.

Sources: turnover and days of stock as in APICS; ABC by cumulated share with the usual borders of 80
and 95 per cent; age by first in, first out: what stands here came with the newest receipts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

YEAR_DAYS = 365
AGES = (30, 60, 90, 180)
"""The upper borders of the age groups, in days; the last group is older."""
OLD_DAYS = 90
LEAST_DAYS = 14
"""Fewer days of history say nothing about turnover."""
_A, _B = 0.8, 0.95


class Importance(StrEnum):
    """A: the few that make 80 % of what goes out; B: up to 95 %; C: the rest; none went out."""

    A = "A"
    B = "B"
    C = "C"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Turnover:
    """`turns` a year; `days` is how long the mean stock lasts. None where nothing can be said."""

    turns: float | None
    days: float | None


def turnover(shipped: float, mean_stock: float, days: int) -> Turnover:
    """From `shipped` units in `days` days over a mean stock of `mean_stock` units."""
    if days < LEAST_DAYS or mean_stock <= 0:
        return Turnover(None, None)
    if shipped <= 0:
        return Turnover(0.0, None)
    return Turnover(shipped / mean_stock * YEAR_DAYS / days, mean_stock / shipped * days)


def importance(shipped: Mapping[str, float]) -> dict[str, Importance]:
    """The class of each product by its share of all units shipped. A product belongs to the class
    in which its units begin, so the largest is always an A; equals in the order of their names.
    """
    total = sum(shipped.values())
    found: dict[str, Importance] = {}
    before = 0.0
    for name in sorted(shipped, key=lambda each: (-shipped[each], each)):
        units = shipped[name]
        share = before / total if total > 0 else 1.0
        found[name] = (
            Importance.NONE
            if units <= 0
            else Importance.A
            if share < _A
            else Importance.B
            if share < _B
            else Importance.C
        )
        before += units
    return found


def ages(on_hand: int, receipts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """(age in days, units) of what stands here, youngest first. `receipts` are (age in days, units)
    in any order; units that no receipt explains are as old as the oldest.
    """
    left = on_hand
    found: list[tuple[int, int]] = []
    oldest = 0
    for age, units in sorted(receipts):
        oldest = max(oldest, age)
        taken = min(left, units)
        if taken > 0:
            found.append((age, taken))
            left -= taken
    if left > 0:
        found.append((oldest, left))
    return found


def grouped(layers: Iterable[tuple[int, int]]) -> list[int]:
    """Units in each age group of AGES, and those older; an age on a border is the younger group's."""
    sums = [0] * (len(AGES) + 1)
    for age, units in layers:
        sums[sum(age > border for border in AGES)] += units
    return sums


def pareto(values: Sequence[float], *, points: int = 50) -> list[tuple[float, float]]:
    """The share of all units that the first share of products makes, largest first; (0, 0) to
    (1, 1), at most `points` + 1 of them.
    """
    total = sum(values)
    if total <= 0:
        return []
    ordered = sorted(values, reverse=True)
    every = max(1, len(ordered) // points)
    found, so_far = [(0.0, 0.0)], 0.0
    for at, value in enumerate(ordered, start=1):
        so_far += value
        if at % every == 0 or at == len(ordered):
            found.append((at / len(ordered), so_far / total))
    return found

"""What goods bear: the range they are kept in, and how far and how long they may be outside it.

The house's own figures by temperature class follow USP <659> for what it defines (controlled cold:
2 to 8, excursions between 0 and 15, mean kinetic temperature at most 8 over a day; controlled room:
excursions between 15 and 30, spikes to 40 for less than a day, mean kinetic at most 25 over thirty
days) and Directive 89/108/EEC for frozen food (-18, upward by at most 3 for a short while). A
product whose maker says otherwise has limits of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from contracts.errors import BadInputError
from erp_link.domain.excursions.kinetics import (
    LEAST_ACTIVATION,
    MOST_ACTIVATION,
    USUAL_ACTIVATION,
)
from erp_link.domain.products import Temperature

TEMPERATURE, CELSIUS = "temperature", "Cel"
WITHOUT_LEVEL = frozenset({"rate", "expression"})
"""Kinds of alarms that no single value is within or beyond: while they go on it is out of range."""
_COLDEST, _WARMEST = -100.0, 100.0
_HOURS_OF_A_YEAR = 24 * 366
_MOST_MINUTES = 60 * _HOURS_OF_A_YEAR


@dataclass(frozen=True, slots=True)
class Limits:
    """In the unit of the quantity measured; None: nothing is said on that side.

    `low` to `high` is the range. Beyond `floor` or `ceiling` goods are bad at once; between the
    two they bear `allowed_minutes` in all, over every excursion of their life. `kinetic` is the most that the mean kinetic temperature
    over `kinetic_hours` may be; hours without a reading count as `usual`.
    """

    low: float | None = None
    high: float | None = None
    floor: float | None = None
    ceiling: float | None = None
    allowed_minutes: int = 0
    kinetic: float | None = None
    kinetic_hours: int = 24
    usual: float | None = None
    activation_kj_mol: float = USUAL_ACTIVATION


OF_CLASS: dict[Temperature, Limits] = {
    Temperature.CHILLED: Limits(
        low=2.0, high=8.0, floor=0.0, ceiling=15.0, allowed_minutes=24 * 60,
        kinetic=8.0, kinetic_hours=24, usual=5.0,
    ),
    Temperature.FROZEN: Limits(high=-15.0, ceiling=-10.0, allowed_minutes=30, usual=-18.0),
    Temperature.AMBIENT: Limits(
        low=15.0, high=30.0, floor=0.0, ceiling=40.0, allowed_minutes=24 * 60,
        kinetic=25.0, kinetic_hours=30 * 24, usual=20.0,
    ),
}  # fmt: skip


def of_fence(kind: str, limit: float | None) -> Limits:
    """What a fence itself says, for a quantity that no product has limits for: nothing is borne
    beyond it. A fence without a level (missing readings, `WITHOUT_LEVEL`) leaves only the time.
    """
    if kind == "above":
        return Limits(high=limit)
    if kind == "below":
        return Limits(low=limit)
    return Limits()


def checked(limits: Limits) -> Limits:
    """`limits` for temperatures in Celsius. Raises BadInputError naming what is wrong."""
    named = {
        "low": limits.low,
        "high": limits.high,
        "floor": limits.floor,
        "ceiling": limits.ceiling,
        "kinetic": limits.kinetic,
        "usual": limits.usual,
    }
    for name, value in named.items():
        if value is not None and not (math.isfinite(value) and _COLDEST <= value <= _WARMEST):
            raise BadInputError(
                f"A {name} of {value} degrees Celsius",
                mend=f"Give a number from {_COLDEST:g} to {_WARMEST:g}",
            )
    if limits.low is None and limits.high is None:
        raise BadInputError("A range with no end", mend="Give the low end, the high end or both")
    _in_order(("floor", limits.floor), ("low", limits.low), ("high", limits.high),
              ("ceiling", limits.ceiling))  # fmt: skip
    if not 0 <= limits.allowed_minutes <= _MOST_MINUTES:
        raise BadInputError(
            f"{limits.allowed_minutes} minutes out of range",
            mend=f"Give 0 to {_MOST_MINUTES} minutes",
        )
    if limits.kinetic is not None and (
        limits.usual is None or not 1 <= limits.kinetic_hours <= _HOURS_OF_A_YEAR
    ):
        raise BadInputError(
            "A mean kinetic temperature without its hours or the usual temperature",
            mend=f"Give 1 to {_HOURS_OF_A_YEAR} hours, and what hours without a reading count as",
        )
    if not LEAST_ACTIVATION <= limits.activation_kj_mol <= MOST_ACTIVATION:
        raise BadInputError(
            f"An activation energy of {limits.activation_kj_mol} kJ/mol",
            mend=f"Give {LEAST_ACTIVATION:g} to {MOST_ACTIVATION:g}, or leave it at"
            f" {USUAL_ACTIVATION}",
        )
    return limits


def _in_order(*ends: tuple[str, float | None]) -> None:
    known = [(name, value) for name, value in ends if value is not None]
    for (lower, low), (upper, high) in pairwise(known):
        if low > high:
            raise BadInputError(
                f"The {lower} of {low:g} is above the {upper} of {high:g}",
                mend="Give floor, low, high and ceiling in rising order",
            )

"""The gate at the dock: does what arrives still live long enough, and is it not older than what
stands here already? (I4, I7: where nobody can say, it is not accepted by itself.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from contracts.errors import BadInputError
from contracts.reason import Reason
from erp_link.domain.expiry import days_left

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class LifeRule:
    """What must be left of goods: at least so many days, and so many per cent of the total life.
    0 asks for nothing.
    """

    least_days: int = 0
    least_percent: int = 0

    def __post_init__(self) -> None:
        if self.least_days < 0 or not 0 <= self.least_percent <= _WHOLE:
            raise BadInputError(
                f"A least remaining life of {self.least_days} days and {self.least_percent} %",
                mend="Give days from 0 on, and per cent from 0 to 100",
            )

    @property
    def asks(self) -> bool:
        return bool(self.least_days or self.least_percent)


def strictest(rules: Iterable[LifeRule]) -> LifeRule:
    """What satisfies every one of `rules`."""
    every = list(rules)
    return LifeRule(
        max((rule.least_days for rule in every), default=0),
        max((rule.least_percent for rule in every), default=0),
    )


@dataclass(frozen=True, slots=True)
class Arriving:
    """What is known of arriving goods. `newest_here` is the latest expiry date of the same product
    in stock, None where there is none; `total_days` the product's life from making to expiry, 0
    where nobody said.
    """

    expiry: date | None
    newest_here: date | None = None
    total_days: int = 0
    not_older: bool = False
    dated: bool = True
    """False for goods that have no date and need none."""


def gate(
    goods: Arriving, rule: LifeRule, *, now: datetime, zone: tzinfo, clock_is_sure: bool = True
) -> tuple[Reason, ...]:
    """Why these goods are not accepted by themselves; empty where they are."""
    if goods.expiry is None:
        asks = goods.dated and (rule.asks or goods.not_older)
        return (Reason("life_date_unknown"),) if asks else ()
    if not clock_is_sure:
        return (Reason("clock_unsure", {"expiry": goods.expiry.isoformat()}),)
    left = days_left(goods.expiry, now=now, zone=zone)
    shown = goods.expiry.isoformat()
    reasons: list[Reason] = []
    if left < rule.least_days:
        values: dict[str, str | int | float] = {
            "expiry": shown,
            "days": left,
            "least": rule.least_days,
        }
        reasons.append(Reason("life_too_short", values))
    if rule.least_percent:
        reasons += _share(left, goods.total_days, rule.least_percent, shown)
    if goods.not_older and goods.newest_here is not None and goods.expiry < goods.newest_here:
        values = {"expiry": shown, "here": goods.newest_here.isoformat()}
        reasons.append(Reason("life_older_than_stock", values))
    return tuple(reasons)


def _share(left: int, total: int, least: int, expiry: str) -> tuple[Reason, ...]:
    if not total:
        return (Reason("life_total_unknown", {"expiry": expiry}),)
    if left * _WHOLE < least * total:
        percent = max(0, left * _WHOLE // total)
        return (Reason("life_share_too_small", {"percent": percent, "least": least}),)
    return ()

"""The suggestion for one product: order-up-to by the quantile of the lead time's demand (I7).

Ordered is when what is here and coming is not more than the bound on demand until the order after
the next look can be here; then up to that bound and the cycle's mean demand (an (R, s, S) policy:
Silver, Pyke and Thomas, Inventory and Production Management in Supply Chains, chapter 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts.reason import Reason
from erp_link.domain.reorder.policy import Limits, ReorderPolicy

_SOON_DAYS = 7
_CHANGE_PERCENT = 30
_EPSILON = 1e-6


class Urgency(StrEnum):
    """The first one is the most urgent."""

    OUT = "out"
    NOW = "now"
    SOON = "soon"
    ENOUGH = "enough"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Lot:
    """Free goods of one batch, for what expires before it is sold."""

    quantity: int
    expiry: date | None


@dataclass(frozen=True, slots=True)
class Position:
    """What is here and what is coming, in base units."""

    free: int = 0
    """May be reserved now."""
    inspection: int = 0
    blocked: int = 0
    on_order: int = 0
    owed: int = 0
    """Ordered by customers, and nothing set aside for it yet."""
    lots: tuple[Lot, ...] = ()


@dataclass(frozen=True, slots=True)
class Demand:
    """The forecast of one product over its horizon; units and days."""

    a_day: float
    median: float
    high: float
    observed_days: int
    without_stock_days: int
    demands: int
    pattern: str
    held: int
    """Of `windows` past windows the bound held in so many."""
    windows: int
    half_year_a_day: float
    known: bool = True


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`quantity` is 0 where nothing is to be ordered. `lasts_days` None: nothing is going out."""

    gtin: str
    urgency: Urgency
    quantity: int
    position: int
    reorder_point: int
    order_up_to: int
    lasts_days: int | None
    expires_unsold: int
    reasons: tuple[Reason, ...]


def suggest(
    gtin: str,
    demand: Demand,
    position: Position,
    policy: ReorderPolicy,
    limits: Limits,
    *,
    today: date,
) -> Suggestion:
    """Whether to order, how much, and why, the weightiest reason first."""
    unsold = _expires_unsold(position, demand.a_day if demand.known else 0.0, policy, today)
    have = position.free + position.inspection + position.on_order - position.owed - unsold
    if not demand.known:
        return _by_limits(gtin, demand, position, have, policy, limits)
    point = max(_up(demand.high), limits.minimum or 0)
    wanted = point + _up(demand.a_day * policy.cycle_days)
    reasons: list[Reason] = []
    cap = _cap(demand, policy, limits)
    if cap is not None and cap < wanted:
        wanted = max(cap, point)
        reasons.append(_cap_reason(limits, demand, cap))
    quantity = _rounded(wanted - have, policy) if have <= point and wanted > have else 0
    lasts = int(max(0, have) / demand.a_day) if demand.a_day > _EPSILON else None
    return Suggestion(
        gtin=gtin,
        urgency=_urgency(position, have, point, demand),
        quantity=quantity,
        position=have,
        reorder_point=point,
        order_up_to=wanted,
        lasts_days=lasts,
        expires_unsold=unsold,
        reasons=(
            _first_reason(have, point, lasts, quantity, policy),
            _demand_reason(demand, policy),
            *reasons,
            *_side_reasons(position, demand, policy, quantity, wanted - have, unsold),
        ),
    )


def _urgency(position: Position, have: int, point: int, demand: Demand) -> Urgency:
    if demand.a_day <= _EPSILON:
        return Urgency.ENOUGH if have > point else Urgency.NOW if point else Urgency.ENOUGH
    if have <= point:
        return Urgency.OUT if position.free <= 0 else Urgency.NOW
    return Urgency.SOON if have - _SOON_DAYS * demand.a_day <= point else Urgency.ENOUGH


def _by_limits(
    gtin: str,
    demand: Demand,
    position: Position,
    have: int,
    policy: ReorderPolicy,
    limits: Limits,
) -> Suggestion:
    """Too little is known to forecast: the record's own limits decide, or a person."""
    short = Reason(
        "reorder_short_history", {"days": demand.observed_days, "demands": demand.demands}
    )
    if limits.minimum is None:
        mend = Reason("reorder_set_minimum")
        return Suggestion(
            gtin, Urgency.UNKNOWN, 0, have, 0, 0, None, 0, (short, mend, *_held(position))
        )
    point, wanted = limits.minimum, limits.maximum or limits.minimum
    quantity = _rounded(wanted - have, policy) if have < point else 0
    why = Reason("reorder_minimum", {"position": have, "minimum": point, "maximum": wanted})
    urgency = Urgency.NOW if quantity else Urgency.ENOUGH
    return Suggestion(
        gtin, urgency, quantity, have, point, wanted, None, 0, (why, short, *_held(position))
    )


def _expires_unsold(position: Position, a_day: float, policy: ReorderPolicy, today: date) -> int:
    """Of the free goods, what will be past its date within the horizon though the earliest leaves
    first (FEFO).
    """
    sold, lost = 0.0, 0
    for lot in sorted((x for x in position.lots if x.expiry), key=lambda x: x.expiry or today):
        days = ((lot.expiry or today) - today).days + 1
        if days > policy.horizon_days:
            break
        sells = min(float(lot.quantity), max(0.0, days * a_day - sold))
        sold += sells
        lost += int(lot.quantity - sells)
    return lost


def _cap(demand: Demand, policy: ReorderPolicy, limits: Limits) -> int | None:
    """Not more than sells within the shelf life after delivery, nor than the record's maximum."""
    caps = [] if limits.maximum is None else [limits.maximum]
    if limits.shelf_life_days is not None:
        caps.append(int(demand.a_day * max(0, limits.shelf_life_days + policy.lead_days)))
    return min(caps, default=None)


def _cap_reason(limits: Limits, demand: Demand, cap: int) -> Reason:
    if limits.maximum == cap:
        return Reason("reorder_maximum", {"maximum": cap})
    return Reason(
        "reorder_shelf_life",
        {"days": limits.shelf_life_days or 0, "units": cap, "a_day": _short(demand.a_day)},
    )


def _rounded(units: int, policy: ReorderPolicy) -> int:
    units = max(units, policy.least, 1)
    return -(-units // policy.pack) * policy.pack


def _first_reason(
    have: int, point: int, lasts: int | None, quantity: int, policy: ReorderPolicy
) -> Reason:
    days = -1 if lasts is None else lasts
    values: dict[str, str | int | float] = {
        "position": have,
        "point": point,
        "days": days,
        "lead": policy.lead_days + policy.late_days,
    }
    if quantity:
        return Reason("reorder_below", values)
    return Reason("reorder_idle" if lasts is None else "reorder_enough", values)


def _demand_reason(demand: Demand, policy: ReorderPolicy) -> Reason:
    return Reason(
        "reorder_demand",
        {
            "days": policy.horizon_days + policy.late_days,
            "median": round(demand.median),
            "high": _up(demand.high),
            "percent": policy.service_percent,
        },
    )


def _side_reasons(
    position: Position,
    demand: Demand,
    policy: ReorderPolicy,
    quantity: int,
    needed: int,
    unsold: int,
) -> list[Reason]:
    found: list[Reason] = []
    if position.owed:
        found.append(Reason("reorder_owed", {"units": position.owed}))
    if position.on_order:
        found.append(Reason("reorder_on_order", {"units": position.on_order}))
    if unsold:
        found.append(Reason("reorder_expires", {"units": unsold, "days": policy.horizon_days}))
    found += _held(position)
    if quantity > needed and quantity:
        found.append(Reason("reorder_rounded", {"pack": policy.pack, "least": policy.least}))
    if demand.without_stock_days:
        found.append(Reason("reorder_without_stock", {"days": demand.without_stock_days}))
    if demand.half_year_a_day > _EPSILON:
        change = round(100 * (demand.a_day / demand.half_year_a_day - 1))
        if abs(change) >= _CHANGE_PERCENT:
            code = "reorder_rising" if change > 0 else "reorder_falling"
            found.append(Reason(code, {"percent": abs(change), "a_day": _short(demand.a_day)}))
    if demand.windows:
        found.append(Reason("reorder_measured", {"held": demand.held, "windows": demand.windows}))
    return found


def _held(position: Position) -> Sequence[Reason]:
    return [Reason("reorder_blocked", {"units": position.blocked})] if position.blocked else []


def _up(units: float) -> int:
    """Whole units that are enough."""
    return -int(-(units - _EPSILON) // 1)


def _short(units: float) -> str:
    return f"{units:.1f}" if units < 10 else f"{units:.0f}"  # noqa: PLR2004 -- two digits are enough

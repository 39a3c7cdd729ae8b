"""I1: may this leave? One predicate for list, allocate, reserve, pick, pack, ship and dispatch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from contracts.reason import Reason
from contracts.stock import StockStatus


@dataclass(frozen=True, slots=True)
class LeaveFacts:
    """What is known of some goods at this moment; `holds` are the open holds that cover them."""

    status: StockStatus
    holds: tuple[str, ...] = ()
    expired_on: date | None = None
    in_quarantine: bool = False
    expiry: date | None = None
    usable_through: date | None = None
    """The last day on which the customer must still be able to use the goods."""


def may_this_leave(facts: LeaveFacts) -> tuple[Reason, ...]:
    """Why these goods may not leave; empty when they may.

    Goods that were picked are in transit inside the house: they pass by status, and a hold still
    stops them.
    """
    reasons: list[Reason] = []
    if facts.holds:
        reasons.append(Reason("stock_held", {"holds": ", ".join(facts.holds)}))
    if facts.expired_on is not None:
        reasons.append(Reason("stock_expired", {"expiry": facts.expired_on.isoformat()}))
    match facts.status:
        case StockStatus.BLOCKED:
            reasons.append(Reason("stock_blocked"))
        case StockStatus.INSPECTION:
            reasons.append(Reason("stock_in_inspection"))
        case StockStatus.UNRESTRICTED | StockStatus.IN_TRANSIT:
            pass
    if facts.in_quarantine:
        reasons.append(Reason("stock_in_quarantine"))
    if facts.usable_through is not None and facts.expired_on is None:
        reasons += _life(facts.expiry, facts.usable_through)
    return tuple(reasons)


def unjudged_goods(units: int) -> tuple[Reason, ...]:
    """Why goods may not leave of which so many units lack a pass by the batch's one judge (I3): they
    were freed under an earlier generation, and are judged again.
    """
    return (Reason("stock_unjudged", {"units": units}),) if units else ()


def _life(expiry: date | None, through: date) -> tuple[Reason, ...]:
    """A date that nobody knows is not long enough for a customer who asks for one."""
    if expiry is None:
        return (Reason("stock_date_unknown", {"through": through.isoformat()}),)
    if expiry < through:
        days = (through - expiry).days
        return (
            Reason(
                "stock_too_short",
                {"expiry": expiry.isoformat(), "through": through.isoformat(), "days": days},
            ),
        )
    return ()

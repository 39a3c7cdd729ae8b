"""I1: may this leave? One predicate for list, reserve, pick, ship and dispatch."""

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
    return tuple(reasons)

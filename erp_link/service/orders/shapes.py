"""What the order desk tells: orders, their lines and goods, and how these were chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from contracts.reason import Reason
from contracts.stock import BatchKey, TicketState
from erp_link.domain.allocation import Allocation
from erp_link.domain.orders import LineCount, OrderState


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """One row of the list of orders; quantities in base units."""

    order: str
    customer: str
    due_on: date | None
    placed_at: datetime
    placed_by: str
    state: OrderState
    lines: int
    ordered: int
    reserved: int
    picked: int
    packed: int
    shipped: int
    short: int
    recalls: int
    """Tasks to fetch goods of this order that a hold came too late for, not done yet."""
    cursor: int
    """Its place in the list: the next page begins after the last one's."""


@dataclass(frozen=True, slots=True)
class OrderGoods:
    """Goods set aside for a line. `state`: reserved, picked, packed, shipped or released.
    `stopped`: why they may not leave as things stand, by the one predicate (I1).
    """

    reservation_id: int
    line: int
    batch: BatchKey
    expiry: date | None
    location: str
    quantity: int
    state: str
    label: str
    stopped: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line: what was ordered in the customer's unit, its counts in base units, and how its goods
    were chosen, the newest plan last.
    """

    number: int
    gtin: str
    description: str
    ordered: int
    unit: str
    base_unit: str
    least_days: int
    count: LineCount
    plans: tuple[Plan, ...]

    @property
    def short(self) -> int:
        """What no goods are set aside for."""
        return self.count.short


@dataclass(frozen=True, slots=True)
class Plan:
    """One round of choosing goods for a line."""

    at: datetime
    by: str
    result: Allocation


@dataclass(frozen=True, slots=True)
class OrderNote:
    """One entry of an order's history."""

    at: datetime
    by: str
    what: str
    text: Reason


@dataclass(frozen=True, slots=True)
class OrderRecall:
    """A hold came too late for goods of this order."""

    ticket_id: str
    hold_id: str
    quantity: int
    state: TicketState


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with everything that is known of it."""

    summary: OrderSummary
    lines: tuple[OrderLine, ...]
    goods: tuple[OrderGoods, ...]
    history: tuple[OrderNote, ...]
    recalls: tuple[OrderRecall, ...]
    cancel_reason: str

"""Customer orders: what may be ordered, and how far an order is. States are worked out, not kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts.errors import BadInputError
from contracts.gs1 import normalise_gtin

_REF_CHARACTERS = 80
_MOST_LINES = 1_000
_MOST_DAYS = 36_500
_MOST_UNITS = 1_000_000_000


class OrderState(StrEnum):
    """How far an order is. SHORT wins over what was done already: somebody must see it."""

    OPEN = "open"
    SHORT = "short"
    ALLOCATED = "allocated"
    PICKING = "picking"
    PICKED = "picked"
    PACKED = "packed"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class NewLine:
    """`quantity` in `unit`, a unit of the product ("" is its base unit). `least_days`: the customer
    wants to use the goods for so many days from the day of allocation.
    """

    gtin: str
    quantity: int
    unit: str = ""
    least_days: int = 0


@dataclass(frozen=True, slots=True)
class NewOrder:
    """`order` is the customer's or the ERP's own number."""

    order: str
    lines: tuple[NewLine, ...]
    customer: str = ""
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class LineCount:
    """One line in base units. `picked` counts what stands in staging, packed or not."""

    ordered: int
    reserved: int = 0
    picked: int = 0
    packed: int = 0
    shipped: int = 0

    @property
    def short(self) -> int:
        """What no goods are set aside for."""
        return max(0, self.ordered - self.reserved - self.picked - self.shipped)


def state_of(lines: Sequence[LineCount], *, cancelled: bool = False) -> OrderState:
    """The state of an order with these lines."""
    if cancelled:
        return OrderState.CANCELLED
    ordered, short = sum(x.ordered for x in lines), sum(x.short for x in lines)
    picked, packed = sum(x.picked for x in lines), sum(x.packed for x in lines)
    shipped = sum(x.shipped for x in lines)
    if shipped >= ordered:
        return OrderState.SHIPPED
    if short:
        return OrderState.OPEN if short == ordered else OrderState.SHORT
    if packed + shipped >= ordered:
        return OrderState.PACKED
    if picked + shipped >= ordered:
        return OrderState.PICKED
    return OrderState.PICKING if picked or shipped else OrderState.ALLOCATED


def checked(order: NewOrder) -> NewOrder:
    """The order with its GTINs in 14 digits. Raises BadInputError that names the line."""
    check_name(order.order, "order number", least=1)
    check_name(order.customer, "customer", least=0)
    if not 1 <= len(order.lines) <= _MOST_LINES:
        raise BadInputError(
            f"The order {order.order} has {len(order.lines)} lines",
            mend=f"Give 1 to {_MOST_LINES} lines",
        )
    lines = tuple(_checked_line(order.order, n, line) for n, line in enumerate(order.lines, 1))
    return NewOrder(order.order, lines, order.customer, order.due_on)


def check_name(text: str, what: str, *, least: int) -> None:
    """Raises BadInputError where a name is empty, too long, or has what nobody can see."""
    if not least <= len(text) <= _REF_CHARACTERS or text != text.strip() or not text.isprintable():
        raise BadInputError(
            f"The {what} {text!r} cannot be used",
            mend=f"Write {least} to {_REF_CHARACTERS} visible characters, no blanks at its ends",
        )


def _checked_line(order: str, number: int, line: NewLine) -> NewLine:
    where = f"Line {number} of order {order}"
    if not 1 <= line.quantity <= _MOST_UNITS:
        raise BadInputError(
            f"{where} asks for {line.quantity} units", mend="Give a whole number of at least 1"
        )
    if not 0 <= line.least_days <= _MOST_DAYS:
        raise BadInputError(
            f"{where} asks for {line.least_days} days of remaining life",
            mend=f"Give 0 to {_MOST_DAYS} days",
        )
    try:
        gtin = normalise_gtin(line.gtin)
    except BadInputError as wrong:
        raise BadInputError(f"{where}: {wrong.message}", mend=wrong.mend) from wrong
    return NewLine(gtin, line.quantity, line.unit, line.least_days)

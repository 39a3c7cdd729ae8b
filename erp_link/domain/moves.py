"""Double entry over (batch, location, status): every move's lines sum to zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.errors import BadInputError
from contracts.stock import StockStatus


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where, and in which status."""

    location: str
    status: StockStatus


@dataclass(frozen=True, slots=True)
class Line:
    batch_id: int
    place: Place
    quantity: int


def transfer(batch_id: int, quantity: int, source: Place, target: Place) -> tuple[Line, Line]:
    """The two lines of a move. Raises BadInputError unless `quantity` is at least 1."""
    if quantity < 1:
        raise BadInputError(f"A move of {quantity} units", mend="Give a quantity of at least 1")
    return Line(batch_id, source, -quantity), Line(batch_id, target, quantity)


def is_balanced(lines: Sequence[Line]) -> bool:
    """True when the lines of each batch sum to zero."""
    sums: dict[int, int] = {}
    for line in lines:
        sums[line.batch_id] = sums.get(line.batch_id, 0) + line.quantity
    return not any(sums.values())

"""Which goods an order line gets, and in words why these and not others.

First expired, first out (FEFO) or first in, first out (FIFO), over batches and places, split where
one does not suffice. Every place where the product stands has its answer: taken, or why not. What
may leave is asked of the one predicate (I1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum

from contracts.errors import BadInputError
from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus
from erp_link.domain.leaving import LeaveFacts, may_this_leave


class Rotation(StrEnum):
    """Which goods go first."""

    FEFO = "fefo"
    FIFO = "fifo"


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a batch stands in one place in one status; quantities in base units.

    `moved` is true where the place came into play after the guards were chosen: nothing is known
    for sure about it in this moment, so nothing is taken.
    """

    batch_id: int
    batch: BatchKey
    location: str
    quantity: int
    reserved: int
    facts: LeaveFacts
    received_at: datetime | None = None
    moved: bool = False

    @property
    def free(self) -> int:
        return self.quantity - self.reserved


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of one place: `taken` units of it, and why so many or why none."""

    batch_id: int
    batch: BatchKey
    location: str
    on_hand: int
    free: int
    taken: int
    expiry: date | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Allocation:
    """The goods of one line, in the order in which they were looked at."""

    asked: int
    rotation: Rotation
    choices: tuple[Choice, ...] = field(default=())

    @property
    def taken(self) -> int:
        return sum(choice.taken for choice in self.choices)

    @property
    def short(self) -> int:
        return self.asked - self.taken


def allocate(quantity: int, standing: Sequence[Standing], rotation: Rotation) -> Allocation:
    """Take `quantity` base units from what stands there, or as much as may leave.

    Raises BadInputError unless `quantity` is at least 1.
    """
    if quantity < 1:
        raise BadInputError(f"A quantity of {quantity}", mend="Ask for at least 1")
    left = quantity
    choices: list[Choice] = []
    for place in in_rotation(standing, rotation):
        reasons = _against(place)
        taken = 0
        if not reasons and left == 0:
            reasons = (Reason("enough_before", {"rule": rotation.value}),)
        elif not reasons:
            taken = min(left, place.free)
            reasons = _in_favour(place, taken, rotation, split=bool(left < quantity))
            left -= taken
        choices.append(
            Choice(
                batch_id=place.batch_id,
                batch=place.batch,
                location=place.location,
                on_hand=place.quantity,
                free=place.free,
                taken=taken,
                expiry=place.facts.expiry,
                reasons=reasons,
            )
        )
    return Allocation(quantity, rotation, tuple(choices))


def in_rotation(standing: Sequence[Standing], rotation: Rotation) -> list[Standing]:
    """In the order in which goods go. What has no date goes last by FEFO."""

    def expiry(place: Standing) -> date:
        return place.facts.expiry or date.max

    def received(place: Standing) -> datetime:
        return place.received_at or datetime.max.replace(tzinfo=UTC)

    def key(place: Standing) -> tuple[object, ...]:
        when = (expiry(place), received(place))
        first = when if rotation is Rotation.FEFO else when[::-1]
        return (*first, place.batch, place.location, place.facts.status)

    return sorted(standing, key=key)


def _against(place: Standing) -> tuple[Reason, ...]:
    reasons = may_this_leave(place.facts)
    if not reasons and place.facts.status is StockStatus.IN_TRANSIT:
        return (Reason("stock_picked"),)
    if not reasons and place.moved:
        return (Reason("stock_just_moved"),)
    if not reasons and place.free <= 0:
        return (Reason("all_reserved", {"reserved": place.reserved}),)
    return reasons


def _in_favour(
    place: Standing, taken: int, rotation: Rotation, *, split: bool
) -> tuple[Reason, ...]:
    if rotation is Rotation.FEFO:
        expiry = place.facts.expiry
        first = (
            Reason("taken_no_date")
            if expiry is None
            else Reason("taken_fefo", {"expiry": expiry.isoformat()})
        )
    else:
        at = place.received_at
        first = Reason("taken_fifo", {"received": at.date().isoformat() if at else "-"})
    reasons = [first]
    if split:
        reasons.append(Reason("taken_split"))
    if place.reserved:
        reasons.append(Reason("partly_reserved", {"reserved": place.reserved}))
    if taken < place.free:
        reasons.append(Reason("some_left", {"left": place.free - taken}))
    return tuple(reasons)

"""What an ERP has to be told. Plain values that bear being kept for days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from contracts.stock import BatchKey


class MessageKind(StrEnum):
    RECEIPT = "receipt"
    SHIFT = "shift"
    ISSUE = "issue"
    STOP = "stop"
    BY_HAND = "by_hand"


class Zone(StrEnum):
    """Where goods stand as an ERP needs to know it."""

    FREE = "free"
    QUARANTINE = "quarantine"
    """Blocked or in inspection: must not be assigned to anything."""
    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    ELSEWHERE = "elsewhere"
    """Counted away, scrapped: no connector books it."""


@dataclass(frozen=True, slots=True)
class Goods:
    """Units of one batch. `blocked` of the `quantity` must not be assigned to anything."""

    batch: BatchKey
    quantity: int
    blocked: int = 0
    lot: str = ""
    """The lot's name in the ERP; not the batch's where another supplier's has the same one."""
    description: str = ""
    expiry: date | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """`reference` is ours and unique: it stands in the ERP's document.

    `subjects` are what the message is about (a batch, an order): messages about one of them are
    delivered in the order in which they were written.
    """

    kind: MessageKind
    reference: str
    goods: tuple[Goods, ...]
    subjects: tuple[str, ...] = ()
    document: str = ""
    """The announced list or the order that the ERP itself may know, once; empty for what is added
    to it later."""
    partner: str = ""
    """The supplier."""
    to: Zone | None = None
    """Of a shift: FREE or QUARANTINE."""
    damaged: int = 0
    """Of a receipt: cartons with a defect."""
    why: str = ""

    @property
    def first(self) -> Goods:
        """The one batch of a shift, a stop, or what is booked by hand."""
        return self.goods[0]

    @property
    def blocked(self) -> tuple[Goods, ...]:
        """Of a receipt: what goes to quarantine, with its quantity."""
        return tuple(replace(g, quantity=g.blocked) for g in self.goods if g.blocked)

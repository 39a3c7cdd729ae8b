"""What an ERP has to be told. Plain values that bear being kept as JSON for days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts.stock import BatchKey


class Zone(StrEnum):
    """Where goods stand as an ERP needs to know it."""

    FREE = "free"
    QUARANTINE = "quarantine"
    """Blocked or in inspection: must not be assigned to anything."""


@dataclass(frozen=True, slots=True)
class Goods:
    """Units of one batch; `blocked` of the `quantity` must not be assigned."""

    batch: BatchKey
    quantity: int
    blocked: int = 0
    description: str = ""
    expiry: date | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Goods came in. `delivery` is the announced list's number, empty for goods by hand."""

    reference: str
    supplier: str
    delivery: str
    goods: tuple[Goods, ...]
    damaged: int = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """Goods became blocked, or free again."""

    reference: str
    goods: Goods
    to: Zone
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """Goods left for a customer's order."""

    reference: str
    order: str
    goods: tuple[Goods, ...]


@dataclass(frozen=True, slots=True)
class StopMessage:
    """A batch was held: nothing of it may leave, whatever was planned."""

    reference: str
    batch: BatchKey
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ByHand:
    """What no connector books: a difference found in counting, goods scrapped or sent back."""

    reference: str
    goods: Goods
    what: str


DocumentMessage = Receipt | Shift | Issue
Message = Receipt | Shift | Issue | StopMessage | ByHand

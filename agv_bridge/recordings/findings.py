"""What a replay finds in a recording, in the order in which it was proved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.reason import Reason


@dataclass(frozen=True, slots=True)
class StockMove:
    """One load that really went from one place to another."""

    line: int
    at: datetime
    vehicle: str
    order_id: str
    action_id: str
    load_id: str
    load_seen: str | None
    """What the vehicle read; differs from load_id: a mismatch."""
    source: str
    target: str

    @property
    def mismatch(self) -> bool:
        return self.load_seen is not None and self.load_seen != self.load_id


@dataclass(frozen=True, slots=True)
class Failed:
    """An order that a vehicle could not carry out. `code` is a reason's, where we know one."""

    line: int
    at: datetime
    vehicle: str
    order_id: str
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A vehicle read another load than was ordered."""

    line: int
    at: datetime
    vehicle: str
    order_id: str
    load_seen: str


@dataclass(frozen=True, slots=True)
class Quality:
    """What a check station found."""

    line: int
    at: datetime
    station: str
    load_id: str
    order_id: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A storage station took a load into a slot, or out of it."""

    line: int
    at: datetime
    station: str
    load_id: str
    order_id: str
    place: str
    retrieved: bool


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A line that could not be placed, and why."""

    line: int
    topic: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Still under way when the recording ends. `reached` is a TransportState's value."""

    vehicle: str
    order_id: str
    load_id: str
    reached: str


Finding = StockMove | Failed | Mismatch | Quality | Stored | Unplaced | Unfinished

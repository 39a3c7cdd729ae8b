"""An admitted entry, and what it says about the goods in each place.

A place here is a cell: one batch in one location. Every entry speaks in differences, so that two
of them give the same in either order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.device_log import (
    Adjusted,
    Counted,
    Fact,
    Moved,
    Received,
)
from contracts.stock import BatchKey

CORE = "@core"
"""The core's own counts stand in the same union, under a name that no device can have."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One batch in one location."""

    batch: BatchKey
    location: str


@dataclass(frozen=True, slots=True)
class Entry:
    """`seen` is the last entry of each log that the device knew of when it wrote this."""

    entry_id: str
    device: str
    seq: int
    by: str
    fact: Fact
    seen: Mapping[str, int] = field(default_factory=dict)
    at_us: int = 0
    """By the device's clock, in microseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Touch:
    """What one entry took from a cell or added to it, in base units."""

    entry: Entry
    cell: Cell
    taken: int = 0
    added: int = 0


def knows(later: Entry, earlier: Entry) -> bool:
    """True when `later` was written in knowledge of `earlier`."""
    if later.device == earlier.device:
        return earlier.seq < later.seq
    return earlier.seq <= later.seen.get(earlier.device, 0)


def concurrent(one: Entry, other: Entry) -> bool:
    """Neither knew of the other. The entries of one device never are."""
    return one.device != other.device and not knows(one, other) and not knows(other, one)


def touches(entry: Entry) -> tuple[Touch, ...]:
    """The cells that an entry changes by a difference of its own. Counts are not among them: what
    a count changes depends on the counts beside it (`counts.settle`), and what a shipment takes
    from a cell on its quota.
    """
    match entry.fact:
        case Adjusted(batch, location, change):
            cell = Cell(batch, location)
            return (Touch(entry, cell, taken=max(0, -change), added=max(0, change)),)
        case Moved(batch, quantity, source, target):
            return (
                Touch(entry, Cell(batch, source), taken=quantity),
                Touch(entry, Cell(batch, target), added=quantity),
            )
        case Received(batch, quantity, location):
            return (Touch(entry, Cell(batch, location), added=quantity),)
        case _:
            return ()


def counted_cell(entry: Entry) -> Cell | None:
    """The cell that a count speaks of; None for any other entry."""
    if isinstance(entry.fact, Counted):
        return Cell(entry.fact.batch, entry.fact.location)
    return None

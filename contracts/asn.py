"""What was announced: the advance ship notice, and what a station expects of it right now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from contracts.judging import Pin, RejudgeTask, SessionPin
from contracts.stock import BatchKey


@dataclass(frozen=True, slots=True)
class AsnLine:
    """One announced line. `number` counts data lines from 1. `quantity` is in base units."""

    number: int
    gtin: str
    batch: str
    expiry: date
    quantity: int = 1
    unit: str = "carton"
    sku: str = ""
    description: str = ""
    supplier: str = ""
    order: str = ""

    @property
    def key(self) -> BatchKey:
        return BatchKey(self.supplier, self.gtin, self.batch)


@dataclass(frozen=True, slots=True)
class Asn:
    """An advance ship notice; `number` is the supplier's despatch advice number."""

    number: str
    supplier: str
    lines: tuple[AsnLine, ...]


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    line: AsnLine
    counted: int = 0

    @property
    def outstanding(self) -> int:
        return self.line.quantity - self.counted


@dataclass(frozen=True, slots=True)
class Expectations:
    """What the hub tells a station: the open receiving session, its lines, and known holds.

    `version` grows with every change; a station keeps the last one through an outage (I6).
    """

    version: int = 0
    session: str | None = None
    asn: str | None = None
    lines: tuple[ExpectedLine, ...] = ()
    held: tuple[BatchKey, ...] = ()
    pins: tuple[Pin, ...] = ()
    """Who judges the batches of these lines, where that is settled (I3)."""
    reads: SessionPin | None = None
    """What reads this session's labels; None: whoever begins."""
    rejudge: tuple[RejudgeTask, ...] = ()
    """What this station is asked to judge again, a bounded number at a time."""

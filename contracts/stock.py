"""Stock words: batches, holds, tickets, transport. Shapes only; the rules are erp_link.domain's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from contracts.geometry import Region
from contracts.reason import Reason


@dataclass(frozen=True, slots=True, order=True)
class BatchKey:
    """I3: a batch is (supplier, GTIN, lot); two suppliers may use one lot number."""

    supplier: str
    gtin: str
    lot: str

    def __str__(self) -> str:
        return f"{self.supplier or '-'}/{self.gtin}/{self.lot}"


class StockStatus(StrEnum):
    """SAP and GS1 practice: only `unrestricted` may be reserved and shipped."""

    UNRESTRICTED = "unrestricted"
    INSPECTION = "inspection"
    BLOCKED = "blocked"
    IN_TRANSIT = "in_transit"


class HoldKind(StrEnum):
    BATCH = "batch"
    CARTONS = "cartons"
    LOCATION = "location"
    SUPPLIER = "supplier"
    QUANTITY = "quantity"
    """So many units of a batch, set apart as blocked stock; the rest of the batch is free."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stored picture by the SHA-256 of its bytes."""

    kind: str
    """`label`, `inspect` or `heatmap`."""
    sha256: str
    media_type: str = "image/jpeg"
    camera: str = ""
    width_px: int = 0
    height_px: int = 0


@dataclass(frozen=True, slots=True)
class AtRisk:
    """Goods a hold came too late to stop: picked, in transit, or granted as offline quota."""

    what: str
    reference: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold is a row that is only ever added; a release is another fact beside it (I1)."""

    hold_id: str
    kind: HoldKind
    batch: BatchKey | None
    reason: Reason
    raised_by: str
    raised_at: datetime
    cartons: tuple[str, ...] = ()
    location: str = ""
    ticket_id: str | None = None
    released_at: datetime | None = None
    released_by: str = ""
    release_reason: str = ""
    at_risk: tuple[AtRisk, ...] = ()
    quantity: int = 0
    """Base units that a hold of kind QUANTITY covers. On a hold of kind BATCH: so many were meant,
    but not so many could be set apart, so the whole batch is held.
    """

    @property
    def is_open(self) -> bool:
        return self.released_at is None


class TicketState(StrEnum):
    OPEN = "open"
    CONTAINED = "contained"
    DECIDED = "decided"
    CLOSED = "closed"


class UsageDecision(StrEnum):
    RELEASE = "release"
    RETURN = "return"
    SCRAP = "scrap"
    SORT = "sort"
    REWORK = "rework"


@dataclass(frozen=True, slots=True)
class TicketEvent:
    at: datetime
    by: str
    what: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A QC ticket. Evidence first: what was seen, by which device, under which model set (I4)."""

    ticket_id: str
    state: TicketState
    batch: BatchKey | None
    reason: Reason
    opened_at: datetime
    due_at: datetime
    owner: str = ""
    hold_ids: tuple[str, ...] = ()
    carton_id: str = ""
    device: str = ""
    station: str = ""
    score: float | None = None
    threshold: float | None = None
    model_sets: dict[str, str] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    decision: UsageDecision | None = None
    history: tuple[TicketEvent, ...] = ()
    regions: tuple[Region, ...] = ()
    """Where the defect was seen, in pixels of the evidence of kind `inspect`."""


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """One row of the batch list. `may_leave` is the one predicate (I1), with its reasons."""

    key: BatchKey
    description: str
    expiry: date | None
    on_hand: int
    unrestricted: int
    inspection: int
    blocked: int
    reserved: int
    may_leave: bool
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchEvent:
    """One entry on a batch's time line."""

    at: datetime
    what: str
    """announced, received, judged, held, moved, decided, shipped ..."""
    by: str
    text: Reason
    reference: str = ""


class TransportState(StrEnum):
    REQUESTED = "requested"
    SENT = "sent"
    ACCEPTED = "accepted"
    PICKED = "picked"
    DROPPED = "dropped"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TransportKind(StrEnum):
    """What a transport order is for."""

    PUT_AWAY = "put_away"
    """From where the goods were received to the slot where they are kept."""
    RECALL = "recall"
    """What may not leave, to quarantine; always allowed (I1)."""
    REPLENISHMENT = "replenishment"
    """From the place of the reserve to the place where orders are picked."""
    RETURN = "return"
    """Back to where the goods stood: a person called the order off while they were on board."""


@dataclass(frozen=True, slots=True)
class TransportOrder:
    """Bring one load from one place to another; places are location codes of the core."""

    order_id: str
    load_id: str
    """The carton's id (SSCC where it has one)."""
    source: str
    target: str
    batch: BatchKey | None = None
    kind: TransportKind = TransportKind.PUT_AWAY
    on_board: str = ""
    """The vehicle that carries the goods already: it alone may take the order, and only drops."""
    requested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TransportProgress:
    """What a vehicle really did. `DROPPED` books the move where it was seen (I1)."""

    order_id: str
    state: TransportState
    vehicle: str
    at: datetime
    action_id: str = ""
    load_id: str | None = None
    location: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OpenTransport:
    """An order that was sent to a vehicle and whose goods are not known to have arrived."""

    order: TransportOrder
    vehicle: str
    state: TransportState
    """SENT, ACCEPTED, PICKED, or FAILED until a person has settled it."""
    since: datetime
    """When it was sent."""
    stop: Reason | None = None
    """Why the vehicle must not go on with it: a hold came, or a person called it off. It is to be
    stopped; then CANCELLED says so, and the core asks for the goods anew where they may go.
    """

"""What the API takes in and gives out, where the contracts have no shape for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Header

from contracts.asn import AsnLine
from contracts.stock import BatchKey, HoldKind, StockStatus
from erp_link.domain.receiving import DeliveryReport, OffListCarton

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=120,
        description="Made by the client. A repetition with it gives the first outcome again",
    ),
]

READERS = ("viewer", "operator", "quality", "ops", "integrator")
WORKERS = ("operator", "quality", "ops", "integrator")


@dataclass(frozen=True, slots=True)
class AsnImported:
    number: str
    supplier: str
    lines: int


@dataclass(frozen=True, slots=True)
class SessionIn:
    asn: str
    dock: str


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One announced line against what came; `counted` includes the damaged cartons."""

    line: AsnLine
    announced: int
    counted: int
    over: int
    short: int
    damaged: int
    in_review: int


@dataclass(frozen=True, slots=True)
class SessionOut:
    session: str
    asn: str
    supplier: str
    dock: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    announced: int
    counted: int
    over: int
    short: int
    damaged: int
    in_review: int
    lines: tuple[SessionLine, ...]
    off_list: tuple[OffListCarton, ...]

    @classmethod
    def of(cls, report: DeliveryReport) -> SessionOut:
        return cls(
            session=report.session,
            asn=report.asn,
            supplier=report.supplier,
            dock=report.dock,
            opened_at=report.opened_at,
            opened_by=report.opened_by,
            closed_at=report.closed_at,
            announced=report.announced,
            counted=report.counted,
            over=report.over,
            short=report.short,
            damaged=report.damaged,
            in_review=report.in_review,
            lines=tuple(
                SessionLine(
                    line=x.line,
                    announced=x.announced,
                    counted=x.counted,
                    over=x.over,
                    short=x.short,
                    damaged=x.damaged,
                    in_review=x.in_review,
                )
                for x in report.lines
            ),
            off_list=report.off_list,
        )


@dataclass(frozen=True, slots=True)
class ReserveIn:
    order: str
    batch: BatchKey
    quantity: int


@dataclass(frozen=True, slots=True)
class MoveIn:
    batch: BatchKey
    quantity: int
    source: str
    target: str
    status: StockStatus = StockStatus.UNRESTRICTED


@dataclass(frozen=True, slots=True)
class ReceiveIn:
    batch: BatchKey
    quantity: int
    location: str
    expiry: date | None = None


@dataclass(frozen=True, slots=True)
class Received:
    status: StockStatus


@dataclass(frozen=True, slots=True)
class ReservationState:
    reservation_id: int
    state: str


@dataclass(frozen=True, slots=True)
class HoldIn:
    """`kind` says which of the others it needs: batch, cartons, location, supplier; or batch and
    quantity, with a location where it is known.
    """

    kind: HoldKind
    note: str
    batch: BatchKey | None = None
    cartons: tuple[str, ...] = ()
    location: str = ""
    supplier: str = ""
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class ExpiryIn:
    batch: BatchKey
    expiry: date
    reason: str


@dataclass(frozen=True, slots=True)
class OwnerIn:
    owner: str


@dataclass(frozen=True, slots=True)
class StateIn:
    state: Literal["contained", "closed"]
    note: str = ""

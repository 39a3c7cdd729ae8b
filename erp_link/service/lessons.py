"""What a station taught: kept for the quality lead, and what a confirmed defect means for a carton.

A lesson about a missed defect says that this carton is bad: it is held by name with a ticket, where
no finding holds it yet (I1). A lesson that goods are good lifts nothing: only a usage decision does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from contracts.events import (
    DEFECTS,
    MISS,
    DefectTaught,
    EventBody,
    JournalEntry,
    LessonUndone,
    ProfileActivated,
    ProfileEnrolled,
)
from contracts.reason import Reason
from erp_link.adapters import profile_tables as p
from erp_link.adapters import tables as t
from erp_link.domain.receiving import CartonState
from erp_link.domain.tickets import TicketKind
from erp_link.service import apart, holding
from erp_link.service.devices import moment_of
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work, hold_guards

_FOUND_BAD = (CartonState.DAMAGED, CartonState.REFUSED)


@dataclass(frozen=True, slots=True)
class ProfileEvent:
    """One entry about a product's profile. `body` is its JSON text as the device signed it."""

    device: str
    seq: int
    at: datetime
    station: str
    gtin: str
    kind: str
    body: str


def recorded(work: Work, entry: JournalEntry, body: EventBody) -> None:
    """Keep an entry about a profile; other kinds are none of this module's."""
    match body:
        case DefectTaught() | LessonUndone() | ProfileEnrolled() | ProfileActivated():
            work.connection.execute(
                insert(p.profile_event).values(
                    device=entry.device,
                    seq=entry.seq,
                    at=moment_of(entry),
                    station=body.station,
                    gtin=body.gtin,
                    kind=entry.kind,
                    body=entry.body,
                )
            )
            work.tell("lesson", body.gtin, Reason(f"story_{entry.kind}", {"gtin": body.gtin}))
        case _:
            return
    if isinstance(body, DefectTaught) and body.lesson == MISS:
        _confirmed(work, entry, body)


def events(connection: Connection) -> list[ProfileEvent]:
    """Every entry about profiles; each device's in the order of its journal, all by their time."""
    query = select(p.profile_event).order_by(
        p.profile_event.c.at, p.profile_event.c.device, p.profile_event.c.seq
    )
    return [
        ProfileEvent(row.device, row.seq, row.at, row.station, row.gtin, row.kind, row.body)
        for row in connection.execute(query)
    ]


def _confirmed(work: Work, entry: JournalEntry, body: DefectTaught) -> None:
    known = work.connection.execute(
        select(t.carton).where(t.carton.c.carton_id == body.carton_id)
    ).one_or_none()
    if known is not None and known.state in _FOUND_BAD:
        return
    batch_id = known.batch_id if known is not None else None
    hold_ids: tuple[str, ...] = ()
    if batch_id is not None:
        work.take((), hold_guards(work.batch(batch_id)))
        if body.carton_id in apart.holds_by_name(work.connection, batch_id):
            return
    if body.carton_id in _has_ticket(work.connection, body.carton_id):
        return
    what = body.defect if body.defect in DEFECTS else "defect"
    reason = Reason(f"confirmed_{what}", {"operator": body.operator})
    if batch_id is not None:
        hold_ids = (f"H-{entry.device}-{entry.seq}",)
        holding.hold_cartons(work, hold_ids[0], batch_id, (body.carton_id,), reason)
    ticket_id = f"QC-{entry.device}-{entry.seq}"
    open_ticket(
        work,
        ticket_id,
        reason,
        kind=TicketKind.HOLD if hold_ids else TicketKind.FINDING,
        batch_id=batch_id,
        hold_ids=hold_ids,
        carton_id=body.carton_id,
        device=entry.device,
    )
    shown = [asdict(each) for each in body.evidence if each.kind == "inspect"]
    work.connection.execute(
        update(t.ticket)
        .where(t.ticket.c.ticket_id == ticket_id)
        .values(station=body.station, evidence=shown)
    )


def _has_ticket(connection: Connection, carton_id: str) -> set[str]:
    """The carton itself where an open ticket speaks of it already."""
    query = select(t.ticket.c.carton_id).where(
        t.ticket.c.carton_id == carton_id, t.ticket.c.decision.is_(None)
    )
    return set(connection.execute(query).scalars())

"""Open tickets, write in them, read them back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from contracts.errors import ConflictError, NotFoundError
from contracts.events import CartonJudged, CartonRejudged
from contracts.geometry import Region
from contracts.reason import Reason
from contracts.stock import (
    BatchKey,
    Evidence,
    Ticket,
    TicketEvent,
    TicketState,
    UsageDecision,
)
from erp_link.adapters import tables as t
from erp_link.domain.tickets import DUE_AFTER, TicketKind, advance
from erp_link.service.work import Work, key_of


def open_ticket(
    work: Work,
    ticket_id: str,
    reason: Reason,
    *,
    kind: TicketKind,
    batch_id: int | None = None,
    hold_ids: Sequence[str] = (),
    carton_id: str = "",
    cartons: Sequence[str] = (),
    quantity: int = 0,
    device: str = "",
    judged: CartonJudged | CartonRejudged | None = None,
) -> None:
    """A new ticket with its evidence. `cartons` are further cartons that it is about, `quantity`
    the units beside them that have no carton in the books.
    """
    inspection = judged.inspection if judged else None
    work.connection.execute(
        insert(t.ticket).values(
            ticket_id=ticket_id,
            state=TicketState.OPEN.value,
            batch_id=batch_id,
            code=reason.code,
            params=reason.params,
            opened_at=work.now,
            due_at=work.now + DUE_AFTER,
            owner="",
            carton_id=carton_id,
            device=device,
            station=judged.station if judged else "",
            score=inspection.score if inspection else None,
            threshold=inspection.threshold if inspection else None,
            model_sets=dict(judged.model_sets) if judged else {},
            evidence=[asdict(e) for e in judged.evidence] if judged else [],
            kind=kind.value,
            cartons=sorted(cartons),
            quantity=quantity,
            regions=[asdict(r) for r in inspection.regions] if inspection else [],
        )
    )
    for hold_id in hold_ids:
        work.connection.execute(insert(t.ticket_hold).values(ticket_id=ticket_id, hold_id=hold_id))
    note(work, ticket_id, "opened", "")
    text = Reason("story_ticket", {"ticket": ticket_id})
    work.event("ticket", text, batch_id=batch_id, reference=ticket_id)
    work.tell("ticket", ticket_id, reason)


def note(work: Work, ticket_id: str, what: str, words: str) -> None:
    work.connection.execute(
        insert(t.ticket_event).values(
            ticket_id=ticket_id, at=work.now, by=work.by, what=what, note=words
        )
    )


def set_state(work: Work, ticket_id: str, to: TicketState, *, words: str = "") -> None:
    """Move a ticket on in its life. Raises NotFoundError, ConflictError."""
    state = work.connection.execute(
        select(t.ticket.c.state).where(t.ticket.c.ticket_id == ticket_id).with_for_update()
    ).scalar_one_or_none()
    if state is None:
        raise unknown_ticket(ticket_id)
    advance(ticket_id, TicketState(state), to)
    work.connection.execute(
        update(t.ticket).where(t.ticket.c.ticket_id == ticket_id).values(state=to.value)
    )
    note(work, ticket_id, to.value, words)


def contain_tickets_of(work: Work, carton_id: str) -> None:
    """A carton stands in quarantine: its open tickets are contained."""
    waiting = work.connection.execute(
        select(t.ticket.c.ticket_id).where(
            t.ticket.c.carton_id == carton_id, t.ticket.c.state == TicketState.OPEN.value
        )
    ).scalars()
    for ticket_id in list(waiting):
        set_state(work, ticket_id, TicketState.CONTAINED)


def find_ticket(connection: Connection, ticket_id: str) -> Row[Any]:
    """A ticket's row. Raises NotFoundError."""
    row = connection.execute(
        select(t.ticket).where(t.ticket.c.ticket_id == ticket_id)
    ).one_or_none()
    if row is None:
        raise unknown_ticket(ticket_id)
    return row


def set_due(work: Work, ticket_id: str, due_at: datetime) -> None:
    """Until when a ticket should be decided. Raises NotFoundError."""
    find_ticket(work.connection, ticket_id)
    work.connection.execute(
        update(t.ticket).where(t.ticket.c.ticket_id == ticket_id).values(due_at=due_at)
    )
    note(work, ticket_id, "due", due_at.isoformat(timespec="minutes"))


def add_evidence(work: Work, ticket_id: str, found: Evidence) -> None:
    """Another picture for a ticket that is not closed; the same one again changes nothing.

    Raises NotFoundError, ConflictError.
    """
    row = work.connection.execute(
        select(t.ticket).where(t.ticket.c.ticket_id == ticket_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise unknown_ticket(ticket_id)
    if row.state == TicketState.CLOSED.value:
        raise ConflictError(
            f"Ticket {ticket_id} is closed", mend="Its evidence stays as it was when it was closed"
        )
    if any(each["sha256"] == found.sha256 for each in row.evidence):
        return
    work.connection.execute(
        update(t.ticket)
        .where(t.ticket.c.ticket_id == ticket_id)
        .values(evidence=[*row.evidence, asdict(found)])
    )
    note(work, ticket_id, "evidence", found.sha256[:12])


def unknown_ticket(ticket_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no ticket {ticket_id}", mend="Look in the list of tickets", ticket_id=ticket_id
    )


def read_tickets(
    connection: Connection,
    *,
    only: Collection[str] | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int | None = None,
) -> list[Ticket]:
    """Every ticket, newest first; or those of these ids; or at most `limit` of those that were
    opened before `(when, id)`.
    """
    if only is None:
        older = [] if before is None else [older_than(t.ticket.c.opened_at, _ID, before)]
        return _read(connection, *older, limit=limit)
    found: list[Ticket] = []
    for part in chunks(sorted(only)):
        found += _read(connection, t.ticket.c.ticket_id.in_(part))
    return sorted(found, key=lambda ticket: (ticket.opened_at, ticket.ticket_id), reverse=True)


def older_than(
    at: ColumnElement[Any], name: ColumnElement[Any], before: tuple[datetime, str]
) -> ColumnElement[bool]:
    """The rows after `(when, id)` in a list with the newest first."""
    when, last = before
    return (at < when) | ((at == when) & (name < last))


_ID = t.ticket.c.ticket_id


def _read(
    connection: Connection, *which: ColumnElement[bool], limit: int | None = None
) -> list[Ticket]:
    rows = connection.execute(
        select(t.ticket, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == t.ticket.c.batch_id, isouter=True)
        .where(*which)
        .order_by(t.ticket.c.opened_at.desc(), t.ticket.c.ticket_id.desc())
        .limit(limit)
    ).all()
    ids = [row.ticket_id for row in rows]
    history: dict[str, list[TicketEvent]] = {}
    holds: dict[str, list[str]] = {}
    for part in chunks(ids):
        events = select(t.ticket_event).where(t.ticket_event.c.ticket_id.in_(part))
        for event in connection.execute(events.order_by(t.ticket_event.c.id)):
            history.setdefault(event.ticket_id, []).append(
                TicketEvent(event.at, event.by, event.what, event.note)
            )
        links = select(t.ticket_hold).where(t.ticket_hold.c.ticket_id.in_(part))
        for link in connection.execute(links.order_by(t.ticket_hold.c.hold_id)):
            holds.setdefault(link.ticket_id, []).append(link.hold_id)
    return [
        _ticket(row, tuple(holds.get(row.ticket_id, ())), tuple(history.get(row.ticket_id, ())))
        for row in rows
    ]


def _ticket(row: Row[Any], holds: tuple[str, ...], history: tuple[TicketEvent, ...]) -> Ticket:
    batch: BatchKey | None = key_of(row) if row.batch_id is not None else None
    return Ticket(
        ticket_id=row.ticket_id,
        state=TicketState(row.state),
        batch=batch,
        reason=Reason(row.code, row.params),
        opened_at=row.opened_at,
        due_at=row.due_at,
        owner=row.owner,
        hold_ids=holds,
        carton_id=row.carton_id,
        device=row.device,
        station=row.station,
        score=row.score,
        threshold=row.threshold,
        model_sets=row.model_sets,
        evidence=tuple(Evidence(**e) for e in row.evidence),
        decision=UsageDecision(row.decision) if row.decision else None,
        history=history,
        regions=tuple(Region(**r) for r in row.regions),
    )


def chunks(ids: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    """As many ids as one question takes."""
    return (ids[i : i + size] for i in range(0, len(ids), size))

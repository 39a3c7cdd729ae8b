"""Conflicts become tickets, and are withdrawn when another log settles them (I6)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, insert, select, update

from contracts.reason import Reason
from contracts.stock import TicketState
from erp_link.adapters import merge_tables as m
from erp_link.adapters import tables as t
from erp_link.domain.merge.conflicts import RECALLS, Conflict
from erp_link.domain.tickets import TicketKind
from erp_link.service.ticketing import open_ticket, set_state
from erp_link.service.work import Work, ensure_batch

_WAITING = (TicketState.OPEN.value, TicketState.CONTAINED.value)


def settle(work: Work, scope: str, wanted: Iterable[Conflict], *, words: str = "") -> None:
    """Bring the open conflicts of a scope in line with those that there are. The caller keeps
    others away from the scope.
    """
    desired = {conflict.conflict_id: conflict for conflict in wanted}
    rows = work.connection.execute(
        select(m.offline_conflict).where(m.offline_conflict.c.scope == scope)
    ).all()
    known = {row.conflict_id: row for row in rows}
    for name, row in sorted(known.items()):
        if name not in desired and row.withdrawn_at is None:
            _withdraw(work, name, row.ticket_id, words or "settled by what came in since")
    for name, conflict in sorted(desired.items()):
        if name not in known:
            _open(work, scope, conflict)
        elif known[name].withdrawn_at is not None:
            _open_again(work, conflict)


def _open(work: Work, scope: str, conflict: Conflict) -> None:
    batch_id = ensure_batch(work.connection, conflict.batch) if conflict.batch else None
    work.connection.execute(
        insert(m.offline_conflict).values(
            conflict_id=conflict.conflict_id,
            kind=conflict.kind.value,
            sides=list(conflict.sides),
            batch_id=batch_id,
            location=conflict.location,
            device=conflict.device,
            quantity=conflict.quantity,
            scope=scope,
            ticket_id=conflict.conflict_id,
            opened_at=work.now,
        )
    )
    _ticket(work, conflict.conflict_id, conflict, batch_id)


def _open_again(work: Work, conflict: Conflict) -> None:
    name = conflict.conflict_id
    before = work.connection.execute(
        select(func.count()).select_from(t.ticket).where(t.ticket.c.ticket_id.startswith(name))
    ).scalar_one()
    ticket_id = f"{name}-{before + 1}"
    work.connection.execute(
        update(m.offline_conflict)
        .where(m.offline_conflict.c.conflict_id == name)
        .values(withdrawn_at=None, ticket_id=ticket_id, quantity=conflict.quantity)
    )
    batch_id = ensure_batch(work.connection, conflict.batch) if conflict.batch else None
    _ticket(work, ticket_id, conflict, batch_id)


def _ticket(work: Work, ticket_id: str, conflict: Conflict, batch_id: int | None) -> None:
    reason = Reason(
        f"conflict_{conflict.kind.value}",
        {
            "location": conflict.location or "-",
            "device": conflict.device or "-",
            "quantity": conflict.quantity,
            "sides": len(conflict.sides),
        },
    )
    kind = TicketKind.RECALL if conflict.kind in RECALLS else TicketKind.CONFLICT
    open_ticket(
        work,
        ticket_id,
        reason,
        kind=kind,
        batch_id=batch_id,
        quantity=conflict.quantity,
        device=conflict.device,
    )


def _withdraw(work: Work, name: str, ticket_id: str, words: str) -> None:
    work.connection.execute(
        update(m.offline_conflict)
        .where(m.offline_conflict.c.conflict_id == name)
        .values(withdrawn_at=work.now)
    )
    state = work.connection.execute(
        select(t.ticket.c.state).where(t.ticket.c.ticket_id == ticket_id)
    ).scalar_one()
    if state in _WAITING:
        set_state(work, ticket_id, TicketState.DECIDED, words=words)
        set_state(work, ticket_id, TicketState.CLOSED, words=words)

"""What waits to be told whole: a delivery until its session is closed, an order until nothing of it
is left to pick or ship. An ERP books documents, not cartons.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from erp_link.adapters import erp_tables as e
from erp_link.adapters import tables as t
from erp_link.domain.erp.messages import MessageKind, Zone
from erp_link.domain.erp.zones import Flow
from erp_link.service.erp import outbox
from erp_link.service.erp.facts import Facts
from erp_link.service.work import Work

_OPEN = ("reserved", "picked")


def add(work: Work, kind: MessageKind, subject: str, flow: Flow, event_id: int) -> None:
    """So much more of a batch belongs to a delivery or an order."""
    blocked = flow.quantity if Zone.QUARANTINE in {flow.source, flow.target} else 0
    _change(work, kind, subject, flow.batch_id, flow.quantity - blocked, blocked, event_id)


def shift(work: Work, flow: Flow, event_id: int) -> int:
    """Goods of a delivery that the ERP does not know yet became blocked or free: they will be told
    so in the first place. How many units of the flow are left, which the ERP knows.
    """
    left = flow.quantity
    to_blocked = flow.target is Zone.QUARANTINE
    rows = work.connection.execute(
        select(e.erp_pending)
        .where(
            e.erp_pending.c.kind == MessageKind.RECEIPT.value,
            e.erp_pending.c.batch_id == flow.batch_id,
        )
        .order_by(e.erp_pending.c.subject)
    ).all()
    for row in rows:
        part = min(left, row.free if to_blocked else row.blocked)
        if part > 0:
            change = -part if to_blocked else part
            kind = MessageKind.RECEIPT
            _change(work, kind, row.subject, flow.batch_id, change, -change, event_id)
            left -= part
    return left


def flush(work: Work, facts: Facts) -> int:
    """Write the messages whose delivery or order is complete; how many. To be called when the feed
    is read to its end.
    """
    closed = [
        subject for subject in _subjects(work, MessageKind.RECEIPT) if _is_closed(work, subject)
    ]
    for subject in closed:
        outbox.put(work, facts.receipt(subject, _take(work, MessageKind.RECEIPT, subject)))
    coming = set(
        work.connection.execute(
            select(e.erp_pending.c.batch_id).where(
                e.erp_pending.c.kind == MessageKind.RECEIPT.value
            )
        ).scalars()
    )
    ended = [
        order
        for order in _subjects(work, MessageKind.ISSUE)
        if not _is_open(work.connection, order) and coming.isdisjoint(_batches(work, order))
    ]
    for order in ended:
        outbox.put(work, facts.issue(order, _take(work, MessageKind.ISSUE, order)))
    return len(closed) + len(ended)


def _change(
    work: Work,
    kind: MessageKind,
    subject: str,
    batch_id: int,
    free: int,
    blocked: int,
    event_id: int,
) -> None:
    row = (
        e.erp_pending.c.kind == kind.value,
        e.erp_pending.c.subject == subject,
        e.erp_pending.c.batch_id == batch_id,
    )
    changed = work.connection.execute(
        update(e.erp_pending)
        .where(*row)
        .values(
            free=e.erp_pending.c.free + free,
            blocked=e.erp_pending.c.blocked + blocked,
            last_event=event_id,
        )
    )
    if changed.rowcount == 0:
        work.connection.execute(
            insert(e.erp_pending).values(
                kind=kind.value,
                subject=subject,
                batch_id=batch_id,
                free=free,
                blocked=blocked,
                last_event=event_id,
            )
        )


def _subjects(work: Work, kind: MessageKind) -> list[str]:
    query = select(e.erp_pending.c.subject).where(e.erp_pending.c.kind == kind.value).distinct()
    return list(work.connection.execute(query.order_by(e.erp_pending.c.subject)).scalars())


def _batches(work: Work, order: str) -> set[int]:
    return set(
        work.connection.execute(
            select(e.erp_pending.c.batch_id).where(
                e.erp_pending.c.kind == MessageKind.ISSUE.value, e.erp_pending.c.subject == order
            )
        ).scalars()
    )


def _take(work: Work, kind: MessageKind, subject: str) -> list[Row[Any]]:
    row = (e.erp_pending.c.kind == kind.value, e.erp_pending.c.subject == subject)
    rows = work.connection.execute(
        select(e.erp_pending).where(*row).order_by(e.erp_pending.c.batch_id)
    ).all()
    work.connection.execute(delete(e.erp_pending).where(*row))
    return list(rows)


def _is_closed(work: Work, session: str) -> bool:
    closed_at = work.connection.execute(
        select(t.session.c.closed_at).where(t.session.c.id == int(session))
    ).scalar_one()
    return closed_at is not None


def _is_open(connection: Connection, order: str) -> bool:
    return (
        connection.execute(
            select(t.reservation.c.id)
            .where(t.reservation.c.order_ref == order, t.reservation.c.state.in_(_OPEN))
            .limit(1)
        ).first()
        is not None
    )

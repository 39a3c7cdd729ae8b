"""A reservation ends before its goods were picked: its order line is planned again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, update

from contracts.reason import Reason
from erp_link.adapters import ledger, order_tables
from erp_link.adapters import tables as t
from erp_link.service.work import Work

RELEASED = "released"


def release(work: Work, row: Row[Any]) -> None:
    """Reserved goods are free again, or whatever the caller makes of them."""
    work.connection.execute(
        update(t.reservation).where(t.reservation.c.id == row.id).values(state=RELEASED)
    )
    ledger.change_reserved(work.connection, row.batch_id, row.location, -row.quantity)
    text = Reason("story_reservation_released", {"order": row.order_ref, "quantity": row.quantity})
    work.event("reservation_released", text, batch_id=row.batch_id, reference=str(row.id))
    lost(work, row.order_ref, row.line_number, text)


def lost(work: Work, order: str, line: int | None, text: Reason) -> None:
    """A line lost goods that were set aside for it, or picked: it waits to be planned again."""
    if line is None:
        return
    lines = order_tables.order_line
    work.connection.execute(
        update(lines)
        .where(lines.c.order_ref == order, lines.c.number == line)
        .values(replan_since=work.now)
    )
    tell_order(work, order, "reservation_released", text)


def tell_order(work: Work, order: str, what: str, text: Reason) -> None:
    """Write in an order's own history."""
    work.connection.execute(
        insert(order_tables.order_event).values(
            order_ref=order,
            at=work.now,
            by=work.by,
            what=what,
            code=text.code,
            params=text.params,
        )
    )

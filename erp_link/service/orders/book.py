"""The order book: orders come in, are cancelled, and end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from contracts.errors import ConflictError, NotFoundError
from contracts.reason import Reason
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.domain.orders import NewOrder
from erp_link.service import commands
from erp_link.service.booking import PICKED, RESERVED
from erp_link.service.orders.goods import base_units
from erp_link.service.orders.release import release, tell_order
from erp_link.service.work import Work


def take_in(work: Work, order: NewOrder) -> bool:
    """Keep a checked order; False where it is known already, with the same lines.

    Raises ConflictError where the number is known with other lines, BadInputError for a unit that a
    product does not have.
    """
    lines = [
        {
            "order_ref": order.order,
            "number": number,
            "gtin": line.gtin,
            "quantity": base_units(work.connection, line.gtin, line.quantity, line.unit),
            "ordered": line.quantity,
            "unit": line.unit,
            "least_days": line.least_days,
        }
        for number, line in enumerate(order.lines, start=1)
    ]
    if _known(work.connection, order, lines):
        return False
    work.connection.execute(
        insert(o.customer_order).values(
            order_ref=order.order,
            customer=order.customer,
            due_on=order.due_on,
            placed_at=work.now,
            placed_by=work.by,
        )
    )
    work.connection.execute(insert(o.order_line), lines)
    text = Reason("order_placed", {"customer": order.customer or "-", "lines": len(lines)})
    tell(work, order.order, "order_placed", text)
    return True


def _known(connection: Connection, order: NewOrder, lines: list[dict[str, Any]]) -> bool:
    head = connection.execute(
        select(o.customer_order).where(o.customer_order.c.order_ref == order.order)
    ).one_or_none()
    if head is None:
        return False
    rows = connection.execute(
        select(o.order_line)
        .where(o.order_line.c.order_ref == order.order)
        .order_by(o.order_line.c.number)
    ).mappings()
    kept = [{name: row[name] for name in lines[0]} for row in rows]
    if kept != lines or (head.customer, head.due_on) != (order.customer, order.due_on):
        raise ConflictError(
            f"Order {order.order} is known with other lines",
            mend="Cancel it, and send the new one under a new number",
            order=order.order,
        )
    return True


def lock(work: Work, order: str) -> Row[Any]:
    """The order's row, so that two plans of one order follow each other.

    Raises NotFoundError, ConflictError where it was cancelled.
    """
    row = work.connection.execute(
        select(o.customer_order)
        .where(o.customer_order.c.order_ref == order)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise unknown(order)
    if row.cancelled_by:
        raise ConflictError(
            f"Order {order} was cancelled by {row.cancelled_by}",
            mend="Send a new order",
            order=order,
        )
    return row


def unknown(order: str) -> NotFoundError:
    return NotFoundError(
        f"There is no order {order}", mend="Look in the list of orders", order=order
    )


def gtins_of(connection: Connection, order: str) -> list[str]:
    """The products of an order. Raises NotFoundError."""
    found = connection.execute(
        select(o.order_line.c.gtin).where(o.order_line.c.order_ref == order).distinct()
    ).scalars()
    gtins = list(found)
    if not gtins:
        raise unknown(order)
    return gtins


def reservations_of(connection: Connection, order: str, *states: str) -> list[Row[Any]]:
    """An order's reservations in these states, in the order in which their stock rows are locked."""
    rows = connection.execute(
        select(t.reservation, o.packed.c.label)
        .join(o.packed, o.packed.c.reservation_id == t.reservation.c.id, isouter=True)
        .where(
            t.reservation.c.order_ref == order,
            t.reservation.c.line_number.is_not(None),
            t.reservation.c.state.in_(states),
        )
        .order_by(t.reservation.c.batch_id, t.reservation.c.location, t.reservation.c.id)
    )
    return list(rows)


def cancel(work: Work, order: str, chosen: list[int], *, reason: str) -> None:
    """What is reserved is free again, what is picked goes to quarantine: it has been in hands."""
    lock(work, order)
    for row in reservations_of(work.connection, order, RESERVED, PICKED):
        if row.id not in chosen:
            raise ConflictError(
                f"Goods for order {order} were set aside in this moment", mend="Cancel it again"
            )
        if row.state == PICKED:
            commands.return_picked(work, row.id)
        else:
            release(work, row)
    work.connection.execute(
        update(o.customer_order)
        .where(o.customer_order.c.order_ref == order)
        .values(closed_at=work.now, cancelled_by=work.by, cancel_reason=reason)
    )
    work.connection.execute(
        update(o.order_line).where(o.order_line.c.order_ref == order).values(replan_since=None)
    )
    tell(work, order, "order_cancelled", Reason("order_cancelled", {"why": reason}))


def tell(work: Work, order: str, what: str, text: Reason) -> None:
    """In the order's own history, and in the house's (the audit trail of every write)."""
    tell_order(work, order, what, text)
    work.event(what, text, reference=order)

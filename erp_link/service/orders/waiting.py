"""Which orders wait to be planned: those that lost goods, and those that something free may serve."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, func, select

from contracts.stock import StockStatus
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.domain.places import QUARANTINE
from erp_link.service.booking import RESERVED
from erp_link.service.orders.planning import SET_ASIDE


def to_plan_again(connection: Connection, today: date) -> list[str]:
    """The orders that lost goods, or whose reserved goods are past their date, oldest loss first."""
    lost = connection.execute(
        select(o.order_line.c.order_ref)
        .where(o.order_line.c.replan_since.is_not(None))
        .order_by(o.order_line.c.replan_since, o.order_line.c.order_ref)
    ).scalars()
    dated = connection.execute(
        select(t.reservation.c.order_ref)
        .join(t.batch, t.batch.c.id == t.reservation.c.batch_id)
        .where(
            t.reservation.c.state == RESERVED,
            t.reservation.c.line_number.is_not(None),
            t.batch.c.expiry < today,
        )
        .order_by(t.reservation.c.id)
    ).scalars()
    return list(dict.fromkeys([*lost, *dated]))


def may_be_served(connection: Connection) -> list[str]:
    """Open orders that miss goods of a product of which something is free, oldest first."""
    lines, reserved = o.order_line.c, t.reservation.c
    served = (
        select(func.coalesce(func.sum(reserved.quantity), 0))
        .where(
            reserved.order_ref == lines.order_ref,
            reserved.line_number == lines.number,
            reserved.state.in_(SET_ASIDE),
        )
        .scalar_subquery()
    )
    free = (
        select(t.stock.c.batch_id)
        .join(t.batch, t.batch.c.id == t.stock.c.batch_id)
        .where(
            t.batch.c.gtin == lines.gtin,
            t.stock.c.status == StockStatus.UNRESTRICTED.value,
            t.stock.c.quantity > t.stock.c.reserved,
            t.stock.c.location != QUARANTINE,
        )
        .exists()
    )
    found = connection.execute(
        select(o.customer_order.c.order_ref)
        .join(o.order_line, lines.order_ref == o.customer_order.c.order_ref)
        .where(o.customer_order.c.closed_at.is_(None), lines.quantity > served, free)
        .order_by(o.customer_order.c.id)
    ).scalars()
    return list(dict.fromkeys(found))

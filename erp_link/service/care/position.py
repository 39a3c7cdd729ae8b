"""What is here and what is coming, of every product, as the books stand now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from contracts.stock import StockStatus
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.domain.places import QUARANTINE, is_account
from erp_link.domain.reorder.suggest import Lot, Position
from erp_link.service.orders.planning import SET_ASIDE


@dataclass(slots=True)
class _Counted:
    free: int = 0
    inspection: int = 0
    blocked: int = 0
    lots: dict[int, Lot] = field(default_factory=dict)


def positions(connection: Connection) -> dict[str, Position]:
    """Of every product that stands here, is announced or is ordered."""
    here = _here(connection)
    coming = _coming(connection)
    owed = _owed(connection)
    return {
        gtin: Position(
            free=here[gtin].free,
            inspection=here[gtin].inspection,
            blocked=here[gtin].blocked,
            on_order=coming.get(gtin, 0),
            owed=owed.get(gtin, 0),
            lots=tuple(here[gtin].lots.values()),
        )
        for gtin in {*here, *coming, *owed}
    }


def _here(connection: Connection) -> defaultdict[str, _Counted]:
    found: defaultdict[str, _Counted] = defaultdict(_Counted)
    rows = connection.execute(
        select(
            t.batch.c.gtin,
            t.batch.c.expiry,
            t.stock.c.batch_id,
            t.stock.c.location,
            t.stock.c.status,
            t.stock.c.quantity,
            t.stock.c.reserved,
        )
        .join(t.batch, t.batch.c.id == t.stock.c.batch_id)
        .where(t.stock.c.quantity > 0)
    )
    for gtin, expiry, batch_id, location, status, quantity, reserved in rows:
        if is_account(location):
            continue
        one = found[gtin]
        if status == StockStatus.UNRESTRICTED and location != QUARANTINE:
            free = quantity - reserved
            one.free += free
            before = one.lots[batch_id].quantity if batch_id in one.lots else 0
            one.lots[batch_id] = Lot(before + free, expiry)
        elif status == StockStatus.INSPECTION:
            one.inspection += quantity
        elif status != StockStatus.IN_TRANSIT:
            one.blocked += quantity
    return found


def _coming(connection: Connection) -> dict[str, int]:
    """Announced and not yet counted, while nobody has closed the delivery."""
    counted = func.coalesce(t.session_line.c.counted, 0)
    rows = connection.execute(
        select(t.batch.c.gtin, t.asn_line.c.quantity, counted)
        .select_from(
            t.asn_line.join(t.batch, t.batch.c.id == t.asn_line.c.batch_id)
            .outerjoin(t.session, t.session.c.asn == t.asn_line.c.asn)
            .outerjoin(
                t.session_line,
                (t.session_line.c.session_id == t.session.c.id)
                & (t.session_line.c.number == t.asn_line.c.number),
            )
        )
        .where(t.session.c.closed_at.is_(None))
    )
    found: dict[str, int] = {}
    for gtin, quantity, seen in rows:
        found[gtin] = found.get(gtin, 0) + max(0, quantity - seen)
    return found


def _owed(connection: Connection) -> dict[str, int]:
    """Ordered by customers, with nothing set aside for it yet."""
    wanted: dict[tuple[str, str], int] = {}
    lines = connection.execute(
        select(o.order_line.c.order_ref, o.order_line.c.gtin, func.sum(o.order_line.c.quantity))
        .join(o.customer_order, o.customer_order.c.order_ref == o.order_line.c.order_ref)
        .where(o.customer_order.c.closed_at.is_(None))
        .group_by(o.order_line.c.order_ref, o.order_line.c.gtin)
    )
    for order, gtin, quantity in lines:
        wanted[order, gtin] = int(quantity)
    if not wanted:
        return {}
    aside = connection.execute(
        select(t.reservation.c.order_ref, t.batch.c.gtin, func.sum(t.reservation.c.quantity))
        .join(t.batch, t.batch.c.id == t.reservation.c.batch_id)
        .join(o.customer_order, o.customer_order.c.order_ref == t.reservation.c.order_ref)
        .where(
            o.customer_order.c.closed_at.is_(None),
            t.reservation.c.state.in_(SET_ASIDE),
        )
        .group_by(t.reservation.c.order_ref, t.batch.c.gtin)
    )
    for order, gtin, quantity in aside:
        if (order, gtin) in wanted:
            wanted[order, gtin] -= int(quantity)
    found: dict[str, int] = {}
    for (_, gtin), left in wanted.items():
        if left > 0:
            found[gtin] = found.get(gtin, 0) + left
    return found

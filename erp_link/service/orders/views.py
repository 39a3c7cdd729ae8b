"""Orders as people see them: their state worked out, every line's goods explained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, Row, func, select

from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus, TicketState
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.domain.allocation import Allocation, Choice, Rotation
from erp_link.domain.expiry import is_expired
from erp_link.domain.leaving import LeaveFacts, may_this_leave
from erp_link.domain.orders import LineCount, state_of
from erp_link.domain.places import STAGING
from erp_link.service.booking import PICKED, RESERVED, SHIPPED
from erp_link.service.goods.product_rows import read_products
from erp_link.service.holding import open_holds_on
from erp_link.service.orders.book import unknown
from erp_link.service.orders.shapes import (
    OrderGoods,
    OrderLine,
    OrderNote,
    OrderRecall,
    OrderSummary,
    OrderView,
    Plan,
)
from erp_link.service.work import key_of

_MOST_OFFERED = 500
_WAITING = (TicketState.OPEN.value, TicketState.CONTAINED.value)


def read_orders(
    connection: Connection, *, open_only: bool, after: int | None, limit: int
) -> list[OrderSummary]:
    """Orders, newest first; `after` is the `cursor` of the last one seen."""
    query = select(o.customer_order).order_by(o.customer_order.c.id.desc()).limit(limit)
    if open_only:
        query = query.where(o.customer_order.c.closed_at.is_(None))
    if after is not None:
        query = query.where(o.customer_order.c.id < after)
    heads = connection.execute(query).all()
    names = [head.order_ref for head in heads]
    counts, recalls = _counts(connection, names), _recalls_waiting(connection, names)
    return [
        _summary(head, counts.get(head.order_ref, {}), recalls.get(head.order_ref, 0))
        for head in heads
    ]


def read_order(connection: Connection, order: str, *, now: datetime, zone: tzinfo) -> OrderView:
    """Raises NotFoundError."""
    head = connection.execute(
        select(o.customer_order).where(o.customer_order.c.order_ref == order)
    ).one_or_none()
    if head is None:
        raise unknown(order)
    counts = _counts(connection, [order]).get(order, {})
    recalls = _recalls(connection, order)
    waiting = sum(recall.state.value in _WAITING for recall in recalls)
    return OrderView(
        summary=_summary(head, counts, waiting),
        lines=_lines(connection, order, counts),
        goods=_goods(connection, order, now=now, zone=zone),
        history=_history(connection, order),
        recalls=recalls,
        cancel_reason=head.cancel_reason,
    )


def _summary(head: Row[Any], counts: dict[int, LineCount], recalls: int) -> OrderSummary:
    lines = list(counts.values())
    return OrderSummary(
        order=head.order_ref,
        customer=head.customer,
        due_on=head.due_on,
        placed_at=head.placed_at,
        placed_by=head.placed_by,
        state=state_of(lines, cancelled=bool(head.cancelled_by)),
        lines=len(lines),
        ordered=sum(line.ordered for line in lines),
        reserved=sum(line.reserved for line in lines),
        picked=sum(line.picked for line in lines),
        packed=sum(line.packed for line in lines),
        shipped=sum(line.shipped for line in lines),
        short=0 if head.cancelled_by else sum(line.short for line in lines),
        recalls=recalls,
        cursor=head.id,
    )


def _counts(connection: Connection, orders: Sequence[str]) -> dict[str, dict[int, LineCount]]:
    sums: dict[tuple[str, int], dict[str, int]] = {}
    rows = connection.execute(
        select(
            t.reservation.c.order_ref,
            t.reservation.c.line_number,
            t.reservation.c.state,
            func.sum(t.reservation.c.quantity).label("units"),
            func.sum(t.reservation.c.quantity)
            .filter(o.packed.c.label.is_not(None))
            .label("in_parcels"),
        )
        .join(o.packed, o.packed.c.reservation_id == t.reservation.c.id, isouter=True)
        .where(t.reservation.c.order_ref.in_(orders), t.reservation.c.line_number.is_not(None))
        .group_by(t.reservation.c.order_ref, t.reservation.c.line_number, t.reservation.c.state)
    )
    for row in rows:
        of_line = sums.setdefault((row.order_ref, row.line_number), {})
        of_line[row.state] = int(row.units)
        if row.state == PICKED:
            of_line["packed"] = int(row.in_parcels or 0)
    found: dict[str, dict[int, LineCount]] = {}
    lines = select(o.order_line).where(o.order_line.c.order_ref.in_(orders))
    for line in connection.execute(lines.order_by(o.order_line.c.order_ref, o.order_line.c.number)):
        units = sums.get((line.order_ref, line.number), {})
        found.setdefault(line.order_ref, {})[line.number] = LineCount(
            ordered=line.quantity,
            reserved=units.get(RESERVED, 0),
            picked=units.get(PICKED, 0),
            packed=units.get("packed", 0),
            shipped=units.get(SHIPPED, 0),
        )
    return found


def _recalls_waiting(connection: Connection, orders: Sequence[str]) -> dict[str, int]:
    rows = connection.execute(
        select(o.recall.c.reference, func.count().label("waiting"))
        .join(t.ticket, t.ticket.c.ticket_id == o.recall.c.ticket_id)
        .where(
            o.recall.c.what == "picked",
            o.recall.c.reference.in_(orders),
            t.ticket.c.state.in_(_WAITING),
        )
        .group_by(o.recall.c.reference)
    )
    return {row.reference: int(row.waiting) for row in rows}


def _recalls(connection: Connection, order: str) -> tuple[OrderRecall, ...]:
    rows = connection.execute(
        select(o.recall, t.ticket.c.state)
        .join(t.ticket, t.ticket.c.ticket_id == o.recall.c.ticket_id)
        .where(o.recall.c.what == "picked", o.recall.c.reference == order)
        .order_by(t.ticket.c.opened_at.desc(), o.recall.c.ticket_id)
    )
    return tuple(
        OrderRecall(row.ticket_id, row.hold_id, row.quantity, TicketState(row.state))
        for row in rows
    )


def _lines(
    connection: Connection, order: str, counts: dict[int, LineCount]
) -> tuple[OrderLine, ...]:
    rows = connection.execute(
        select(o.order_line)
        .where(o.order_line.c.order_ref == order)
        .order_by(o.order_line.c.number)
    ).all()
    gtins = {row.gtin for row in rows}
    words, products = _descriptions(connection, gtins), read_products(connection, gtins)
    plans: dict[int, list[Plan]] = {}
    rounds = select(o.allocation).where(o.allocation.c.order_ref == order)
    for row in connection.execute(rounds.order_by(o.allocation.c.id)):
        plans.setdefault(row.line_number, []).append(_plan(row))
    return tuple(
        OrderLine(
            number=row.number,
            gtin=row.gtin,
            description=products[row.gtin].name or words.get(row.gtin, ""),
            ordered=row.ordered,
            unit=row.unit,
            base_unit=products[row.gtin].base_unit,
            least_days=row.least_days,
            count=counts[row.number],
            plans=tuple(plans.get(row.number, ())),
        )
        for row in rows
    )


def _descriptions(connection: Connection, gtins: set[str]) -> dict[str, str]:
    """What suppliers call products that nobody here described."""
    rows = connection.execute(
        select(t.batch.c.gtin, func.max(t.batch.c.description).label("words"))
        .where(t.batch.c.gtin.in_(sorted(gtins)))
        .group_by(t.batch.c.gtin)
    )
    return {row.gtin: row.words for row in rows}


def _plan(row: Row[Any]) -> Plan:
    choices = tuple(
        Choice(
            batch_id=kept["batch_id"],
            batch=BatchKey(**kept["batch"]),
            location=kept["location"],
            on_hand=kept["on_hand"],
            free=kept["free"],
            taken=kept["taken"],
            expiry=date.fromisoformat(kept["expiry"]) if kept["expiry"] else None,
            reasons=tuple(Reason(**reason) for reason in kept["reasons"]),
        )
        for kept in row.choices
    )
    return Plan(row.at, row.by, Allocation(row.asked, Rotation(row.rotation), choices))


def offered(connection: Connection) -> dict[str, str]:
    """The GTINs of goods in the house, each with its product's name or what a list called it."""
    rows = connection.execute(
        select(t.batch.c.gtin, func.max(t.batch.c.description).label("words"))
        .join(t.stock, t.stock.c.batch_id == t.batch.c.id)
        .where(t.stock.c.quantity > 0)
        .group_by(t.batch.c.gtin)
        .order_by(t.batch.c.gtin)
        .limit(_MOST_OFFERED)
    ).all()
    products = read_products(connection, [row.gtin for row in rows])
    return {row.gtin: products[row.gtin].name or row.words or "" for row in rows}


def _goods(
    connection: Connection, order: str, *, now: datetime, zone: tzinfo
) -> tuple[OrderGoods, ...]:
    rows = connection.execute(
        select(
            t.batch,
            t.reservation.c.id.label("reservation_id"),
            t.reservation.c.line_number,
            t.reservation.c.location,
            t.reservation.c.quantity,
            t.reservation.c.state,
            o.packed.c.label,
        )
        .join(t.batch, t.batch.c.id == t.reservation.c.batch_id)
        .join(o.packed, o.packed.c.reservation_id == t.reservation.c.id, isouter=True)
        .where(t.reservation.c.order_ref == order, t.reservation.c.line_number.is_not(None))
        .order_by(t.reservation.c.line_number, t.reservation.c.id)
    ).all()
    return tuple(
        OrderGoods(
            reservation_id=row.reservation_id,
            line=row.line_number,
            batch=key_of(row),
            expiry=row.expiry,
            location=row.location,
            quantity=row.quantity,
            state="packed" if row.label and row.state == PICKED else row.state,
            label=row.label or "",
            stopped=_stopped(connection, row, now=now, zone=zone),
        )
        for row in rows
    )


def _stopped(
    connection: Connection, row: Row[Any], *, now: datetime, zone: tzinfo
) -> tuple[Reason, ...]:
    if row.state not in (RESERVED, PICKED):
        return ()
    staged = row.state == PICKED
    places = (row.location, STAGING) if staged else (row.location,)
    return may_this_leave(
        LeaveFacts(
            status=StockStatus.IN_TRANSIT if staged else StockStatus.UNRESTRICTED,
            holds=tuple(open_holds_on(connection, row, *places)),
            expired_on=row.expiry if is_expired(row.expiry, now=now, zone=zone) else None,
        )
    )


def _history(connection: Connection, order: str) -> tuple[OrderNote, ...]:
    rows = connection.execute(
        select(o.order_event).where(o.order_event.c.order_ref == order).order_by(o.order_event.c.id)
    )
    return tuple(OrderNote(row.at, row.by, row.what, Reason(row.code, row.params)) for row in rows)

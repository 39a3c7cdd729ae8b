"""Goods for order lines: what stands where, asked under the guards, and set aside (I1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from contracts.reason import Reason
from contracts.stock import StockStatus
from erp_link.adapters import guards, ledger
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard
from erp_link.domain.allocation import Allocation, Choice, Standing, allocate
from erp_link.domain.leaving import LeaveFacts
from erp_link.domain.places import QUARANTINE
from erp_link.service.booking import PICKED, RESERVED, SHIPPED
from erp_link.service.goods.product_rows import read_products
from erp_link.service.holding import open_holds_on
from erp_link.service.orders.goods import least_days
from erp_link.service.orders.release import release, tell_order
from erp_link.service.work import Work, batch_guards, key_of, location_guard

SET_ASIDE = (RESERVED, PICKED, SHIPPED)
"""The states of a reservation that still serves its line."""

_RECEIVED = (
    select(t.event.c.at)
    .where(t.event.c.batch_id == t.batch.c.id, t.event.c.what == "received")
    .order_by(t.event.c.id)
    .limit(1)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class Planned:
    """What one round of planning set aside for an order, and what is missing, in base units."""

    order: str
    taken: int
    short: int


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line, and how much of it no goods are set aside for."""

    number: int
    gtin: str
    least_days: int
    missing: int


def guards_for(connection: Connection, gtins: Iterable[str]) -> set[Guard]:
    """The guards of everything free of these products, and of where it stands."""
    rows = connection.execute(
        select(t.batch, t.stock.c.location.label("stands_in"))
        .join(t.stock, t.stock.c.batch_id == t.batch.c.id)
        .where(
            t.batch.c.gtin.in_(sorted(set(gtins))),
            t.stock.c.status == StockStatus.UNRESTRICTED.value,
            t.stock.c.quantity > 0,
        )
    ).all()
    wanted = {location_guard(row.stands_in) for row in rows}
    for row in {row.id: row for row in rows}.values():
        wanted |= batch_guards(connection, row)
    return wanted


def open_lines(connection: Connection, order: str) -> list[OpenLine]:
    """The lines of an order with what is missing, by number."""
    served = func.coalesce(func.sum(t.reservation.c.quantity), 0)
    rows = connection.execute(
        select(o.order_line, served.label("served"))
        .join(
            t.reservation,
            (t.reservation.c.order_ref == o.order_line.c.order_ref)
            & (t.reservation.c.line_number == o.order_line.c.number)
            & t.reservation.c.state.in_(SET_ASIDE),
            isouter=True,
        )
        .where(o.order_line.c.order_ref == order)
        .group_by(*o.order_line.c)
        .order_by(o.order_line.c.number)
    )
    return [
        OpenLine(row.number, row.gtin, row.least_days, max(0, row.quantity - int(row.served)))
        for row in rows
    ]


def plan(work: Work, order: str, *, only_gains: bool = False) -> Planned:
    """Set goods aside for whatever the order's lines miss. The guards of its products are taken.

    What is set aside already and may not leave any more (its date came) is given back first. With
    `only_gains` a round that finds nothing leaves no trace: it is asked again and again.
    """
    _give_back_expired(work, order)
    lines = open_lines(work.connection, order)
    rows = _standing(work, {line.gtin for line in lines if line.missing})
    products = read_products(work.connection, {line.gtin for line in lines})
    customer = _customer(work.connection, order)
    reserved: dict[tuple[int, str], int] = {}
    taken = short = 0
    for line in lines:
        if line.missing:
            product = products[line.gtin]
            days = least_days(work.connection, product, customer, line.least_days)
            places = [
                _place(work, row, days, reserved.get((row.id, row.stands_in), 0))
                for row in rows
                if row.gtin == line.gtin
            ]
            result = allocate(line.missing, places, product.rotation)
            for choice in result.choices:
                if choice.taken:
                    at = (choice.batch_id, choice.location)
                    reserved[at] = reserved.get(at, 0) + choice.taken
                    _reserve(work, order, line.number, choice)
            if result.taken or not only_gains:
                _explain(work, order, line.number, result)
            taken, short = taken + result.taken, short + result.short
    work.connection.execute(
        update(o.order_line)
        .where(o.order_line.c.order_ref == order, o.order_line.c.replan_since.is_not(None))
        .values(replan_since=None)
    )
    return Planned(order, taken, short)


def _customer(connection: Connection, order: str) -> str:
    query = select(o.customer_order.c.customer).where(o.customer_order.c.order_ref == order)
    return str(connection.execute(query).scalar_one())


def _give_back_expired(work: Work, order: str) -> None:
    rows = work.connection.execute(
        select(t.reservation)
        .where(t.reservation.c.order_ref == order, t.reservation.c.state == RESERVED)
        .order_by(t.reservation.c.id)
        .with_for_update()
    ).all()
    for row in rows:
        if work.guards_place(row.location) and work.expired(work.batch(row.batch_id)):
            release(work, row)


def _standing(work: Work, gtins: set[str]) -> Sequence[Row[Any]]:
    """Every place with goods of these products, its stock row locked, in one order."""
    if not gtins:
        return []
    return work.connection.execute(
        select(
            t.batch,
            t.stock.c.location.label("stands_in"),
            t.stock.c.status,
            t.stock.c.quantity,
            t.stock.c.reserved,
            _RECEIVED.label("received_at"),
        )
        .join(t.stock, t.stock.c.batch_id == t.batch.c.id)
        .where(t.batch.c.gtin.in_(sorted(gtins)), t.stock.c.quantity > 0)
        .order_by(t.batch.c.id, t.stock.c.location, t.stock.c.status)
        .with_for_update(of=t.stock)
    ).all()


def _place(work: Work, row: Row[Any], days: int, more: int) -> Standing:
    through = None
    if days:
        through = work.at_least().astimezone(work.zone).date() + timedelta(days=days)
    facts = LeaveFacts(
        status=StockStatus(row.status),
        holds=_holds(work, row),
        expired_on=row.expiry if work.expired(row) else None,
        in_quarantine=row.stands_in == QUARANTINE,
        expiry=row.expiry,
        usable_through=through,
    )
    guarded = location_guard(row.stands_in) in work.taken and Guard("batch", str(row.id)) in (
        work.taken
    )
    free = facts.status is StockStatus.UNRESTRICTED
    return Standing(
        batch_id=row.id,
        batch=key_of(row),
        location=row.stands_in,
        quantity=row.quantity,
        reserved=row.reserved + (more if free else 0),
        facts=facts,
        received_at=row.received_at,
        moved=not guarded,
    )


def _holds(work: Work, row: Row[Any]) -> tuple[str, ...]:
    """The holds on goods; where the guards were taken they say so, elsewhere it is only told."""
    wanted = {*batch_guards(work.connection, row), location_guard(row.stands_in)}
    others = wanted.difference(work.taken)
    held = work.held and work.is_held(*wanted.difference(others))
    if not held and not guards.held(work.connection, others):
        return ()
    return tuple(open_holds_on(work.connection, row, row.stands_in)) or ("-",)


def _reserve(work: Work, order: str, line: int, choice: Choice) -> None:
    if not ledger.change_reserved(work.connection, choice.batch_id, choice.location, choice.taken):
        raise AssertionError(f"{choice} is not free, though its row is locked")
    work.connection.execute(
        insert(t.reservation).values(
            order_ref=order,
            batch_id=choice.batch_id,
            location=choice.location,
            quantity=choice.taken,
            state=RESERVED,
            made_by=work.by,
            made_at=work.now,
            line_number=line,
        )
    )
    text = Reason("story_reserved", {"order": order, "quantity": choice.taken})
    work.event("reserved", text, batch_id=choice.batch_id, reference=order)


def _explain(work: Work, order: str, line: int, result: Allocation) -> None:
    work.connection.execute(
        insert(o.allocation).values(
            order_ref=order,
            line_number=line,
            at=work.now,
            by=work.by,
            rotation=result.rotation.value,
            asked=result.asked,
            taken=result.taken,
            choices=[_kept(choice) for choice in result.choices],
        )
    )
    text = Reason(
        "order_planned" if not result.short else "order_planned_short",
        {"line": line, "quantity": result.taken, "asked": result.asked, "short": result.short},
    )
    tell_order(work, order, "order_planned", text)
    work.event("order_planned", text, reference=order)


def _kept(choice: Choice) -> dict[str, object]:
    key = choice.batch
    return {
        "batch_id": choice.batch_id,
        "batch": {"supplier": key.supplier, "gtin": key.gtin, "lot": key.lot},
        "location": choice.location,
        "on_hand": choice.on_hand,
        "free": choice.free,
        "taken": choice.taken,
        "expiry": choice.expiry.isoformat() if choice.expiry else None,
        "reasons": [{"code": reason.code, "params": reason.params} for reason in choice.reasons],
    }

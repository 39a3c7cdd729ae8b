"""Room in slots, counted in cartons: claimed when a carton is sent there, free when it is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, update

from erp_link.adapters import tables as t
from erp_link.adapters.guards import insert_missing
from erp_link.domain.places import PlaceKind
from erp_link.domain.products import Product, Temperature
from erp_link.domain.slots import SlotState, Slotting, allocate
from erp_link.service.goods.product_rows import product_of
from erp_link.service.work import Work


def claim(work: Work, batch_id: int) -> Slotting:
    """Claim room in a slot; the claim is checked in the update, so two never get the last room."""
    product = product_of(work, batch_id)
    free = or_(t.location.c.used == 0, t.location.c.batch_id == batch_id)
    while True:
        chosen = suggest(work.connection, product, batch_id, free)
        if chosen.code is None:
            return chosen
        claimed = work.connection.execute(
            update(t.location)
            .where(
                t.location.c.code == chosen.code, t.location.c.used < t.location.c.capacity, free
            )
            .values(used=t.location.c.used + 1, batch_id=batch_id)
        )
        if claimed.rowcount == 1:
            return chosen


def suggest(
    connection: Connection, product: Product, batch_id: int, free: ColumnElement[bool] | None = None
) -> Slotting:
    """Where one more carton would go now, and why; nothing is claimed."""
    if free is None:
        free = or_(t.location.c.used == 0, t.location.c.batch_id == batch_id)
    rows = connection.execute(
        select(t.location)
        .where(
            t.location.c.kind == PlaceKind.SLOT.value,
            t.location.c.temperature == product.temperature.value,
            t.location.c.used < t.location.c.capacity,
            free,
            ~_held(),
        )
        .order_by(t.location.c.position, t.location.c.code)
    ).all()
    kept = [slot_of(row) for row in rows]
    found = allocate(kept, batch_id, temperature=product.temperature, mover=product.mover)
    if found.code is None and not kept and _has_class(connection, product.temperature):
        # There are slots of this class: they are full, or held.
        return replace(found, reason=replace(found.reason, code="slot_none_free"))
    return found


def slot_of(row: Row[Any]) -> SlotState:
    """A row of `location` as a slot."""
    batch = row.batch_id if row.used else None
    return SlotState(row.code, row.capacity, row.used, batch, Temperature(row.temperature))


def occupy(work: Work, location: str, quantity: int = 1, *, batch_id: int | None = None) -> None:
    """Goods came to a slot without having claimed room there: so many cartons, or with `batch_id`
    so many base units of it.
    """
    cartons = _cartons(work, quantity, batch_id)
    work.connection.execute(
        update(t.location)
        .where(t.location.c.code == location, t.location.c.kind == PlaceKind.SLOT.value)
        .values(used=t.location.c.used + cartons)
    )


def vacate(work: Work, location: str, quantity: int, *, batch_id: int | None = None) -> None:
    """Goods left a slot: there is room again, and a carton that waited for one may come. As
    `occupy`.
    """
    cartons = _cartons(work, quantity, batch_id)
    work.connection.execute(
        update(t.location)
        .where(t.location.c.code == location, t.location.c.kind == PlaceKind.SLOT.value)
        .values(
            # A slot never holds less than nothing, whatever was seen to leave it.
            used=func.coalesce(
                select(t.location.c.used - cartons)
                .where(t.location.c.code == location, t.location.c.used >= cartons)
                .scalar_subquery(),
                0,
            )
        )
    )


def ensure_place(work: Work, code: str) -> None:
    """A place that nobody planned is still a place where goods were seen."""
    work.connection.execute(
        insert_missing(work.connection, t.location).values(
            code=code, kind=PlaceKind.DOCK.value, capacity=0, used=0, position=0,
            temperature=Temperature.AMBIENT.value,
        )
    )  # fmt: skip


def _cartons(work: Work, quantity: int, batch_id: int | None) -> int:
    if batch_id is None:
        return quantity
    per_carton = product_of(work, batch_id).per_carton
    return -(-quantity // per_carton)


def _held() -> ColumnElement[bool]:
    return (
        select(t.guard.c.ref)
        .where(
            t.guard.c.kind == "location",
            t.guard.c.ref == t.location.c.code,
            t.guard.c.open_holds > 0,
        )
        .exists()
    )


def _has_class(connection: Connection, temperature: Temperature) -> bool:
    ask = select(t.location.c.code).where(
        t.location.c.kind == PlaceKind.SLOT.value, t.location.c.temperature == temperature.value
    )
    return connection.execute(ask.limit(1)).first() is not None

"""Room in slots: claimed when a carton is sent there, free again when it is gone."""

from __future__ import annotations

from sqlalchemy import func, or_, select, update

from erp_link.adapters import tables as t
from erp_link.adapters.guards import insert_missing
from erp_link.domain.places import PlaceKind
from erp_link.domain.slots import SlotState, allocate
from erp_link.service.work import Work


def claim(work: Work, batch_id: int) -> str | None:
    """Claim room in a slot; the claim is checked in the update, so two never get the last room."""
    while True:
        rows = work.connection.execute(
            select(t.location)
            .where(
                t.location.c.kind == PlaceKind.SLOT.value,
                t.location.c.used < t.location.c.capacity,
                or_(t.location.c.used == 0, t.location.c.batch_id == batch_id),
                ~select(t.guard.c.ref)
                .where(
                    t.guard.c.kind == "location",
                    t.guard.c.ref == t.location.c.code,
                    t.guard.c.open_holds > 0,
                )
                .exists(),
            )
            .order_by(t.location.c.position)
        ).all()
        slots = [SlotState(r.code, r.capacity, r.used, r.batch_id) for r in rows]
        code = allocate(slots, batch_id)
        if code is None:
            return None
        claimed = work.connection.execute(
            update(t.location)
            .where(
                t.location.c.code == code,
                t.location.c.used < t.location.c.capacity,
                or_(t.location.c.used == 0, t.location.c.batch_id == batch_id),
            )
            .values(used=t.location.c.used + 1, batch_id=batch_id)
        )
        if claimed.rowcount == 1:
            return code


def occupy(work: Work, location: str, quantity: int = 1) -> None:
    """Goods came to a slot without having claimed room there."""
    work.connection.execute(
        update(t.location)
        .where(t.location.c.code == location, t.location.c.kind == PlaceKind.SLOT.value)
        .values(used=t.location.c.used + quantity)
    )


def vacate(work: Work, location: str, quantity: int) -> None:
    """Goods left a slot: there is room again, and a carton that waited for one may come."""
    work.connection.execute(
        update(t.location)
        .where(t.location.c.code == location, t.location.c.kind == PlaceKind.SLOT.value)
        .values(
            # A slot never holds less than nothing, whatever was seen to leave it.
            used=func.coalesce(
                select(t.location.c.used - quantity)
                .where(t.location.c.code == location, t.location.c.used >= quantity)
                .scalar_subquery(),
                0,
            )
        )
    )


def ensure_place(work: Work, code: str) -> None:
    """A place that nobody planned is still a place where goods were seen."""
    work.connection.execute(
        insert_missing(work.connection, t.location).values(
            code=code, kind=PlaceKind.DOCK.value, capacity=0, used=0, position=0
        )
    )

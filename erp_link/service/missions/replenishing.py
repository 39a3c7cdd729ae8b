"""Replenishment: cartons of the reserve go to the slot where orders are picked, first expired first
out. A command: what may not leave is not moved (I1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select, update

from contracts.errors import BadInputError, ConflictError, HeldError, InsufficientStockError
from contracts.stock import StockStatus, TransportKind, TransportState
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard
from erp_link.domain.places import PlaceKind
from erp_link.service import transport
from erp_link.service.transport import Way
from erp_link.service.work import Work, batch_guards, location_guard

_MOST = 100
_UNFINISHED = [
    state.value
    for state in (
        TransportState.REQUESTED,
        TransportState.SENT,
        TransportState.ACCEPTED,
        TransportState.PICKED,
    )
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many cartons of a product at the slot where it is picked."""

    gtin: str
    target: str
    cartons: int


def check(wanted: Wanted) -> None:
    """Raises BadInputError."""
    if not 1 <= wanted.cartons <= _MOST:
        raise BadInputError(
            f"{wanted.cartons} cartons cannot be asked for",
            mend=f"Ask for 1 to {_MOST} at once",
            cartons=wanted.cartons,
        )


def guards_of(connection: Connection, wanted: Wanted) -> set[Guard]:
    """The batches of the product, the slots where their cartons stand, and the target."""
    found = {location_guard(wanted.target)}
    batches: dict[int, None] = {}
    for row in _reserve(connection, wanted):
        found.add(location_guard(row.location))
        batches[row.batch_id] = None
    for batch_id in batches:
        batch = connection.execute(select(t.batch).where(t.batch.c.id == batch_id)).one()
        found |= batch_guards(connection, batch)
    return found


def replenish(work: Work, wanted: Wanted) -> list[str]:
    """Ask for the cartons, all of them or none; the orders' ids. One batch to a slot: where the
    target has one, its cartons come, else those that expire first.

    Raises BadInputError (no slot), HeldError, ConflictError (no room), InsufficientStockError.
    """
    target = _target(work, wanted)
    if work.is_held(location_guard(wanted.target)):
        raise HeldError(
            f"The place {wanted.target} is on hold",
            mend="Name another slot, or release the place first",
            hold_ids=[],
            location=wanted.target,
        )
    chosen = _choose(work, wanted, batch_id=target.batch_id if target.used else None)
    _claim(work, wanted, chosen)
    return [
        transport.order(
            work,
            Way(
                row.carton_id,
                row.location,
                wanted.target,
                row.batch_id,
                TransportKind.REPLENISHMENT,
                claimed=True,
            ),
            "story_replenishment",
        )
        for row in chosen
    ]


def _target(work: Work, wanted: Wanted) -> Row[Any]:
    row = work.connection.execute(
        select(t.location).where(
            t.location.c.code == wanted.target, t.location.c.kind == PlaceKind.SLOT.value
        )
    ).one_or_none()
    if row is None:
        raise BadInputError(
            f"There is no slot {wanted.target[:80]!r}",
            mend="Name a planned slot to replenish",
            location=wanted.target[:80],
        )
    return row


def _choose(work: Work, wanted: Wanted, *, batch_id: int | None) -> Sequence[Row[Any]]:
    by_batch: dict[int, list[Row[Any]]] = {}
    for row in _reserve(work.connection, wanted):
        if batch_id in (None, row.batch_id) and _may_go(work, row):
            by_batch.setdefault(row.batch_id, []).append(row)
    for rows in by_batch.values():
        if len(rows) >= wanted.cartons:
            return rows[: wanted.cartons]
    there = max((len(rows) for rows in by_batch.values()), default=0)
    raise InsufficientStockError(
        f"{wanted.cartons} free cartons of {wanted.gtin} were asked for, {there} of one batch stand"
        " in other slots",
        mend="Ask for fewer; a slot takes one batch, and what is held or on its way does not count",
        gtin=wanted.gtin,
        free=there,
    )


def _may_go(work: Work, row: Row[Any]) -> bool:
    batch = work.batch(row.batch_id)
    guards = {*batch_guards(work.connection, batch), location_guard(row.location)}
    if not work.taken.issuperset(guards):
        # It came into play after the guards were chosen; the next command sees it.
        return False
    return not work.is_held(*guards) and not work.expired(batch)


def _claim(work: Work, wanted: Wanted, chosen: Sequence[Row[Any]]) -> None:
    """Room is checked in the update, so two never get the last of it."""
    batch_id, cartons = chosen[0].batch_id, len(chosen)
    claimed = work.connection.execute(
        update(t.location)
        .where(
            t.location.c.code == wanted.target,
            t.location.c.used + cartons <= t.location.c.capacity,
            or_(t.location.c.used == 0, t.location.c.batch_id == batch_id),
        )
        .values(used=t.location.c.used + cartons, batch_id=batch_id)
    )
    if claimed.rowcount != 1:
        raise ConflictError(
            f"The slot {wanted.target} has no room for {cartons} cartons of that batch",
            mend="Ask for fewer, or name another slot",
            location=wanted.target,
        )


def _reserve(connection: Connection, wanted: Wanted) -> Sequence[Row[Any]]:
    """Free cartons of the product in other slots without an order, those that expire first ahead."""
    busy = (
        select(t.transport.c.id)
        .where(t.transport.c.load_id == t.carton.c.carton_id, t.transport.c.state.in_(_UNFINISHED))
        .exists()
    )
    query: Select[Any] = (
        select(t.carton.c.carton_id, t.carton.c.location, t.carton.c.batch_id)
        .join(t.batch, t.batch.c.id == t.carton.c.batch_id)
        .join(t.location, t.location.c.code == t.carton.c.location)
        .where(
            t.batch.c.gtin == wanted.gtin,
            t.carton.c.status == StockStatus.UNRESTRICTED.value,
            t.location.c.kind == PlaceKind.SLOT.value,
            t.location.c.code != wanted.target,
            ~busy,
        )
        .order_by(t.batch.c.expiry.is_(None), t.batch.c.expiry, t.batch.c.id, t.carton.c.carton_id)
    )
    return connection.execute(query).all()

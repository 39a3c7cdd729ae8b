"""Guarded commands: reserve, pick, move, receive (I1). None of them moves what is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from contracts.errors import (
    BadInputError,
    ConflictError,
    InsufficientStockError,
    NotFoundError,
)
from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus
from erp_link.adapters import ledger
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard
from erp_link.domain.moves import Place
from erp_link.domain.places import (
    QUARANTINE,
    STAGING,
    SUPPLIER_ACCOUNT,
    is_account,
)
from erp_link.domain.receiving import CartonState, Cause, accepted
from erp_link.domain.units import MOST_UNITS
from erp_link.service import booking, slots
from erp_link.service.apart import (
    cartons_at,
    fitting,
    holds_by_name,
    open_cartons,
    set_apart,
    units_of,
)
from erp_link.service.booking import PICKED, RESERVED
from erp_link.service.goods import admission
from erp_link.service.judging.waiting import stopped_at
from erp_link.service.leave import check_leaving, check_named
from erp_link.service.orders import risk
from erp_link.service.orders.release import RELEASED, lost
from erp_link.service.work import (
    Work,
    batch_guards,
    ensure_batch,
    find_batch,
    key_of,
    location_guard,
    new_id,
    unrestricted,
)

_STAGED = Place(STAGING, StockStatus.IN_TRANSIT)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Goods set aside for an order. `state` is reserved, picked, shipped or released."""

    reservation_id: int
    order: str
    batch: BatchKey
    location: str
    quantity: int
    state: str


def guards_of_batch(connection: Connection, key: BatchKey, *places: str) -> set[Guard]:
    """Batch, supplier, and the places: those named, or wherever the batch stands."""
    batch = find_batch(connection, key)
    codes = places or tuple(
        connection.execute(
            select(t.stock.c.location).where(t.stock.c.batch_id == batch.id, t.stock.c.quantity > 0)
        ).scalars()
    )
    return {*batch_guards(connection, batch), *(location_guard(code) for code in codes)}


def guards_of_reservation(connection: Connection, reservation_id: int) -> set[Guard]:
    row = find_reservation(connection, reservation_id)
    batch = connection.execute(select(t.batch).where(t.batch.c.id == row.batch_id)).one()
    places = {location_guard(row.location), location_guard(STAGING)}
    return places.union(batch_guards(connection, batch))


def find_reservation(connection: Connection, reservation_id: int) -> Row[Any]:
    """Raises NotFoundError."""
    row = connection.execute(
        select(t.reservation).where(t.reservation.c.id == reservation_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no reservation {reservation_id}",
            mend="Look at the order again",
            reservation=reservation_id,
        )
    return row


def reserve(work: Work, order: str, key: BatchKey, quantity: int) -> list[int]:
    """Set goods aside, from as many places as it takes; the reservations' numbers. What quality
    has freed in quarantine can be reserved once it stands elsewhere.

    Raises HeldError, InsufficientStockError (nothing is reserved then), BadInputError.
    """
    _positive(quantity)
    batch = find_batch(work.connection, key)
    check_leaving(work, batch, Place("", StockStatus.UNRESTRICTED))
    rows = work.connection.execute(
        select(t.stock.c.location)
        .where(
            t.stock.c.batch_id == batch.id,
            t.stock.c.status == StockStatus.UNRESTRICTED.value,
            t.stock.c.location != QUARANTINE,
            t.stock.c.quantity > t.stock.c.reserved,
        )
        .order_by(t.stock.c.location)
    ).scalars()
    made: list[int] = []
    left = quantity
    for location in list(rows):
        if not left:
            break
        if not work.guards_place(location) or work.is_held(location_guard(location)):
            continue
        there, reserved = ledger.on_hand(work.connection, batch.id, unrestricted(location))
        part = min(left, there - reserved)
        if part <= 0:
            continue
        ledger.change_reserved(work.connection, batch.id, location, part)
        left -= part
        result = work.connection.execute(
            insert(t.reservation).values(
                order_ref=order,
                batch_id=batch.id,
                location=location,
                quantity=part,
                state=RESERVED,
                made_by=work.by,
                made_at=work.now,
            )
        )
        made.append(new_id(result))
    if left:
        raise InsufficientStockError(
            f"{quantity - left} of {quantity} units of batch {key} are free",
            mend="Reserve less, or another batch",
            batch=str(key),
            free=quantity - left,
        )
    text = Reason("story_reserved", {"order": order, "quantity": quantity})
    work.event("reserved", text, batch_id=batch.id, reference=order)
    return made


def pick(work: Work, reservation_id: int) -> None:
    """Take reserved goods to staging. Raises HeldError, ConflictError, NotFoundError."""
    row = _reservation(work, reservation_id)
    batch = work.batch(row.batch_id)
    source = unrestricted(row.location)
    check_leaving(work, batch, source)
    check_named(work, batch, source, row.quantity)
    _check_state(row, RESERVED, "picked")
    ledger.change_reserved(work.connection, batch.id, row.location, -row.quantity)
    text = Reason("story_picked", {"order": row.order_ref, "quantity": row.quantity})
    event_id = work.event("picked", text, batch_id=batch.id, reference=row.order_ref)
    work.move(event_id, batch.id, row.quantity, source, _STAGED)
    slots.vacate(work, row.location, row.quantity, batch_id=batch.id)
    relocate_cartons(work, batch.id, row.quantity, source, _STAGED, CartonState.PICKED)
    _set_state(work, reservation_id, PICKED)


def return_picked(work: Work, reservation_id: int) -> None:
    """Picked goods that may not leave, or are not wanted, go to quarantine: always allowed."""
    row = _reservation(work, reservation_id)
    _check_state(row, PICKED, "returned")
    target = Place(QUARANTINE, StockStatus.BLOCKED)
    text = Reason("story_returned", {"order": row.order_ref, "quantity": row.quantity})
    event_id = work.event("moved", text, batch_id=row.batch_id, reference=row.order_ref)
    work.move(event_id, row.batch_id, row.quantity, _STAGED, target)
    gone = relocate_cartons(work, row.batch_id, row.quantity, _STAGED, target, CartonState.RECEIVED)
    _set_state(work, reservation_id, RELEASED)
    lost(work, row.order_ref, row.line_number, text)
    risk.contained(work, "picked", row.order_ref)
    reason = Reason("returned_from_order", {"order": row.order_ref, "quantity": row.quantity})
    ticket_id = f"QC-return-{reservation_id}"
    set_apart(work, ticket_id, row.batch_id, row.quantity, cartons=gone, reason=reason)


def move(work: Work, key: BatchKey, quantity: int, source: Place, target: str) -> None:
    """Move goods inside the house. What may not leave moves to quarantine only, and what is in
    quarantine is blocked until quality has decided.

    Raises HeldError, InsufficientStockError, BadInputError.
    """
    _positive(quantity)
    if is_account(target) or is_account(source.location):
        raise BadInputError(
            f"{target} is no place in the house", mend="Goods leave by a goods issue only"
        )
    if source.status is StockStatus.IN_TRANSIT:
        raise BadInputError(
            "Picked goods are not moved by hand", mend="Ship them, or return the reservation"
        )
    batch = find_batch(work.connection, key)
    if target != QUARANTINE:
        check_leaving(work, batch, source)
    there, reserved = ledger.on_hand(work.connection, batch.id, source)
    if there - reserved < quantity:
        raise InsufficientStockError(
            f"{there - reserved} of {quantity} units of batch {key} are free in {source.location}",
            mend="Move less, or release the reservations first",
            batch=str(key),
            free=there - reserved,
        )
    slots.ensure_place(work, target)
    free = source.status is StockStatus.UNRESTRICTED
    contains = target == QUARANTINE and free
    to = Place(target, StockStatus.BLOCKED if contains else source.status)
    text = Reason(
        "story_moved_units",
        {"quantity": quantity, "source": source.location, "target": target},
    )
    event_id = work.event("moved", text, batch_id=batch.id, reference=target)
    work.move(event_id, batch.id, quantity, source, to)
    slots.vacate(work, source.location, quantity, batch_id=batch.id)
    slots.occupy(work, target, quantity, batch_id=batch.id)
    gone = relocate_cartons(work, batch.id, quantity, source, to, None)
    if source.status is StockStatus.INSPECTION:
        loose = quantity - units_of(work.connection, gone)
        admission.follow(work, batch.id, loose, source.location, target)
    if contains:
        why = Reason("moved_to_quarantine", {"source": source.location, "quantity": quantity})
        set_apart(work, f"QC-move-{event_id}", batch.id, quantity, cartons=gone, reason=why)


def receive(
    work: Work, key: BatchKey, quantity: int, location: str, expiry: date | None
) -> StockStatus:
    """Book goods in by hand; an observation, so it is booked blocked where a hold covers it."""
    _positive(quantity)
    if is_account(location):
        raise BadInputError(f"{location} is no place in the house", mend="Name a dock or a slot")
    batch_id = ensure_batch(work.connection, key)
    work.changes_expectations = True
    booking.learn_expiry(work, batch_id, expiry)
    batch = work.batch(batch_id)
    held = work.is_held(*batch_guards(work.connection, batch))
    waits: tuple[Reason, ...] = ()
    if location != QUARANTINE:
        waits = admission.reasons_to_wait(work, batch_id, None, None)
    receipt = accepted(
        held=held or location == QUARANTINE, expired=work.expired(batch), waits=bool(waits)
    )
    status = receipt.status or StockStatus.INSPECTION
    slots.ensure_place(work, location)
    text = Reason("story_received_units", {"quantity": quantity, "location": location})
    event_id = work.event("received", text, batch_id=batch_id, reference=location)
    work.move(
        event_id, batch_id, quantity, Place(SUPPLIER_ACCOUNT, status), Place(location, status)
    )
    slots.occupy(work, location, quantity, batch_id=batch_id)
    if receipt.cause is Cause.ACCEPTANCE:
        admission.wait(work, batch_id, None, waits, units=quantity, loose_at=location)
    if location == QUARANTINE:
        why = Reason("received_in_quarantine", {"quantity": quantity})
        set_apart(work, f"QC-receipt-{event_id}", batch_id, quantity, cartons=(), reason=why)
    return status


def read_reservations(connection: Connection, ids: list[int]) -> list[Reservation]:
    rows = connection.execute(
        select(t.reservation, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == t.reservation.c.batch_id)
        .where(t.reservation.c.id.in_(ids))
        .order_by(t.reservation.c.id)
    )
    return [
        Reservation(r.id, r.order_ref, key_of(r), r.location, r.quantity, r.state) for r in rows
    ]


def _reservation(work: Work, reservation_id: int) -> Row[Any]:
    row = work.connection.execute(
        select(t.reservation).where(t.reservation.c.id == reservation_id).with_for_update()
    ).one()
    if not work.guards_place(row.location):
        raise ConflictError(
            f"The goods of reservation {reservation_id} were just moved to {row.location}",
            mend="Ask again",
            reservation=reservation_id,
        )
    return row


def _check_state(row: Row[Any], wanted: str, to: str) -> None:
    if row.state != wanted:
        raise ConflictError(
            f"Reservation {row.id} is {row.state}, it cannot be {to}",
            mend="Look at the order again: a hold may have released it",
            reservation=row.id,
            state=row.state,
        )


def _set_state(work: Work, reservation_id: int, state: str) -> None:
    work.connection.execute(
        update(t.reservation).where(t.reservation.c.id == reservation_id).values(state=state)
    )


def relocate_cartons(
    work: Work,
    batch_id: int,
    quantity: int,
    source: Place,
    target: Place,
    state: CartonState | None,
) -> list[str]:
    """Units of a batch in one place cannot be told apart: the first cartons by name go along.
    What is held by name, or waits for its judge, goes first to quarantine, and never elsewhere. Of
    goods lent to a device it comes back first, blocked, and is taken for shipped last.
    """
    there = cartons_at(work.connection, batch_id, source)
    if not there:
        return []
    named = {
        *holds_by_name(work.connection, batch_id),
        *stopped_at(work.connection, batch_id, source),
    }
    lent = is_account(source.location)
    if target.location == QUARANTINE or (lent and not is_account(target.location)):
        there = sorted(there, key=lambda name: name not in named)
    elif lent:
        there = sorted(there, key=lambda name: name in named)
    else:
        there = [name for name in there if name not in named]
    names = fitting(work.connection, there, quantity)
    values: dict[str, object] = {"location": target.location, "status": target.status.value}
    if target.status is StockStatus.BLOCKED and source.status is not StockStatus.BLOCKED:
        values["cause"] = Cause.HOLD.value
        if work.expired(work.batch(batch_id)):
            values["cause"] = Cause.EXPIRED.value
    if state is not None:
        values["state"] = state.value
    work.connection.execute(update(t.carton).where(t.carton.c.carton_id.in_(names)).values(values))
    if not is_account(source.location):
        open_cartons(work, batch_id, source)
    return names


def _positive(quantity: int) -> None:
    if quantity < 1:
        raise BadInputError(f"A quantity of {quantity}", mend="Give a quantity of at least 1")
    if quantity > MOST_UNITS:
        raise BadInputError(
            f"A quantity of {quantity}", mend="Check the quantity: no house holds so many"
        )

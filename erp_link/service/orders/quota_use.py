"""What devices shipped against their quotas with no network: observations, never refused (I1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from contracts.reason import Reason
from contracts.stock import StockStatus
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard
from erp_link.domain.moves import Place
from erp_link.domain.places import CUSTOMER_ACCOUNT, QUARANTINE
from erp_link.domain.quotas import Consumed, consume
from erp_link.domain.receiving import CartonState
from erp_link.domain.tickets import TicketKind
from erp_link.service import booking, slots
from erp_link.service.commands import relocate_cartons
from erp_link.service.observed import move_observed
from erp_link.service.orders.quotas import account_of, granted_in
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work, batch_guards, blocked, location_guard, unrestricted


def guards_of_use(connection: Connection, batch_id: int) -> set[Guard]:
    """What whoever books a use of a quota takes: the batch, and wherever goods of it stand."""
    batch = connection.execute(select(t.batch).where(t.batch.c.id == batch_id)).one()
    places = set(
        connection.execute(
            select(t.stock.c.location).where(t.stock.c.batch_id == batch_id, t.stock.c.quantity > 0)
        ).scalars()
    )
    for parts in connection.execute(
        select(o.quota.c.parts).where(o.quota.c.batch_id == batch_id)
    ).scalars():
        places.update(str(part["location"]) for part in parts)
    return {*batch_guards(connection, batch), *(location_guard(place) for place in places)}


def use(
    work: Work, device: str, batch_id: int, quantity: int, *, shipped_at: datetime, reference: str
) -> Consumed:
    """A device shipped with no network: an observation, booked whatever it says. The guards of
    `guards_of_use` are taken; `reference` names the device's event, once.

    What no quota covers left all the same: it is booked as blocked goods with a customer, and a
    task to call it back is opened; so is one for what left under a hold.
    """
    within = late = 0
    left = quantity
    for row in _quotas(work.connection, device, batch_id):
        if left:
            part = consume(granted_in(row), left, shipped_at=shipped_at)
            if part.within:
                _use_within(work, row, part.within, reference)
            if part.late:
                _use_late(work, row, part.late, reference)
            within, late = within + part.within, late + part.late
            left = part.beyond
    used = Consumed(within, late, left)
    if left:
        _use_beyond(work, device, batch_id, left, reference)
    batch = work.batch(batch_id)
    if used.within + used.late and work.is_held(*batch_guards(work.connection, batch)):
        values: dict[str, str | int | float] = {"device": device, "quantity": within + late}
        _call_back(work, f"RC-{reference}-held", Reason("quota_shipped_held", values), batch_id)
    return used


def _quotas(connection: Connection, device: str, batch_id: int) -> Sequence[Row[Any]]:
    """Those of a device on a batch: open ones first, then those that end first."""
    return connection.execute(
        select(o.quota)
        .where(o.quota.c.device == device, o.quota.c.batch_id == batch_id)
        .order_by(o.quota.c.ended_at.is_not(None), o.quota.c.expires_at, o.quota.c.quota_id)
        .with_for_update()
    ).all()


def _use_within(work: Work, row: Row[Any], quantity: int, reference: str) -> None:
    source = account_of(row.device)
    gone = Place(CUSTOMER_ACCOUNT, StockStatus.IN_TRANSIT)
    event_id = _shipped(work, row.device, row.batch_id, quantity, reference)
    work.move(event_id, row.batch_id, quantity, source, gone)
    relocate_cartons(work, row.batch_id, quantity, source, gone, CartonState.PICKED)
    left = quantity
    skipped = row.used
    for part in row.parts:
        there = max(0, part["quantity"] - skipped)
        skipped = max(0, skipped - part["quantity"])
        slots.vacate(work, part["location"], min(left, there), batch_id=row.batch_id)
        left -= min(left, there)
    work.connection.execute(
        update(o.quota)
        .where(o.quota.c.quota_id == row.quota_id)
        .values(used=o.quota.c.used + quantity)
    )


def _use_late(work: Work, row: Row[Any], quantity: int, reference: str) -> None:
    """The goods had come back to the books, blocked, though they had left the house before."""
    event_id = _shipped(work, row.device, row.batch_id, quantity, reference)
    gone = Place(CUSTOMER_ACCOUNT, StockStatus.IN_TRANSIT)
    hold = work.connection.execute(select(t.hold).where(t.hold.c.hold_id == row.hold_id)).one()
    freed = hold.released_at is not None
    source = unrestricted(hold.location) if freed else blocked(hold.location)
    move_observed(work, event_id, row.batch_id, quantity, source, gone)
    slots.vacate(work, hold.location, quantity, batch_id=row.batch_id)
    names = relocate_cartons(work, row.batch_id, quantity, source, gone, CartonState.PICKED)
    work.connection.execute(
        update(t.hold)
        .where(t.hold.c.hold_id == row.hold_id)
        .values(
            quantity=max(0, hold.quantity - quantity),
            cartons=[name for name in hold.cartons if name not in names],
        )
    )
    work.connection.execute(
        update(o.quota)
        .where(o.quota.c.quota_id == row.quota_id)
        .values(used=o.quota.c.used + quantity, returned=o.quota.c.returned - quantity)
    )


def _use_beyond(work: Work, device: str, batch_id: int, quantity: int, reference: str) -> None:
    there = sorted(booking.free_at(work, batch_id), key=lambda part: -part.quantity)
    source = unrestricted(there[0].location if there else QUARANTINE)
    gone = Place(CUSTOMER_ACCOUNT, StockStatus.BLOCKED)
    event_id = _shipped(work, device, batch_id, quantity, reference)
    move_observed(work, event_id, batch_id, quantity, source, gone)
    slots.vacate(work, source.location, quantity, batch_id=batch_id)
    relocate_cartons(work, batch_id, quantity, source, gone, CartonState.PICKED)
    why = Reason("quota_exceeded", {"device": device, "quantity": quantity})
    _call_back(work, f"RC-{reference}-beyond", why, batch_id)


def _shipped(work: Work, device: str, batch_id: int, quantity: int, reference: str) -> int:
    text = Reason("story_shipped_offline", {"device": device, "quantity": quantity})
    return work.event("shipped", text, batch_id=batch_id, reference=reference)


def _call_back(work: Work, ticket_id: str, why: Reason, batch_id: int) -> None:
    open_ticket(work, ticket_id, why, kind=TicketKind.RECALL, batch_id=batch_id)

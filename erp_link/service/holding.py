"""Add a hold, lift a hold. The caller has taken the hold's guards exclusively."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, false, insert, select, true, update

from contracts.reason import Reason
from contracts.stock import AtRisk, BatchKey, Hold, HoldKind, StockStatus
from erp_link.adapters import guards
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard
from erp_link.domain.holds import set_apart
from erp_link.domain.moves import Place
from erp_link.domain.places import STAGING
from erp_link.domain.receiving import Cause
from erp_link.service import apart, booking, transport
from erp_link.service.orders import quotas_held as quotas
from erp_link.service.orders import risk
from erp_link.service.orders.risk import Risk
from erp_link.service.work import (
    Work,
    batch_guards,
    hold_guards,
    key_of,
    location_guard,
    namesakes,
)


def hold_batch(
    work: Work, hold_id: str, batch_id: int, reason: Reason, *, quantity: int = 0
) -> None:
    """A whole batch may not leave from now on. `quantity`: so many units were meant, but not so
    many could be set apart.
    """
    batch = work.batch(batch_id)
    guards.count_hold(work.connection, hold_guards(batch), 1)
    covered = covered_by_batch(work.connection, batch_id)
    for each in covered:
        _cover(work, each, hold_id, reason)
    risks = _risks_of(work, covered)
    _keep(work, hold_id, HoldKind.BATCH, reason, risks=risks, batch_id=batch_id, quantity=quantity)


def hold_supplier(work: Work, hold_id: str, supplier: str, reason: Reason) -> None:
    """Everything of a supplier may not leave, what comes later included."""
    guards.count_hold(work.connection, [Guard("supplier", supplier)], 1)
    batches = covered_by_supplier(work.connection, supplier)
    for batch_id in batches:
        _cover(work, batch_id, hold_id, reason)
    risks = _risks_of(work, batches)
    _keep(work, hold_id, HoldKind.SUPPLIER, reason, risks=risks, supplier=supplier)


def hold_location(work: Work, hold_id: str, location: str, reason: Reason) -> None:
    """What stands in a place may not leave. Statuses stay: goods may still go to quarantine.

    What was picked there or is on its way from there is at risk: it cannot be shipped, and what a
    vehicle brings is blocked where it is dropped.
    """
    guards.count_hold(work.connection, [Guard("location", location)], 1)
    for row in work.connection.execute(
        select(t.stock.c.batch_id).where(t.stock.c.location == location).distinct()
    ).all():
        booking.release_reservations(work, row.batch_id, location, keep=0)
    transport.divert_from(work, location)
    risks = risk.find(
        work.connection,
        picked=_at_staging_or_from(location),
        carried=t.transport.c.source == location,
        granted=o.quota.c.quota_id.in_(quotas.granted_from(work.connection, location)),
    )
    _keep(work, hold_id, HoldKind.LOCATION, reason, risks=risks, location=location)


def hold_cartons(
    work: Work, hold_id: str, batch_id: int, cartons: Sequence[str], reason: Reason
) -> None:
    """Named cartons of a batch; the batch's guard makes commands on it wait. Units in staging
    cannot be told apart by order: every order that may have one of the cartons is at risk.
    """
    booking.block_cartons(work, batch_id, cartons, cause=Cause.HOLD, reference=hold_id)
    transport.divert_cartons(work, cartons)
    staged = apart.cartons_at(work.connection, batch_id, Place(STAGING, StockStatus.IN_TRANSIT))
    picked = apart.units_of(work.connection, set(staged).intersection(cartons))
    granted = quotas.cartons_granted(work.connection, batch_id).intersection(cartons)
    risks = risk.find(
        work.connection,
        picked=t.reservation.c.batch_id == batch_id if picked else false(),
        carried=t.transport.c.load_id.in_(sorted(cartons)),
        granted=o.quota.c.batch_id == batch_id if granted else false(),
        at_most=picked,
    )
    named = tuple(sorted(cartons))
    _keep(work, hold_id, HoldKind.CARTONS, reason, risks=risks, batch_id=batch_id, cartons=named)


def hold_quantity(
    work: Work, hold_id: str, batch_id: int, quantity: int, reason: Reason, *, location: str = ""
) -> None:
    """So many units of a batch become blocked, in the place named or where most of them stand;
    reservations give way. Where not so many are there, the whole batch is held, and says so.
    """
    apart_now = set_apart(quantity, booking.free_at(work, batch_id), location=location)
    if not apart_now.parts:
        hold_batch(work, hold_id, batch_id, reason, quantity=quantity)
        text = Reason("hold_widened", {"quantity": quantity, "there": apart_now.there})
        work.event("held", text, batch_id=batch_id, reference=hold_id)
        return
    named: list[str] = []
    for part in apart_now.parts:
        named += booking.block_units(work, batch_id, part, why=reason, reference=hold_id)
    transport.divert_cartons(work, named)
    where = location or apart_now.parts[0].location
    keep_units(work, hold_id, batch_id, quantity, reason, location=where, cartons=named)


def keep_units(
    work: Work,
    hold_id: str,
    batch_id: int,
    quantity: int,
    reason: Reason,
    *,
    location: str,
    cartons: Sequence[str],
) -> None:
    """The hold on units that are blocked already, with the cartons that stand for some of them."""
    _keep(
        work,
        hold_id,
        HoldKind.QUANTITY,
        reason,
        batch_id=batch_id,
        location=location,
        cartons=tuple(sorted(cartons)),
        quantity=quantity,
    )


def lift(work: Work, hold_id: str, *, reason: str) -> None:
    """Release one hold; what no other hold covers becomes free."""
    row = work.connection.execute(select(t.hold).where(t.hold.c.hold_id == hold_id)).one()
    if row.released_at is not None:
        return
    work.connection.execute(
        update(t.hold)
        .where(t.hold.c.hold_id == hold_id)
        .values(released_at=work.now, released_by=work.by, release_reason=reason)
    )
    text = Reason("story_released", {"hold": hold_id, "reason": reason})
    match HoldKind(row.kind):
        case HoldKind.BATCH:
            guards.count_hold(work.connection, hold_guards(work.batch(row.batch_id)), -1)
        case HoldKind.SUPPLIER:
            guards.count_hold(work.connection, [Guard("supplier", row.supplier)], -1)
        case HoldKind.LOCATION:
            guards.count_hold(work.connection, [Guard("location", row.location)], -1)
            transport.put_away_from(work, row.location)
        case HoldKind.CARTONS | HoldKind.QUANTITY:
            pass
    risk.called_off(work, hold_id, words=reason)
    work.changes_expectations = True
    work.event("released", text, batch_id=row.batch_id, reference=hold_id)
    work.tell("released", hold_id, text)
    for batch_id in covered_by(work.connection, row):
        batch = work.batch(batch_id)
        if not guards.held(work.connection, batch_guards(work.connection, batch)):
            booking.free_batch(work, batch_id, why=text, reference=hold_id)
            transport.put_away_freed(work, batch_id)


def guards_of_hold(work: Work, row: Row[Any]) -> set[Guard]:
    """The guards that the release of a hold takes exclusively."""
    match HoldKind(row.kind):
        case HoldKind.BATCH | HoldKind.CARTONS | HoldKind.QUANTITY:
            return hold_guards(work.batch(row.batch_id))
        case HoldKind.SUPPLIER:
            return {Guard("supplier", row.supplier)}
        case HoldKind.LOCATION:
            return {location_guard(row.location)}


def covered_by(connection: Connection, hold: Row[Any]) -> list[int]:
    """The batches that a hold covers; those of a hold by name or by place are not whole batches,
    but a release by name may free some of one.
    """
    match HoldKind(hold.kind):
        case HoldKind.BATCH:
            return covered_by_batch(connection, hold.batch_id)
        case HoldKind.SUPPLIER:
            return covered_by_supplier(connection, hold.supplier)
        case HoldKind.CARTONS | HoldKind.QUANTITY:
            return [hold.batch_id]
        case HoldKind.LOCATION:
            return []


def covered_by_batch(connection: Connection, batch_id: int) -> list[int]:
    return _with_nameless(connection, t.batch.c.id == batch_id)


def covered_by_supplier(connection: Connection, supplier: str) -> list[int]:
    return _with_nameless(connection, t.batch.c.supplier == supplier)


def _with_nameless(connection: Connection, which: ColumnElement[bool]) -> list[int]:
    """And the batches of no known supplier with the same GTINs and lots."""
    nameless = t.batch.alias()
    same = select(t.batch.c.id).where(
        which, t.batch.c.gtin == nameless.c.gtin, t.batch.c.lot == nameless.c.lot
    )
    query = select(nameless.c.id).where(nameless.c.supplier == "", same.exists())
    own = select(t.batch.c.id).where(which)
    return sorted({*connection.execute(own).scalars(), *connection.execute(query).scalars()})


def open_holds_on(connection: Connection, batch: Row[Any], *locations: str) -> list[str]:
    """The ids of the open holds that cover a batch, or a place where it stands."""
    same = [batch] if batch.supplier else [batch, *namesakes(connection, batch)]
    ids, suppliers = [row.id for row in same], [row.supplier for row in same]
    covers = (
        ((t.hold.c.kind == HoldKind.BATCH.value) & t.hold.c.batch_id.in_(ids))
        | ((t.hold.c.kind == HoldKind.SUPPLIER.value) & t.hold.c.supplier.in_(suppliers))
        | ((t.hold.c.kind == HoldKind.LOCATION.value) & (t.hold.c.location.in_(locations)))
    )
    query = select(t.hold.c.hold_id).where(t.hold.c.released_at.is_(None), covers)
    return list(connection.execute(query.order_by(t.hold.c.hold_id)).scalars())


def read_holds(
    connection: Connection,
    *,
    open_only: bool = True,
    only: ColumnElement[bool] | None = None,
    limit: int | None = None,
) -> list[Hold]:
    """Holds, newest first, at most `limit`; `only` is a condition on the hold table."""
    query = (
        select(t.hold, t.batch.c.supplier.label("of"), t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == t.hold.c.batch_id, isouter=True)
        .order_by(t.hold.c.raised_at.desc(), t.hold.c.hold_id.desc())
    )
    links = select(t.ticket_hold).join(t.hold, t.hold.c.hold_id == t.ticket_hold.c.hold_id)
    which: list[ColumnElement[bool]] = [] if only is None else [only]
    if open_only:
        which.append(t.hold.c.released_at.is_(None))
    rows = connection.execute(query.where(*which).limit(limit)).all()
    if limit is not None:
        which = [t.hold.c.hold_id.in_([row.hold_id for row in rows])]
    tickets: dict[str, str] = {}
    ordered = links.where(*which).order_by(t.ticket_hold.c.ticket_id)
    for link in connection.execute(ordered):
        tickets.setdefault(link.hold_id, link.ticket_id)
    return [
        Hold(
            hold_id=row.hold_id,
            kind=HoldKind(row.kind),
            batch=BatchKey(row.of, row.gtin, row.lot) if row.batch_id is not None else None,
            reason=Reason(row.code, row.params),
            raised_by=row.raised_by,
            raised_at=row.raised_at,
            cartons=tuple(row.cartons),
            # A supplier hold has no field of its own in the contract: its name stands here.
            location=row.location or row.supplier,
            ticket_id=tickets.get(row.hold_id),
            released_at=row.released_at,
            released_by=row.released_by,
            release_reason=row.release_reason,
            at_risk=tuple(AtRisk(**each) for each in row.at_risk),
            quantity=row.quantity,
        )
        for row in rows
    ]


def _cover(work: Work, batch_id: int, hold_id: str, reason: Reason) -> None:
    booking.block_batch(work, batch_id, why=reason, reference=hold_id)
    transport.divert_batch(work, batch_id)


def _risks_of(work: Work, batches: Sequence[int]) -> tuple[Risk, ...]:
    return risk.find(
        work.connection,
        picked=t.reservation.c.batch_id.in_(batches),
        carried=t.transport.c.batch_id.in_(batches),
        granted=o.quota.c.batch_id.in_(batches),
    )


def _at_staging_or_from(location: str) -> ColumnElement[bool]:
    return true() if location == STAGING else t.reservation.c.location == location


def _keep(
    work: Work,
    hold_id: str,
    kind: HoldKind,
    reason: Reason,
    *,
    risks: tuple[Risk, ...] = (),
    batch_id: int | None = None,
    location: str = "",
    supplier: str = "",
    cartons: tuple[str, ...] = (),
    quantity: int = 0,
) -> None:
    """The hold's row, its place in the history, and a task for everything it came too late for."""
    work.connection.execute(
        insert(t.hold).values(
            hold_id=hold_id,
            kind=kind.value,
            batch_id=batch_id,
            location=location,
            supplier=supplier,
            cartons=list(cartons),
            code=reason.code,
            params=reason.params,
            raised_by=work.by,
            raised_at=work.now,
            at_risk=[asdict(each) for each in risk.listed(risks)],
            quantity=quantity,
        )
    )
    work.changes_expectations = True
    work.event("held", reason, batch_id=batch_id, reference=hold_id)
    key = key_of(work.batch(batch_id)) if batch_id is not None else None
    work.tell("held", hold_id, reason, key)
    risk.recall(work, hold_id, risks)

"""Statuses in line with holds and dates."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import func, select, update

from contracts.reason import Reason
from contracts.stock import StockStatus
from erp_link.adapters import ledger
from erp_link.adapters import tables as t
from erp_link.domain.expiry import safer
from erp_link.domain.holds import Carton, Part, come_free, stays_blocked
from erp_link.domain.moves import Place
from erp_link.domain.places import QUARANTINE
from erp_link.domain.receiving import Cause
from erp_link.service import apart
from erp_link.service.judging import waiting
from erp_link.service.orders.release import release
from erp_link.service.work import Work, blocked, unrestricted

RESERVED = "reserved"
PICKED = "picked"
SHIPPED = "shipped"


def learn_expiry(work: Work, batch_id: int, seen: date | None) -> None:
    """Keep the earlier of two dates, and write down that they differ."""
    known = work.batch(batch_id).expiry
    kept = safer(known, seen)
    if kept == known:
        return
    work.connection.execute(update(t.batch).where(t.batch.c.id == batch_id).values(expiry=kept))
    work.forget(batch_id)
    if known is not None and kept is not None:
        text = Reason("story_expiry_changed", {"known": str(known), "seen": str(kept)})
        work.event("expiry", text, batch_id=batch_id)


def block_batch(work: Work, batch_id: int, *, why: Reason, reference: str) -> None:
    """Everything free of a batch becomes blocked; reservations not yet picked are released."""
    rows = work.connection.execute(
        select(t.stock.c.location, t.stock.c.quantity)
        .where(
            t.stock.c.batch_id == batch_id,
            t.stock.c.status == StockStatus.UNRESTRICTED.value,
            t.stock.c.quantity > 0,
        )
        .order_by(t.stock.c.location)
    ).all()
    for row in rows:
        release_reservations(work, batch_id, row.location, keep=0)
        event_id = work.event("blocked", why, batch_id=batch_id, reference=reference)
        work.move(
            event_id, batch_id, row.quantity, unrestricted(row.location), blocked(row.location)
        )
    work.connection.execute(
        update(t.carton)
        .where(
            t.carton.c.batch_id == batch_id,
            t.carton.c.status == StockStatus.UNRESTRICTED.value,
        )
        .values(status=StockStatus.BLOCKED.value, cause=Cause.HOLD.value)
    )


def block_cartons(
    work: Work, batch_id: int, names: Collection[str], *, cause: Cause, reference: str
) -> None:
    """Named cartons of a batch that are free become blocked where they stand. What is blocked
    already keeps its cause; what waits in review or is picked moves no stock.
    """
    rows = work.connection.execute(
        select(t.carton.c.carton_id, t.carton.c.location, t.carton.c.quantity)
        .where(
            t.carton.c.batch_id == batch_id,
            t.carton.c.carton_id.in_(sorted(names)),
            t.carton.c.status == StockStatus.UNRESTRICTED.value,
        )
        .order_by(t.carton.c.location, t.carton.c.carton_id)
    ).all()
    for row in rows:
        quantity, _ = ledger.on_hand(work.connection, batch_id, unrestricted(row.location))
        release_reservations(work, batch_id, row.location, keep=quantity - row.quantity)
        text = Reason("story_blocked_carton", {"carton": row.carton_id})
        event_id = work.event("blocked", text, batch_id=batch_id, reference=reference)
        places = unrestricted(row.location), blocked(row.location)
        work.move(event_id, batch_id, row.quantity, *places)
        work.connection.execute(
            update(t.carton)
            .where(t.carton.c.carton_id == row.carton_id)
            .values(status=StockStatus.BLOCKED.value, cause=cause.value)
        )


def free_at(work: Work, batch_id: int) -> list[Part]:
    """What of a batch is unrestricted, place by place, reserved or not."""
    rows = work.connection.execute(
        select(t.stock.c.location, t.stock.c.quantity).where(
            t.stock.c.batch_id == batch_id,
            t.stock.c.status == StockStatus.UNRESTRICTED.value,
            t.stock.c.quantity > 0,
        )
    )
    return [Part(row.location, row.quantity) for row in rows]


def block_units(work: Work, batch_id: int, part: Part, *, why: Reason, reference: str) -> list[str]:
    """So many units in one place become blocked where they stand; the cartons that stand for them
    in the books, as many of them as have one.
    """
    source, target = unrestricted(part.location), blocked(part.location)
    there, _ = ledger.on_hand(work.connection, batch_id, source)
    release_reservations(work, batch_id, part.location, keep=there - part.quantity)
    event_id = work.event("blocked", why, batch_id=batch_id, reference=reference)
    work.move(event_id, batch_id, part.quantity, source, target)
    names = apart.cartons_at(work.connection, batch_id, source)
    names = apart.fitting(work.connection, names, part.quantity)
    work.connection.execute(
        update(t.carton)
        .where(t.carton.c.carton_id.in_(names))
        .values(status=StockStatus.BLOCKED.value, cause=Cause.HOLD.value)
    )
    apart.open_cartons(work, batch_id, source)
    return names


def free_batch(work: Work, batch_id: int, *, why: Reason, reference: str) -> None:
    """What only a hold blocked becomes free again; what is blocked for itself stays.

    The caller has made sure that no hold covers the batch any more. Past its date it stays too.
    """
    batch = work.batch(batch_id)
    if work.expired(batch):
        return
    answers = apart.unanswered(work.connection, batch_id)
    named = answers.cartons.union(apart.holds_by_name(work.connection, batch_id))
    own = t.carton.c.cause != Cause.HOLD.value
    if named:
        own |= t.carton.c.carton_id.in_(sorted(named))
    kept = {
        row.location: int(row.units)
        for row in work.connection.execute(
            select(t.carton.c.location, func.sum(t.carton.c.quantity).label("units"))
            .where(
                t.carton.c.batch_id == batch_id,
                t.carton.c.status == StockStatus.BLOCKED.value,
                own,
            )
            .group_by(t.carton.c.location)
        )
    }
    kept[QUARANTINE] = kept.get(QUARANTINE, 0) + answers.units
    rows = work.connection.execute(
        select(t.stock.c.location, t.stock.c.quantity)
        .where(t.stock.c.batch_id == batch_id, t.stock.c.status == StockStatus.BLOCKED.value)
        .order_by(t.stock.c.location)
    ).all()
    units = apart.units_on_hold(work.connection, batch_id)
    stays = stays_blocked({row.location: row.quantity for row in rows}, kept, units)
    freed = {row.location: row.quantity - stays.get(row.location, 0) for row in rows}
    follow = work.connection.execute(
        select(t.carton.c.carton_id, t.carton.c.location, t.carton.c.quantity).where(
            t.carton.c.batch_id == batch_id,
            t.carton.c.status == StockStatus.BLOCKED.value,
            ~own,
        )
    ).all()
    names = come_free([Carton(r.carton_id, r.location, r.quantity) for r in follow], freed)
    # What the hold leaves may wait for its judge still (I3): from blocked to inspection.
    waits = waiting.awaiting(work.connection, batch_id, names)
    back: dict[str, int] = {}
    for row in follow:
        if row.carton_id in waits:
            back[row.location] = back.get(row.location, 0) + row.quantity
    for location, quantity in freed.items():
        kept_back = back.get(location, 0)
        for amount, target in (
            (quantity - kept_back, unrestricted(location)),
            (kept_back, Place(location, StockStatus.INSPECTION)),
        ):
            if amount > 0:
                event_id = work.event("freed", why, batch_id=batch_id, reference=reference)
                work.move(event_id, batch_id, amount, blocked(location), target)
    for status, cause, which in (
        (StockStatus.UNRESTRICTED, Cause.NONE, [name for name in names if name not in waits]),
        (StockStatus.INSPECTION, Cause.JUDGING, sorted(waits)),
    ):
        work.connection.execute(
            update(t.carton)
            .where(t.carton.c.carton_id.in_(which))
            .values(status=status.value, cause=cause.value)
        )


def release_reservations(work: Work, batch_id: int, location: str, *, keep: int) -> None:
    """Blocking beats reservations made earlier (I1): the latest go first, until `keep` remain."""
    rows = work.connection.execute(
        select(t.reservation)
        .where(
            t.reservation.c.batch_id == batch_id,
            t.reservation.c.location == location,
            t.reservation.c.state == RESERVED,
        )
        .order_by(t.reservation.c.id.desc())
    ).all()
    reserved = sum(row.quantity for row in rows)
    for row in rows:
        if reserved <= keep:
            return
        reserved -= row.quantity
        release(work, row)

"""Shipments made offline: against a quota granted before, or beyond it (I1).

They are observations: the goods are gone. What no quota covered leaves the books as blocked stock
at the customer, with a task to fetch it back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, or_, select, update

from contracts.device_log import Shipped
from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus
from erp_link.adapters import merge_tables as m
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.domain.merge import quotas
from erp_link.domain.merge.entries import Entry
from erp_link.domain.merge.fold import recalls_of
from erp_link.domain.moves import Place
from erp_link.domain.places import CUSTOMER_ACCOUNT
from erp_link.service import slots
from erp_link.service.commands import relocate_cartons
from erp_link.service.holding import open_holds_on
from erp_link.service.merge import disputes, reading
from erp_link.service.merge.cells import FOUND, CellBook, locked
from erp_link.service.orders.quotas import account_of
from erp_link.service.work import Work

GONE = Place(CUSTOMER_ACCOUNT, StockStatus.IN_TRANSIT)
GONE_BLOCKED = Place(CUSTOMER_ACCOUNT, StockStatus.BLOCKED)


def book(work: Work, batch_id: int, entry: Entry, shipped: Shipped) -> None:
    """Book one shipment. What its quota does not cover any more of the others', because theirs
    come first in the device's log, is booked with it.
    """
    quota = _locked_quota(work.connection, shipped.quota)
    grants = {} if quota is None else {shipped.quota: _grant_of(work, quota)}
    together = [
        each
        for each in reading.entries_where(
            work.connection,
            m.offline_entry.c.quota == shipped.quota,
            # Of the others only those that are booked: the rest will come to it by themselves.
            or_(
                m.offline_entry.c.state == reading.BOOKED,
                m.offline_entry.c.entry_id == entry.entry_id,
            ),
        )
        if isinstance(each.fact, Shipped)
    ]
    over = quotas.beyond(together, grants)
    booked = _booked_beyond(work.connection, shipped.quota)
    cells = locked(work, batch_id, *_places(together, batch=shipped.batch, quota=quota))
    text = Reason(
        "story_offline_shipped",
        {"quantity": shipped.quantity, "device": entry.device, "quota": shipped.quota},
    )
    event_id = work.event(
        "shipped", text, batch_id=batch_id, reference=shipped.order or shipped.quota
    )
    within = shipped.quantity
    for each in together:
        if not isinstance(each.fact, Shipped) or each.fact.batch != shipped.batch:
            continue
        more = over.get(each.entry_id, 0) - booked.get(each.entry_id, 0)
        if more <= 0:
            continue
        within -= more
        _take_beyond(work, event_id, batch_id, more, cells.get(each.fact.location))
        work.connection.execute(
            update(m.offline_entry)
            .where(m.offline_entry.c.entry_id == each.entry_id)
            .values(beyond=over[each.entry_id])
        )
        told = recalls(work.connection, each, over[each.entry_id])
        disputes.settle(work, scope_of(each), told)
    if within > 0 and quota is not None:
        _take_within(work, event_id, within, quota, cells)
    if not over.get(entry.entry_id):
        disputes.settle(work, scope_of(entry), recalls(work.connection, entry, 0))


def settle_recalls(work: Work, entry: Entry) -> None:
    """A hold came or went: what must be fetched of a shipment is looked at again."""
    over = _booked_beyond_of(work.connection, entry.entry_id)
    disputes.settle(work, scope_of(entry), recalls(work.connection, entry, over))


def scope_of(entry: Entry) -> str:
    return f"shipment/{entry.entry_id}"


def recalls(connection: Connection, entry: Entry, over: int) -> list[Any]:
    """What must be fetched of a shipment, by the holds that are open now and that it should have
    known of.
    """
    fact = entry.fact
    if not isinstance(fact, Shipped):
        raise TypeError(f"{entry.entry_id} is no shipment")
    batch = connection.execute(
        select(t.batch).where(
            t.batch.c.supplier == fact.batch.supplier,
            t.batch.c.gtin == fact.batch.gtin,
            t.batch.c.lot == fact.batch.lot,
        )
    ).one()
    covering = open_holds_on(connection, batch)
    uploaded_at = connection.execute(
        select(m.offline_entry.c.uploaded_at).where(m.offline_entry.c.entry_id == entry.entry_id)
    ).scalar_one()
    holds = [
        hold
        for hold in reading.holds_where(connection, t.hold.c.hold_id.in_(covering))
        if hold.entry is not None or _raised_by_then(connection, hold.hold_id, uploaded_at)
    ]
    return list(recalls_of(entry, over, holds))


def _raised_by_then(connection: Connection, hold_id: str, moment: datetime) -> bool:
    raised = connection.execute(
        select(t.hold.c.raised_at).where(t.hold.c.hold_id == hold_id)
    ).scalar_one_or_none()
    return raised is None or bool(raised <= moment)


def _locked_quota(connection: Connection, quota_id: str) -> Row[Any] | None:
    return connection.execute(
        select(o.quota).where(o.quota.c.quota_id == quota_id).with_for_update()
    ).one_or_none()


def _grant_of(work: Work, quota: Row[Any]) -> quotas.Grant:
    batch = work.batch(quota.batch_id)
    return quotas.Grant(
        quota.device,
        BatchKey(batch.supplier, batch.gtin, batch.lot),
        quota.granted,
        reading.micros(quota.expires_at),
    )


def _booked_beyond(connection: Connection, quota_id: str) -> dict[str, int]:
    rows = connection.execute(
        select(m.offline_entry.c.entry_id, m.offline_entry.c.beyond).where(
            m.offline_entry.c.quota == quota_id
        )
    )
    return {row.entry_id: row.beyond for row in rows}


def _booked_beyond_of(connection: Connection, entry_id: str) -> int:
    query = select(m.offline_entry.c.beyond).where(m.offline_entry.c.entry_id == entry_id)
    return int(connection.execute(query).scalar_one())


def _places(together: list[Entry], *, batch: BatchKey, quota: Row[Any] | None) -> set[str]:
    named = {
        each.fact.location
        for each in together
        if isinstance(each.fact, Shipped) and each.fact.batch == batch and each.fact.location
    }
    if quota is not None and quota.ended_at is not None:
        named.update(part["location"] for part in quota.parts)
    return named


def _take_beyond(
    work: Work, event_id: int, batch_id: int, quantity: int, cell: CellBook | None
) -> None:
    if cell is None:
        # Nobody wrote down where they were taken from: a count will find them missing.
        work.move(event_id, batch_id, quantity, FOUND, GONE_BLOCKED)
    else:
        cell.take(event_id, quantity, GONE_BLOCKED, cartons_to=GONE_BLOCKED)


def _take_within(
    work: Work, event_id: int, quantity: int, quota: Row[Any], cells: dict[str, CellBook]
) -> None:
    """Out of the quota's own goods; where it has ended meanwhile, out of what came back of it."""
    left = 0 if quota.ended_at is not None else quota.granted - quota.used - quota.returned
    part = min(quantity, left)
    if part:
        source = account_of(quota.device)
        work.move(event_id, quota.batch_id, part, source, GONE)
        relocate_cartons(work, quota.batch_id, part, source, GONE, None)
        _make_room(work, quota, part)
    late = _take_late(work, event_id, quantity - part, quota, cells)
    work.connection.execute(
        update(o.quota)
        .where(o.quota.c.quota_id == quota.quota_id)
        .values(used=quota.used + part + late, returned=quota.returned - late)
    )


def _make_room(work: Work, quota: Row[Any], quantity: int) -> None:
    """Goods on a quota keep their room in the slots they were granted from until they are gone."""
    gone = quota.used
    for part in quota.parts:
        before = min(gone, part["quantity"])
        gone -= before
        here = min(quantity, part["quantity"] - before)
        quantity -= here
        if here:
            slots.vacate(work, part["location"], here)


def _take_late(
    work: Work, event_id: int, quantity: int, quota: Row[Any], cells: dict[str, CellBook]
) -> int:
    """The quota has ended, and what was left of it came back blocked, though it had left before.
    The units that are taken out of it again.
    """
    left = quantity
    for part in reversed(quota.parts):
        share = min(left, part["quantity"])
        if share:
            cells[part["location"]].take(event_id, share, GONE, cartons_to=GONE, blocked_first=True)
            left -= share
    if quantity:
        fewer = t.hold.c.quantity - quantity
        work.connection.execute(
            update(t.hold)
            .where(t.hold.c.hold_id == quota.hold_id)
            .values(quantity=case((fewer > 0, fewer), else_=0))
        )
    return quantity

"""Offline quotas booked: granted, used, ended (I1, I6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from contracts.errors import InsufficientStockError, NotFoundError
from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus
from erp_link.adapters import ledger
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.domain.moves import Place
from erp_link.domain.places import QUARANTINE
from erp_link.domain.quotas import Granted, check_grant
from erp_link.domain.receiving import CartonState
from erp_link.domain.tickets import TicketKind
from erp_link.service import booking, holding
from erp_link.service.commands import relocate_cartons
from erp_link.service.leave import check_leaving
from erp_link.service.orders.quotas_held import ACCOUNT
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import (
    Work,
    blocked,
    find_batch,
    hold_guards,
    key_of,
    location_guard,
    unrestricted,
)


@dataclass(frozen=True, slots=True)
class Quota:
    """Goods that a device may ship with no network, in base units. `left` is 0 once it has ended;
    what came back then is `returned`.
    """

    quota_id: str
    device: str
    batch: BatchKey
    granted: int
    used: int
    returned: int
    left: int
    expires_at: datetime
    granted_at: datetime
    granted_by: str
    ended_at: datetime | None


def account_of(device: str) -> Place:
    """Where goods on a device's quota stand in the books."""
    return Place(ACCOUNT + device, StockStatus.IN_TRANSIT)


def grant(
    work: Work, quota_id: str, device: str, key: BatchKey, quantity: int, expires_at: datetime
) -> None:
    """Issue goods to a device beforehand, from as many places as it takes. The guards are taken.

    Raises HeldError, InsufficientStockError, BadInputError.
    """
    check_grant(quantity, now=work.now, expires_at=expires_at)
    batch = find_batch(work.connection, key)
    check_leaving(work, batch, Place("", StockStatus.UNRESTRICTED))
    parts: list[dict[str, object]] = []
    left = quantity
    text = Reason("quota_granted", {"device": device, "quantity": quantity})
    event_id = work.event("quota_granted", text, batch_id=batch.id, reference=quota_id)
    for part in sorted(booking.free_at(work, batch.id), key=lambda part: part.location):
        guard = location_guard(part.location)
        usable = work.guards_place(part.location) and not work.is_held(guard)
        if not left or not usable or part.location == QUARANTINE:
            continue
        source = unrestricted(part.location)
        there, reserved = ledger.on_hand(work.connection, batch.id, source)
        taken = min(left, there - reserved)
        if taken > 0:
            left -= taken
            parts.append({"location": part.location, "quantity": taken})
            work.move(event_id, batch.id, taken, source, account_of(device))
            relocate_cartons(work, batch.id, taken, source, account_of(device), CartonState.PICKED)
    if left:
        raise InsufficientStockError(
            f"{quantity - left} of {quantity} units of batch {key} are free",
            mend="Grant less, or another batch",
            batch=str(key),
            free=quantity - left,
        )
    work.connection.execute(
        insert(o.quota).values(
            quota_id=quota_id,
            device=device,
            batch_id=batch.id,
            granted=quantity,
            parts=parts,
            expires_at=expires_at,
            granted_at=work.now,
            granted_by=work.by,
        )
    )


def end(work: Work, quota_id: str) -> int:
    """A quota's time is over: what is left comes back blocked, held until somebody has counted it.

    The units that came back. Takes the batch's guards. Does nothing where it has ended already.
    """
    row = find(work.connection, quota_id)
    batch = work.batch(row.batch_id)
    work.take((), hold_guards(batch))
    row = find(work.connection, quota_id, lock=True)
    left = granted_in(row).left
    values: dict[str, object] = {"ended_at": work.now, "returned": row.returned + left}
    if left:
        values["hold_id"] = f"H-{quota_id}"
        _take_back(work, row, left, f"H-{quota_id}")
    if row.ended_at is None:
        work.connection.execute(
            update(o.quota).where(o.quota.c.quota_id == quota_id).values(values)
        )
        text = Reason("quota_ended", {"device": row.device, "quantity": left})
        work.event("quota_ended", text, batch_id=row.batch_id, reference=quota_id)
    return left


def over_time(connection: Connection, now: datetime) -> list[str]:
    """The quotas whose time is over and that have not ended yet."""
    query = (
        select(o.quota.c.quota_id)
        .where(o.quota.c.ended_at.is_(None), o.quota.c.expires_at <= now)
        .order_by(o.quota.c.expires_at, o.quota.c.quota_id)
    )
    return list(connection.execute(query).scalars())


def find(connection: Connection, quota_id: str, *, lock: bool = False) -> Row[Any]:
    """Raises NotFoundError."""
    query = select(o.quota).where(o.quota.c.quota_id == quota_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no quota {quota_id}", mend="Look in the list of quotas", quota=quota_id
        )
    return row


def read_quotas(
    connection: Connection,
    *,
    device: str | None = None,
    open_only: bool = True,
    only: str | None = None,
) -> list[Quota]:
    """Quotas, those that end first first; of one device, or the one with the id `only`."""
    query = (
        select(o.quota, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == o.quota.c.batch_id)
        .order_by(o.quota.c.expires_at, o.quota.c.quota_id)
    )
    if only is not None:
        query = query.where(o.quota.c.quota_id == only)
    if device is not None:
        query = query.where(o.quota.c.device == device)
    if open_only:
        query = query.where(o.quota.c.ended_at.is_(None))
    return [
        Quota(
            quota_id=row.quota_id,
            device=row.device,
            batch=key_of(row),
            granted=row.granted,
            used=row.used,
            returned=row.returned,
            left=granted_in(row).left,
            expires_at=row.expires_at,
            granted_at=row.granted_at,
            granted_by=row.granted_by,
            ended_at=row.ended_at,
        )
        for row in connection.execute(query)
    ]


def granted_in(row: Row[Any]) -> Granted:
    return Granted(
        row.granted, row.used, row.returned, row.expires_at, ended=row.ended_at is not None
    )


def _take_back(work: Work, row: Row[Any], left: int, hold_id: str) -> None:
    """The units return to the places they were granted from, the last ones first."""
    source = account_of(row.device)
    why = Reason("quota_to_count", {"device": row.device, "quantity": left})
    event_id = work.event("blocked", why, batch_id=row.batch_id, reference=row.quota_id)
    names: list[str] = []
    back = left
    for part in reversed(row.parts):
        quantity = min(back, part["quantity"])
        if quantity:
            target = blocked(part["location"])
            work.move(event_id, row.batch_id, quantity, source, target)
            names += relocate_cartons(
                work, row.batch_id, quantity, source, target, CartonState.RECEIVED
            )
            back -= quantity
    holding.keep_units(
        work,
        hold_id,
        row.batch_id,
        left,
        why,
        location=row.parts[-1]["location"],
        cartons=names,
    )
    open_ticket(
        work,
        "QC-" + hold_id.removeprefix("H-"),
        why,
        kind=TicketKind.HOLD,
        batch_id=row.batch_id,
        hold_ids=(hold_id,),
        quantity=left,
    )

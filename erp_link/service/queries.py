"""What is on hand, what may leave, and what happened to a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, tuple_

from contracts.reason import Reason
from contracts.stock import BatchEvent, BatchKey, BatchSummary, HoldKind, StockStatus
from erp_link.adapters import tables as t
from erp_link.domain.expiry import is_expired
from erp_link.domain.leaving import LeaveFacts, may_this_leave
from erp_link.service.goods.product_rows import read_products
from erp_link.service.work import find_batch, key_of, namesakes

_PART = 500
"""Batches asked about in one statement."""


@dataclass(frozen=True, slots=True)
class StockLine:
    """What stands in one place in one status."""

    location: str
    batch: BatchKey
    status: StockStatus
    quantity: int
    reserved: int


@dataclass(frozen=True, slots=True)
class CameraSeen:
    camera: str
    state: str
    detail: str
    at: str


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    """A device as the core last heard of it."""

    device: str
    station: str
    version: str
    boot: str
    seq: int
    last_at: datetime | None
    """Of the last entry, by the device's clock."""
    seen_at: datetime | None
    """When it was applied here."""
    model_sets: dict[str, str] = field(default_factory=dict)
    cameras: tuple[CameraSeen, ...] = ()


def batches(
    connection: Connection,
    *,
    now: datetime,
    zone: tzinfo,
    after: tuple[str, str, str] | None = None,
    limit: int | None = None,
) -> list[BatchSummary]:
    """Every batch that is announced or was ever here, by GTIN, lot and supplier: all of them, or at
    most `limit` that come after `(gtin, lot, supplier)`.
    """
    order = (t.batch.c.gtin, t.batch.c.lot, t.batch.c.supplier)
    wanted = select(t.batch).order_by(*order).limit(limit)
    if after is not None:
        wanted = wanted.where(tuple_(*order) > tuple_(*after))
    return summaries(connection, connection.execute(wanted).all(), now=now, zone=zone)


def batch(connection: Connection, key: BatchKey, *, now: datetime, zone: tzinfo) -> BatchSummary:
    """One batch, and whether it may leave. Raises NotFoundError."""
    return summaries(connection, [find_batch(connection, key)], now=now, zone=zone)[0]


def summaries(
    connection: Connection, known: Sequence[Row[Any]], *, now: datetime, zone: tzinfo
) -> list[BatchSummary]:
    """The summaries of these rows of `batch`, in their order."""
    amounts: dict[int, dict[str, int]] = {}
    reserved: dict[int, int] = {}
    for ids in _parts([row.id for row in known]):
        for row in connection.execute(_AMOUNTS, {"ids": ids}):
            amounts.setdefault(row.batch_id, {})[row.status] = int(row.quantity)
            reserved[row.batch_id] = reserved.get(row.batch_id, 0) + int(row.reserved)
    by_batch, by_supplier, by_lot = _open_holds(connection)
    # What a list called the goods; goods received by hand were on none.
    products = read_products(connection, [row.gtin for row in known if not row.description])

    def holds_on(row: Row[Any]) -> tuple[str, ...]:
        if row.supplier:
            return (*by_batch.get(row.id, ()), *by_supplier.get(row.supplier, ()))
        # Goods of an unknown supplier may be those of any batch with their GTIN and lot.
        found = list(by_lot.get((row.gtin, row.lot), ()))
        for other in namesakes(connection, row) if by_supplier else ():
            found += by_supplier.get(other.supplier, ())
        return (*found, *by_supplier.get("", ()))

    return [
        _summary(
            row,
            row.description or products[row.gtin].name,
            amounts.get(row.id, {}),
            reserved.get(row.id, 0),
            holds=holds_on(row),
            expired_on=row.expiry if is_expired(row.expiry, now=now, zone=zone) else None,
        )
        for row in known
    ]


def _parts(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _PART):
        yield ids[start : start + _PART]


def batch_story(connection: Connection, key: BatchKey) -> list[BatchEvent]:
    """Everything that happened to a batch, oldest first. Raises NotFoundError."""
    batch = find_batch(connection, key)
    rows = connection.execute(
        select(t.event).where(t.event.c.batch_id == batch.id).order_by(t.event.c.id)
    )
    return [
        BatchEvent(row.at, row.what, row.by, Reason(row.code, row.params), row.reference)
        for row in rows
    ]


def stock_by_location(
    connection: Connection,
    *,
    after: tuple[str, ...] | None = None,
    limit: int | None = None,
) -> list[StockLine]:
    """What stands where, by place; at most `limit` lines after `(location, gtin, lot, supplier,
    status)`.
    """
    order = (
        t.stock.c.location, t.batch.c.gtin, t.batch.c.lot, t.batch.c.supplier, t.stock.c.status
    )  # fmt: skip
    wanted = (
        select(t.stock, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == t.stock.c.batch_id)
        .where(t.stock.c.quantity > 0)
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        wanted = wanted.where(tuple_(*order) > tuple_(*after))
    rows = connection.execute(wanted)
    return [
        StockLine(row.location, key_of(row), StockStatus(row.status), row.quantity, row.reserved)
        for row in rows
    ]


def devices(connection: Connection) -> list[DeviceSeen]:
    """Every device that sent an entry."""
    rows = connection.execute(select(t.device).order_by(t.device.c.device))
    return [
        DeviceSeen(
            device=row.device,
            station=row.station,
            version=row.version,
            boot=row.boot,
            seq=row.seq,
            last_at=row.last_at,
            seen_at=row.seen_at,
            model_sets=row.model_sets,
            cameras=tuple(
                CameraSeen(name, seen["state"], seen["detail"], seen["at"])
                for name, seen in sorted(row.cameras.items())
            ),
        )
        for row in rows
    ]


def _summary(
    row: Row[Any],
    description: str,
    amounts: dict[str, int],
    reserved: int,
    *,
    holds: tuple[str, ...],
    expired_on: date | None,
) -> BatchSummary:
    free = amounts.get(StockStatus.UNRESTRICTED, 0)
    inspection = amounts.get(StockStatus.INSPECTION, 0)
    blocked = amounts.get(StockStatus.BLOCKED, 0)
    status = StockStatus.UNRESTRICTED
    if not free and (blocked or inspection):
        status = StockStatus.BLOCKED if blocked else StockStatus.INSPECTION
    reasons = may_this_leave(LeaveFacts(status, holds, expired_on))
    return BatchSummary(
        key=key_of(row),
        description=description,
        expiry=row.expiry,
        on_hand=sum(amounts.values()),
        unrestricted=free,
        inspection=inspection,
        blocked=blocked,
        reserved=reserved,
        may_leave=not reasons,
        reasons=reasons,
    )


def _open_holds(
    connection: Connection,
) -> tuple[
    dict[int, tuple[str, ...]], dict[str, tuple[str, ...]], dict[tuple[str, str], tuple[str, ...]]
]:
    """Open holds on whole batches and on suppliers: by batch, by supplier, by GTIN and lot."""
    by_batch: dict[int, tuple[str, ...]] = {}
    by_supplier: dict[str, tuple[str, ...]] = {}
    by_lot: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in connection.execute(_OPEN_HOLDS):
        if row.kind == HoldKind.BATCH.value:
            by_batch[row.batch_id] = (*by_batch.get(row.batch_id, ()), row.hold_id)
            lot = (row.gtin, row.lot)
            by_lot[lot] = (*by_lot.get(lot, ()), row.hold_id)
        else:
            by_supplier[row.supplier] = (*by_supplier.get(row.supplier, ()), row.hold_id)
    return by_batch, by_supplier, by_lot


_AMOUNTS = (
    select(
        t.stock.c.batch_id,
        t.stock.c.status,
        func.sum(t.stock.c.quantity).label("quantity"),
        func.sum(t.stock.c.reserved).label("reserved"),
    )
    .where(t.stock.c.batch_id.in_(bindparam("ids", expanding=True)))
    .group_by(t.stock.c.batch_id, t.stock.c.status)
)
_OPEN_HOLDS = (
    select(
        t.hold.c.hold_id,
        t.hold.c.kind,
        t.hold.c.batch_id,
        t.hold.c.supplier,
        t.batch.c.gtin,
        t.batch.c.lot,
    )
    .outerjoin(t.batch, t.batch.c.id == t.hold.c.batch_id)
    .where(
        t.hold.c.released_at.is_(None),
        t.hold.c.kind.in_([HoldKind.BATCH.value, HoldKind.SUPPLIER.value]),
    )
    .order_by(t.hold.c.hold_id)
)

"""What a device takes along offline, and what people are shown of the merge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from contracts.device_log import GENESIS, LogEntry
from contracts.stock import BatchKey, Hold, StockStatus
from erp_link.adapters import merge_tables as m
from erp_link.adapters import tables as t
from erp_link.domain.merge.conflicts import ConflictKind
from erp_link.service.holding import read_holds
from erp_link.service.merge import reading, roster
from erp_link.service.orders.quotas import Quota, read_quotas
from erp_link.service.work import key_of

_LATEST = 2000


@dataclass(frozen=True, slots=True)
class CellCarried:
    """What stands in a place, by the books. `quantity` is what a count should find."""

    batch: BatchKey
    location: str
    quantity: int
    free: int
    blocked: int
    inspection: int
    expiry: date | None
    description: str


@dataclass(frozen=True, slots=True)
class Carry:
    """Taken along offline. The device writes `version` and `seen` down in a `carried` entry, and
    goes on with its log after `next_seq` - 1, whose hash is `previous`.
    """

    device: str
    version: int
    seen: dict[str, int]
    next_seq: int
    previous: str
    cells: tuple[CellCarried, ...]
    holds: tuple[Hold, ...]
    quotas: tuple[Quota, ...]


@dataclass(frozen=True, slots=True)
class OfflineDevice:
    """A device that keeps a log. `state` is active, quarantined, revoked or unknown; `refused` entries are
    kept and count for nothing; `expected` is the lowest number missing, on which `waiting` hang.
    """

    device: str
    owner: str
    roles: tuple[str, ...]
    state: str
    why: str
    suspect_from: int | None
    expected: int
    waiting: int
    refused: int
    enrolled_at: datetime


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a conflict: an entry with who wrote it when, by the device's clock, or the id of
    a hold, of the core, or a code.
    """

    reference: str
    kind: str = ""
    device: str = ""
    by: str = ""
    at: datetime | None = None
    uploaded_at: datetime | None = None
    body: str = ""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A conflict with its sides and its ticket."""

    conflict_id: str
    kind: ConflictKind
    ticket_id: str
    batch: BatchKey | None
    location: str
    device: str
    quantity: int
    opened_at: datetime
    withdrawn_at: datetime | None
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Goods that were seen offline and wait in inspection."""

    batch: BatchKey
    location: str
    quantity: int


def carry(connection: Connection, device: str, locations: Sequence[str]) -> Carry:
    """Raises NotFoundError for a device not enrolled."""
    roster.known_device(connection, device)
    wanted: list[ColumnElement[bool]] = []
    if locations:
        wanted.append(t.stock.c.location.in_(list(locations)))
    last = connection.execute(
        select(m.offline_entry.c.seq, m.offline_entry.c.entry_id)
        .where(m.offline_entry.c.device == device, m.offline_entry.c.state != reading.WAITING)
        .order_by(m.offline_entry.c.seq.desc(), m.offline_entry.c.entry_id)
        .limit(1)
    ).one_or_none()
    return Carry(
        device=device,
        version=reading.position(connection),
        seen=reading.heads(connection),
        next_seq=1 if last is None else last.seq + 1,
        previous=GENESIS if last is None else last.entry_id,
        cells=tuple(_cells(connection, wanted)),
        holds=tuple(read_holds(connection)),
        quotas=tuple(read_quotas(connection, device=device)),
    )


def devices(connection: Connection) -> list[OfflineDevice]:
    """By their names; the core's own log is not among them."""
    entry, kept = m.offline_entry, m.offline_refused
    waits = entry.c.state == reading.WAITING
    number = func.count().label("n")
    last = _by_device(
        connection, select(entry.c.device, func.max(entry.c.seq).label("n")).where(~waits)
    )
    waiting = _by_device(connection, select(entry.c.device, number).where(waits))
    refused = _by_device(connection, select(kept.c.device, number))
    rows = connection.execute(select(m.offline_device).order_by(m.offline_device.c.device))
    return [
        OfflineDevice(
            device=row.device,
            owner=row.owner,
            roles=tuple(row.roles),
            state=row.state,
            why=row.why,
            suspect_from=row.suspect_from,
            expected=last.get(row.device, 0) + 1,
            waiting=waiting.get(row.device, 0),
            refused=refused.get(row.device, 0),
            enrolled_at=row.enrolled_at,
        )
        for row in rows
        if not row.device.startswith("@")
    ]


def disputes(connection: Connection, *, open_only: bool) -> list[Dispute]:
    """Newest first."""
    query = (
        select(m.offline_conflict, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == m.offline_conflict.c.batch_id, isouter=True)
        .order_by(m.offline_conflict.c.opened_at.desc(), m.offline_conflict.c.conflict_id)
        .limit(_LATEST)
    )
    if open_only:
        query = query.where(m.offline_conflict.c.withdrawn_at.is_(None))
    rows = connection.execute(query).all()
    sides = _sides(connection, {side for row in rows for side in row.sides})
    return [
        Dispute(
            conflict_id=row.conflict_id,
            kind=ConflictKind(row.kind),
            ticket_id=row.ticket_id,
            batch=key_of(row) if row.batch_id is not None else None,
            location=row.location,
            device=row.device,
            quantity=row.quantity,
            opened_at=row.opened_at,
            withdrawn_at=row.withdrawn_at,
            sides=tuple(sides.get(side, Side(side)) for side in row.sides),
        )
        for row in rows
    ]


def unconfirmed(connection: Connection) -> list[Unconfirmed]:
    """By place and batch."""
    rows = connection.execute(
        select(m.offline_cell, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == m.offline_cell.c.batch_id)
        .where(m.offline_cell.c.unconfirmed > 0)
        .order_by(m.offline_cell.c.location, t.batch.c.gtin, t.batch.c.lot)
    )
    return [Unconfirmed(key_of(row), row.location, row.unconfirmed) for row in rows]


def kept_entries(connection: Connection, device: str) -> list[LogEntry]:
    """What a device sent before anybody knew it, or after it was revoked."""
    rows = connection.execute(
        select(m.offline_refused.c.raw)
        .where(
            m.offline_refused.c.device == device,
            m.offline_refused.c.code.in_(("unknown_device", "revoked_device")),
        )
        .order_by(m.offline_refused.c.id)
    ).scalars()
    return [LogEntry(**json.loads(raw)) for raw in rows]


def _by_device(connection: Connection, query: Select[Any]) -> dict[str, int]:
    rows = connection.execute(query.group_by(query.selected_columns["device"]))
    return {row.device: int(row.n) for row in rows}


def _cells(connection: Connection, wanted: Sequence[ColumnElement[bool]]) -> list[CellCarried]:
    rows = connection.execute(
        select(t.stock, t.batch)
        .join(t.batch, t.batch.c.id == t.stock.c.batch_id)
        .where(t.stock.c.quantity > 0, *wanted)
        .order_by(t.stock.c.location, t.batch.c.id, t.stock.c.status)
    )
    owed = {
        (row.batch_id, row.location): row.owed
        for row in connection.execute(select(m.offline_cell).where(m.offline_cell.c.owed > 0))
    }
    amounts: dict[tuple[int, str], dict[str, int]] = {}
    about = {}
    for row in rows:
        here = (row.batch_id, row.location)
        amounts.setdefault(here, {})[row.status] = row.quantity
        about[here] = row
    return [
        CellCarried(
            batch=key_of(row),
            location=here[1],
            quantity=sum(amounts[here].values()) - owed.get(here, 0),
            free=amounts[here].get(StockStatus.UNRESTRICTED, 0),
            blocked=amounts[here].get(StockStatus.BLOCKED, 0),
            inspection=amounts[here].get(StockStatus.INSPECTION, 0),
            expiry=row.expiry,
            description=row.description,
        )
        for here, row in about.items()
    ]


def _sides(connection: Connection, names: set[str]) -> dict[str, Side]:
    rows = connection.execute(
        select(m.offline_entry).where(m.offline_entry.c.entry_id.in_(sorted(names)))
    )
    found = {
        row.entry_id: Side(
            row.entry_id, row.kind, row.device, row.by, row.at, row.uploaded_at, row.body
        )
        for row in rows
    }
    holds = connection.execute(select(t.hold).where(t.hold.c.hold_id.in_(sorted(names))))
    for row in holds:
        found[row.hold_id] = Side(
            row.hold_id,
            "hold",
            by=row.raised_by,
            at=row.raised_at,
            body=json.dumps({"note": str(row.params.get("note", ""))}),
        )
    return found

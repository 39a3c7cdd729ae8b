"""Which transport orders wait, which are under way, what became of one (I1)."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, Row, select

from contracts.reason import Reason
from contracts.stock import (
    OpenTransport,
    StockStatus,
    TransportKind,
    TransportOrder,
    TransportState,
)
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard
from erp_link.domain.expiry import is_expired
from erp_link.domain.leaving import LeaveFacts, may_this_leave
from erp_link.domain.places import QUARANTINE
from erp_link.service.transport import with_vehicle
from erp_link.service.work import key_of, location_guard, lot_guard


def pending(connection: Connection, *, now: datetime, zone: tzinfo) -> list[TransportOrder]:
    """Orders not yet sent, oldest first; what may not leave only towards quarantine (I1)."""
    held = {
        Guard(kind, ref)
        for kind, ref in connection.execute(
            select(t.guard.c.kind, t.guard.c.ref).where(t.guard.c.open_holds > 0)
        )
    }
    rows = connection.execute(
        _with_batch()
        .add_columns(t.carton.c.status, t.batch.c.expiry)
        .join(t.carton, t.carton.c.carton_id == t.transport.c.load_id, isouter=True)
        .where(t.transport.c.state == TransportState.REQUESTED.value)
    )
    return [
        _order(row)
        for row in rows
        if row.target == QUARANTINE or _may_go(row, held, now=now, zone=zone)
    ]


def _may_go(row: Row[Any], held: set[Guard], *, now: datetime, zone: tzinfo) -> bool:
    holds = () if held.isdisjoint(_covering(row)) else ("-",)
    expired_on = row.expiry if is_expired(row.expiry, now=now, zone=zone) else None
    status = StockStatus(row.status) if row.status else StockStatus.UNRESTRICTED
    return not may_this_leave(LeaveFacts(status, holds, expired_on))


def under_way(connection: Connection) -> list[OpenTransport]:
    """Orders sent whose goods are not known to have arrived, failed ones until a person has
    decided on their ticket.
    """
    rows = connection.execute(_with_batch().where(with_vehicle()))
    return [_known(row) for row in rows]


def newest(connection: Connection, *, limit: int = 200) -> list[OpenTransport]:
    """The newest orders whatever their state, newest first."""
    rows = connection.execute(
        _with_batch().order_by(None).order_by(t.transport.c.id.desc()).limit(limit)
    )
    return [_known(row) for row in rows]


def find(connection: Connection, order_id: str) -> OpenTransport | None:
    """One order in whatever state."""
    row = connection.execute(_with_batch().where(t.transport.c.order_id == order_id)).one_or_none()
    return None if row is None else _known(row)


def _with_batch() -> Any:
    return (
        select(t.transport, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == t.transport.c.batch_id, isouter=True)
        .order_by(t.transport.c.id)
    )


def _order(row: Row[Any]) -> TransportOrder:
    batch = key_of(row) if row.batch_id is not None else None
    return TransportOrder(
        row.order_id,
        row.load_id,
        row.source,
        row.target,
        batch,
        kind=TransportKind(row.kind),
        on_board=row.on_board,
        requested_at=row.requested_at,
    )


def _known(row: Row[Any]) -> OpenTransport:
    return OpenTransport(
        _order(row),
        row.vehicle or "",
        TransportState(row.state),
        row.sent_at or row.requested_at,
        stop=Reason(row.stop_code, row.stop_params or {}) if row.stop_code else None,
    )


def _covering(row: Row[Any]) -> set[Guard]:
    return {
        Guard("batch", str(row.batch_id)),
        Guard("supplier", str(row.supplier)),
        *((lot_guard(row),) if row.supplier == "" else ()),
        location_guard(row.source),
    }

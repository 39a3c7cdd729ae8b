"""Transport orders: asked for by a carton's status, diverted by a hold (I1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, insert, select, update

from contracts.reason import Reason
from contracts.stock import (
    OpenTransport,
    StockStatus,
    TicketState,
    TransportKind,
    TransportOrder,
    TransportState,
)
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard
from erp_link.domain.expiry import is_expired
from erp_link.domain.leaving import LeaveFacts, may_this_leave
from erp_link.domain.places import QUARANTINE, PlaceKind
from erp_link.service import slots
from erp_link.service.work import Work, key_of, location_guard, lot_guard

RANK = {
    TransportState.REQUESTED: 0,
    TransportState.SENT: 1,
    TransportState.ACCEPTED: 2,
    TransportState.PICKED: 3,
    TransportState.FAILED: 4,
    TransportState.CANCELLED: 4,
    TransportState.DROPPED: 5,
}
"""How far an order is: late news of an earlier step never takes it back."""
_UNFINISHED = frozenset(s.value for s, rank in RANK.items() if rank < RANK[TransportState.FAILED])
_ORDERS_OF = select(t.transport.c.state).where(t.transport.c.load_id == bindparam("load"))
_STATUS_OF = select(t.carton.c.status).where(t.carton.c.carton_id == bindparam("load"))
_ASK = insert(t.transport)
_WITH_VEHICLE = [
    s.value for s in (TransportState.SENT, TransportState.ACCEPTED, TransportState.PICKED)
]


def request(work: Work, carton_id: str, *, source: str, batch_id: int | None) -> None:
    """Ask for a carton to be brought where it belongs by its status: slot or quarantine.

    With every slot full it stays where it is, and the history says so. A carton that has an
    order on its way is asked for when that one is done.
    """
    states = work.connection.execute(_ORDERS_OF, {"load": carton_id}).scalars().all()
    if not _UNFINISHED.isdisjoint(states):
        return
    status = work.connection.execute(_STATUS_OF, {"load": carton_id}).scalar_one_or_none()
    target: str | None = QUARANTINE
    why = Reason("slot_quarantine", {})
    if status == StockStatus.UNRESTRICTED.value and batch_id is not None:
        chosen = slots.claim(work, batch_id)
        target, why = chosen.code, chosen.reason
    if target is None:
        text = Reason(f"story_{why.code}", {"carton": carton_id, **why.params})
        work.event("no_slot", text, batch_id=batch_id, reference=carton_id)
        return
    if target == source:
        return
    order_id = f"TO-{carton_id}-{len(states) + 1}"
    work.connection.execute(
        _ASK,
        {
            "order_id": order_id,
            "load_id": carton_id,
            "source": source,
            "target": target,
            "batch_id": batch_id,
            "state": TransportState.REQUESTED.value,
            "vehicle": "",
            "slot_claimed": int(target != QUARANTINE),
            "kind": (
                TransportKind.RECALL if target == QUARANTINE else TransportKind.PUT_AWAY
            ).value,
            "attempt": 1,
            "requested_at": work.now,
        },
    )
    code = "story_transport" if target == QUARANTINE else f"story_{why.code}"
    text = Reason(code, {"carton": carton_id, "source": source, "target": target})
    work.event("transport", text, batch_id=batch_id, reference=order_id)
    work.tell("transport", order_id, text)


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
    undecided = (
        select(t.ticket.c.ticket_id)
        .where(
            t.ticket.c.ticket_id == failure_ticket(t.transport.c.order_id),
            t.ticket.c.state.in_([TicketState.OPEN.value, TicketState.CONTAINED.value]),
        )
        .exists()
    )
    failed = (t.transport.c.state == TransportState.FAILED.value) & undecided
    rows = connection.execute(_with_batch().where(t.transport.c.state.in_(_WITH_VEHICLE) | failed))
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


def failure_ticket(order_id: Any) -> Any:
    """The id of the ticket that a failed order opens; of a value, or of a column."""
    return "QC-" + order_id + "-failed"


def divert_batch(work: Work, batch_id: int) -> None:
    """A hold came after the order: what is not sent yet goes to quarantine instead."""
    _divert(work, t.transport.c.batch_id == batch_id)


def divert_from(work: Work, location: str) -> None:
    _divert(work, t.transport.c.source == location)


def divert_cartons(work: Work, cartons: Sequence[str]) -> None:
    _divert(work, t.transport.c.load_id.in_(sorted(cartons)))


def put_away_freed(work: Work, batch_id: int) -> None:
    """Cartons that a release set free go to a slot, not to quarantine."""
    _cancel(
        work,
        (t.transport.c.batch_id == batch_id)
        & (t.transport.c.target == QUARANTINE)
        & t.transport.c.load_id.in_(
            select(t.carton.c.carton_id).where(
                t.carton.c.batch_id == batch_id,
                t.carton.c.status == StockStatus.UNRESTRICTED.value,
            )
        ),
    )
    waiting = work.connection.execute(
        select(t.carton)
        .join(t.location, t.location.c.code == t.carton.c.location, isouter=True)
        .where(
            t.carton.c.batch_id == batch_id,
            t.carton.c.status == StockStatus.UNRESTRICTED.value,
            func.coalesce(t.location.c.kind, "") != PlaceKind.SLOT.value,
        )
        .order_by(t.carton.c.carton_id)
    ).all()
    for carton in waiting:
        request(work, carton.carton_id, source=carton.location, batch_id=batch_id)


def put_away_from(work: Work, location: str) -> None:
    """A place is free to use again: what waits there is asked for once more."""
    names = work.connection.execute(
        select(t.carton.c.carton_id)
        .where(
            t.carton.c.location == location,
            t.carton.c.status == StockStatus.UNRESTRICTED.value,
        )
        .order_by(t.carton.c.carton_id)
    ).scalars()
    for name in list(names):
        ask_for(work, name)


def ask_for(work: Work, carton_id: str) -> None:
    """Ask for a carton to be brought where it belongs, unless it stands there already."""
    row = work.connection.execute(
        select(t.carton, t.location.c.kind)
        .join(t.location, t.location.c.code == t.carton.c.location, isouter=True)
        .where(t.carton.c.carton_id == carton_id)
    ).one_or_none()
    if row is None:
        return
    free = row.status == StockStatus.UNRESTRICTED.value
    if free and row.kind != PlaceKind.SLOT.value:
        request(work, carton_id, source=row.location, batch_id=row.batch_id)
    if row.status == StockStatus.BLOCKED.value:
        request(work, carton_id, source=row.location, batch_id=row.batch_id)


def withdraw(work: Work, carton_id: str) -> None:
    """No order of a carton is wanted any more that did not go out."""
    _cancel(work, t.transport.c.load_id == carton_id)


def _divert(work: Work, which: ColumnElement[bool]) -> None:
    """Under a new number: a bridge that still holds the old order is refused when it asks to
    send it.
    """
    for order in _cancel(work, which & (t.transport.c.target != QUARANTINE)):
        carton = work.connection.execute(
            select(t.carton.c.status).where(t.carton.c.carton_id == order.load_id)
        ).one_or_none()
        if carton is not None and carton.status != StockStatus.UNRESTRICTED.value:
            request(work, order.load_id, source=order.source, batch_id=order.batch_id)


def _cancel(work: Work, which: ColumnElement[bool]) -> Sequence[Row[Any]]:
    rows = work.connection.execute(
        select(t.transport)
        .where(which, t.transport.c.state == TransportState.REQUESTED.value)
        .order_by(t.transport.c.target, t.transport.c.id)
        .with_for_update()
    ).all()
    for order in rows:
        if order.slot_claimed:
            slots.vacate(work, order.target, 1)
        work.connection.execute(
            update(t.transport)
            .where(t.transport.c.id == order.id)
            .values(state=TransportState.CANCELLED.value, slot_claimed=0)
        )
        text = Reason("story_transport_cancelled", {"carton": order.load_id})
        work.event("cancelled", text, batch_id=order.batch_id, reference=order.order_id)
    return rows


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

"""Transport orders: asked for by a carton's status, diverted by a hold (I1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, insert, select, update

from contracts.reason import Reason
from contracts.stock import StockStatus, TicketState, TransportKind, TransportState
from erp_link.adapters import tables as t
from erp_link.domain.places import QUARANTINE, PlaceKind
from erp_link.service import slots
from erp_link.service.work import Work

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
_WITH_VEHICLE = tuple(
    s.value for s in (TransportState.SENT, TransportState.ACCEPTED, TransportState.PICKED)
)
HELD = "transport_held"
ELSEWHERE = "transport_elsewhere"
WITHDRAWN = "transport_withdrawn"
CALLED_OFF = "transport_called_off"
"""Why a vehicle must not go on with an order that it has."""


@dataclass(frozen=True, slots=True)
class Way:
    """From where to where one load is to go, and what for; `claimed`: room at the target is taken."""

    load: str
    source: str
    target: str
    batch_id: int | None
    kind: TransportKind
    claimed: bool = False
    on_board: str = ""


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
    kind = TransportKind.RECALL if target == QUARANTINE else TransportKind.PUT_AWAY
    way = Way(carton_id, source, target, batch_id, kind, claimed=target != QUARANTINE)
    order(work, way, "story_transport" if target == QUARANTINE else f"story_{why.code}")


def order(work: Work, way: Way, code: str) -> str:
    """Write an order and its place in the history; its id. Room at the target is claimed before."""
    before = len(work.connection.execute(_ORDERS_OF, {"load": way.load}).all())
    order_id = f"TO-{way.load}-{before + 1}"
    work.connection.execute(
        _ASK,
        {
            "order_id": order_id,
            "load_id": way.load,
            "source": way.source,
            "target": way.target,
            "batch_id": way.batch_id,
            "state": TransportState.REQUESTED.value,
            "vehicle": "",
            "slot_claimed": int(way.claimed),
            "kind": way.kind.value,
            "on_board": way.on_board,
            "attempt": 1,
            "requested_at": work.now,
        },
    )
    text = Reason(code, {"carton": way.load, "source": way.source, "target": way.target})
    work.event("transport", text, batch_id=way.batch_id, reference=order_id)
    work.tell("transport", order_id, text)
    return order_id


def stop(work: Work, which: ColumnElement[bool], code: str, **params: str) -> None:
    """The orders that vehicles have, or had when they failed, must not be gone on with. One that is
    being stopped already keeps its reason.
    """
    rows = work.connection.execute(
        select(t.transport)
        .where(which, t.transport.c.stop_code == "", with_vehicle())
        .order_by(t.transport.c.target, t.transport.c.id)
        .with_for_update()
    ).all()
    for row in rows:
        named = {"order": row.order_id, "carton": row.load_id, "vehicle": row.vehicle, **params}
        work.connection.execute(
            update(t.transport)
            .where(t.transport.c.id == row.id)
            .values(stop_code=code, stop_params=named)
        )
        text = Reason(code, named)
        work.event("stopping", text, batch_id=row.batch_id, reference=row.order_id)
        work.tell("transport", row.order_id, text)


def failure_ticket(order_id: Any) -> Any:
    """The id of the ticket that a failed order opens; of a value, or of a column."""
    return "QC-" + order_id + "-failed"


def with_vehicle() -> ColumnElement[bool]:
    """Orders sent whose goods are not known to have arrived, failed ones until a person has decided
    on their ticket.
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
    return t.transport.c.state.in_(_WITH_VEHICLE) | failed


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
        & (t.transport.c.on_board == "")
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
    """No order of a carton is wanted any more: those that did not go out are cancelled, a vehicle
    on its way to where the carton was is stopped.
    """
    of_load = t.transport.c.load_id == carton_id
    _cancel(work, of_load)
    empty = t.transport.c.state.in_([TransportState.SENT.value, TransportState.ACCEPTED.value])
    stop(work, of_load & empty, ELSEWHERE)


def withdraw_unsent(work: Work, cartons: Sequence[str]) -> None:
    """These cartons stay where they are for now: their orders that no vehicle has are cancelled."""
    _cancel(work, t.transport.c.load_id.in_(sorted(cartons)))


def cancel(work: Work, order_id: str) -> bool:
    """Withdraw one order that did not go out; False where it did."""
    return bool(_cancel(work, t.transport.c.order_id == order_id))


def _divert(work: Work, which: ColumnElement[bool]) -> None:
    """Under a new number: a bridge that still holds the old order is refused when it asks to
    send it. What vehicles have already is to be stopped.
    """
    outward = which & (t.transport.c.target != QUARANTINE)
    for row in _cancel(work, outward):
        if row.on_board:
            to_quarantine(work, row, row.on_board)
            continue
        carton = work.connection.execute(
            select(t.carton.c.status).where(t.carton.c.carton_id == row.load_id)
        ).one_or_none()
        if carton is not None and carton.status != StockStatus.UNRESTRICTED.value:
            request(work, row.load_id, source=row.source, batch_id=row.batch_id)
    stop(work, outward, HELD)


def to_quarantine(work: Work, stopped: Row[Any], vehicle: str) -> None:
    """What a vehicle has on board goes to quarantine, always (I1)."""
    way = Way(
        stopped.load_id,
        stopped.source,
        QUARANTINE,
        stopped.batch_id,
        TransportKind.RECALL,
        on_board=vehicle,
    )
    order(work, way, "story_transport")


def _cancel(work: Work, which: ColumnElement[bool]) -> Sequence[Row[Any]]:
    rows = work.connection.execute(
        select(t.transport)
        .where(which, t.transport.c.state == TransportState.REQUESTED.value)
        .order_by(t.transport.c.target, t.transport.c.id)
        .with_for_update()
    ).all()
    for row in rows:
        if row.slot_claimed:
            slots.vacate(work, row.target, 1)
        work.connection.execute(
            update(t.transport)
            .where(t.transport.c.id == row.id)
            .values(state=TransportState.CANCELLED.value, slot_claimed=0)
        )
        text = Reason("story_transport_cancelled", {"carton": row.load_id})
        work.event("cancelled", text, batch_id=row.batch_id, reference=row.order_id)
    return rows

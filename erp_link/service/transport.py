"""Transport: a slot and an order for a carton, and what the vehicle really did with it.

Goods never leave by a vehicle's word: a vehicle moves cartons inside the house only (I1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from contracts.reason import Reason
from contracts.stock import (
    StockStatus,
    TransportOrder,
    TransportProgress,
    TransportState,
)
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard, insert_missing
from erp_link.domain.moves import Place
from erp_link.domain.places import QUARANTINE, PlaceKind
from erp_link.domain.slots import SlotState, allocate
from erp_link.service.observed import move_observed
from erp_link.service.ticketing import contain_tickets_of, open_ticket
from erp_link.service.work import Work, batch_guards, key_of, location_guard

_RANK = {
    TransportState.REQUESTED: 0,
    TransportState.SENT: 1,
    TransportState.ACCEPTED: 2,
    TransportState.PICKED: 3,
    TransportState.FAILED: 4,
    TransportState.CANCELLED: 4,
    TransportState.DROPPED: 5,
}
_UNFINISHED = [s.value for s, rank in _RANK.items() if rank < _RANK[TransportState.FAILED]]


def request(work: Work, carton_id: str, *, source: str, batch_id: int | None) -> None:
    """Ask for a carton to be brought where it belongs by its status: slot or quarantine.

    With every slot full it stays where it is, and is asked for again when a slot comes free.
    """
    carton = _carton(work.connection, carton_id)
    free = carton is not None and carton.status == StockStatus.UNRESTRICTED.value
    target: str | None = QUARANTINE
    if free and batch_id is not None:
        target = _claim_slot(work, batch_id)
    if target is None:
        work.event(
            "no_slot",
            Reason("story_no_slot", {"carton": carton_id}),
            batch_id=batch_id,
            reference=carton_id,
        )
        return
    if target == source:
        return
    count = work.connection.execute(
        select(func.count()).select_from(t.transport).where(t.transport.c.load_id == carton_id)
    ).scalar_one()
    order_id = f"TO-{carton_id}-{count + 1}"
    work.connection.execute(
        insert(t.transport).values(
            order_id=order_id,
            load_id=carton_id,
            source=source,
            target=target,
            batch_id=batch_id,
            state=TransportState.REQUESTED.value,
            vehicle="",
            slot_claimed=int(target != QUARANTINE),
            requested_at=work.now,
        )
    )
    text = Reason("story_transport", {"carton": carton_id, "source": source, "target": target})
    work.event("transport", text, batch_id=batch_id, reference=order_id)
    work.tell("transport", order_id, text)


def pending(connection: Connection) -> list[TransportOrder]:
    """Orders not yet sent, oldest first; held goods only towards quarantine."""
    rows = connection.execute(
        select(t.transport, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == t.transport.c.batch_id, isouter=True)
        .where(t.transport.c.state == TransportState.REQUESTED.value)
        .order_by(t.transport.c.id)
    ).all()
    held = {
        Guard(kind, ref)
        for kind, ref in connection.execute(
            select(t.guard.c.kind, t.guard.c.ref).where(t.guard.c.open_holds > 0)
        )
    }
    orders: list[TransportOrder] = []
    for row in rows:
        covering = {
            Guard("batch", str(row.batch_id)),
            Guard("supplier", str(row.supplier)),
            location_guard(row.source),
        }
        if row.target != QUARANTINE and covering & held:
            continue
        batch = key_of(row) if row.batch_id is not None else None
        orders.append(TransportOrder(row.order_id, row.load_id, row.source, row.target, batch))
    return orders


def guards_of(connection: Connection, progress: TransportProgress) -> set[Guard]:
    """What the progress touches: batch and supplier of every load it names, and the places."""
    order = _order(connection, progress.order_id)
    loads = {progress.load_id, order.load_id if order else None} - {None}
    wanted: set[Guard] = set()
    if order is not None:
        wanted |= {location_guard(order.source), location_guard(order.target)}
    if progress.location:
        wanted.add(location_guard(progress.location))
    for batch in connection.execute(
        select(t.batch)
        .join(t.carton, t.carton.c.batch_id == t.batch.c.id)
        .where(t.carton.c.carton_id.in_(sorted(x for x in loads if x)))
    ):
        wanted |= set(batch_guards(batch))
    return wanted


def progressed(work: Work, progress: TransportProgress) -> None:
    """Book what a vehicle did, once for each (vehicle, order, action)."""
    action = progress.action_id or progress.state.value
    seen = work.connection.execute(
        insert_missing(work.connection, t.progress).values(
            vehicle=progress.vehicle,
            order_id=progress.order_id,
            action=f"{action}/{progress.state.value}",
            at=progress.at,
        )
    )
    if seen.rowcount == 0:
        return
    order = _order(work.connection, progress.order_id, lock=True)
    if order is None:
        text = Reason(
            "story_unknown_order", {"order": progress.order_id, "vehicle": progress.vehicle}
        )
        work.event("noted", text, reference=progress.order_id, at=progress.at)
        return
    if _RANK[progress.state] <= _RANK[TransportState(order.state)]:
        return
    work.connection.execute(
        update(t.transport)
        .where(t.transport.c.id == order.id)
        .values(state=progress.state.value, vehicle=progress.vehicle)
    )
    match progress.state:
        case TransportState.DROPPED:
            _dropped(work, order, progress)
        case TransportState.FAILED | TransportState.CANCELLED:
            _give_up(work, order, progress)
        case _:
            text = Reason(
                "story_on_the_way", {"order": order.order_id, "vehicle": progress.vehicle}
            )
            work.event(
                progress.state.value, text, batch_id=order.batch_id, reference=order.order_id
            )


def divert_batch(work: Work, batch_id: int) -> None:
    """A hold came after the order: what is not sent yet goes to quarantine instead."""
    _divert(work, t.transport.c.batch_id == batch_id)


def divert_from(work: Work, location: str) -> None:
    _divert(work, t.transport.c.source == location)


def divert_cartons(work: Work, cartons: Sequence[str]) -> None:
    _divert(work, t.transport.c.load_id.in_(sorted(cartons)))


def put_away_freed(work: Work, batch_id: int) -> None:
    """Cartons that a release set free leave quarantine for a slot."""
    waiting = work.connection.execute(
        select(t.carton)
        .where(
            t.carton.c.batch_id == batch_id,
            t.carton.c.status == StockStatus.UNRESTRICTED.value,
        )
        .order_by(t.carton.c.carton_id)
    ).all()
    kinds = _kinds(work.connection, [carton.location for carton in waiting])
    for carton in waiting:
        open_order = work.connection.execute(
            select(t.transport.c.id, t.transport.c.state, t.transport.c.target).where(
                t.transport.c.load_id == carton.carton_id,
                t.transport.c.state.in_(_UNFINISHED),
            )
        ).first()
        if open_order is not None and open_order.state == TransportState.REQUESTED.value:
            work.connection.execute(
                update(t.transport)
                .where(t.transport.c.id == open_order.id)
                .values(state=TransportState.CANCELLED.value)
            )
        elif open_order is not None:
            continue
        if kinds.get(carton.location) is not PlaceKind.SLOT:
            request(work, carton.carton_id, source=carton.location, batch_id=batch_id)


def vacate(work: Work, location: str, quantity: int) -> None:
    """Goods left a slot: there is room again, and a carton that waited for one may come."""
    work.connection.execute(
        update(t.location)
        .where(t.location.c.code == location, t.location.c.kind == PlaceKind.SLOT.value)
        .values(
            # A slot never holds less than nothing, whatever was seen to leave it.
            used=func.coalesce(
                select(t.location.c.used - quantity)
                .where(t.location.c.code == location, t.location.c.used >= quantity)
                .scalar_subquery(),
                0,
            )
        )
    )


def _occupy(work: Work, location: str) -> None:
    work.connection.execute(
        update(t.location)
        .where(t.location.c.code == location, t.location.c.kind == PlaceKind.SLOT.value)
        .values(used=t.location.c.used + 1)
    )


def _dropped(work: Work, order: Row[Any], progress: TransportProgress) -> None:
    target = progress.location or order.target
    load = progress.load_id or order.load_id
    if load != order.load_id:
        reason = Reason(
            "load_mismatch",
            {"order": order.order_id, "ordered": order.load_id, "found": load},
        )
        work.event("noted", reason, batch_id=order.batch_id, reference=order.order_id)
        open_ticket(
            work, f"QC-{order.order_id}-load", reason, batch_id=order.batch_id, carton_id=load
        )
    carton = _carton(work.connection, load)
    if target != order.target:
        if order.slot_claimed:
            vacate(work, order.target, 1)
        ensure_place(work, target)
        _occupy(work, target)
    if carton is None:
        return
    _book_drop(work, carton, target, order.order_id, progress)


def _book_drop(
    work: Work, carton: Row[Any], target: str, order_id: str, progress: TransportProgress
) -> None:
    text = Reason(
        "story_moved",
        {"carton": carton.carton_id, "source": carton.location, "target": target},
    )
    event_id = work.event(
        "moved", text, batch_id=carton.batch_id, reference=order_id, at=progress.at
    )
    work.tell("moved", carton.carton_id, text)
    if carton.status and carton.batch_id is not None and carton.location != target:
        status = StockStatus(carton.status)
        move_observed(
            work,
            event_id,
            carton.batch_id,
            1,
            Place(carton.location, status),
            Place(target, status),
        )
    if carton.location != target:
        vacate(work, carton.location, 1)
    work.connection.execute(
        update(t.carton).where(t.carton.c.carton_id == carton.carton_id).values(location=target)
    )
    if target == QUARANTINE:
        contain_tickets_of(work, carton.carton_id)
        belongs_here = carton.status != StockStatus.UNRESTRICTED.value
    else:
        belongs_here = carton.status == StockStatus.UNRESTRICTED.value
    if not belongs_here:
        request(work, carton.carton_id, source=target, batch_id=carton.batch_id)


def _give_up(work: Work, order: Row[Any], progress: TransportProgress) -> None:
    if order.slot_claimed:
        vacate(work, order.target, 1)
    reason = Reason(
        "transport_failed",
        {"order": order.order_id, "vehicle": progress.vehicle, "why": progress.reason or "-"},
    )
    work.event(progress.state.value, reason, batch_id=order.batch_id, reference=order.order_id)
    if progress.state is TransportState.FAILED:
        open_ticket(
            work,
            f"QC-{order.order_id}-failed",
            reason,
            batch_id=order.batch_id,
            carton_id=order.load_id,
        )


def _divert(work: Work, which: Any) -> None:
    rows = work.connection.execute(
        select(t.transport)
        .where(
            which,
            t.transport.c.state == TransportState.REQUESTED.value,
            t.transport.c.target != QUARANTINE,
        )
        .order_by(t.transport.c.target)
        .with_for_update()
    ).all()
    for order in rows:
        if order.slot_claimed:
            vacate(work, order.target, 1)
        text = Reason("story_diverted", {"carton": order.load_id, "target": QUARANTINE})
        work.event("transport", text, batch_id=order.batch_id, reference=order.order_id)
        finished = {"target": QUARANTINE, "slot_claimed": 0}
        if order.source == QUARANTINE:
            finished = {"state": TransportState.CANCELLED.value, "slot_claimed": 0}
        work.connection.execute(
            update(t.transport).where(t.transport.c.id == order.id).values(finished)
        )


def ensure_place(work: Work, code: str) -> None:
    """A place that nobody planned is still a place where goods were seen."""
    work.connection.execute(
        insert_missing(work.connection, t.location).values(
            code=code, kind=PlaceKind.DOCK.value, capacity=0, used=0, position=0
        )
    )


def _claim_slot(work: Work, batch_id: int) -> str | None:
    """Claim room in a slot; the claim is checked in the update, so two never get the last room."""
    while True:
        rows = work.connection.execute(
            select(t.location)
            .where(
                t.location.c.kind == PlaceKind.SLOT.value,
                t.location.c.used < t.location.c.capacity,
                or_(t.location.c.used == 0, t.location.c.batch_id == batch_id),
                ~select(t.guard.c.ref)
                .where(
                    t.guard.c.kind == "location",
                    t.guard.c.ref == t.location.c.code,
                    t.guard.c.open_holds > 0,
                )
                .exists(),
            )
            .order_by(t.location.c.position)
        ).all()
        slots = [SlotState(r.code, r.capacity, r.used, r.batch_id) for r in rows]
        code = allocate(slots, batch_id)
        if code is None:
            return None
        claimed = work.connection.execute(
            update(t.location)
            .where(
                t.location.c.code == code,
                t.location.c.used < t.location.c.capacity,
                or_(t.location.c.used == 0, t.location.c.batch_id == batch_id),
            )
            .values(used=t.location.c.used + 1, batch_id=batch_id)
        )
        if claimed.rowcount == 1:
            return code


def _carton(connection: Connection, carton_id: str) -> Row[Any] | None:
    return connection.execute(
        select(t.carton).where(t.carton.c.carton_id == carton_id)
    ).one_or_none()


def _order(connection: Connection, order_id: str, *, lock: bool = False) -> Row[Any] | None:
    query = select(t.transport).where(t.transport.c.order_id == order_id)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def _kinds(connection: Connection, codes: Sequence[str]) -> dict[str, PlaceKind]:
    rows = connection.execute(
        select(t.location.c.code, t.location.c.kind).where(
            t.location.c.code.in_(sorted(set(codes)))
        )
    )
    return {code: PlaceKind(kind) for code, kind in rows}

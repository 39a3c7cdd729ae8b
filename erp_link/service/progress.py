"""What vehicles did with their orders (I1).

SENT is a command, asked before the order goes out: a hold refuses it. Everything after it is an
observation, booked where it was seen. Goods never leave by a vehicle's word.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select, update

from contracts.errors import ConflictError, HeldError, NotFoundError
from contracts.reason import Reason
from contracts.stock import StockStatus, TransportProgress, TransportState
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard, inserted
from erp_link.domain.leaving import LeaveFacts, may_this_leave
from erp_link.domain.moves import Place
from erp_link.domain.places import QUARANTINE
from erp_link.domain.receiving import Cause
from erp_link.domain.tickets import TicketKind
from erp_link.service import slots, transport
from erp_link.service.holding import open_holds_on as holds_on
from erp_link.service.missions import strangers
from erp_link.service.missions.stopping import picked_after_all, stopped
from erp_link.service.observed import move_observed
from erp_link.service.orders import risk
from erp_link.service.ticketing import contain_tickets_of, open_ticket
from erp_link.service.transport import RANK
from erp_link.service.work import Work, batch_guards, location_guard


def guards_of(connection: Connection, progress: TransportProgress) -> set[Guard]:
    """What the progress touches: batch and supplier of every load it names, and the places."""
    order = connection.execute(
        select(t.transport).where(t.transport.c.order_id == progress.order_id)
    ).one_or_none()
    loads = {progress.load_id, order.load_id if order else None} - {None}
    wanted: set[Guard] = set()
    if order is not None:
        wanted |= {location_guard(order.source), location_guard(order.target)}
    if progress.location:
        wanted.add(location_guard(progress.location))
    for batch in connection.execute(
        select(t.batch, t.carton.c.location)
        .join(t.carton, t.carton.c.batch_id == t.batch.c.id)
        .where(t.carton.c.carton_id.in_(sorted(x for x in loads if x)))
    ):
        wanted |= {*batch_guards(connection, batch), location_guard(batch.location)}
    return wanted


def progressed(work: Work, progress: TransportProgress) -> None:
    """Book what a vehicle did, once for each (vehicle, order, action).

    Only SENT may be refused: NotFoundError, ConflictError (not pending any more), HeldError.
    """
    order = _order(work.connection, progress.order_id)
    action = progress.action_id or "-"
    attempt = order.attempt if order is not None else 0
    new = inserted(
        work.connection,
        t.progress,
        vehicle=progress.vehicle,
        order_id=progress.order_id,
        action=f"{action}/{progress.state.value}/{attempt}",
        at=progress.at,
    )
    if not new:
        return
    if order is None:
        _unknown(work, progress)
        return
    if strangers.never_had(work.connection, progress):
        strangers.note_claim(work, order, progress)
        return
    state = TransportState(order.state)
    match progress.state:
        case TransportState.SENT:
            _may_be_sent(work, order, progress)
            _go_on(work, order, progress)
        case TransportState.REQUESTED:
            if state in (TransportState.SENT, TransportState.ACCEPTED):
                _ask_again(work, order, progress)
        case TransportState.PICKED if state is TransportState.CANCELLED:
            picked_after_all(work, order, progress)
        case _ if RANK[progress.state] > RANK[state]:
            _go_on(work, order, progress)


def _go_on(work: Work, order: Row[Any], progress: TransportProgress) -> None:
    """The order is now where the progress says, and the goods with it."""
    values: dict[str, object] = {"state": progress.state.value, "vehicle": progress.vehicle}
    if progress.state is TransportState.SENT:
        values["sent_at"] = work.now
    work.connection.execute(update(t.transport).where(t.transport.c.id == order.id).values(values))
    match progress.state:
        case TransportState.DROPPED:
            _dropped(work, order, progress)
        case TransportState.FAILED:
            _give_up(work, order, progress)
        case TransportState.CANCELLED:
            stopped(work, order, progress)
        case _:
            text = Reason(
                "story_on_the_way", {"order": order.order_id, "vehicle": progress.vehicle}
            )
            work.event("on_the_way", text, batch_id=order.batch_id, reference=order.order_id)


def _may_be_sent(work: Work, order: Row[Any], progress: TransportProgress) -> None:
    if order.state != TransportState.REQUESTED.value:
        raise ConflictError(
            f"The order {order.order_id} is {order.state}, it must not go out",
            mend="Ask for the pending orders again",
            order=order.order_id,
            vehicle=progress.vehicle,
        )
    if order.on_board not in ("", progress.vehicle):
        raise ConflictError(
            f"What {order.order_id} would bring is on board of {order.on_board}",
            mend="Send it to that vehicle",
            order=order.order_id,
            vehicle=progress.vehicle,
        )
    if order.target == QUARANTINE or order.batch_id is None:
        return
    batch = work.batch(order.batch_id)
    source = location_guard(order.source)
    holds: tuple[str, ...] = ()
    if work.is_held(*batch_guards(work.connection, batch), source):
        holds = tuple(holds_on(work.connection, batch, order.source)) or ("-",)
    carton = _carton(work, order.load_id)
    status = StockStatus(carton.status) if carton and carton.status else StockStatus.UNRESTRICTED
    expired_on = batch.expiry if work.expired(batch) else None
    reasons = may_this_leave(LeaveFacts(status, holds, expired_on))
    if reasons:
        raise HeldError(
            f"What {order.order_id} would bring to {order.target} may not go there:"
            f" {', '.join(reason.code for reason in reasons)}",
            mend="Held goods go to quarantine only; ask for the pending orders again",
            hold_ids=list(holds),
            reasons=[reason.code for reason in reasons],
        )


def _ask_again(work: Work, order: Row[Any], progress: TransportProgress) -> None:
    if order.stop_code:
        # It was to be stopped, and nobody has it now.
        work.connection.execute(
            update(t.transport)
            .where(t.transport.c.id == order.id)
            .values(state=TransportState.CANCELLED.value)
        )
        stopped(work, order, progress)
        return
    work.connection.execute(
        update(t.transport)
        .where(t.transport.c.id == order.id)
        .values(state=TransportState.REQUESTED.value, vehicle="", attempt=t.transport.c.attempt + 1)
    )
    carton = work.connection.execute(
        select(t.carton.c.status).where(t.carton.c.carton_id == order.load_id)
    ).one_or_none()
    # The goods may have been blocked while a vehicle had the order.
    if carton is not None and carton.status != StockStatus.UNRESTRICTED.value:
        transport.divert_cartons(work, [order.load_id])


def _unknown(work: Work, progress: TransportProgress) -> None:
    if progress.state is TransportState.SENT:
        raise NotFoundError(
            f"The core knows no order {progress.order_id}",
            mend="Send only orders that the core asked for",
            order=progress.order_id,
        )
    text = Reason("story_unknown_order", {"order": progress.order_id, "vehicle": progress.vehicle})
    work.event("noted", text, reference=progress.order_id, at=progress.at)


def _dropped(work: Work, order: Row[Any], progress: TransportProgress) -> None:
    target = progress.location or order.target
    load = progress.load_id or order.load_id
    carton = _carton(work, load)
    if load != order.load_id:
        reason = Reason(
            "load_mismatch",
            {"order": order.order_id, "ordered": order.load_id, "found": load},
        )
        work.event("noted", reason, batch_id=order.batch_id, reference=order.order_id)
        open_ticket(
            work,
            f"QC-{order.order_id}-load",
            reason,
            kind=TicketKind.TRANSPORT,
            batch_id=order.batch_id,
            carton_id=load if carton is not None else order.load_id,
        )
        # A name that nobody here gave is the vehicle's own: what it brought is what was ordered.
        carton = carton or _carton(work, order.load_id)
    claimed = bool(order.slot_claimed)
    if claimed and target != order.target:
        slots.vacate(work, order.target, 1)
    if not claimed or target != order.target:
        slots.ensure_place(work, target)
        if carton is None or carton.location != target:
            slots.occupy(work, target)
    if carton is not None:
        _book_drop(work, order, carton, target, progress)


def _book_drop(
    work: Work, order: Row[Any], carton: Row[Any], target: str, progress: TransportProgress
) -> None:
    text = Reason(
        "story_moved",
        {"carton": carton.carton_id, "source": carton.location, "target": target},
    )
    event_id = work.event(
        "moved", text, batch_id=carton.batch_id, reference=order.order_id, at=progress.at
    )
    work.tell("moved", carton.carton_id, text)
    recalled = _is_recalled(work, order, carton)
    status = StockStatus.BLOCKED.value if recalled else carton.status
    if (
        status
        and carton.batch_id is not None
        and (carton.location, carton.status)
        != (
            target,
            status,
        )
    ):
        move_observed(
            work,
            event_id,
            carton.batch_id,
            carton.quantity,
            Place(carton.location, StockStatus(carton.status)),
            Place(target, StockStatus(status)),
        )
    if carton.location != target:
        slots.vacate(work, carton.location, 1)
    cause = Cause.HOLD.value if recalled else carton.cause
    work.connection.execute(
        update(t.carton)
        .where(t.carton.c.carton_id == carton.carton_id)
        .values(location=target, status=status, cause=cause)
    )
    if recalled:
        reason = Reason("recalled", {"carton": carton.carton_id, "source": carton.location})
        open_ticket(
            work,
            f"QC-{order.order_id}-recall",
            reason,
            kind=TicketKind.FINDING,
            batch_id=carton.batch_id,
            carton_id=carton.carton_id,
        )
    if target == QUARANTINE:
        contain_tickets_of(work, carton.carton_id)
        risk.load_contained(work, carton.carton_id)
    # An order made before the carton was seen here starts from a place where it is not.
    transport.withdraw(work, carton.carton_id)
    belongs_here = (target == QUARANTINE) == (status != StockStatus.UNRESTRICTED.value)
    belongs_here |= cause == Cause.JUDGING.value
    if not belongs_here:
        transport.request(work, carton.carton_id, source=target, batch_id=carton.batch_id)


def _is_recalled(work: Work, order: Row[Any], carton: Row[Any]) -> bool:
    """Free goods come from a place that was put on hold while they were on their way."""
    left = {location_guard(carton.location)}
    if carton.carton_id == order.load_id:
        left.add(location_guard(order.source))
    return carton.status == StockStatus.UNRESTRICTED.value and work.is_held(*left)


def _carton(work: Work, carton_id: str) -> Row[Any] | None:
    return work.connection.execute(
        select(t.carton).where(t.carton.c.carton_id == carton_id)
    ).one_or_none()


def _give_up(work: Work, order: Row[Any], progress: TransportProgress) -> None:
    if order.slot_claimed:
        slots.vacate(work, order.target, 1)
        work.connection.execute(
            update(t.transport).where(t.transport.c.id == order.id).values(slot_claimed=0)
        )
    reason = Reason(
        "transport_failed",
        {"order": order.order_id, "vehicle": progress.vehicle, "why": progress.reason or "-"},
    )
    work.event(progress.state.value, reason, batch_id=order.batch_id, reference=order.order_id)
    open_ticket(
        work,
        transport.failure_ticket(order.order_id),
        reason,
        kind=TicketKind.TRANSPORT,
        batch_id=order.batch_id,
        carton_id=order.load_id,
    )


def _order(connection: Connection, order_id: str) -> Row[Any] | None:
    query = select(t.transport).where(t.transport.c.order_id == order_id)
    return connection.execute(query.with_for_update()).one_or_none()

"""A vehicle was stopped, or turned up with goods of an order that was withdrawn: where the goods go
now. What is on board goes on with the vehicle that has it; what may not leave goes to quarantine (I1).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from contracts.reason import Reason
from contracts.stock import StockStatus, TransportKind, TransportProgress, TransportState
from erp_link.adapters import tables as t
from erp_link.domain.places import QUARANTINE
from erp_link.service import slots, transport
from erp_link.service.transport import Way
from erp_link.service.work import Work, location_guard


def stopped(work: Work, order: Row[Any], progress: TransportProgress) -> None:
    """The vehicle does not go on with an order. `order` is as it was before: PICKED means that the
    goods are on board, and so they are where it was an order for goods on board.
    """
    if order.slot_claimed:
        slots.vacate(work, order.target, 1)
        work.connection.execute(
            update(t.transport).where(t.transport.c.id == order.id).values(slot_claimed=0)
        )
    carrier = order.on_board or (
        progress.vehicle if order.state == TransportState.PICKED.value else ""
    )
    text = Reason(
        "story_transport_stopped_on_board" if carrier else "story_transport_stopped",
        {"order": order.order_id, "carton": order.load_id, "vehicle": progress.vehicle},
    )
    work.event("cancelled", text, batch_id=order.batch_id, reference=order.order_id)
    carton = work.connection.execute(
        select(t.carton).where(t.carton.c.carton_id == order.load_id)
    ).one_or_none()
    if carrier:
        _bring(work, order, carton, carrier)
    elif carton is not None:
        _ask_anew(work, order, carton)


def picked_after_all(work: Work, order: Row[Any], progress: TransportProgress) -> None:
    """A vehicle that was given up for lost has the goods of an order withdrawn since: it is to be
    stopped as any other, and nobody else need go for them.
    """
    work.connection.execute(
        update(t.transport)
        .where(t.transport.c.id == order.id)
        .values(state=TransportState.PICKED.value, vehicle=progress.vehicle)
    )
    text = Reason("story_on_the_way", {"order": order.order_id, "vehicle": progress.vehicle})
    work.event("on_the_way", text, batch_id=order.batch_id, reference=order.order_id)
    transport.withdraw(work, order.load_id)
    transport.stop(work, t.transport.c.id == order.id, transport.WITHDRAWN)


def _bring(work: Work, order: Row[Any], carton: Row[Any] | None, vehicle: str) -> None:
    status = StockStatus(carton.status) if carton and carton.status else StockStatus.UNRESTRICTED
    held = work.is_held(location_guard(order.source)) or status is not StockStatus.UNRESTRICTED
    late = order.batch_id is not None and work.expired(work.batch(order.batch_id))
    if held or late or carton is None:
        transport.to_quarantine(work, order, vehicle)
        return
    target, kind, claimed = order.source, TransportKind.RETURN, False
    code = "story_transport"
    if order.stop_code != transport.CALLED_OFF and order.batch_id is not None:
        chosen = slots.claim(work, order.batch_id)
        if chosen.code is not None:
            target, kind, claimed = chosen.code, TransportKind.PUT_AWAY, True
            code = f"story_{chosen.reason.code}"
    way = Way(order.load_id, order.source, target, order.batch_id, kind, claimed, vehicle)
    transport.order(work, way, code)


def _ask_anew(work: Work, order: Row[Any], carton: Row[Any]) -> None:
    """What may not leave goes to quarantine; what a person called off stays where it is."""
    called_off = order.stop_code == transport.CALLED_OFF
    if called_off and order.target == QUARANTINE:
        return
    if carton.status != StockStatus.UNRESTRICTED.value:
        transport.request(work, carton.carton_id, source=carton.location, batch_id=carton.batch_id)
        return
    held = work.guards_place(carton.location) and work.is_held(location_guard(carton.location))
    if not called_off and not held:
        transport.ask_for(work, carton.carton_id)

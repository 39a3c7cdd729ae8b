"""Which vehicle takes which order. Pure.

Traffic and planning stay with the fleet: oldest order first, the vehicle already at the source
first, then the fuller battery. Goods on board go on with the vehicle that has them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agv_bridge.missions.vehicles import Vehicle, may_take_orders
from contracts.stock import TransportOrder


@dataclass(frozen=True, slots=True)
class Assignment:
    order: TransportOrder
    vehicle: str


def assign(
    pending: Sequence[TransportOrder],
    vehicles: Sequence[Vehicle],
    *,
    busy: Collection[str],
    excluded: Mapping[str, Collection[str]],
    now: datetime,
    silent_after: timedelta,
    carrying: Collection[str] = (),
) -> tuple[Assignment, ...]:
    """busy: vehicles with a mission of ours. excluded: order id -> vehicles that had it before.
    carrying: vehicles that have goods of another order on board, should they not tell it themselves.
    """
    ready = {
        vehicle.name: vehicle
        for vehicle in vehicles
        if vehicle.name not in busy
        and may_take_orders(vehicle, now=now, silent_after=silent_after, loaded=True)
    }
    carrying = {*carrying, *(order.on_board for order in pending)}
    chosen: list[Assignment] = []
    # Goods on board first: a vehicle that carries some takes nothing else.
    for order in sorted(pending, key=lambda order: not order.on_board):
        fit = [
            vehicle
            for vehicle in ready.values()
            if vehicle.name not in excluded.get(order.order_id, ())
            and _suits(vehicle, order, carrying)
        ]
        if fit:
            best = min(fit, key=lambda vehicle: _rank(vehicle, order))
            del ready[best.name]
            chosen.append(Assignment(order, best.name))
    return tuple(chosen)


def refused_by_all(
    order: TransportOrder, vehicles: Sequence[Vehicle], *, refused: Collection[str]
) -> tuple[str, ...]:
    """The vehicles that gave it back, where that is every one that could take it and is not lost;
    else none. One that ended it unfinished, as by a hand on the spot, can never have it again.
    """
    here = [
        vehicle
        for vehicle in vehicles
        if not vehicle.is_lost and order.on_board in ("", vehicle.name)
    ]
    if all(vehicle.name in refused or _ended(vehicle, order) for vehicle in here):
        return tuple(sorted(vehicle.name for vehicle in here))
    return ()


def _ended(vehicle: Vehicle, order: TransportOrder) -> bool:
    state = vehicle.state
    return state is not None and state.order_id == order.order_id and not state.is_working


def _suits(vehicle: Vehicle, order: TransportOrder, carrying: Collection[str]) -> bool:
    """carrying: vehicles that have goods on board by the core's word, whatever they can tell."""
    state = vehicle.state
    if state is not None and state.order_id == order.order_id:
        # It would take an order that it knows already for a repetition and do nothing.
        return False
    if order.on_board:
        return vehicle.name == order.on_board and state is not None and state.loads != ()
    return state is not None and (
        state.loads == () or (state.loads is None and vehicle.name not in carrying)
    )


def _rank(vehicle: Vehicle, order: TransportOrder) -> tuple[bool, float, str]:
    state = vehicle.state
    away = state is None or state.last_node_id != order.source
    charge = state.power.charge_percent if state is not None and state.power else 0.0
    return away, -charge, vehicle.name

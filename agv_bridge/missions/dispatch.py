"""Which vehicle takes which order. Pure.

Traffic and planning stay with the fleet: oldest order first, the vehicle already at the source
first, then the fuller battery.
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
) -> tuple[Assignment, ...]:
    """busy: vehicles with a mission of ours. excluded: order id -> vehicles that had it before."""
    free = {
        vehicle.name: vehicle
        for vehicle in vehicles
        if vehicle.name not in busy and may_take_orders(vehicle, now=now, silent_after=silent_after)
    }
    chosen: list[Assignment] = []
    for order in pending:
        fit = [
            vehicle
            for vehicle in free.values()
            if vehicle.name not in excluded.get(order.order_id, ())
            # It would take an order that it knows already for a repetition and do nothing.
            and (vehicle.state is None or vehicle.state.order_id != order.order_id)
        ]
        if fit:
            best = min(fit, key=lambda vehicle: _rank(vehicle, order))
            del free[best.name]
            chosen.append(Assignment(order, best.name))
    return tuple(chosen)


def refused_by_all(vehicles: Sequence[Vehicle], *, refused: Collection[str]) -> bool:
    """Whether every vehicle that is not lost had an order already and gave it back."""
    here = [vehicle.name for vehicle in vehicles if not vehicle.is_lost]
    return bool(here) and all(name in refused for name in here)


def _rank(vehicle: Vehicle, order: TransportOrder) -> tuple[bool, float, str]:
    state = vehicle.state
    away = state is None or state.last_node_id != order.source
    charge = state.power.charge_percent if state is not None and state.power else 0.0
    return away, -charge, vehicle.name

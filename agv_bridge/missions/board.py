"""The orders and missions that one bridge knows: filled from the core, joined with what vehicles say.
No I/O; losing it loses nothing, since the core and the vehicles' next states fill it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from agv_bridge.missions import mission as missions
from agv_bridge.missions.mission import Mission
from agv_bridge.missions.orders import DROP, PICK
from agv_bridge.vda5050.messages import State
from contracts.reason import Reason
from contracts.stock import OpenTransport, TransportOrder, TransportState

_MOST_SETTLED = 10_000
MOST_SPOKEN_OF = 20
"""Order ids of one state that are looked at: a vehicle has one order, and each that is not known
costs a question to the core.
"""
_LONGEST = 200
"""Characters of an order's id; ours are short."""


class Board:
    """One mission for each order and vehicle that has, or had, to do with it."""

    def __init__(self) -> None:
        self.orders: dict[str, TransportOrder] = {}
        """Those that the core says are open: pending or under way."""
        self.stops: dict[str, Reason] = {}
        """Why an open order must not go on."""
        self._waiting: dict[str, datetime] = {}
        self._untold: dict[str, datetime] = {}
        self._settled: dict[str, TransportOrder | None] = {}
        self._refused: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
        self._by_order: defaultdict[str, dict[str, Mission]] = defaultdict(dict)
        self._by_vehicle: defaultdict[str, dict[str, Mission]] = defaultdict(dict)

    def put(self, mission: Mission) -> None:
        order_id = mission.order.order_id
        self._by_order[order_id][mission.vehicle] = mission
        self._by_vehicle[mission.vehicle][order_id] = mission

    def get(self, order_id: str, vehicle: str) -> Mission | None:
        return self._by_order.get(order_id, {}).get(vehicle)

    def remove(self, mission: Mission) -> None:
        order_id = mission.order.order_id
        for index, key, inner in (
            (self._by_order, order_id, mission.vehicle),
            (self._by_vehicle, mission.vehicle, order_id),
        ):
            index[key].pop(inner, None)
            if not index[key]:
                del index[key]

    def all(self) -> list[Mission]:
        return [mission for of in self._by_order.values() for mission in of.values()]

    def of_vehicle(self, vehicle: str) -> list[Mission]:
        return list(self._by_vehicle.get(vehicle, {}).values())

    def carrier(self, order_id: str) -> Mission | None:
        """The mission that has an order now."""
        found = self._by_order.get(order_id, {}).values()
        return next(
            (m for m in found if m.assigned and not m.failed and not m.stopped),
            None,
        )

    def shown(self, order_id: str) -> Mission | None:
        """The mission to show for an order: that of its carrier, else one that failed."""
        found = self._by_order.get(order_id, {}).values()
        return self.carrier(order_id) or next((m for m in found if m.failed), None)

    def busy(self) -> set[str]:
        """Vehicles with a mission of ours."""
        return {mission.vehicle for mission in self.all() if mission.is_carried}

    def carrying(self) -> set[str]:
        """Vehicles that had goods on board when their mission ended otherwise: until the core has
        asked anew, or a person has decided.
        """
        return {
            mission.vehicle
            for mission in self.all()
            if (mission.stopped or mission.failed)
            and mission.has(TransportState.PICKED)
            and not mission.has(TransportState.DROPPED)
            and mission.order.order_id in self.orders
        }

    def is_open(self, order_id: str) -> bool:
        return order_id in self.orders

    def waiting_since(self, order_id: str) -> datetime | None:
        """Since when a pending order was seen waiting here; None where it is not pending."""
        return self._waiting.get(order_id)

    def is_stopping(self, order_id: str) -> bool:
        """Whether nobody should go on with an order: it is to be stopped, or no longer open."""
        return order_id in self.stops or order_id not in self.orders

    def take_in(
        self,
        pending: Sequence[TransportOrder],
        under_way: Sequence[OpenTransport],
        *,
        now: datetime,
    ) -> frozenset[str]:
        """What the core says is open; the orders that are new here."""
        known = self.orders
        both = [*pending, *(one.order for one in under_way)]
        self.orders = {order.order_id: order for order in both}
        self.stops = {one.order.order_id: one.stop for one in under_way if one.stop is not None}
        self._waiting = {each.order_id: self._waiting.get(each.order_id, now) for each in pending}
        for one in under_way:
            before = self.get(one.order.order_id, one.vehicle)
            if self.carrier(one.order.order_id) is None and (before is None or not before.failed):
                self.put(missions.restore(one, now=now))
        for order_id in known.keys() - self.orders.keys():
            self._depart(known[order_id])
        return frozenset(self.orders.keys() - known.keys())

    def untold(
        self, under_way: Sequence[OpenTransport], *, now: datetime, after: timedelta
    ) -> list[Mission]:
        """Missions that are further than the core says: it once could not book the step. Each comes
        up when it has been so for longer than `after`, and then again.
        """
        behind = {
            one.order.order_id: mission
            for one in under_way
            if (mission := self.get(one.order.order_id, one.vehicle)) is not None
            and missions.is_further(mission, one.state)
        }
        since = {order_id: self._untold.get(order_id, now) for order_id in behind}
        due = [order_id for order_id, at in since.items() if now - at > after]
        self._untold = since | dict.fromkeys(due, now)
        return [behind[order_id] for order_id in due]

    def settle(self, order_id: str, found: OpenTransport | None) -> None:
        """What the core said of an order that is not open: a vehicle may still have it, unless its
        goods arrived or it is not ours.
        """
        done = found is None or found.state is TransportState.DROPPED
        self._settled[order_id] = None if done or found is None else found.order
        if len(self._settled) > _MOST_SETTLED:
            del self._settled[next(iter(self._settled))]

    def unknown_in(self, state: State) -> list[str]:
        """Order ids in a state that the core was never asked about."""
        return [
            order_id
            for order_id in spoken_of(state)
            if order_id not in self.orders and order_id not in self._settled
        ]

    def known_in(self, state: State) -> list[TransportOrder]:
        """Orders of ours in a state; anything else on the vehicle is none of our business."""
        found = (
            self.orders.get(order_id) or self._settled.get(order_id)
            for order_id in spoken_of(state)
        )
        return [order for order in found if order is not None]

    def taken_over(self, mission: Mission) -> None:
        """A vehicle has the goods: whoever else was sent for them need not go on."""
        for other in list(self._by_order[mission.order.order_id].values()):
            if other.vehicle != mission.vehicle and not other.has(TransportState.PICKED):
                self.put(replace(other, assigned=False))

    def refuse(self, mission: Mission, *, at: datetime) -> None:
        """The vehicle is not asked again for this order before a while."""
        self._refused[mission.order.order_id][mission.vehicle] = at

    def refusing(self, *, now: datetime, again: timedelta) -> dict[str, Collection[str]]:
        """Order id -> vehicles that gave it back lately."""
        for order_id, of in list(self._refused.items()):
            kept = {name: at for name, at in of.items() if now - at < again}
            if kept and order_id in self.orders:
                self._refused[order_id] = kept
            else:
                del self._refused[order_id]
        return {order_id: set(of) for order_id, of in self._refused.items()}

    def _depart(self, order: TransportOrder) -> None:
        dropped = any(
            each.has(TransportState.DROPPED)
            for each in self._by_order.get(order.order_id, {}).values()
        )
        self._settled[order.order_id] = None if dropped else order


def spoken_of(state: State) -> Sequence[str]:
    """The order ids that a state may speak of: its order, and the actions that grow from one. At
    most `MOST_SPOKEN_OF`, and none that no core can have given.
    """
    found = {state.order_id: None}
    for action in state.action_states:
        order_id, _, kind = action.action_id.rpartition(".")
        if kind in {PICK, DROP}:
            found[order_id] = None
    ours = (each for each in found if each and len(each) <= _LONGEST and each.isprintable())
    return tuple(islice(ours, MOST_SPOKEN_OF))

"""The bridge: orders from the core to vehicles, vehicles' states to the core.

Pure modules decide (missions, vehicles, dispatch); this one listens, asks and speaks. One lock
keeps a message and a round of the clock from overlapping, so nothing else needs to.

What must hold over a kill -9 at any point (I2):
- SENT is written to the core before an order is published, so no order goes to two vehicles;
- after a restart the core says which orders are open, the vehicles are asked for their states, and
  what they finished meanwhile is booked by the same rules;
- what the core could not take is kept and offered again, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import structlog

from agv_bridge.bridge.hearing import Hearing, TurnedAway
from agv_bridge.bridge.reporter import Reporter
from agv_bridge.bridge.speaker import Speaker
from agv_bridge.missions import dispatch, snapshots
from agv_bridge.missions import mission as missions
from agv_bridge.missions.mission import Fail, Limits, Mission, Requeue, Resend
from agv_bridge.missions.orders import Leg
from agv_bridge.missions.snapshots import MissionSnapshot
from agv_bridge.missions.vehicles import (
    Vehicle,
    VehicleSnapshot,
    hear_connection,
    hear_state,
    may_take_orders,
    snapshot,
)
from agv_bridge.vda5050.codec import Received
from agv_bridge.vda5050.messages import Connection, State
from agv_bridge.vda5050.topics import filters
from contracts.clock import Clock, SystemClock
from contracts.ports import BusMessage, MessageBus, StockMoves
from contracts.reason import Reason
from contracts.stock import OpenTransport, TransportOrder, TransportProgress, TransportState

_log = structlog.get_logger(__name__)
_Key = tuple[str, str]
"""(order id, vehicle)."""


class AgvBridge:
    """VDA 5050 master control for transport orders of the core.

    manufacturer: only vehicles of this one ("+": all). interface: the first level of the topics
    ("+": any). poll_s: how often the core is asked; `wake` asks at once. clock: patience and the
    times reported follow it. heard: told of every message once it was taken in, for the fleet view;
    called in the bridge's own task, so it returns at once.
    """

    def __init__(
        self,
        bus: MessageBus,
        moves: StockMoves,
        *,
        clock: Clock | None = None,
        manufacturer: str = "+",
        interface: str = "+",
        poll_s: float = 1.0,
        limits: Limits | None = None,
        heard: Callable[[Received], None] | None = None,
    ) -> None:
        self._bus = bus
        self._moves = moves
        self._clock = clock or SystemClock()
        self._filters = filters(manufacturer=manufacturer, interface=interface)
        self._poll_s = poll_s
        self._limits = limits or Limits()
        self._tell = heard
        self._speaker = Speaker(bus, self._clock)
        self._reporter = Reporter(moves)
        self._vehicles: dict[str, Vehicle] = {}
        self._missions: dict[_Key, Mission] = {}
        self._orders: dict[str, TransportOrder] = {}
        self._pending: frozenset[str] = frozenset()
        self._stops: dict[str, Reason] = {}
        self._refused: defaultdict[str, set[str]] = defaultdict(set)
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()
        self._hearing = Hearing(self._clock)

    @property
    def refused(self) -> int:
        """What vehicles did and the core would not book; each is in the log."""
        return self._reporter.refused

    @property
    def unreadable(self) -> int:
        """Messages on vehicle topics that were not taken; each is in the log and in the book."""
        return self._hearing.turned_away

    def turned_away(self) -> tuple[TurnedAway, ...]:
        """Those messages by vehicle and reason, counted, the newest first."""
        return self._hearing.book()

    def wake(self) -> None:
        """Ask the core now: a transport order was just requested."""
        self._wake.set()

    def vehicles(self) -> tuple[VehicleSnapshot, ...]:
        """The fleet as last heard, by name."""
        now = self._clock.now()
        return tuple(
            snapshot(self._vehicles[name], now=now, silent_after=self._limits.silent)
            for name in sorted(self._vehicles)
        )

    def missions(self) -> tuple[MissionSnapshot, ...]:
        """Every transport order that is not done, oldest first, with the vehicle that has it."""
        held = {
            key[0]: snapshots.under_way(
                mission, self._vehicles.get(key[1]), stop=self._stops.get(key[0])
            )
            for key, mission in self._missions.items()
            if key[0] in self._orders and (mission.assigned or mission.failed)
        }
        shown = [
            held.get(order_id) or snapshots.waiting(order, self._why_waiting(order_id))
            for order_id, order in self._orders.items()
        ]
        return tuple(
            sorted(shown, key=lambda each: snapshots.age_of(each, self._orders[each.order_id]))
        )

    def _why_waiting(self, order_id: str) -> Reason | None:
        fleet = list(self._vehicles.values())
        if any(self._is_free(vehicle) for vehicle in fleet):
            return None
        return Reason(snapshots.NONE_FREE, {"order": order_id, "vehicles": len(fleet)})

    async def run(self) -> None:
        """Bridge until cancelled. An outage of the broker or the core is waited out."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._rounds())

    async def _listen(self) -> None:
        async with self._bus.subscribe(*self._filters, qos=1) as messages:
            async for message in messages:
                async with self._lock:
                    await self._hear(message)

    async def _rounds(self) -> None:
        while True:
            async with self._lock:
                await self._round()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._wake.wait()
            self._wake.clear()

    async def _hear(self, message: BusMessage) -> None:
        received = self._hearing.read(message)
        if received is None:
            return
        try:
            await self._take(received)
            if self._tell is not None:
                self._tell(received)
        except Exception as error:  # noqa: BLE001 -- retained, it would end the bridge after every restart
            self._hearing.not_taken(message, error)

    async def _take(self, received: Received) -> None:
        name = received.address.vehicle
        before = self._vehicles.get(name) or Vehicle(received.address)
        now = self._clock.now()
        match received.message:
            case Connection() as connection:
                heard = hear_connection(before, connection, at=now)
                self._vehicles[name] = replace(heard, address=received.address)
                if connection.connection_state == "ONLINE":
                    await self._speaker.ask_for_state(self._vehicles[name])
            case State() as state:
                heard = hear_state(before, state, at=now)
                self._vehicles[name] = replace(heard, address=received.address)
                await self._learn(name, state)
        if self._is_free(self._vehicles[name]) and not self._is_free(before):
            self._wake.set()

    async def _learn(self, name: str, state: State) -> None:
        """What one state, new or old, says about our orders."""
        now = self._clock.now()
        news: list[TransportProgress] = []
        for order in self._spoken_of(state):
            key = (order.order_id, name)
            mission = self._missions.get(key) or Mission(
                Leg.of(order), name, assigned=False, watched_since=now
            )
            self._missions[key], steps = missions.observe(mission, state, at=now)
            news.extend(steps)
        if self._vehicles[name].state is state:
            for key in [key for key in self._missions if key[1] == name]:
                self._missions[key] = missions.note_newest(self._missions[key], state, at=now)
        await self._reporter.tell(*news)
        if news:
            self._wake.set()

    def _spoken_of(self, state: State) -> list[TransportOrder]:
        """Orders of ours in a state; anything else on the vehicle is none of our business."""
        ids = {action.action_id.rpartition(".")[0] for action in state.action_states}
        return [
            self._orders[order_id]
            for order_id in sorted(ids | {state.order_id})
            if order_id in self._orders
        ]

    async def _round(self) -> None:
        """Ask the core, look after the missions under way, hand out pending orders."""
        await self._reporter.offer()
        if not self._reporter.is_clear:
            return
        try:
            pending = tuple(await self._moves.pending_transport())
            under_way = tuple(await self._moves.open_transport())
        except Exception:  # noqa: BLE001 -- an outage of the core must not end the bridge
            _log.warning("agv_core_unavailable", exc_info=True)
            return
        if self._take_in(pending, under_way):
            # States that came before the order was known spoke of it already.
            for vehicle in list(self._vehicles.values()):
                if vehicle.state is not None:
                    await self._learn(vehicle.name, vehicle.state)
        for key in list(self._missions):
            await self._look_after(key)
        await self._hand_out(pending)

    def _take_in(
        self, pending: tuple[TransportOrder, ...], under_way: tuple[OpenTransport, ...]
    ) -> bool:
        """Orders now known; missions restored after a restart; those settled elsewhere let go.

        True when an order is new here.
        """
        known = set(self._orders)
        orders = [*pending, *(one.order for one in under_way)]
        self._orders = {order.order_id: order for order in orders}
        self._pending = frozenset(order.order_id for order in pending)
        self._stops = {one.order.order_id: one.stop for one in under_way if one.stop is not None}
        for one in under_way:
            key = (one.order.order_id, one.vehicle)
            before = self._missions.get(key)
            if self._carrier(key[0]) is None and (before is None or not before.failed):
                self._missions[key] = missions.restore(one, now=self._clock.now())
        for key, mission in list(self._missions.items()):
            if key[0] in self._orders:
                continue
            if self._works_on(mission) and not mission.has(TransportState.PICKED):
                self._missions[key] = replace(mission, assigned=False)
            else:
                del self._missions[key]
        for order_id in set(self._refused) - set(self._orders):
            del self._refused[order_id]
        return not known.issuperset(self._orders)

    async def _look_after(self, key: _Key) -> None:
        mission, vehicle = self._missions[key], self._vehicles.get(key[1])
        now = self._clock.now()
        if mission.is_over:
            return
        if not mission.assigned:
            await self._settle_ghost(key, mission)
            return
        match missions.follow(mission, vehicle, now=now, limits=self._limits):
            case Resend() if vehicle is not None:
                if await self._speaker.send_order(vehicle, mission.leg):
                    self._missions[key] = replace(mission, published_at=now)
            case Requeue(reason):
                if reason in missions.NOT_AGAIN:
                    self._refused[mission.order.order_id].add(mission.vehicle)
                self._missions[key] = replace(mission, assigned=False)
                state = TransportState.REQUESTED
                await self._reporter.tell(missions.step(mission, state, at=now, reason=reason))
            case Fail(reason):
                self._missions[key] = replace(mission, failed=reason)
                state = TransportState.FAILED
                await self._reporter.tell(missions.step(mission, state, at=now, reason=reason))
            case _:
                return

    async def _settle_ghost(self, key: _Key, mission: Mission) -> None:
        """A vehicle that works on an order it no longer has: it keeps it while the order is pending,
        and is told to stop when another has it or it was settled. One that failed waits for a
        person, and the vehicle may still bring it.
        """
        vehicle, now = self._vehicles.get(key[1]), self._clock.now()
        if vehicle is None or vehicle.is_lost or not self._works_on(mission):
            return
        if self._carrier(key[0]) is None and key[0] in self._orders:
            if key[0] not in self._pending:
                return
            sent = missions.step(mission, TransportState.SENT, at=now)
            if await self._reporter.permit(sent):
                self._missions[key] = replace(mission, assigned=True, watched_since=now)
        elif missions.may_cancel(mission, now=now, limits=self._limits) and (
            await self._speaker.cancel(vehicle, key[0])
        ):
            self._missions[key] = replace(mission, cancelled_at=now)

    async def _hand_out(self, pending: tuple[TransportOrder, ...]) -> None:
        now, fleet = self._clock.now(), list(self._vehicles.values())
        waiting = [order for order in pending if self._carrier(order.order_id) is None]
        while len(permitted := await self._send(waiting, fleet)) < len(waiting):
            # The core kept some back (a hold came): their vehicles are free for the others.
            waiting = [order for order in permitted if self._carrier(order.order_id) is None]
        for order in waiting:
            refused = self._refused.get(order.order_id, set())
            if self._carrier(order.order_id) is None and dispatch.refused_by_all(
                fleet, refused=refused
            ):
                await self._reporter.tell(
                    TransportProgress(
                        order.order_id,
                        TransportState.FAILED,
                        ", ".join(sorted(refused)),
                        now,
                        reason=missions.REFUSED_BY_ALL,
                    )
                )

    async def _send(
        self, waiting: list[TransportOrder], fleet: list[Vehicle]
    ) -> list[TransportOrder]:
        """Send what can be sent now. The orders without those that the core did not let go."""
        now = self._clock.now()
        chosen = dispatch.assign(
            waiting,
            fleet,
            busy={m.vehicle for m in self._missions.values() if m.assigned and not m.is_over},
            excluded=self._refused,
            now=now,
            silent_after=self._limits.silent,
        )
        kept_back: set[str] = set()
        for one in chosen:
            mission = Mission(Leg.of(one.order), one.vehicle, assigned=True, watched_since=now)
            sent = missions.step(mission, TransportState.SENT, at=now)
            if not await self._reporter.permit(sent):
                kept_back.add(one.order.order_id)
                continue
            went = await self._speaker.send_order(self._vehicles[one.vehicle], mission.leg)
            self._missions[one.order.order_id, one.vehicle] = replace(
                mission, published_at=now if went else None
            )
        return [order for order in waiting if order.order_id not in kept_back]

    def _carrier(self, order_id: str) -> Mission | None:
        """The mission that has an order now."""
        return next(
            (
                mission
                for key, mission in self._missions.items()
                if key[0] == order_id and mission.assigned and not mission.failed
            ),
            None,
        )

    def _works_on(self, mission: Mission) -> bool:
        vehicle = self._vehicles.get(mission.vehicle)
        state = vehicle.state if vehicle is not None else None
        return state is not None and state.is_working and missions.speaks_of(state, mission.leg)

    def _is_free(self, vehicle: Vehicle) -> bool:
        now = self._clock.now()
        return may_take_orders(vehicle, now=now, silent_after=self._limits.silent)

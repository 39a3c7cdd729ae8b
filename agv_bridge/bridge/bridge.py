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
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace

from agv_bridge.bridge.dispatcher import Dispatcher
from agv_bridge.bridge.hearing import Hearing, TurnedAway
from agv_bridge.bridge.speaker import Speaker
from agv_bridge.missions import snapshots
from agv_bridge.missions.following import Limits
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
from agv_bridge.vda5050.topics import CONNECTION, STATE, filters
from contracts.clock import Clock, SystemClock
from contracts.ports import BusMessage, MessageBus, StockMoves
from contracts.reason import Reason
from contracts.stock import TransportOrder

_INBOX = 10_000
"""Messages that wait for a round to end; beyond it the bus keeps them, and counts what it drops."""
_AT_ONCE = 5_000
"""Messages read before a round gets its turn, however many come."""
MOST_VEHICLES = 5_000
"""Who speaks under ever new names does not fill the memory: beyond it the vehicle that was silent
longest and has no order of ours is forgotten, until it speaks again.
"""


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
        self._clock = clock or SystemClock()
        # What is for the eye only (visualization) comes often, and the view takes it by itself.
        self._filters = filters(CONNECTION, STATE, manufacturer=manufacturer, interface=interface)
        self._poll_s = poll_s
        self._limits = limits or Limits()
        self._tell = heard
        self._speaker = Speaker(bus, self._clock)
        self._vehicles: OrderedDict[str, Vehicle] = OrderedDict()
        self._hearing = Hearing(self._clock)
        self._dispatcher = Dispatcher(
            moves,
            self._speaker,
            self._vehicles,
            clock=self._clock,
            limits=self._limits,
            turn_away=self._hearing.turn_away,
        )
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()
        self._inbox: deque[BusMessage] = deque()

    @property
    def refused(self) -> int:
        """What vehicles did and the core would not book; each is in the log."""
        return self._dispatcher.reporter.refused

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
        board, orders = self._dispatcher.board, self._dispatcher.board.orders
        none_free = not any(self._is_free(vehicle) for vehicle in self._vehicles.values())
        shown: list[MissionSnapshot] = []
        for order_id, order in orders.items():
            mission = board.shown(order_id)
            if mission is None:
                waits = self._why_waiting(order, none_free=none_free)
                shown.append(snapshots.waiting(order, waits))
            else:
                vehicle = self._vehicles.get(mission.vehicle)
                stop = board.stops.get(order_id)
                shown.append(snapshots.under_way(mission, vehicle, stop=stop))
        return tuple(sorted(shown, key=lambda each: snapshots.age_of(each, orders[each.order_id])))

    def _why_waiting(self, order: TransportOrder, *, none_free: bool) -> Reason | None:
        number = len(self._vehicles)
        if order.on_board:
            vehicle = self._vehicles.get(order.on_board)
            number = int(vehicle is not None)
            none_free = vehicle is None or not self._is_free(vehicle, loaded=True)
        if not none_free:
            return None
        return Reason(snapshots.NONE_FREE, {"order": order.order_id, "vehicles": number})

    async def run(self) -> None:
        """Bridge until cancelled. An outage of the broker or the core is waited out."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._rounds())

    async def hear(self, message: BusMessage) -> None:
        """Take one message in: what the vehicle is and does, and what that means for our orders."""
        self._inbox.append(message)
        async with self._lock:
            await self._read_inbox()

    async def round(self) -> None:
        """Ask the core, look after the missions under way, hand out pending orders."""
        async with self._lock:
            await self._read_inbox()
            await self._dispatcher.round()
            await self._read_inbox()

    async def _listen(self) -> None:
        async with self._bus.subscribe(*self._filters, qos=1) as messages:
            async for message in messages:
                if self._lock.locked() and len(self._inbox) < _INBOX:
                    # Whoever has the lock reads the inbox before he lets go. To wait for it with
                    # each message would let in one message a round, and rounds follow each other.
                    self._inbox.append(message)
                else:
                    await self.hear(message)

    async def _read_inbox(self) -> None:
        for _ in range(_AT_ONCE):
            if not self._inbox:
                return
            await self._hear(self._inbox.popleft())

    async def _rounds(self) -> None:
        while True:
            await self.round()
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
                if heard.address != received.address:
                    heard = replace(heard, address=received.address)
                self._vehicles[name] = heard
                if self._speaker.heed(self._vehicles[name]):
                    self._dispatcher.cancel_again(name)
                    self._wake.set()
                if await self._dispatcher.learn(name, state):
                    self._wake.set()
            case _:
                return
        if self._is_free(self._vehicles[name]) and not self._is_free(before):
            self._wake.set()
        self._vehicles.move_to_end(name)
        self._forget_strangers()

    def _forget_strangers(self) -> None:
        if len(self._vehicles) <= MOST_VEHICLES:
            return
        for name, vehicle in self._vehicles.items():
            if not self._dispatcher.board.of_vehicle(name):
                del self._vehicles[name]
                self._speaker.forget(vehicle)
                return

    def _is_free(self, vehicle: Vehicle, *, loaded: bool = False) -> bool:
        now = self._clock.now()
        return may_take_orders(vehicle, now=now, silent_after=self._limits.silent, loaded=loaded)

"""The dispatcher: gives orders to vehicles, follows them until they end, and books what was seen.

Pure modules decide (missions/); this one asks the core and tells vehicles. The bridge's lock keeps
its calls apart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from agv_bridge.bridge.reporter import Permit, Reporter
from agv_bridge.bridge.sendings import Sendings
from agv_bridge.bridge.speaker import Speaker
from agv_bridge.missions import dispatch, following, reasons
from agv_bridge.missions import mission as missions
from agv_bridge.missions.board import Board, spoken_of
from agv_bridge.missions.following import Cancel, Fail, Limits, Requeue, Resend, Withdraw
from agv_bridge.missions.identity import NOT_ITS_ORDER
from agv_bridge.missions.mission import Mission
from agv_bridge.missions.orders import Leg
from agv_bridge.missions.vehicles import Vehicle
from agv_bridge.vda5050.messages import State
from contracts.clock import Clock
from contracts.ports import StockMoves
from contracts.reason import Reason
from contracts.stock import OpenTransport, TransportOrder, TransportProgress, TransportState

_log = structlog.get_logger(__name__)


class Dispatcher:
    """vehicles: the fleet as the bridge last heard it, by name; only read here. turn_away: told of a
    vehicle that claims an order which it never had.
    """

    def __init__(
        self,
        moves: StockMoves,
        speaker: Speaker,
        vehicles: Mapping[str, Vehicle],
        *,
        clock: Clock,
        limits: Limits,
        turn_away: Callable[[str, Reason], None],
    ) -> None:
        self.board = Board()
        self.reporter = Reporter(moves)
        self._moves = moves
        self._sendings = Sendings(moves)
        self._turn_away = turn_away
        self._speaker = speaker
        self._vehicles = vehicles
        self._clock = clock
        self._limits = limits
        self._unasked = False
        """States spoke of orders while the core could not be asked about them."""

    async def learn(self, name: str, state: State) -> bool:
        """What one state, new or old, says about our orders. True when there was news."""
        await self._look_up(state)
        now = self._clock.now()
        news: list[TransportProgress] = []
        for order in self.board.known_in(state):
            known = self.board.get(order.order_id, name)
            if known is None and not await self._had(order, name, now):
                continue
            before = known or Mission(Leg.of(order), name, assigned=False, watched_since=now)
            stopping = self.board.is_stopping(order.order_id)
            after, steps = missions.observe(before, state, at=now, stopping=stopping)
            if after is not known:
                self.board.put(after)
            if after.has(TransportState.PICKED) and not before.has(TransportState.PICKED):
                self.board.taken_over(after)
            news.extend(steps)
        vehicle = self._vehicles.get(name)
        if vehicle is not None and vehicle.state is state:
            for mission in self.board.of_vehicle(name):
                noted = missions.note_newest(mission, state, at=now)
                if noted is not mission:
                    self.board.put(noted)
        await self.reporter.tell(*news)
        return bool(news)

    async def round(self) -> None:
        """Ask the core, look after the missions under way, hand out pending orders."""
        await self.reporter.offer()
        if not self.reporter.is_clear:
            return
        try:
            pending = tuple(await self._moves.pending_transport())
            under_way = tuple(await self._moves.open_transport())
        except Exception:  # noqa: BLE001 -- an outage of the core must not end the bridge
            _log.warning("agv_core_unavailable", exc_info=True)
            return
        for one in under_way:
            # Also one whose permit came, and whose answer was lost on its way.
            self._sendings.note(one.order.order_id, one.vehicle)
        news = self.board.take_in(pending, under_way, now=self._clock.now())
        await self._learn_again(news)
        await self._say_again(under_way)
        for mission in self.board.all():
            await self._look_after(mission)
        await self._hand_out(pending)

    async def _learn_again(self, orders: Collection[str]) -> None:
        """States that came before these orders were known, or while the core could not be asked,
        spoke of them already.
        """
        everything, self._unasked = self._unasked, False
        if not orders and not everything:
            return
        for vehicle in list(self._vehicles.values()):
            state = vehicle.state
            if state is not None and (
                everything or any(order_id in orders for order_id in spoken_of(state))
            ):
                await self.learn(vehicle.name, state)

    async def _say_again(self, under_way: Sequence[OpenTransport]) -> None:
        """What the core once could not book it may be able to book later, without a restart."""
        now = self._clock.now()
        for mission in self.board.untold(under_way, now=now, after=self._limits.accept):
            await self.reporter.tell(missions.say_again(mission, at=now))

    def cancel_again(self, name: str) -> None:
        """A vehicle did not understand our cancels: say them once more at once."""
        for mission in self.board.of_vehicle(name):
            if mission.cancelled_at is not None:
                self.board.put(replace(mission, cancelled_at=None))

    async def _had(self, order: TransportOrder, name: str, now: datetime) -> bool:
        """Whether a vehicle that speaks of an order can have worked on it. The first claim of one that
        never had it is told to the core, which asks a person to look; nothing moves.
        """
        try:
            had = await self._sendings.had(order.order_id, name)
        except Exception:  # noqa: BLE001 -- an outage of the core must not end the bridge
            _log.warning("agv_core_unavailable", order=order.order_id, exc_info=True)
            self._unasked = True
            return False
        if not had:
            self._turn_away(name, Reason(NOT_ITS_ORDER, {"vehicle": name, "order": order.order_id}))
            if self._sendings.is_first_claim(order.order_id, name):
                claim = Mission(Leg.of(order), name, assigned=False, watched_since=now)
                await self.reporter.tell(missions.step(claim, TransportState.ACCEPTED, at=now))
        return had

    async def _look_up(self, state: State) -> None:
        for order_id in self.board.unknown_in(state):
            try:
                self.board.settle(order_id, await self._moves.find_transport(order_id))
            except Exception:  # noqa: BLE001 -- an outage of the core must not end the bridge
                _log.warning("agv_core_unavailable", order=order_id, exc_info=True)
                self._unasked = True

    async def _look_after(self, mission: Mission) -> None:
        order_id = mission.order.order_id
        if not mission.is_carried or not self.board.is_open(order_id):
            await self._settle_ghost(mission)
            return
        vehicle, now = self._vehicles.get(mission.vehicle), self._clock.now()
        stop = order_id in self.board.stops
        decision = following.follow(mission, vehicle, now=now, limits=self._limits, stop=stop)
        match decision:
            case Resend() if vehicle is not None:
                if await self._speaker.send_order(vehicle, mission.leg):
                    self.board.put(replace(mission, published_at=now))
            case Cancel() if vehicle is not None:
                await self._cancel(mission, vehicle)
            case Withdraw():
                self.board.put(replace(mission, stopped=True))
                await self._tell(mission, TransportState.CANCELLED)
            case Requeue(reason):
                if reason in reasons.NOT_AGAIN:
                    self.board.refuse(mission, at=now)
                self.board.put(replace(mission, assigned=False))
                await self._tell(mission, TransportState.REQUESTED, reason)
            case Fail(reason):
                self.board.put(replace(mission, failed=reason))
                await self._tell(mission, TransportState.FAILED, reason)
            case _:
                return

    async def _settle_ghost(self, mission: Mission) -> None:
        """A vehicle that works on an order it no longer has: it keeps it while the order is pending,
        and is told to stop when another has it or it must not go on. One that failed waits for a
        person, and the vehicle may still bring it. Goods on board go where the vehicle was told and
        are booked as seen, unless the core wants them stopped.
        """
        order_id, vehicle = mission.order.order_id, self._vehicles.get(mission.vehicle)
        if vehicle is None or vehicle.is_lost or not missions.works_on(mission, vehicle):
            if not self.board.is_open(order_id):
                self.board.remove(mission)
            return
        if order_id not in self.board.stops:
            if mission.has(TransportState.PICKED):
                return
            if self.board.is_open(order_id) and self.board.carrier(order_id) is None:
                pending = self.board.waiting_since(order_id) is not None
                if not pending or await self._adopt(mission):
                    return
        now = self._clock.now()
        if following.may_cancel(mission, now=now, limits=self._limits):
            await self._cancel(mission, vehicle)

    async def _adopt(self, mission: Mission) -> bool:
        """Whether the vehicle may go on; only where the core says no must it stop."""
        now = self._clock.now()
        sent = missions.step(mission, TransportState.SENT, at=now)
        permit = await self.reporter.permit(sent)
        if permit is Permit.GIVEN:
            self._sendings.note(mission.order.order_id, mission.vehicle)
            self.board.put(replace(mission, assigned=True, watched_since=now))
        return permit is not Permit.REFUSED

    async def _cancel(self, mission: Mission, vehicle: Vehicle) -> None:
        if await self._speaker.cancel(vehicle, mission.order.order_id):
            self.board.put(replace(mission, cancelled_at=self._clock.now()))

    async def _tell(self, mission: Mission, state: TransportState, reason: str = "") -> None:
        at = self._clock.now()
        await self.reporter.tell(missions.step(mission, state, at=at, reason=reason))

    async def _hand_out(self, pending: Sequence[TransportOrder]) -> None:
        waiting = [each for each in pending if self.board.carrier(each.order_id) is None]
        while len(permitted := await self._send(waiting)) < len(waiting):
            # The core kept some back (a hold came): their vehicles are free for the others.
            waiting = [each for each in permitted if self.board.carrier(each.order_id) is None]
        now, fleet = self._clock.now(), list(self._vehicles.values())
        refusing = self.board.refusing(now=now, again=self._limits.again)
        for order in waiting:
            if self.board.carrier(order.order_id) is None:
                await self._give_up(order, fleet, refusing.get(order.order_id, ()), now)

    async def _send(self, waiting: list[TransportOrder]) -> list[TransportOrder]:
        """Send what can be sent now. The orders without those that the core did not let go."""
        now = self._clock.now()
        chosen = dispatch.assign(
            waiting,
            list(self._vehicles.values()),
            busy=self.board.busy(),
            excluded=self.board.refusing(now=now, again=self._limits.again),
            now=now,
            silent_after=self._limits.silent,
            carrying=self.board.carrying(),
        )
        kept_back: set[str] = set()
        for one in chosen:
            mission = Mission(Leg.of(one.order), one.vehicle, assigned=True, watched_since=now)
            sent = missions.step(mission, TransportState.SENT, at=now)
            if await self.reporter.permit(sent) is not Permit.GIVEN:
                kept_back.add(one.order.order_id)
                continue
            self._sendings.note(one.order.order_id, one.vehicle)
            went = await self._speaker.send_order(self._vehicles[one.vehicle], mission.leg)
            published_at = now if went else None
            self.board.put(replace(mission, published_at=published_at, stepped_at=now))
        return [order for order in waiting if order.order_id not in kept_back]

    async def _give_up(
        self,
        order: TransportOrder,
        fleet: Sequence[Vehicle],
        refused: Collection[str],
        now: datetime,
    ) -> None:
        """A task for a person, where no vehicle can be waited for any longer."""
        reason, who = "", order.on_board
        gave_back = dispatch.refused_by_all(order, fleet, refused=refused)
        if gave_back:
            reason, who = reasons.REFUSED_BY_ALL, ", ".join(gave_back)
        elif order.on_board:
            reason = following.why_give_up(
                self._vehicles.get(order.on_board),
                since=self.board.waiting_since(order.order_id) or now,
                now=now,
                limits=self._limits,
            )
        if reason:
            failed = TransportState.FAILED
            await self.reporter.tell(
                TransportProgress(order.order_id, failed, who, now, reason=reason)
            )

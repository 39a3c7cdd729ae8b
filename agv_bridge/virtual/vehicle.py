"""A virtual vehicle: speaks VDA 5050 2.x or 3.0 as a real one does, with faults on request.

For tests, the bench and the demo. It keeps its order and goes on driving while the broker is away,
as the standard asks, and says ONLINE again when it is back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from agv_bridge.missions.orders import CANCEL_ORDER, STATE_REQUEST
from agv_bridge.vda5050 import topics
from agv_bridge.vda5050.codec import decode
from agv_bridge.vda5050.messages import (
    FAILED,
    FINISHED,
    Action,
    ActionState,
    InstantActions,
    Node,
    Order,
    State,
    VehicleError,
)
from agv_bridge.vda5050.topics import dialect_of
from agv_bridge.virtual.body import Body, state_of, visualization_of
from agv_bridge.virtual.factsheet import (
    FACTSHEET_REQUEST,
    START_PAUSE,
    STOP_PAUSE,
    factsheet_of,
)
from agv_bridge.virtual.faults import Faults
from agv_bridge.virtual.floor import Spot, spot_of, way
from agv_bridge.virtual.job import RUNNING, Answer, Job, judge, refusal
from agv_bridge.virtual.presence import address_of
from agv_bridge.virtual.voice import Voice
from contracts.clock import Clock, SystemClock
from contracts.errors import BadInputError
from contracts.ports import BusMessage, MessageBus

_ANY_SPEED_M_S = 2.0
"""What a vehicle says of its speed that drives by the step."""
_STANDING_S = 0.05
"""How often a vehicle that was stopped looks whether it may go on."""


class _Died(Exception):  # noqa: N818 -- not an error: the fault that was asked for
    pass


class VirtualAgv:
    """One vehicle on a bus of its own.

    Give `presence.will_of` and `birth_of` to the bus's client, so that a broken connection is
    noticed, and its return. step_s: time for one action, and for one drive where speed_m_s is not
    given. speed_m_s: it drives the floor's lanes at so many metres a second. heartbeat_s: a state
    comes at least this often. frame_s: while it drives, its position comes this often.
    """

    def __init__(
        self,
        bus: MessageBus,
        serial: str,
        *,
        version: str = "2.1.0",
        manufacturer: str = "tallyman",
        step_s: float = 0.05,
        speed_m_s: float | None = None,
        heartbeat_s: float = 30.0,
        frame_s: float = 0.25,
        clock: Clock | None = None,
        faults: Faults | None = None,
        home: str = "home",
    ) -> None:
        self.address = address_of(serial, version=version, manufacturer=manufacturer)
        self.faults = faults or Faults()
        self.body = Body.at(home)
        self._bus = bus
        self._version = version
        self._step_s = step_s
        self._speed_m_s = speed_m_s
        self._heartbeat_s = heartbeat_s
        self._frame_s = frame_s
        self._voice = Voice(bus, self.address, version, clock or SystemClock())
        self._job: Job | None = None
        self._work = asyncio.Event()
        self._errors: tuple[VehicleError, ...] = ()
        self._instant: deque[ActionState] = deque(maxlen=5)
        self._dead = False

    @property
    def executed(self) -> list[str]:
        """Ids of the actions done, in order: what really happened to the goods."""
        return self.body.executed

    def state(self) -> State:
        """What it would say now, with the next header id."""
        return state_of(
            self.body,
            self._job,
            self._voice.header(topics.STATE, self.faults),
            faults=self.faults,
            dialect=dialect_of(self.address.major, self._version),
            instant=tuple(self._instant),
            errors=self._errors,
        )

    async def run(self) -> None:
        """Until cancelled (then it says OFFLINE), or until the fault `die_after`."""
        names = (topics.ORDER, topics.INSTANT_ACTIONS)
        listen_to = [self.address.topic(name) for name in names]
        async with self._bus.subscribe(*listen_to, qos=1) as messages:
            await self._say_connection("ONLINE")
            await self._say_factsheet()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(messages))
                    tasks.create_task(self._drive())
                    tasks.create_task(self._beat())
            except* _Died:
                # The fault that was asked for; whoever owns the bus breaks its connection.
                self._dead = True
            finally:
                if not self._dead:
                    await self._say_connection("OFFLINE")

    async def _listen(self, messages: AsyncIterator[BusMessage]) -> None:
        async for message in messages:
            try:
                received = decode(message.topic, message.payload)
            except BadInputError:
                self._errors = (VehicleError(error_type=Answer.REFUSE.value),)
                await self._say_state()
                continue
            match received.message if received is not None else None:
                case Order() as order:
                    await self._take(order)
                case InstantActions(actions=actions):
                    for action in actions:
                        await self._do_instantly(action)

    async def _beat(self) -> None:
        while True:
            await self._say_state()
            await asyncio.sleep(self._heartbeat_s)

    async def _take(self, order: Order) -> None:
        match judge(self._job, order, rejecting=self.faults.reject_orders):
            case Answer.KNOWN:
                return
            case Answer.TAKE:
                self._job = Job.of(order)
                self._errors = ()
                self._work.set()
            case answer:
                self._errors = (refusal(answer, order),)
        await self._say_state()

    async def _do_instantly(self, action: Action) -> None:
        if action.action_type == FACTSHEET_REQUEST:
            await self._say_factsheet()
        ended = self._end_of(action)
        self._instant.append(
            ActionState(
                action_id=action.action_id, action_type=action.action_type, action_status=ended
            )
        )
        await self._say_state()

    def _end_of(self, action: Action) -> str:
        match action.action_type:
            case name if name == CANCEL_ORDER:
                return self._cancel(action.parameter("orderId"))
            case name if name in {START_PAUSE, STOP_PAUSE}:
                self.body.paused = name == START_PAUSE
                return FINISHED
            case name if name in {STATE_REQUEST, FACTSHEET_REQUEST}:
                return FINISHED
            case _:
                return FAILED

    def _cancel(self, order_id: object | None) -> str:
        """The action under way is finished, those to come FAIL (VDA 5050, cancelOrder)."""
        job = self._job
        if job is None or not job.at_work or order_id not in {None, job.order.order_id}:
            return FAILED
        if self.faults.too_late_to_cancel:
            return FAILED
        job.cancelled = True
        return FINISHED

    async def _drive(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            job = self._job
            while job is not None and job.at_work:
                if not job.cancelled:
                    await self._visit(job, job.nodes_left[0])
                if job.cancelled:
                    job.end_cancelled()
                    await self._say_state()

    async def _visit(self, job: Job, node: Node) -> None:
        if not await self._reach(job, node):
            return
        for action in node.actions:
            await self._until_it_may_move()
            if job.cancelled:
                return
            job.statuses[action.action_id] = RUNNING
            await self._say_state()
            await asyncio.sleep(self._step_s)
            job.statuses[action.action_id] = self.body.handle(action, self.faults)
            if self.faults.forget_after == action.action_type:
                await self._reboot(job)
                return
            if action is not node.actions[-1]:
                await self._say_state()
            if self.faults.die_after == action.action_type:
                raise _Died
        job.nodes_left.remove(node)
        await self._say_state()

    async def _reach(self, job: Job, node: Node) -> bool:
        """Whether it stands at the node: a cancel on the way stops it where it is."""
        goal = spot_of(node.node_id)
        if node.node_id == self.body.place and self.body.spot == goal:
            return True
        await self._until_it_may_move()
        self.body.driving = True
        await self._say_state()
        arrived = await self._drive_to(goal, stop=lambda: job.cancelled)
        self.body.driving = False
        if arrived:
            self.body.place, self.body.sequence_id = node.node_id, node.sequence_id
            self.body.spot = goal
        return arrived

    async def _drive_to(self, goal: Spot, *, stop: Callable[[], bool]) -> bool:
        route = way(self.body.spot, goal)
        length_m = route.length_m
        lasts_s = length_m / self._speed_m_s if self._speed_m_s else self._step_s
        driven_s = 0.0
        while driven_s < lasts_s and not stop():
            part_s = min(self._frame_s, lasts_s - driven_s)
            await asyncio.sleep(part_s)
            await self._until_it_may_move()
            driven_s += part_s
            self.body.spot = route.at(driven_s / lasts_s)
            self.body.drove(length_m * part_s / lasts_s)
            await self._say_position()
        return not stop()

    async def _until_it_may_move(self) -> None:
        if not self._stands_still:
            return
        was_driving, self.body.driving = self.body.driving, False
        await self._say_state()
        while self._stands_still:  # noqa: ASYNC110 -- faults are plain values that others set
            await asyncio.sleep(_STANDING_S)
        self.body.driving = was_driving
        await self._say_state()

    @property
    def _stands_still(self) -> bool:
        return self.body.paused or bool(self.faults.emergency_stop)

    async def _reboot(self, job: Job) -> None:
        """It comes back with what it carries and without its order; its header ids begin again."""
        job.nodes_left.clear()
        self.faults.forget_after = ""
        self._job = None
        self._instant.clear()
        self._voice.reboot()
        await self._say_connection("ONLINE")
        await self._say_state()

    async def _say_connection(self, said: str) -> None:
        await self._voice.say_connection(said, self.faults)

    async def _say_state(self) -> None:
        if not self.faults.swallow_states:
            await self._voice.say(topics.STATE, self.state(), self.faults)

    async def _say_position(self) -> None:
        if self.faults.swallow_states:
            return
        told = visualization_of(
            self.body,
            self._voice.header(topics.VISUALIZATION, self.faults),
            state_id=self._voice.last_id(topics.STATE),
            speed_m_s=self._speed_m_s or _ANY_SPEED_M_S,
        )
        await self._voice.say(topics.VISUALIZATION, told, self.faults)

    async def _say_factsheet(self) -> None:
        told = factsheet_of(
            self._voice.header(topics.FACTSHEET, self.faults),
            speed_m_s=self._speed_m_s or _ANY_SPEED_M_S,
            state_every_s=self._heartbeat_s,
        )
        await self._voice.say(topics.FACTSHEET, told, self.faults)

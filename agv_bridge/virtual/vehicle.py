"""A virtual vehicle: speaks VDA 5050 2.x or 3.0 as a real one does, with faults on request.

For tests and the demo. It keeps its order and goes on driving while the broker is away, as the
standard asks, and says ONLINE again when it is back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from zlib import crc32

from agv_bridge.missions.orders import CANCEL_ORDER, DROP, PICK, STATE_REQUEST
from agv_bridge.vda5050 import topics
from agv_bridge.vda5050.codec import Message, decode, encode
from agv_bridge.vda5050.messages import (
    FAILED,
    FINISHED,
    Action,
    ActionState,
    EdgeState,
    ErrorReference,
    Header,
    InstantActions,
    Load,
    Node,
    NodeState,
    Order,
    Position,
    Power,
    Safety,
    State,
    VehicleError,
)
from agv_bridge.vda5050.topics import dialect_of
from agv_bridge.vda5050.wire import Dialect
from agv_bridge.virtual.presence import address_of, connection_message
from contracts.clock import Clock, SystemClock
from contracts.errors import BadInputError, UnavailableError
from contracts.ports import BusMessage, MessageBus

_PERCENT_A_MOVE = 0.05
_LOWEST_PERCENT = 40.0


@dataclass(slots=True)
class Faults:
    """What to do wrong. May be changed while the vehicle runs."""

    swallow_states: bool = False
    duplicate_states: bool = False
    reject_orders: bool = False
    fail_action: str = ""
    """`pick` or `drop`: that action FAILS."""
    die_after: str = ""
    """`pick` or `drop`: the vehicle stops without a word after that action."""
    load_alias: str = ""
    """The load id it reads instead of the one ordered, such as its own RFID tag."""
    loads_unknown: bool = False


class _Died(Exception):  # noqa: N818 -- not an error: the fault that was asked for
    pass


@dataclass(slots=True)
class _Job:
    """The order being worked on, or the last one."""

    order: Order
    statuses: dict[str, str]
    nodes_left: list[Node] = field(default_factory=list)
    cancelled: bool = False


class VirtualAgv:
    """One vehicle on a bus of its own.

    Give `presence.will_of` and `birth_of` to the bus's client, so that a broken connection is noticed, and
    its return. step_s: time for one
    drive or one action. heartbeat_s: a state comes at least this often.
    """

    def __init__(
        self,
        bus: MessageBus,
        serial: str,
        *,
        version: str = "2.1.0",
        manufacturer: str = "tallyman",
        step_s: float = 0.05,
        heartbeat_s: float = 30.0,
        clock: Clock | None = None,
        faults: Faults | None = None,
        home: str = "home",
    ) -> None:
        self.address = address_of(serial, version=version, manufacturer=manufacturer)
        self.faults = faults or Faults()
        self.executed: list[str] = []
        """Ids of the actions done, in order: what really happened to the goods."""
        self._bus = bus
        self._version = version
        self._step_s = step_s
        self._heartbeat_s = heartbeat_s
        self._clock = clock or SystemClock()
        self._place = home
        self._job: _Job | None = None
        self._work = asyncio.Event()
        self._driving = False
        self._loads: list[str] = []
        self._charge = 100.0
        self._errors: tuple[VehicleError, ...] = ()
        self._instant: deque[ActionState] = deque(maxlen=5)
        self._headers: dict[str, int] = {}
        self._unheard = False

    async def run(self) -> None:
        """Until cancelled (then it says OFFLINE), or until the fault `die_after`."""
        names = (topics.ORDER, topics.INSTANT_ACTIONS)
        listen_to = [self.address.topic(name) for name in names]
        async with self._bus.subscribe(*listen_to, qos=1) as messages:
            await self._say_connection("ONLINE")
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(messages))
                    tasks.create_task(self._drive())
                    tasks.create_task(self._beat())
            except* _Died:
                # The fault that was asked for; whoever owns the bus breaks its connection.
                pass
            finally:
                if not self._is_dead():
                    await self._say_connection("OFFLINE")

    async def _listen(self, messages: AsyncIterator[BusMessage]) -> None:
        async for message in messages:
            try:
                received = decode(message.topic, message.payload)
            except BadInputError:
                self._errors = (VehicleError(error_type="validationError"),)
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
        job = self._job
        if job is not None and job.order.order_id == order.order_id:
            return
        if self.faults.reject_orders or (job is not None and job.nodes_left):
            kind = "validationError" if self.faults.reject_orders else "orderUpdateError"
            about = ErrorReference(reference_key="orderId", reference_value=order.order_id)
            self._errors = (VehicleError(error_type=kind, error_references=(about,)),)
        else:
            nodes = sorted(order.nodes, key=lambda node: node.sequence_id)
            waiting = {a.action_id: "WAITING" for node in nodes for a in node.actions}
            self._job = _Job(order, waiting, list(nodes))
            self._errors = ()
            self._work.set()
        await self._say_state()

    async def _do_instantly(self, action: Action) -> None:
        status = FINISHED
        if action.action_type == CANCEL_ORDER:
            status = self._cancel(action.parameter("orderId"))
        elif action.action_type != STATE_REQUEST:
            status = FAILED
        self._instant.append(
            ActionState(
                action_id=action.action_id, action_type=action.action_type, action_status=status
            )
        )
        await self._say_state()

    def _cancel(self, order_id: object | None) -> str:
        """The action under way is finished, those to come FAIL (VDA 5050, cancelOrder)."""
        job = self._job
        if job is None or not job.nodes_left or order_id not in {None, job.order.order_id}:
            return FAILED
        job.cancelled = True
        return FINISHED

    async def _drive(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            job = self._job
            while job is not None and job.nodes_left:
                if not job.cancelled:
                    await self._visit(job, job.nodes_left[0])
                if job.cancelled:
                    for action_id, status in job.statuses.items():
                        job.statuses[action_id] = FINISHED if status == FINISHED else FAILED
                    job.nodes_left.clear()
                    await self._say_state()

    async def _visit(self, job: _Job, node: Node) -> None:
        if node.node_id != self._place:
            self._driving = True
            await self._say_state()
            await asyncio.sleep(self._step_s)
            self._driving = False
            self._place = node.node_id
            self._charge = max(_LOWEST_PERCENT, self._charge - _PERCENT_A_MOVE)
        for action in node.actions:
            if job.cancelled:
                return
            job.statuses[action.action_id] = "RUNNING"
            await self._say_state()
            await asyncio.sleep(self._step_s)
            job.statuses[action.action_id] = self._handle(action)
            if action is not node.actions[-1]:
                await self._say_state()
            if self.faults.die_after == action.action_type:
                raise _Died
        job.nodes_left.remove(node)
        await self._say_state()

    def _handle(self, action: Action) -> str:
        if self.faults.fail_action == action.action_type:
            return FAILED
        self.executed.append(action.action_id)
        if action.action_type == PICK:
            named = str(action.parameter("loadId") or "load")
            self._loads.append(self.faults.load_alias or named)
        elif action.action_type == DROP and self._loads:
            self._loads.pop()
        return FINISHED

    def _is_dead(self) -> bool:
        done = self.executed[-1].rpartition(".")[2] if self.executed else ""
        return bool(self.faults.die_after) and self.faults.die_after == done

    async def _say_connection(self, said: str) -> None:
        header = self._header(topics.CONNECTION)
        message = connection_message(header, said)
        await self._say(topics.CONNECTION, message, qos=1, retain=True)

    async def _say_state(self) -> None:
        if self.faults.swallow_states:
            return
        state = self._state()
        for _ in range(2 if self.faults.duplicate_states else 1):
            await self._say(topics.STATE, state)
        if self._unheard:
            self._unheard = False
            await self._say_connection("ONLINE")

    def _state(self) -> State:
        job = self._job
        instant = tuple(self._instant)
        actions = tuple(
            ActionState(action_id=action_id, action_status=status, action_type=kind)
            for action_id, status, kind in _statuses(job)
        )
        v3 = dialect_of(self.address.major, self._version) is Dialect.V3
        x, y = _somewhere(self._place)
        blank = State()
        header = self._header(topics.STATE)
        return replace(
            blank,
            header_id=header.header_id,
            timestamp=header.timestamp,
            version=header.version,
            manufacturer=header.manufacturer,
            serial_number=header.serial_number,
            order_id=job.order.order_id if job else "",
            order_update_id=job.order.order_update_id if job else 0,
            last_node_id=self._place,
            driving=self._driving,
            node_states=tuple(
                NodeState(node_id=n.node_id, sequence_id=n.sequence_id)
                for n in (job.nodes_left if job else ())
            ),
            edge_states=tuple(
                EdgeState(edge_id=e.edge_id, sequence_id=e.sequence_id)
                for e in (job.order.edges if job and len(job.nodes_left) > 1 else ())
            ),
            position=Position(x=x, y=y, map_id="floor"),
            loads=None
            if self.faults.loads_unknown
            else tuple(Load(load_id=load) for load in self._loads),
            action_states=actions if v3 else actions + instant,
            instant_action_states=instant,
            power=Power(charge_percent=round(self._charge, 2)),
            errors=self._errors,
            safety=Safety(),
        )

    def _header(self, name: str) -> Header:
        self._headers[name] = self._headers.get(name, 0) + 1
        return Header(
            header_id=self._headers[name],
            timestamp=self._clock.now(),
            version=self._version,
            manufacturer=self.address.manufacturer,
            serial_number=self.address.serial,
        )

    async def _say(
        self, name: str, message: Message, *, qos: int = 0, retain: bool = False
    ) -> None:
        payload = encode(message, self.address.major)
        try:
            await self._bus.publish(self.address.topic(name), payload, qos=qos, retain=retain)
        except UnavailableError:
            # A vehicle goes on with its order while the broker is away, and says so afterwards.
            self._unheard = True


def _statuses(job: _Job | None) -> list[tuple[str, str, str]]:
    if job is None:
        return []
    kinds = {a.action_id: a.action_type for node in job.order.nodes for a in node.actions}
    return [(action_id, status, kinds[action_id]) for action_id, status in job.statuses.items()]


def _somewhere(node_id: str) -> tuple[float, float]:
    """A place on the map for a node that has no coordinates: always the same one, in metres."""
    number = crc32(node_id.encode())
    return float(number % 400) / 10, float(number // 400 % 250) / 10

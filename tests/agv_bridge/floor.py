"""A warehouse floor in steps: the real core and the real bridge, vehicles that do one thing at a time,
and a radio that loses, doubles and delays what they say. No sleeping, no threads: every run of the
same story is the same.
"""

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from agv_bridge.bridge.bridge import AgvBridge
from agv_bridge.missions.orders import CANCEL_ORDER, DROP, PICK
from agv_bridge.vda5050 import topics
from agv_bridge.vda5050.codec import decode, encode
from agv_bridge.vda5050.messages import (
    FAILED,
    FINISHED,
    Action,
    ActionState,
    Header,
    InstantActions,
    Order,
)
from agv_bridge.vda5050.topics import dialect_of
from agv_bridge.virtual.body import Body, state_of
from agv_bridge.virtual.faults import Faults
from agv_bridge.virtual.job import RUNNING, WAITING, Answer, Job, judge, refusal
from agv_bridge.virtual.presence import address_of, connection_message
from contracts.clock import FixedClock
from contracts.ports import BusMessage
from contracts.stock import BatchKey, TransportProgress
from erp_link.domain.places import SiteLayout, Slot, dock_of
from erp_link.service.core import Core
from tests.erp_link.story import WATER, Station

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
HEARTBEAT = 10
"""A vehicle says its state on every change, and at least each so many steps."""


def told(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise AssertionError("something on this floor waits")


@cache
def empty_database() -> Path:
    """A migrated database to copy."""
    folder = Path(tempfile.mkdtemp(prefix="tallyman-floor-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Core(f"sqlite:///{folder / 'core.db'}", clock=FixedClock(START), layout=LAYOUT).close()
    return folder / "core.db"


LAYOUT = SiteLayout(tuple(Slot(f"{aisle}-{bay}", 8) for aisle in "AB" for bay in (1, 2)))


@dataclass
class Direct:
    """contracts.ports.StockMoves over the core, with every step that was told."""

    core: Core
    told: list[TransportProgress] = field(default_factory=list)

    async def pending_transport(self):
        return self.core.pending_transport()

    async def open_transport(self):
        return self.core.open_transport()

    async def find_transport(self, order_id: str):
        return self.core.find_transport(order_id)

    async def was_sent(self, order_id: str, vehicle: str) -> bool:
        return self.core.was_sent(order_id, vehicle)

    async def transport_progress(self, progress: TransportProgress) -> None:
        self.core.transport_progress(progress)
        self.told.append(progress)


@dataclass
class Radio:
    """Of a vehicle's states so many percent are lost, doubled, and late by up to `most_late` steps."""

    seed: int = 0
    percent: int = 0
    most_late: int = 4
    _chance: random.Random = field(init=False)
    _late: list[tuple[int, BusMessage]] = field(default_factory=list)
    now: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 -- a story told again by its seed

    def send(self, message: BusMessage) -> None:
        if self._hits():
            return
        for _ in range(2 if self._hits() else 1):
            late = self._chance.randint(1, self.most_late) if self._hits() else 0
            self._late.append((self.now + late, message))

    def arrived(self) -> list[BusMessage]:
        """What is there now; what is late by as much comes in any order."""
        self.now += 1
        due = [message for at, message in self._late if at < self.now]
        self._late = [(at, message) for at, message in self._late if at >= self.now]
        if self.percent:
            self._chance.shuffle(due)
        return due

    def _hits(self) -> bool:
        return self.percent > 0 and self._chance.random() * 100 < self.percent


class Truck:
    """A vehicle: each step it takes in one message, or drives, or begins or ends one action."""

    def __init__(
        self, serial: str, clock: FixedClock, goods: dict[str, str], *, version: str = "2.1.0"
    ) -> None:
        self.goods = goods
        self.address = address_of(serial, version=version, manufacturer="tallyman")
        self.faults = Faults()
        self.body = Body.at("home")
        self.job: Job | None = None
        self.inbox: deque[tuple[str, bytes]] = deque()
        self.online = True
        self._version = version
        self._clock = clock
        self._errors: tuple[Any, ...] = ()
        self._instant: tuple[ActionState, ...] = ()
        self._headers = 0
        self._last = b""
        self._still = 0

    @property
    def name(self) -> str:
        return self.address.vehicle

    def step(self) -> BusMessage | None:
        """What it says after it did one thing; None where nothing changed."""
        if self.inbox:
            self._hear(*self.inbox.popleft())
        elif self.job is not None and self.job.at_work:
            self._work(self.job)
        state = self._state(0)
        self._still += 1
        if state == self._last and self._still < HEARTBEAT:
            return None
        self._last, self._still = state, 0
        self._headers += 1
        return BusMessage(self.address.topic(topics.STATE), self._state(self._headers))

    def connection(self, said: str) -> BusMessage:
        message = connection_message(self._header(1), said)
        payload = encode(message, self.address.major)
        return BusMessage(self.address.topic(topics.CONNECTION), payload, qos=1, retain=True)

    def reboot(self) -> None:
        """It forgets its order and keeps its load."""
        self.job, self._instant, self._errors = None, (), ()
        self.inbox.clear()

    def _hear(self, topic: str, payload: bytes) -> None:
        received = decode(topic, payload)
        match received.message if received is not None else None:
            case Order() as order:
                answer = judge(self.job, order, rejecting=self.faults.reject_orders)
                if answer is Answer.TAKE:
                    self.job, self._errors = Job.of(order), ()
                elif answer is not Answer.KNOWN:
                    self._errors = (refusal(answer, order),)
            case InstantActions(actions=actions):
                for action in actions:
                    ended = FINISHED
                    if action.action_type == CANCEL_ORDER:
                        ended = self._cancel(action.parameter("orderId"))
                    self._instant = (
                        *self._instant[-2:],
                        ActionState(
                            action_id=action.action_id,
                            action_type=action.action_type,
                            action_status=ended,
                        ),
                    )

    def _cancel(self, order_id: object | None) -> str:
        job = self.job
        if job is None or not job.at_work or order_id not in {None, job.order.order_id}:
            return FAILED
        if self.faults.too_late_to_cancel:
            return FAILED
        job.cancelled = True
        return FINISHED

    def _work(self, job: Job) -> None:
        """The action under way ends also after a cancel; those to come FAIL."""
        node = job.nodes_left[0]
        for action in node.actions:
            if job.statuses[action.action_id] == RUNNING:
                job.statuses[action.action_id] = self._handle(action, node.node_id)
                break
        else:
            if job.cancelled:
                job.end_cancelled()
                return
            if self.body.place != node.node_id:
                self.body.place = node.node_id
                return
            waiting = [a for a in node.actions if job.statuses[a.action_id] == WAITING]
            if waiting:
                job.statuses[waiting[0].action_id] = RUNNING
                return
        if all(job.statuses[a.action_id] in {FINISHED, FAILED} for a in node.actions):
            job.nodes_left.remove(node)

    def _handle(self, action: Action, place: str) -> str:
        """A pick needs the goods to be there, a drop needs them on board."""
        load = str(action.parameter("loadId"))
        if action.action_type == PICK and self.goods.get(load) != place:
            return FAILED
        if action.action_type == DROP and self.goods.get(load) != self.name:
            return FAILED
        ended = self.body.handle(action, self.faults)
        if ended == FINISHED:
            self.goods[load] = self.name if action.action_type == PICK else place
        return ended

    def _state(self, header_id: int) -> bytes:
        state = state_of(
            self.body,
            self.job,
            self._header(header_id),
            faults=self.faults,
            dialect=dialect_of(self.address.major, self._version),
            instant=self._instant,
            errors=self._errors,
        )
        return encode(state, self.address.major)

    def _header(self, header_id: int) -> Header:
        return Header(
            header_id=header_id,
            # What is compared with the last state must not differ by its time.
            timestamp=self._clock.now() if header_id else START,
            version=self._version,
            manufacturer=self.address.manufacturer,
            serial_number=self.address.serial,
        )


class Floor:
    """One core, one bridge that may be killed, trucks, and the radio between them."""

    def __init__(self, *, trucks: Sequence[str] = ("2.1.0", "3.0.0"), radio: Radio | None = None):
        room = Path("/dev/shm")  # noqa: S108 -- a folder of our own below it
        self.folder = Path(
            tempfile.mkdtemp(prefix="tallyman-floor-", dir=room if room.is_dir() else None)
        )
        shutil.copy(empty_database(), self.folder / "core.db")
        self.clock = FixedClock(START)
        self.core = Core(f"sqlite:///{self.folder / 'core.db'}", clock=self.clock, layout=LAYOUT)
        self.station = Station(self.core, self.clock)
        self.moves = Direct(self.core)
        self.radio = radio or Radio()
        self.goods: dict[str, str] = {}
        """Load -> place or vehicle: where each really is, whatever the books say."""
        self.trucks = [
            Truck(f"a{number}", self.clock, self.goods, version=version)
            for number, version in enumerate(trucks, start=1)
        ]
        self.bridge = self.begin()

    def close(self) -> None:
        self.core.close()
        shutil.rmtree(self.folder)

    def begin(self) -> AgvBridge:
        """A bridge as after a kill: it knows nothing but what the core and the broker keep."""
        self.bridge = AgvBridge(self, self.moves, clock=self.clock)
        for truck in self.trucks:
            said = "ONLINE" if truck.online else "CONNECTIONBROKEN"
            if truck.address.major == "v3" and not truck.online:
                said = "CONNECTION_BROKEN"
            told(self.bridge.hear(truck.connection(said)))
        return self.bridge

    async def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False):
        """contracts.ports.MessageBus for what the bridge says: it reaches who is online."""
        assert qos == 0
        assert not retain
        for truck in self.trucks:
            if truck.online and topic.startswith(truck.address.topic("")):
                truck.inbox.append((topic, payload))

    def subscribe(self, *filters: str, qos: int = 0):
        raise AssertionError("on this floor messages are handed over")

    def accepts(self, carton: str, batch: BatchKey = WATER) -> None:
        """A carton is judged good at the dock, and stands there."""
        self.station.accepts(carton, batch)
        self.goods[carton] = dock_of(self.station.name)

    def lose(self, truck: Truck) -> None:
        """Its connection breaks; it drives on."""
        truck.online = False
        truck.inbox.clear()
        said = "CONNECTION_BROKEN" if truck.address.major == "v3" else "CONNECTIONBROKEN"
        told(self.bridge.hear(truck.connection(said)))

    def find(self, truck: Truck) -> None:
        truck.online = True
        told(self.bridge.hear(truck.connection("ONLINE")))

    def step(self, *, seconds: float = 1.0) -> None:
        """Everybody does one thing, then the bridge looks after its missions."""
        self.clock.at += timedelta(seconds=seconds)
        for truck in self.trucks:
            said = truck.step()
            if said is not None and truck.online:
                self.radio.send(said)
        for message in self.radio.arrived():
            told(self.bridge.hear(message))
        told(self.bridge.round())

    def until(self, reached, *, most: int = 600) -> None:
        """Steps until `reached()`; AssertionError where it takes more than `most`."""
        for _ in range(most):
            if reached():
                return
            self.step()
        raise AssertionError(f"stuck: {self.core.pending_transport()} {self.core.open_transport()}")

    def until_quiet(self, *, most: int = 600) -> None:
        """Until no order waits and no vehicle has one."""
        self.until(
            lambda: not self.core.pending_transport() and not self.core.open_transport(), most=most
        )

    def stock(self) -> dict[tuple[str, str], dict[str, int]]:
        """Lot and status -> place -> units, as the books have it."""
        found: dict[tuple[str, str], dict[str, int]] = {}
        for line in self.core.stock_by_location():
            if line.quantity:
                places = found.setdefault((line.batch.lot, line.status.value), {})
                places[line.location] = places.get(line.location, 0) + line.quantity
        return found

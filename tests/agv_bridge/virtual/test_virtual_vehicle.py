"""What virtual vehicles say and do: valid in every version, plausible on the floor, wrong on request."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agv_bridge.missions.orders import Leg, build_cancel, build_order
from agv_bridge.vda5050.codec import encode
from agv_bridge.vda5050.messages import Header
from agv_bridge.vda5050.naming import Dialect, Edition
from agv_bridge.virtual.faults import ASKED_FOR, Faults, Noise, faults_named
from agv_bridge.virtual.floor import DEPTH_M, WIDTH_M, Spot, spot_of, way
from agv_bridge.virtual.vehicle import VirtualAgv
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from contracts.clock import FixedClock
from contracts.errors import BadInputError
from contracts.stock import TransportOrder
from tests.agv_bridge.vda5050.official import validator

_EDITIONS = {"2.0.0": Edition.V2_0, "2.1.0": Edition.V2_1, "3.0.0": Edition.V3_0}
spots = st.builds(spot_of, st.text(min_size=1, max_size=8) | st.sampled_from(["A-01-1", "C-12"]))


@dataclass
class Master:
    """Hears everything and speaks to one vehicle."""

    bus: MemoryBus
    agv: VirtualAgv
    version: str
    clock: FixedClock
    said: defaultdict[str, list[dict]] = field(default_factory=lambda: defaultdict(list))
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, messages) -> None:
        async for message in messages:
            self.said[message.topic.rpartition("/")[2]].append(json.loads(message.payload))
            self.news.set()

    async def until(self, check) -> dict:
        async with asyncio.timeout(20):
            while not (self.said["state"] and check(self.said["state"][-1])):
                self.news.clear()
                await self.news.wait()
        return self.said["state"][-1]

    def _header(self) -> Header:
        serial = self.agv.address.serial
        return Header(
            header_id=1,
            timestamp=self.clock.now(),
            version=self.version,
            manufacturer="tallyman",
            serial_number=serial,
        )

    async def order(self, order_id: str, source: str = "DOCK/1", target: str = "A-02-1") -> None:
        leg = Leg.of(TransportOrder(order_id, f"sscc-{order_id}", source, target))
        await self._send("order", build_order(leg, self._header()))

    async def cancel(self, order_id: str) -> None:
        dialect = Dialect.V3 if self.version.startswith("3") else Dialect.V2
        await self._send("instantActions", build_cancel(order_id, self._header(), dialect))

    async def _send(self, name: str, message) -> None:
        address = self.agv.address
        await self.bus.publish(address.topic(name), encode(message, address.major))


@asynccontextmanager
async def talking_to(
    clock: FixedClock, *, version: str = "2.1.0", faults: Faults | None = None, **more: object
) -> AsyncIterator[Master]:
    broker = MemoryBroker()
    settings = {"step_s": 0.0, "heartbeat_s": 0.02} | more
    async with MemoryBus(broker) as ours, MemoryBus(broker) as theirs:
        agv = VirtualAgv(theirs, "a1", version=version, clock=clock, faults=faults, **settings)
        master = Master(ours, agv, version, clock)
        async with ours.subscribe("#") as messages:
            tasks = [asyncio.create_task(master.listen(messages)), asyncio.create_task(agv.run())]
            try:
                yield master
            finally:
                for task in reversed(tasks):
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task


def statuses(state: dict) -> dict[str, str]:
    return {action["actionId"]: action["actionStatus"] for action in state["actionStates"]}


@pytest.mark.data
@pytest.mark.parametrize("version", _EDITIONS)
async def test_all_it_says_on_one_journey_is_valid(data_dir: Path, version: str, clock: FixedClock):
    async with talking_to(clock, version=version, step_s=0.02, frame_s=0.01) as master:
        await master.until(lambda _: True)
        await master.order("T1")
        await master.until(lambda state: statuses(state).get("T1.drop") == "FINISHED")
    for name in ("connection", "state", "visualization", "factsheet"):
        assert master.said[name], f"it never said a {name}"
        for message in master.said[name]:
            validator(data_dir, _EDITIONS[version], name).validate(message)


async def test_it_drives_along_the_floor_and_shows_where_it_is(clock: FixedClock):
    async with talking_to(clock, speed_m_s=2000.0, frame_s=0.001) as master:
        await master.until(lambda _: True)
        await master.order("T1", source="DOCK/1", target="F-09-1")
        state = await master.until(lambda state: statuses(state).get("T1.drop") == "FINISHED")
    seen = [
        Spot(m["agvPosition"]["x"], m["agvPosition"]["y"]) for m in master.said["visualization"]
    ]
    assert len(seen) > 5
    # In lanes and aisles it drives along one axis, so a frame never jumps across the racks.
    jumps = [math.hypot(b.x - a.x, b.y - a.y) for a, b in itertools.pairwise(seen)]
    assert max(jumps) < WIDTH_M / 2
    goal = spot_of("F-09-1")
    assert (state["agvPosition"]["x"], state["agvPosition"]["y"]) == (goal.x, goal.y)
    assert state["batteryState"]["batteryCharge"] < 100


@given(spots, spots, st.floats(0, 1))
def test_every_way_stays_on_the_floor_and_ends_at_its_goal(start: Spot, end: Spot, part: float):
    route = way(start, end)
    here = route.at(part)
    assert 0 <= here.x <= WIDTH_M
    assert 0 <= here.y <= DEPTH_M
    assert math.hypot(route.at(1.0).x - end.x, route.at(1.0).y - end.y) < 1e-6
    assert route.length_m >= math.hypot(end.x - start.x, end.y - start.y) - 1e-6


async def test_a_cancel_on_the_way_stops_it_where_it_is(clock: FixedClock):
    async with talking_to(clock, step_s=3600.0, frame_s=0.01) as master:
        await master.until(lambda _: True)
        await master.order("T1", source="F-09-1")
        await master.until(lambda state: state["driving"])
        await master.cancel("T1")
        state = await master.until(lambda state: not state["nodeStates"])
    assert set(statuses(state).values()) == {"FAILED", "FINISHED"}
    assert statuses(state)["T1.cancel"] == "FINISHED"
    assert (state["driving"], master.agv.executed) == (False, [])


async def test_a_cancel_that_comes_too_late_changes_nothing(clock: FixedClock):
    faults = faults_named("late-cancel")
    async with talking_to(clock, faults=faults, step_s=0.05) as master:
        await master.until(lambda _: True)
        await master.order("T1")
        await master.until(lambda state: state["orderId"] == "T1")
        await master.cancel("T1")
        state = await master.until(lambda state: statuses(state).get("T1.drop") == "FINISHED")
    assert statuses(state)["T1.cancel"] == "FAILED"


async def test_a_vehicle_that_reboots_keeps_its_load_and_forgets_its_order(clock: FixedClock):
    async with talking_to(clock, faults=faults_named("forgets")) as master:
        await master.until(lambda _: True)
        await master.order("T1")
        state = await master.until(lambda state: state["loads"] and not state["orderId"])
        assert [load["loadId"] for load in state["loads"]] == ["sscc-T1"]
        assert statuses(state) == {}


async def test_an_emergency_stop_holds_it_until_somebody_frees_it(clock: FixedClock):
    async with talking_to(clock, faults=faults_named("stopped")) as master:
        await master.until(lambda state: state["safetyState"]["eStop"] == "MANUAL")
        await master.order("T1")
        await master.until(lambda state: state["orderId"] == "T1")
        assert master.agv.executed == []
        master.agv.faults.emergency_stop = ""
        await master.until(lambda state: statuses(state).get("T1.drop") == "FINISHED")


async def test_its_clock_and_its_battery_are_as_wrong_as_asked(clock: FixedClock):
    async with talking_to(clock, faults=faults_named("clock-behind", "flat")) as master:
        state = await master.until(lambda _: True)
    an_hour_ago = clock.now() - timedelta(hours=1)
    assert state["timestamp"].startswith(f"{an_hour_ago:%Y-%m-%dT%H:%M:%S}")
    assert state["batteryState"]["batteryCharge"] == 8


async def test_a_silent_vehicle_works_and_says_nothing(clock: FixedClock):
    async with talking_to(clock, faults=faults_named("silent")) as master:
        await master.order("T1")
        async with asyncio.timeout(20):
            while len(master.agv.executed) < 2:  # noqa: ASYNC110 -- it says nothing to wait for
                await asyncio.sleep(0.01)
    assert master.said["state"] == []


@given(st.integers(), st.lists(st.binary(max_size=3), max_size=40, unique=True))
def test_noise_loses_doubles_and_mixes_but_invents_nothing(seed: int, sent: list[bytes]):
    noise = Noise(seed)
    faults = Faults(lose_percent=20, duplicate_percent=20, late_percent=20)
    arrived = [one for payload in sent for one in noise.through(payload, faults)]
    assert set(arrived) <= set(sent)
    assert all(arrived.count(one) <= 2 for one in arrived)


def test_without_noise_all_arrives_in_order():
    noise = Noise(1)
    sent = [b"%d" % number for number in range(50)]
    assert [one for payload in sent for one in noise.through(payload, Faults())] == sent


def test_every_word_for_a_fault_is_one_and_others_are_refused():
    for word in ASKED_FOR:
        assert faults_named(word) != Faults()
    with pytest.raises(BadInputError, match="no fault 'flying'"):
        faults_named("flying")


@pytest.mark.data
@pytest.mark.parametrize("version", _EDITIONS)
async def test_an_order_that_begins_where_the_vehicle_says_it_is_is_valid(
    data_dir: Path, version: str, clock: FixedClock
):
    async with talking_to(clock, version=version) as master:
        await master.until(lambda _: True)
        state = master.agv.state()
    leg = Leg.of(TransportOrder("T1", "sscc-1", "DOCK/1", "A-02-1"))
    header = Header(
        header_id=1,
        timestamp=clock.now(),
        version=version,
        manufacturer="tallyman",
        serial_number="a1",
    )
    order = build_order(leg, header, start=state.last_node_id, at=state.position)
    payload = json.loads(encode(order, master.agv.address.major))
    validator(data_dir, _EDITIONS[version], "order").validate(payload)
    first, *others = payload["nodes"]
    assert (first["nodeId"], first["nodePosition"]["mapId"]) == ("home", "floor")
    assert not any("nodePosition" in node for node in others)

"""Stories of the bridge and virtual vehicles over the bus in memory."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from agv_bridge.bridge.bridge import AgvBridge
from agv_bridge.virtual.faults import Faults
from agv_bridge.virtual.presence import will_of
from agv_bridge.virtual.vehicle import VirtualAgv
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from contracts.clock import FixedClock
from contracts.stock import TransportState as T
from tests.agv_bridge.core_in_memory import CoreInMemory

VERSIONS = ["2.1.0", "3.0.0"]


@dataclass
class Floor:
    """A warehouse floor: one broker, one core, vehicles, and the hub's bridge."""

    clock: FixedClock
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    core: CoreInMemory = field(default_factory=CoreInMemory)
    bridge: AgvBridge | None = None

    @asynccontextmanager
    async def hub(self) -> AsyncIterator[AgvBridge]:
        """Leaving is a kill: nothing is said or saved."""
        async with MemoryBus(self.broker, client_id="hub") as bus:
            bridge = AgvBridge(bus, self.core, clock=self.clock, poll_s=0.01)
            async with running(bridge.run()):
                yield bridge

    @asynccontextmanager
    async def vehicle(self, serial: str, *, version="2.1.0", faults=None, step_s=0.0):
        will = will_of(serial, version=version, clock=self.clock)
        async with MemoryBus(self.broker, client_id=serial, will=will) as bus:
            agv = VirtualAgv(
                bus,
                serial,
                version=version,
                clock=self.clock,
                faults=faults,
                step_s=step_s,
                heartbeat_s=0.02,
            )
            async with running(agv.run()):
                yield agv, bus

    def later(self, **span: float) -> None:
        self.clock.at += timedelta(**span)


@asynccontextmanager
async def running(coroutine) -> AsyncIterator[None]:
    task = asyncio.create_task(coroutine)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def eventually(check, wait_s: float = 20.0) -> None:
    async with asyncio.timeout(wait_s):
        while not check():  # noqa: ASYNC110 -- the fleet view has no event to wait for
            await asyncio.sleep(0.005)


@pytest.fixture
def floor(clock: FixedClock) -> Floor:
    return Floor(clock)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_carton_is_brought_to_its_slot(floor: Floor, version: str):
    order = floor.core.request("T1")
    async with floor.vehicle("a1", version=version), floor.hub():
        await floor.core.until("T1", T.DROPPED)
    told = [(p.state, p.action_id, p.location) for p in floor.core.told]
    assert told == [
        (T.SENT, "", ""),
        (T.ACCEPTED, "", ""),
        (T.PICKED, "T1.pick", "station-1"),
        (T.DROPPED, "T1.drop", "slot-1"),
    ]
    assert floor.core.put_aways == [(order.load_id, "slot-1")]
    assert not floor.core.mismatches


async def test_a_mixed_fleet_shares_the_work_and_nobody_carries_twice(floor: Floor):
    ids = [f"T{number}" for number in range(12)]
    for number, order_id in enumerate(ids):
        floor.core.request(order_id, to=f"slot-{number}")
    async with (
        floor.vehicle("a1") as (one, _),
        floor.vehicle("a2", version="3.0.0") as (two, _),
        floor.hub(),
    ):
        for order_id in ids:
            await floor.core.until(order_id, T.DROPPED)
    assert len(floor.core.put_aways) == len(ids)
    assert sorted(one.executed + two.executed) == sorted(
        f"{order_id}.{action}" for order_id in ids for action in ("pick", "drop")
    )
    assert one.executed
    assert two.executed


async def test_the_fleet_page_shows_what_the_vehicles_say(floor: Floor):
    async with floor.vehicle("a1", version="3.0.0"), floor.hub() as bridge:
        await eventually(lambda: bridge.vehicles() and bridge.vehicles()[0].updated_at)
        (row,) = bridge.vehicles()
    assert (row.vehicle, row.serial, row.version) == ("tallyman/a1", "a1", "3.0.0")
    assert row.online
    assert (row.loads, row.errors, row.battery_percent) == ((), (), 100.0)
    assert row.x is not None


async def test_the_fleet_page_shows_what_waits_and_what_is_carried(floor: Floor):
    floor.core.request("T1")
    floor.core.request("T2", to="slot-2")
    async with floor.hub() as bridge:
        await eventually(lambda: len(bridge.missions()) == 2)
        assert {(m.step, m.vehicle, m.trouble and m.trouble.code) for m in bridge.missions()} == {
            (T.REQUESTED, "", "agv_none_free")
        }
        async with floor.vehicle("a1", step_s=3600):
            await eventually(lambda: bridge.missions()[0].step is T.ACCEPTED)
            first, second = bridge.missions()
    assert (first.order_id, first.vehicle, first.trouble) == ("T1", "tallyman/a1", None)
    assert (first.source, first.target, first.since) == ("station-1", "slot-1", floor.clock.now())
    assert (second.order_id, second.step, second.vehicle) == ("T2", T.REQUESTED, "")


async def test_a_load_that_the_vehicle_reads_otherwise_is_reported_with_the_move(floor: Floor):
    floor.core.request("T1", load="sscc-1")
    async with floor.vehicle("a1", faults=Faults(load_alias="rfid-9")), floor.hub():
        await floor.core.until("T1", T.DROPPED)
    assert ("T1", "rfid-9") in floor.core.mismatches
    assert [p.reason for p in floor.core.told if p.state is T.PICKED] == ["agv_load_mismatch"]
    assert floor.core.put_aways == [("sscc-1", "slot-1")]


async def test_a_vehicle_that_cannot_tell_its_load_is_believed(floor: Floor):
    floor.core.request("T1")
    async with floor.vehicle("a1", faults=Faults(loads_unknown=True)), floor.hub():
        await floor.core.until("T1", T.DROPPED)
    assert not floor.core.mismatches


async def test_doubled_states_move_nothing_twice(floor: Floor):
    floor.core.request("T1")
    async with floor.vehicle("a1", faults=Faults(duplicate_states=True)), floor.hub():
        await floor.core.until("T1", T.DROPPED)
    assert len(floor.core.told) == 4


async def test_states_swallowed_during_the_mission_are_made_up_by_the_next_one(floor: Floor):
    floor.core.request("T1")
    async with floor.vehicle("a1") as (agv, _), floor.hub():
        await floor.core.until("T1", T.SENT, T.ACCEPTED, T.PICKED)
        agv.faults.swallow_states = True
        await eventually(lambda: agv.executed == ["T1.pick", "T1.drop"])
        agv.faults.swallow_states = False
        await floor.core.until("T1", T.DROPPED)
    assert [p.state for p in floor.core.told] == [T.SENT, T.ACCEPTED, T.PICKED, T.DROPPED]


async def test_a_rejected_order_goes_to_another_vehicle(floor: Floor):
    async with (
        floor.vehicle("a1", faults=Faults(reject_orders=True)) as (picky, _),
        floor.hub() as bridge,
    ):
        await eventually(bridge.vehicles)
        floor.core.request("T1")
        async with floor.vehicle("b1", version="3.0.0") as (willing, _):
            await floor.core.until("T1", T.DROPPED)
    assert picky.executed == []
    assert willing.executed == ["T1.pick", "T1.drop"]


async def test_an_order_that_all_reject_becomes_a_task(floor: Floor):
    floor.core.request("T1")
    async with floor.vehicle("a1", faults=Faults(reject_orders=True)), floor.hub():
        await floor.core.until("T1", T.FAILED)
    assert floor.core.lines["T1"].reason == "agv_refused_by_all"
    assert "agv_rejected" in [p.reason for p in floor.core.told]


@pytest.mark.parametrize(
    ("action", "reason"), [("pick", "agv_pick_failed"), ("drop", "agv_drop_failed")]
)
async def test_an_action_that_fails_becomes_a_task(floor: Floor, action: str, reason: str):
    floor.core.request("T1")
    async with floor.vehicle("a1", faults=Faults(fail_action=action)), floor.hub():
        await floor.core.until("T1", T.FAILED)
    assert floor.core.lines["T1"].reason == reason
    assert floor.core.put_aways == []


async def test_a_vehicle_lost_before_the_pick_loses_its_order_to_another(floor: Floor):
    floor.core.request("T1")
    async with floor.vehicle("a1", step_s=3600) as (slow, bus), floor.hub() as bridge:
        await floor.core.until("T1", T.ACCEPTED)
        floor.broker.kill(bus)
        await eventually(lambda: not bridge.vehicles()[0].online)
        async with floor.vehicle("b1", version="3.0.0"):
            floor.later(seconds=20)
            await asyncio.sleep(0.05)
            assert floor.core.state("T1") is T.ACCEPTED
            floor.later(seconds=20)
            await floor.core.until("T1", T.DROPPED)
    assert slow.executed == []
    assert "agv_lost_before_pick" in [p.reason for p in floor.core.told]
    assert floor.core.lines["T1"].vehicle == "tallyman/b1"


async def test_a_vehicle_lost_with_the_load_becomes_a_task_and_is_not_replaced(floor: Floor):
    floor.core.request("T1")
    async with (
        floor.vehicle("a1", faults=Faults(die_after="pick", loads_unknown=True)) as (agv, bus),
        floor.hub() as bridge,
    ):
        await eventually(lambda: agv.executed == ["T1.pick"])
        # The state of the pick died with it, so say it once as the retained word of a relay would.
        await bus.publish(
            agv.address.topic("state"),
            b'{"version":"2.1.0","orderId":"T1","timestamp":"2026-11-21T08:00:00Z","nodeStates":'
            b'[{"nodeId":"slot-1","sequenceId":2,"released":true}],"actionStates":['
            b'{"actionId":"T1.pick","actionStatus":"FINISHED"},'
            b'{"actionId":"T1.drop","actionStatus":"WAITING"}]}',
        )
        await floor.core.until("T1", T.PICKED)
        floor.broker.kill(bus)
        await eventually(lambda: not bridge.vehicles()[0].online)
        async with floor.vehicle("b1") as (other, _):
            floor.later(seconds=40)
            await floor.core.until("T1", T.FAILED)
            await asyncio.sleep(0.05)
    assert floor.core.lines["T1"].reason == "agv_lost_with_load"
    assert other.executed == []


async def test_a_silent_vehicle_becomes_a_task(floor: Floor):
    floor.core.request("T1")
    async with floor.vehicle("a1", step_s=3600) as (agv, _), floor.hub():
        await floor.core.until("T1", T.ACCEPTED)
        agv.faults.swallow_states = True
        await asyncio.sleep(0.05)
        floor.later(seconds=91)
        await floor.core.until("T1", T.FAILED)
    assert floor.core.lines["T1"].reason == "agv_silent"


async def test_what_a_silent_vehicle_did_is_booked_when_it_speaks_again(floor: Floor):
    floor.core.request("T1")
    async with floor.vehicle("a1", step_s=0.1) as (agv, _), floor.hub():
        await floor.core.until("T1", T.ACCEPTED)
        agv.faults.swallow_states = True
        floor.later(seconds=91)
        await floor.core.until("T1", T.FAILED)
        await eventually(lambda: agv.executed == ["T1.pick", "T1.drop"])
        agv.faults.swallow_states = False
        await floor.core.until("T1", T.DROPPED)
    assert floor.core.put_aways == [("sscc-T1", "slot-1")]


def under_way(order_id: str) -> bytes:
    """A state of a vehicle on its way to the pick."""
    state = {
        "version": "2.1.0",
        "timestamp": "2026-11-21T08:00:00Z",
        "orderId": order_id,
        "nodeStates": [{"nodeId": "station-1", "sequenceId": 0, "released": True}],
        "actionStates": [
            {"actionId": f"{order_id}.pick", "actionStatus": "WAITING"},
            {"actionId": f"{order_id}.drop", "actionStatus": "WAITING"},
        ],
        "loads": [],
    }
    return json.dumps(state).encode()


async def test_a_vehicle_that_comes_back_with_an_order_another_has_is_told_to_stop(floor: Floor):
    floor.core.request("T1")
    floor.core.lines["T1"].sent_before = ("tallyman/a1",)
    async with (
        floor.vehicle("b1", step_s=3600),
        floor.hub(),
        MemoryBus(floor.broker, client_id="a1") as a1,
        a1.subscribe("uagv/v2/tallyman/a1/instantActions") as instant_actions,
    ):
        await floor.core.until("T1", T.ACCEPTED)
        await a1.publish("uagv/v2/tallyman/a1/state", under_way("T1"))
        async with asyncio.timeout(20):
            told = json.loads((await anext(instant_actions)).payload)
    assert [action["actionType"] for action in told["actions"]] == ["cancelOrder"]
    assert floor.core.lines["T1"].vehicle == "tallyman/b1"


async def test_a_vehicle_that_comes_back_with_an_order_nobody_has_keeps_it(floor: Floor):
    floor.core.request("T1")
    floor.core.lines["T1"].sent_before = ("tallyman/a1",)
    async with MemoryBus(floor.broker, client_id="a1") as a1, floor.hub() as bridge:
        await a1.publish("uagv/v2/tallyman/a1/state", under_way("T1"))
        while not bridge.vehicles():
            await a1.publish("uagv/v2/tallyman/a1/state", under_way("T1"))
        await floor.core.until("T1", T.SENT, T.ACCEPTED)
    assert floor.core.lines["T1"].vehicle == "tallyman/a1"


async def test_a_hub_killed_in_mid_mission_books_one_put_away(floor: Floor):
    floor.core.request("T1")
    async with floor.vehicle("a1", step_s=0.02) as (agv, _):
        async with floor.hub():
            await floor.core.until("T1", T.PICKED)
        await eventually(lambda: agv.executed == ["T1.pick", "T1.drop"])
        assert floor.core.put_aways == []
        async with floor.hub():
            await floor.core.until("T1", T.DROPPED)
    assert floor.core.put_aways == [("sscc-T1", "slot-1")]
    assert agv.executed == ["T1.pick", "T1.drop"]


async def test_a_hub_killed_between_writing_sent_and_publishing_sends_it_after_the_restart(
    floor: Floor,
):
    floor.core.request("T1")
    floor.core.lines["T1"].state = T.SENT
    floor.core.lines["T1"].vehicle = "tallyman/a1"
    floor.core.lines["T1"].sent_before = ("tallyman/a1",)
    async with (
        floor.vehicle("a1") as (agv, _),
        floor.vehicle("a2") as (other, _),
        floor.hub() as bridge,
    ):
        await eventually(bridge.missions)
        floor.later(seconds=6)
        await floor.core.until("T1", T.DROPPED)
    assert agv.executed == ["T1.pick", "T1.drop"]
    assert other.executed == []


async def test_the_core_away_for_a_while_misses_nothing(floor: Floor):
    floor.core.request("T1")
    async with floor.vehicle("a1", step_s=0.02) as (agv, _), floor.hub():
        await floor.core.until("T1", T.ACCEPTED)
        floor.core.away = True
        await eventually(lambda: agv.executed == ["T1.pick", "T1.drop"])
        floor.core.away = False
        await floor.core.until("T1", T.DROPPED)
    assert [p.state for p in floor.core.told] == [T.SENT, T.ACCEPTED, T.PICKED, T.DROPPED]


async def test_an_order_held_at_the_last_moment_does_not_go_out(floor: Floor):
    class HeldLate(CoreInMemory):
        async def pending_transport(self):
            return [line.order for line in self.lines.values() if line.state is T.REQUESTED]

    floor.core = HeldLate(held={"T1"})
    floor.core.request("T1")
    floor.core.request("T2", to="slot-2")
    async with floor.vehicle("a1") as (agv, _), floor.hub():
        await floor.core.until("T2", T.DROPPED)
    assert agv.executed == ["T2.pick", "T2.drop"]


async def test_orders_of_others_on_our_vehicles_move_no_stock(floor: Floor):
    async with floor.vehicle("a1") as (agv, bus), floor.hub() as bridge:
        await bus.publish(
            agv.address.topic("state"),
            b'{"version":"2.1.0","orderId":"X9","actionStates":['
            b'{"actionId":"X9.pick","actionStatus":"FINISHED"},'
            b'{"actionId":"X9.drop","actionStatus":"FINISHED"}],"loads":[]}',
        )
        await eventually(bridge.vehicles)
    assert floor.core.told == []


async def test_rubbish_on_the_topics_is_counted_and_stops_nothing(floor: Floor):
    async with (
        MemoryBus(floor.broker, client_id="rubbish") as bus,
        floor.hub() as bridge,
        floor.vehicle("a0"),
    ):
        await eventually(bridge.vehicles)
        floor.core.request("T1")
        await bus.publish("uagv/v2/tallyman/a1/state", b"{not json")
        await bus.publish("uagv/v2/tallyman/a1/state", b'{"actionStates": "many"}')
        await bus.publish("uagv/v2/tallyman/a1/connection", b"[]", retain=True)
        await bus.publish(
            "uagv/v2/tallyman/a1/connection", b'{"timestamp": "0001-01-01T00:00:00+08:00"}'
        )
        nested = b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}"
        await bus.publish("uagv/v2/tallyman/a2/state", nested, retain=True)
        await floor.core.until("T1", T.DROPPED)
    assert bridge.unreadable == 5


async def test_one_step_that_the_core_cannot_take_stops_no_other_vehicle(floor: Floor):
    class Stumbling(CoreInMemory):
        async def transport_progress(self, progress):
            if progress.order_id == "T1" and progress.state is T.PICKED:
                raise ArithmeticError("a row that this core cannot work out")
            await super().transport_progress(progress)

    floor.core = Stumbling()
    floor.core.request("T1")
    async with floor.vehicle("a1"), floor.hub() as bridge:
        await floor.core.until("T1", T.DROPPED)
        floor.core.request("T2", to="slot-2")
        await floor.core.until("T2", T.DROPPED)
    assert bridge.refused == 1


async def test_an_order_settled_by_a_person_is_cancelled_on_the_vehicle(floor: Floor):
    floor.core.request("T1")
    async with floor.vehicle("a1", step_s=0.3) as (agv, _), floor.hub() as bridge:
        await floor.core.until("T1", T.ACCEPTED)
        del floor.core.lines["T1"]
        await eventually(lambda: bridge.vehicles()[0].order_id == "")
    assert "T1.drop" not in agv.executed


async def test_a_vehicle_that_leaves_says_so(floor: Floor):
    async with floor.hub() as bridge:
        async with floor.vehicle("a1"):
            await eventually(lambda: bridge.vehicles() and bridge.vehicles()[0].online)
        await eventually(lambda: bridge.vehicles()[0].connection == "OFFLINE")
        assert not bridge.vehicles()[0].online

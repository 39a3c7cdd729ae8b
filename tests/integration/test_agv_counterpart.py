"""Vehicles that are not ours, over real brokers: what our orders and our reading are worth to others.

The vehicles are vda-5050-lib's virtual AGV (npm, MIT) in processes of their own. They speak 2.0,
validate what they hear against their own schemas, and read their own tag from every load.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agv_bridge.bridge.bridge import AgvBridge
from appliance.services.mqtt import MqttBus
from contracts.stock import TransportState as T
from tests.agv_bridge.core_in_memory import CoreInMemory
from tests.brokers import MosquittoBroker, NatsBroker, RealBroker
from tests.support.another_vehicle import AnotherVehicle

_LONG_S = 60.0


@pytest.fixture(params=["nats", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def broker(request, tmp_path: Path) -> Iterator[RealBroker]:
    kind = NatsBroker if request.param == "nats" else MosquittoBroker
    with kind(tmp_path) as running:
        yield running


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[RealBroker]:
    """The broker that comes with us, where the other one would tell nothing more."""
    with NatsBroker(tmp_path) as running:
        yield running


@asynccontextmanager
async def hub(broker: RealBroker, core: CoreInMemory) -> AsyncIterator[AgvBridge]:
    async with MqttBus(broker.url, client_id="hub", wait_s=0.5) as bus:
        bridge = AgvBridge(bus, core, poll_s=0.05)
        task = asyncio.create_task(bridge.run())
        try:
            yield bridge
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def listener(broker: RealBroker, topic: str) -> AsyncIterator[AsyncIterator[dict[str, str]]]:
    """The status of every action, state by state."""

    async def statuses(messages) -> AsyncIterator[dict[str, str]]:
        async for message in messages:
            actions = json.loads(message.payload)["actionStates"]
            yield {action["actionId"]: action["actionStatus"] for action in actions}

    async with (
        asyncio.timeout(_LONG_S),
        MqttBus(broker.url, client_id="listener", wait_s=_LONG_S) as bus,
        bus.subscribe(topic) as messages,
    ):
        yield statuses(messages)


async def eventually(check) -> None:
    async with asyncio.timeout(_LONG_S):
        while not check():  # noqa: ASYNC110 -- what a process outside did has no event here
            await asyncio.sleep(0.02)


async def test_it_drives_picks_and_drops_what_we_order(broker: RealBroker):
    core = CoreInMemory()
    core.request("T1")
    core.request("T2", to="slot-2")
    async with hub(broker, core) as bridge:
        with AnotherVehicle(broker.url, "a1"):
            await core.until("T1", T.DROPPED, wait_s=_LONG_S)
            await core.until("T2", T.DROPPED, wait_s=_LONG_S)
            (row,) = bridge.vehicles()
        await eventually(lambda: bridge.vehicles()[0].connection == "OFFLINE")
    assert core.put_aways == [("sscc-T1", "slot-1"), ("sscc-T2", "slot-2")]
    assert (row.vehicle, row.version, row.loads) == ("others/a1", "2.0.0", ())
    assert row.x is not None
    assert bridge.unreadable == 0


async def test_the_tag_that_it_reads_itself_opens_the_question_of_the_load(ours: RealBroker):
    core = CoreInMemory()
    core.request("T1")
    async with hub(ours, core):
        with AnotherVehicle(ours.url, "a1"):
            await core.until("T1", T.DROPPED, wait_s=_LONG_S)
    ((order, read),) = set(core.mismatches)
    assert order == "T1"
    assert read.startswith("RFID_")


async def test_it_stops_when_its_order_is_withdrawn_and_takes_the_next(ours: RealBroker):
    """It knows instant actions only by the name of 1.1 and says so; then we call them that."""
    core = CoreInMemory()
    core.request("T1")
    async with hub(ours, core) as bridge, listener(ours, "uagv/v2/others/a1/state") as states:
        with AnotherVehicle(ours.url, "a1", times_faster=5.0):
            while (await anext(states)).get("T1.pick") != "RUNNING":
                pass
            del core.lines["T1"]
            while (said := await anext(states)).get("T1.cancel") != "FINISHED":
                pass
            await eventually(lambda: bridge.vehicles()[0].order_id == "")
            core.request("T2", to="slot-2")
            await core.until("T2", T.ACCEPTED, wait_s=_LONG_S)
    assert (said["T1.pick"], said["T1.drop"]) == ("FAILED", "FAILED")
    assert core.put_aways == []


async def test_an_order_that_it_refuses_goes_to_another(ours: RealBroker):
    core = CoreInMemory()
    core.request("T1")
    async with hub(ours, core) as bridge:
        with AnotherVehicle(ours.url, "a1", strict=True):
            await eventually(lambda: core.lines["T1"].reason == "agv_refused_by_all")
            core.request("T2", to="slot-2")
            with AnotherVehicle(ours.url, "a2"):
                await core.until("T2", T.DROPPED, wait_s=_LONG_S)
            errors = {row.vehicle: row.errors for row in bridge.vehicles()}
    assert core.put_aways == [("sscc-T2", "slot-2")]
    assert "noRouteError" in str(errors["others/a1"])


async def test_its_will_tells_when_it_is_killed_in_mid_mission(ours: RealBroker):
    core = CoreInMemory()
    core.request("T1")
    async with hub(ours, core) as bridge:
        with AnotherVehicle(ours.url, "a1", times_faster=1.0) as vehicle:
            await core.until("T1", T.ACCEPTED, wait_s=_LONG_S)
            vehicle.kill()
            await eventually(lambda: bridge.vehicles()[0].connection == "CONNECTION_BROKEN")
    assert core.put_aways == []


async def test_the_broker_killed_in_mid_mission_costs_no_move(broker: RealBroker):
    core = CoreInMemory()
    core.request("T1")
    async with hub(broker, core):
        with AnotherVehicle(broker.url, "a1", times_faster=10.0):
            await core.until("T1", T.PICKED, wait_s=_LONG_S)
            broker.kill()
            broker.start()
            await core.until("T1", T.DROPPED, wait_s=_LONG_S)
    assert core.put_aways == [("sscc-T1", "slot-1")]

"""The diverter is told in time, once; a verdict that is late is review."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from appliance.cartons.lane import LaneOutput
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from appliance.services.mqtt import MqttBus
from contracts.clock import FixedClock, SystemClock
from contracts.verdict import Decision


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
async def diverter(broker: MemoryBroker):
    async with MemoryBus(broker) as bus, bus.subscribe("tallyman/dock-1/lane", qos=1) as lane:
        yield lane


async def told(lane) -> dict:
    return msgspec.json.decode((await asyncio.wait_for(anext(lane), 20)).payload)


async def test_a_verdict_in_time_is_its_lane(broker, diverter, clock: FixedClock) -> None:
    async with MemoryBus(broker) as bus:
        output = LaneOutput(bus, station="dock-1", clock=clock, deadline_ms=600)
        lane = await output.publish("c-1", Decision.ACCEPT, opened_at=clock.now())
        await output.close()
    assert lane == "accept"
    assert await told(diverter) == {
        "carton_id": "c-1",
        "lane": "accept",
        "station": "dock-1",
        "at": "2026-11-21T08:00:00Z",
    }


async def test_a_late_verdict_is_review_and_counted(broker, diverter, clock: FixedClock) -> None:
    async with MemoryBus(broker) as bus:
        output = LaneOutput(bus, station="dock-1", clock=clock, deadline_ms=600)
        opened_at = clock.now() - timedelta(milliseconds=601)
        assert await output.publish("c-1", Decision.ACCEPT, opened_at=opened_at) == "review"
        await output.close()
    assert (await told(diverter))["lane"] == "review"
    assert output.counts.late == 1


async def test_no_verdict_by_the_deadline_is_review_and_stays_so(broker, diverter) -> None:
    clock = SystemClock()
    async with MemoryBus(broker) as bus:
        output = LaneOutput(bus, station="dock-1", clock=clock, deadline_ms=30)
        output.expect("c-1", left_at=clock.now())
        assert (await told(diverter))["lane"] == "review"
        lane = await output.publish("c-1", Decision.ACCEPT, opened_at=clock.now())
        assert lane == "review"
        await output.close()
        assert (output.counts.late, output.counts.told) == (1, 1)


async def test_the_deadline_counts_from_leaving_not_from_opening(
    broker, diverter, clock: FixedClock
) -> None:
    async with MemoryBus(broker) as bus:
        output = LaneOutput(bus, station="dock-1", clock=clock, deadline_ms=600)
        output.expect("c-1", left_at=clock.now())
        opened_at = clock.now() - timedelta(seconds=3)
        assert await output.publish("c-1", Decision.HOLD, opened_at=opened_at) == "hold"
        await output.close()


async def test_a_broker_that_is_away_is_counted_and_stops_nothing(
    broker, clock: FixedClock
) -> None:
    async with MemoryBus(broker) as bus:
        output = LaneOutput(bus, station="dock-1", clock=clock)
        broker.stop()
        assert await output.publish("c-1", Decision.HOLD, opened_at=clock.now()) == "hold"
        await output.close()
        assert (output.counts.unsent, output.counts.told) == (1, 0)
        broker.start()


async def test_judging_does_not_wait_for_a_broker_that_does_not_answer(free_port: int) -> None:
    clock = SystemClock()
    async with MqttBus(f"mqtt://127.0.0.1:{free_port}", client_id="dock-1", wait_s=30.0) as bus:
        output = LaneOutput(bus, station="dock-1", clock=clock, deadline_ms=200)
        for number in range(20):
            assert await output.publish(f"c-{number}", Decision.HOLD, opened_at=clock.now())
        assert (output.counts.unsent, output.counts.told) == (0, 0), "all are still on their way"
        async with asyncio.timeout(20):
            await output.close()
        assert (output.counts.unsent, output.counts.told) == (20, 0), "dropped when too late"

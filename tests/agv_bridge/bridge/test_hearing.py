"""Whose word counts: what is turned away, why, and that nothing of it moves goods."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from agv_bridge.bridge.bridge import AgvBridge
from agv_bridge.bridge.hearing import Hearing
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from contracts.clock import FixedClock
from contracts.ports import BusMessage
from contracts.stock import TransportState as T
from tests.agv_bridge.core_in_memory import CoreInMemory

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
TOPIC = "uagv/v2/maker/A/state"


def state(**more: object) -> bytes:
    header = {"headerId": 1, "timestamp": NOW.isoformat(), "version": "2.1.0"}
    body = {"manufacturer": "maker", "serialNumber": "A", "orderId": "", "nodeStates": []}
    return json.dumps(header | body | more).encode()


def done(order: str, *, serial: str = "A") -> bytes:
    """The vehicle says that it brought the load of `order`."""
    actions = [
        {"actionId": f"{order}.{kind}", "actionType": kind, "actionStatus": "FINISHED"}
        for kind in ("pick", "drop")
    ]
    return state(serialNumber=serial, orderId=order, actionStates=actions, loads=[])


@pytest.mark.parametrize(
    "more",
    [{}, {"manufacturer": None, "serialNumber": None}, {"manufacturer": ""}],
    ids=["named", "nameless", "half named"],
)
def test_a_vehicle_that_names_itself_or_nobody_is_heard(more: dict[str, object]):
    hearing = Hearing(FixedClock(NOW))
    assert hearing.read(BusMessage(TOPIC, state(**more))) is not None
    assert (hearing.turned_away, hearing.book()) == (0, ())


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"serialNumber": "B"}, "maker/B"),
        ({"manufacturer": "other"}, "other/A"),
        ({"serialNumber": "a"}, "maker/a"),
    ],
)
def test_a_payload_that_names_another_is_turned_away_and_told(more: dict[str, object], named: str):
    hearing = Hearing(FixedClock(NOW))
    for _ in range(3):
        assert hearing.read(BusMessage(TOPIC, state(**more))) is None
    (told,) = hearing.book()
    assert (told.vehicle, told.count, told.at) == ("maker/A", 3, NOW)
    assert told.reason.code == "agv_other_name"
    assert told.reason.params == {"vehicle": "maker/A", "named": named}


def test_nonsense_under_ever_new_names_is_counted_and_does_not_fill_the_memory():
    hearing = Hearing(FixedClock(NOW))
    for number in range(1000):
        hearing.read(BusMessage(f"uagv/v2/maker/{number}/state", b"{"))
    assert hearing.turned_away == 1000
    assert len(hearing.book()) == 200
    assert hearing.book()[0].vehicle == "maker/999"


def test_other_machines_on_the_broker_are_none_of_our_business():
    hearing = Hearing(FixedClock(NOW))
    assert hearing.read(BusMessage("plant/hall/temperature", b"21.5")) is None
    assert hearing.turned_away == 0


async def test_a_state_that_names_another_or_speaks_of_a_strange_order_moves_nothing():
    core, broker = CoreInMemory(), MemoryBroker()
    core.request("T1")
    async with (
        MemoryBus(broker, client_id="hub") as bus,
        MemoryBus(broker, client_id="A") as a,
        asyncio.timeout(60),
    ):
        bridge = AgvBridge(bus, core, poll_s=0.01)
        running = asyncio.create_task(bridge.run())
        try:
            # Retained: the bridge may come later.
            await a.publish("uagv/v2/maker/A/connection", online(), retain=True)
            await a.publish(TOPIC, state())
            await core.until("T1", T.SENT)
            for payload in (done("T1", serial="B"), done("T9"), done("T1x")):
                await a.publish(TOPIC, payload)
            while bridge.unreadable == 0:  # noqa: ASYNC110 -- the book has no event
                await asyncio.sleep(0.01)
            assert core.put_aways == []
            (told,) = bridge.turned_away()
            assert told.reason.code == "agv_other_name"
            await a.publish(TOPIC, done("T1"))
            await core.until("T1", T.DROPPED)
            assert len(core.put_aways) == 1
        finally:
            running.cancel()
            await asyncio.wait({running})


def online() -> bytes:
    return json.dumps(json.loads(state()) | {"connectionState": "ONLINE"}).encode()

"""The table of topics: what travels how, and who may say it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agv_bridge.bridge import speaker as speaking
from agv_bridge.missions.orders import Leg
from agv_bridge.missions.vehicles import Vehicle
from agv_bridge.vda5050 import topics
from agv_bridge.vda5050.codec import decode
from agv_bridge.vda5050.delivery import DELIVERIES, Speaker, said_by
from agv_bridge.vda5050.topics import VehicleAddress
from contracts.clock import FixedClock
from contracts.errors import BadInputError
from contracts.stock import TransportOrder


def test_only_connection_is_acknowledged_and_left_as_a_will():
    acknowledged = {name for name, way in DELIVERIES.items() if way.qos == 1}
    assert acknowledged == {name for name, way in DELIVERIES.items() if way.is_last_will}
    assert acknowledged == {topics.CONNECTION}


def test_who_comes_late_still_learns_of_connection_and_factsheet():
    retained = {name for name, way in DELIVERIES.items() if way.retain}
    assert retained == {topics.CONNECTION, topics.FACTSHEET}


@pytest.mark.parametrize(
    ("major", "hears"),
    [
        ("v2", {"order", "instantActions"}),
        ("v3", {"order", "instantActions", "responses", "zoneSet"}),
    ],
)
def test_a_vehicle_hears_what_master_control_says_and_never_speaks_it(major: str, hears: set[str]):
    assert set(said_by(Speaker.MASTER_CONTROL, major)) == hears
    assert set(said_by(Speaker.VEHICLE, major)) == {
        "connection",
        "state",
        "visualization",
        "factsheet",
    }


@pytest.mark.parametrize("name", DELIVERIES)
def test_every_topic_of_the_table_is_read(name: str):
    with pytest.raises(BadInputError, match="not JSON"):
        decode(f"vda5050/v3/acme/a1/{name}", b"no JSON")


async def test_the_bridge_speaks_as_the_table_says(monkeypatch: pytest.MonkeyPatch):
    """Not by the bus's own custom: the table is the one place where that stands."""
    heard: list[tuple[str, int, bool]] = []

    class Bus:
        async def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False):
            heard.append((topic.rpartition("/")[2], qos, retain))

    speaker = speaking.Speaker(Bus(), FixedClock(datetime(2026, 11, 22, tzinfo=UTC)))
    vehicle = Vehicle(VehicleAddress("uagv", "v2", "m", "a1"))
    leg = Leg.of(TransportOrder("T1", "c1", "station-1", "slot-1"))
    await speaker.send_order(vehicle, leg)
    await speaker.cancel(vehicle, "T1")
    assert heard == [("order", 0, False), ("instantActions", 0, False)]
    monkeypatch.setitem(DELIVERIES, "order", replace(DELIVERIES["order"], qos=1))
    await speaker.send_order(vehicle, leg)
    assert heard[-1] == ("order", 1, False)

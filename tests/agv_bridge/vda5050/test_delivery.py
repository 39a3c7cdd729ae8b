"""The table of topics: what travels how, and who may say it."""

from __future__ import annotations

import pytest

from agv_bridge.vda5050 import topics
from agv_bridge.vda5050.codec import decode
from agv_bridge.vda5050.delivery import DELIVERIES, Speaker, said_by
from contracts.errors import BadInputError


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

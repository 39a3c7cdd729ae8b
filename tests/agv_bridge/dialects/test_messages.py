"""VDA 5050 under other names is put into the standard's, and what else it says is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from agv_bridge.dialects.compiled import read_dialect
from agv_bridge.dialects.events import Vda
from agv_bridge.dialects.reading import Line, NotPlacedError
from agv_bridge.vda5050.codec import decode

AT = datetime(2026, 11, 24, 8, tzinfo=UTC)
DIALECT = """
name = "hall"
format = "mqtt"
[[message]]
topic = "cars/{serial}/now"
message = "state"
manufacturer = "acme"
serial = "{serial}"
[message.fields]
orderId = "job.number"
"actionStates[].actionId" = "tasks[].id"
"actionStates[].actionStatus" = "tasks[].phase"
"loads[].loadId" = "tag"
[message.words]
"actionStates[].actionStatus" = { OK = "FINISHED" }
[message.fixed]
"actionStates[].actionType" = "pick"
driving = false
"""


def renamed(payload: object, topic: str = "cars/7/now") -> tuple[str, dict]:
    (heard,) = read_dialect(DIALECT).read(Line(1, payload, AT, topic))
    assert isinstance(heard.said, Vda)
    return heard.said.topic, json.loads(heard.said.payload)


def test_a_state_under_other_names_is_a_state():
    payload = {
        "job": {"number": "J1"},
        "tasks": [{"id": "a", "phase": "OK"}, {"id": "b", "phase": "WAITING"}],
        "tag": "carton-1",
        "paint": "blue",
    }
    topic, value = renamed(payload)
    assert topic == "uagv/v2/acme/7/state"
    received = decode(topic, json.dumps(value).encode())
    assert received is not None
    state = received.message
    assert state.order_id == "J1"
    assert [(a.action_id, a.action_status, a.action_type) for a in state.action_states] == [
        ("a", "FINISHED", "pick"),
        ("b", "WAITING", "pick"),
    ]
    assert [load.load_id for load in state.loads] == ["carton-1"]
    assert value["paint"] == "blue"


def test_a_missing_optional_is_left_out_and_a_single_object_is_a_list_of_one():
    _, value = renamed({"job": {"number": "J1"}})
    assert "loads" not in value
    assert value["driving"] is False


@pytest.mark.parametrize("payload", [[], "text", 7, None])
def test_what_is_no_object_is_refused(payload: object):
    with pytest.raises(NotPlacedError) as error:
        read_dialect(DIALECT).read(Line(1, payload, AT, "cars/7/now"))
    assert error.value.reason.code == "agv_field_missing"


def test_a_serial_number_that_would_be_another_topic_is_refused():
    dialect = read_dialect(DIALECT.replace('serial = "{serial}"', 'serial = "{job.number}"'))
    for number in ("a/b", "+", "#", "a b"):
        with pytest.raises(NotPlacedError):
            dialect.read(Line(1, {"job": {"number": number}}, AT, "cars/7/now"))


def test_two_names_may_change_places():
    dialect = read_dialect(
        DIALECT.replace('orderId = "job.number"', 'orderId = "lastNodeId"\nlastNodeId = "orderId"')
    )
    (heard,) = dialect.read(Line(1, {"orderId": "N1", "lastNodeId": "J1"}, AT, "cars/7/now"))
    value = json.loads(heard.said.payload)
    assert (value["orderId"], value["lastNodeId"]) == ("J1", "N1")


def test_more_lists_than_the_standard_has_there_are_refused_when_the_file_is_read():
    bad = DIALECT.replace('orderId = "job.number"', 'orderId = "jobs[].number"')
    with pytest.raises(Exception, match="values would be lost"):
        read_dialect(bad)

"""Whatever lies on a vehicle's topic is read or refused with its reason, and nothing else happens."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agv_bridge.vda5050 import wire
from agv_bridge.vda5050.codec import decode
from agv_bridge.vda5050.delivery import DELIVERIES
from agv_bridge.vda5050.reading import MAX_DEPTH
from agv_bridge.vda5050.topics import edition_of
from agv_bridge.vda5050.wire import MAX_BYTES
from contracts.errors import BadInputError
from tests.agv_bridge.vda5050.official import EVERY, messages, samples

STATE = "uagv/v2/acme/a1/state"
TOPICS = [f"site/v3/acme/a1/{name}" for name in DELIVERIES] + [STATE, "uagv/v2/acme/a1/order"]


def refusal(topic: str, payload: bytes) -> str:
    """Why it is refused; empty: it was read. Anything but BadInputError fails the test."""
    why, received = "", None
    try:
        received = decode(topic, payload)
    except BadInputError as error:
        why = error.message
    if received is not None:
        # Whichever way it was read, the patient one gives the same.
        said = wire.loads(payload, name=topic)
        edition = edition_of(received.address.major, said.get("version"))
        patient = wire.read(type(received.message), said, edition, name=topic)
        assert patient == received.message
    assert not why or topic in why
    assert len(why) < 1000
    return why


@pytest.mark.parametrize(
    "payload",
    [
        b'{"timestamp": "0001-01-01T00:00:00+08:00"}',
        b'{"timestamp": "9999-12-31T23:59:59-08:00"}',
        b'{"agvPosition": {"x": ' + b"9" * 400 + b', "y": 0}}',
        b'{"orderId": ' + b"9" * 5000 + b"}",
        b'{"orderId": -' + b"9" * 5000 + b"}",
        b'{"orderUpdateId": ' + b"9" * 30 + b"}",
        b'{"driving": ' + b"[" * 400 + b"]" * 400 + b"}",
        b'{"vendor": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"[" * 200_000,
        b'{"batteryState": {"batteryCharge": 1e400}}',
        b'{"loads": [null]}',
        b'{"nodeStates": {}}',
        b'{"nodeStates": [{}]}',
    ],
    ids=lambda payload: payload[:24].decode(),
)
def test_a_hostile_state_is_refused(payload: bytes):
    assert refusal(STATE, payload)


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        (b'{"agvPosition": {"x": "a", "y": 0}}', "agvPosition.x: Expected `float`, got `str`"),
        (b'{"nodeStates": [{"nodeId": "n"}, {}]}', "nodeStates[1]: nodeId is missing"),
        (b'{"actionStates": [{"actionId": 7}]}', "actionStates[0].actionId"),
        (b'{"timestamp": "soon"}', "timestamp: wanted an ISO 8601 time"),
        (b'{"safetyState": "fine"}', "safetyState: Expected `object | null`"),
    ],
)
def test_the_refusal_names_the_field_as_it_stands_on_the_wire(payload: bytes, where: str):
    assert where in refusal(STATE, payload)


def test_a_state_of_ten_megabytes_is_refused_by_its_size_alone():
    payload = b'{"orderId": "' + b"x" * 10_000_000 + b'"}'
    with pytest.raises(BadInputError, match="10,000,015 bytes") as refused:
        decode(STATE, payload)
    assert refused.value.data["size_bytes"] == len(payload)
    assert not refusal(STATE, b'{"orderId": "' + b"x" * (MAX_BYTES - 15) + b'"}')


@pytest.mark.parametrize("field", ["vendor", "actionParameters"])
def test_a_vendors_own_value_may_be_deep_but_not_bottomless(field: str):
    def nested(levels: int) -> bytes:
        value = b"[" * levels + b"]" * levels
        if field == "vendor":
            return b'{"orderId": "T1", "vendor": ' + value + b"}"
        parameter = b'[{"key": "k", "value": ' + value + b"}]"
        action = b'{"actionType": "pick", "actionId": "a", "actionParameters": ' + parameter + b"}"
        return b'{"orderId": "T1", "nodes": [{"nodeId": "n", "actions": [' + action + b"]}]}"

    topic = "uagv/v2/acme/a1/order"
    assert not refusal(topic, nested(MAX_DEPTH))
    assert f"at most {MAX_DEPTH} levels" in refusal(topic, nested(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "topic", ["uagv/v" + "9" * 5000 + "/acme/a1/state", "/" * 65_535, "uagv/v2/acme/a1/" + "x" * 9]
)
def test_a_topic_that_is_none_of_the_standards_is_left_alone(topic: str):
    assert decode(topic, b"no JSON") is None


def test_a_long_name_is_a_name_too():
    serial = "a" * 60_000
    received = decode(f"uagv/v2/acme/{serial}/connection", b'{"connectionState": "ONLINE"}')
    assert received is not None
    assert received.address.serial == serial


@given(topic=st.sampled_from(TOPICS), payload=st.binary(max_size=80))
def test_bytes_that_are_no_message_are_refused(topic: str, payload: bytes):
    assert refusal(topic, payload) or payload.strip().startswith(b"{")


names = st.sampled_from(["actionStates", "loads", "errors", "orderId", "agvPosition", "x", "extra"])


@given(
    topic=st.sampled_from(TOPICS),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner),
        max_leaves=8,
    ),
)
def test_any_json_is_read_or_refused(topic: str, value: object):
    refusal(topic, json.dumps(value).encode())


hostile = st.sampled_from(
    [
        b"9" * 400,
        b"9" * 5000,
        b"-1e309",
        b"1e308",
        b"null",
        b"[" * 2000 + b"]" * 2000,
        b'{"a":' * 2000 + b"0" + b"}" * 2000,
        b'"0001-01-01T00:00:00+08:00"',
        b'"\\ud800"',
        b"\xff\xfe",
        b"NaN",
        b"{}",
        b"true",
    ]
)


@pytest.mark.data
@pytest.mark.parametrize(("edition", "name"), EVERY)
def test_a_message_with_one_value_spoiled_is_read_or_refused(
    data_dir: Path, edition: str, name: str
):
    @given(
        said=messages(data_dir, edition, name, vendor=True),
        topic=st.sampled_from(TOPICS),
        spoil=hostile,
        data=st.data(),
    )
    @settings(max_examples=15)
    def spoiled(said: object, topic: str, spoil: bytes, data: st.DataObject) -> None:
        whole = json.dumps(said).encode()
        values = [m.span(1) for m in re.finditer(rb'": ?("[^"]*"|[^",{}\[\]]+)', whole)]
        spots = st.integers(0, len(whole)).map(lambda at: (at, at))
        start, end = data.draw(spots | st.sampled_from(values) if values else spots)
        refusal(topic, whole[:start] + spoil + whole[end:])

    spoiled()


@pytest.mark.data
def test_golden_messages_spoiled_anywhere_are_read_or_refused(data_dir: Path):
    wholes = [file.read_bytes() for file in samples(data_dir)]

    @given(
        whole=st.sampled_from(wholes),
        topic=st.sampled_from(TOPICS),
        spoil=hostile | st.binary(max_size=8),
        where=st.floats(0, 1),
        cut=st.integers(0, 40),
    )
    def spoiled(whole: bytes, topic: str, spoil: bytes, where: float, cut: int) -> None:
        at = int(where * len(whole))
        refusal(topic, whole[:at] + spoil + whole[at + cut :])

    spoiled()

"""Messages on the wire: golden ones in, ours out, against the official schemas."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agv_bridge.missions.orders import Leg, build_cancel, build_order, build_state_request, legs_of
from agv_bridge.vda5050 import wire
from agv_bridge.vda5050.codec import decode, encode
from agv_bridge.vda5050.messages import (
    Action,
    ActionParameter,
    ActionState,
    Connection,
    Edge,
    Header,
    InstantActions,
    Load,
    Node,
    NodeState,
    Order,
    Position,
    Power,
    Safety,
    State,
    VehicleError,
)
from agv_bridge.vda5050.naming import Dialect, Edition
from agv_bridge.vda5050.topics import VehicleAddress, dialect_of, filters, parse_topic
from agv_bridge.virtual.presence import address_of, connection_message
from agv_bridge.virtual.vehicle import VirtualAgv
from appliance.services.bus import matches
from appliance.services.memory_bus import MemoryBus
from contracts.clock import FixedClock
from contracts.errors import BadInputError
from contracts.stock import TransportOrder

NOW = datetime(2026, 11, 21, 8, 0, 0, 123000, tzinfo=UTC)
LEG = Leg.of(TransportOrder("T1", "sscc-1", "station-1", "slot-1"))
SCHEMAS = {"2.1.0": "v2_1_schemas", "3.0.0": "v3_0_schemas"}
KINDS = {"order": Order, "state": State, "connection": Connection, "instantactions": InstantActions}


@cache
def schema(folder: Path, version: str, name: str) -> jsonschema.Draft202012Validator:
    text = (folder / "agv" / "vda5050" / SCHEMAS[version] / f"{name}.schema").read_text("utf-8")
    # Some official files have commas before a closing bracket.
    return jsonschema.Draft202012Validator(json.loads(re.sub(r",(\s*[}\]])", r"\1", text)))


def header(version: str) -> Header:
    return Header(
        header_id=1, timestamp=NOW, version=version, manufacturer="acme", serial_number="a1"
    )


def golden(folder: Path, version: str) -> list[Path]:
    return sorted((folder / "agv" / "vda5050" / "samples" / version / "message").glob("*/*.txt"))


@pytest.mark.data
def test_golden_messages_are_read_and_written_without_loss(data_dir: Path):
    files = [f for v in ("v1_1", "v2_0") for f in golden(data_dir, v)]
    seen = 0
    for file in files:
        kind = KINDS.get(file.parent.name)
        if kind is None:
            continue
        given_message = json.loads(file.read_text("utf-8"))
        message = wire.read(kind, given_message, Edition.V2_0, name=file.name)
        written = wire.write(message, Edition.V2_0)
        written["timestamp"] = given_message["timestamp"]
        for key, value in given_message.items():
            assert written[key] == value, f"{file.name}: {key}"
        seen += 1
    assert seen == 18


@pytest.mark.data
def test_golden_states_of_2_0_are_valid_for_2_1_after_our_rewriting(data_dir: Path):
    for file in golden(data_dir, "v2_0"):
        if file.parent.name != "state":
            continue
        state = wire.read(State, json.loads(file.read_text("utf-8")), Edition.V2_0, name=file.name)
        schema(data_dir, "2.1.0", "state").validate(wire.write(state, Edition.V2_1))


@pytest.mark.data
@pytest.mark.parametrize("version", SCHEMAS)
async def test_what_we_send_is_valid(data_dir: Path, version: str):
    dialect = dialect_of("", version)
    ours = {
        "order": [build_order(LEG, header(version))],
        "instantActions": [
            build_cancel("T1", header(version), dialect),
            build_state_request("r1", header(version)),
        ],
        "connection": [
            connection_message(header(version), said)
            for said in ("ONLINE", "OFFLINE", "CONNECTION_BROKEN")
        ],
    }
    for name, messages in ours.items():
        for message in messages:
            sent = json.loads(
                encode(message, address_of("a", version=version, manufacturer="m").major)
            )
            schema(data_dir, version, name).validate(sent)


@pytest.mark.data
@pytest.mark.parametrize("version", SCHEMAS)
async def test_what_the_virtual_vehicle_says_is_valid(
    data_dir: Path, version: str, clock: FixedClock
):
    agv = VirtualAgv(MemoryBus(), "a1", version=version, clock=clock)
    agv.body.loads.append("sscc-1")
    sent = json.loads(encode(agv.state(), agv.address.major))
    schema(data_dir, version, "state").validate(sent)


texts = st.text(min_size=1, max_size=8)
extras = st.dictionaries(texts.map("x-{}".format), st.integers() | texts, max_size=2)
actions = st.builds(
    Action,
    action_type=texts,
    action_id=texts,
    descriptor=st.none() | texts,
    action_parameters=st.none()
    | st.lists(st.builds(ActionParameter, key=texts, value=texts | st.integers())).map(tuple),
    extra=extras,
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
headers = {
    "header_id": st.integers(0, 2**32),
    "timestamp": st.none() | st.just(NOW),
    "version": st.sampled_from(["2.0.0", "2.1.0", "3.0.0"]),
    "manufacturer": texts,
    "serial_number": texts,
    "extra": extras,
}
states = st.builds(
    State,
    **headers,
    order_id=texts,
    operating_mode=st.sampled_from(["AUTOMATIC", "TEACH_IN"]),
    node_states=st.lists(st.builds(NodeState, node_id=texts, extra=extras)).map(tuple),
    position=st.none() | st.builds(Position, x=numbers, y=numbers, theta=numbers, map_id=texts),
    loads=st.none() | st.lists(st.builds(Load, load_id=st.none() | texts, extra=extras)).map(tuple),
    action_states=st.lists(
        st.builds(ActionState, action_id=texts, action_status=texts, result=st.none() | texts)
    ).map(tuple),
    power=st.none() | st.builds(Power, charge_percent=numbers, charging=st.booleans()),
    errors=st.lists(st.builds(VehicleError, error_type=texts, extra=extras)).map(tuple),
    safety=st.none() | st.builds(Safety, emergency_stop=texts),
)
orders = st.builds(
    Order,
    **headers,
    order_id=texts,
    nodes=st.lists(
        st.builds(Node, node_id=texts, actions=st.lists(actions, max_size=2).map(tuple)),
        max_size=3,
    ).map(tuple),
    edges=st.lists(st.builds(Edge, edge_id=texts, extra=extras), max_size=2).map(tuple),
)
connections = st.builds(
    Connection,
    **headers,
    connection_state=st.sampled_from(["ONLINE", "OFFLINE", "HIBERNATING", "CONNECTION_BROKEN"]),
)


@given(message=states | orders | connections, edition=st.sampled_from(Edition))
def test_every_message_comes_back_as_it_went_out(
    message: State | Order | Connection, edition: Edition
):
    sent = wire.loads(wire.dumps(wire.write(message, edition)), name="test")
    assert wire.read(type(message), sent, edition, name="test") == message


@given(
    payload=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["actionStates", "loads", "errors", "orderId", "agvPosition", "x"]),
                inner,
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_payload_breaks_the_reader(payload: bytes):
    refused = ""
    try:
        decode("uagv/v2/acme/a1/state", payload)
    except BadInputError as error:
        refused = error.message
    assert not refused or "uagv/v2/acme/a1/state" in refused


TOPICS = [f"uagv/v2/acme/a1/{name}" for name in ("state", "connection", "order", "instantActions")]


def is_read_or_refused(topic: str, payload: bytes) -> bool:
    """True when it was read; anything but BadInputError fails the test."""
    refused = ""
    try:
        decode(topic, payload)
    except BadInputError as error:
        refused = error.message
    assert not refused or topic in refused
    return not refused


@pytest.mark.parametrize(
    "payload",
    [
        b'{"timestamp": "0001-01-01T00:00:00+08:00"}',
        b'{"timestamp": "9999-12-31T23:59:59-08:00"}',
        b'{"agvPosition": {"x": ' + b"9" * 400 + b', "y": 0}}',
        b'{"orderId": ' + b"9" * 5000 + b"}",
        b'{"orderId": -' + b"9" * 5000 + b"}",
        b'{"driving": ' + b"[" * 400 + b"]" * 400 + b"}",
        b'{"vendor": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"[" * 200_000,
        b'{"batteryState": {"batteryCharge": 1e400}}',
    ],
    ids=lambda payload: payload[:24].decode(),
)
def test_a_hostile_state_is_refused(payload: bytes):
    assert not is_read_or_refused(TOPICS[0], payload)


@given(topic=st.sampled_from(TOPICS), payload=st.binary(max_size=80))
def test_bytes_that_are_no_message_are_refused(topic: str, payload: bytes):
    assert not is_read_or_refused(topic, payload) or payload.strip().startswith(b"{")


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


@given(
    sent=st.tuples(states | orders | connections, st.sampled_from(Edition)),
    topic=st.sampled_from(TOPICS),
    spoil=hostile,
    data=st.data(),
)
def test_a_spoiled_message_is_read_or_refused(
    sent: tuple[State | Order | Connection, Edition], topic: str, spoil: bytes, data: st.DataObject
):
    whole = wire.dumps(wire.write(*sent))
    values = [m.span(1) for m in re.finditer(rb'":("[^"]*"|[^",{}\[\]]+)', whole)]
    spots = st.integers(0, len(whole)).map(lambda at: (at, at)) | st.sampled_from(values)
    start, end = data.draw(spots)
    is_read_or_refused(topic, whole[:start] + spoil + whole[end:])


@pytest.mark.data
def test_golden_messages_spoiled_anywhere_are_read_or_refused(data_dir: Path):
    files = [f for v in ("v1_1", "v2_0") for f in golden(data_dir, v)]
    wholes = [file.read_bytes() for file in files if file.parent.name in KINDS]
    assert wholes

    @given(
        whole=st.sampled_from(wholes),
        topic=st.sampled_from(TOPICS),
        spoil=hostile | st.binary(max_size=8),
        where=st.floats(0, 1),
        cut=st.integers(0, 40),
    )
    def spoiled(whole: bytes, topic: str, spoil: bytes, where: float, cut: int) -> None:
        at = int(where * len(whole))
        is_read_or_refused(topic, whole[:at] + spoil + whole[at + cut :])

    spoiled()


def test_the_other_dialects_names_are_understood_too():
    sent = b'{"version":"2.1.0","powerSupply":{"stateOfCharge":40,"charging":true},"loads":null}'
    received = decode("uagv/v2/acme/a1/state", sent)
    assert received is not None
    assert isinstance(received.message, State)
    assert received.message.power == Power(charge_percent=40.0, charging=True)
    assert received.message.loads is None


def test_the_version_field_goes_before_the_topic():
    assert dialect_of("v2", "3.0.0") is Dialect.V3
    assert dialect_of("v3", "version") is Dialect.V3
    assert dialect_of("v2", None) is Dialect.V2


def test_a_broken_connection_is_spelled_as_the_version_wants():
    for version, said in [("2.1.0", "CONNECTIONBROKEN"), ("3.0.0", "CONNECTION_BROKEN")]:
        message = connection_message(header(version), "CONNECTION_BROKEN")
        assert json.loads(encode(message, "v2"))["connectionState"] == said


@pytest.mark.parametrize(
    ("topic", "address"),
    [
        ("uagv/v2/acme/a1/state", VehicleAddress("uagv", "v2", "acme", "a1")),
        ("site/7/v3/acme/a1/order", VehicleAddress("site/7", "v3", "acme", "a1")),
        ("uagv/v1/acme/a1/state", None),
        ("tallyman/station-1/lane", None),
        ("uagv/v2//a1/state", None),
    ],
)
def test_topics(topic: str, address: VehicleAddress | None):
    parsed = parse_topic(topic)
    assert (parsed[0] if parsed else None) == address


def test_we_listen_to_both_majors():
    wanted = filters()
    for topic in ("uagv/v2/acme/a1/state", "vda5050/v3/acme/a1/connection"):
        assert any(matches(topic, one) for one in wanted)


def test_the_legs_of_our_order_are_ours():
    assert legs_of(build_order(LEG, header("2.1.0"))) == (LEG,)


def test_legs_of_a_milk_run_are_matched_by_load():
    def node(number: int, kind: str, load: str) -> Node:
        action = Action(
            action_type=kind,
            action_id=f"{kind}-{load}",
            action_parameters=(ActionParameter(key="loadId", value=load),),
        )
        return Node(node_id=f"n{number}", sequence_id=number, actions=(action,))

    order = Order(
        order_id="M1",
        nodes=(
            node(0, "pick", "a"),
            node(2, "pick", "b"),
            node(4, "drop", "b"),
            node(6, "drop", "a"),
        ),
    )
    assert [(leg.order.load_id, leg.order.source, leg.order.target) for leg in legs_of(order)] == [
        ("b", "n2", "n4"),
        ("a", "n0", "n6"),
    ]


def test_a_message_without_a_version_is_not_sent():
    with pytest.raises(BadInputError, match="without a version"):
        encode(Order(order_id="T1"), "v2")

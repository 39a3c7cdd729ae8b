"""Messages on the wire: golden ones in, ours out, and the topics they travel by."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agv_bridge.missions.orders import Leg, build_cancel, build_order, build_state_request, legs_of
from agv_bridge.vda5050 import wire
from agv_bridge.vda5050.codec import decode, encode
from agv_bridge.vda5050.messages import (
    Action,
    ActionParameter,
    Connection,
    Header,
    InstantActions,
    Node,
    Order,
    Power,
    State,
    Visualization,
)
from agv_bridge.vda5050.naming import Dialect, Edition
from agv_bridge.vda5050.topics import (
    VehicleAddress,
    dialect_of,
    edition_of,
    filters,
    parse_topic,
)
from agv_bridge.virtual.presence import address_of, connection_message
from agv_bridge.virtual.vehicle import VirtualAgv
from appliance.services.bus import matches
from appliance.services.memory_bus import MemoryBus
from contracts.clock import FixedClock
from contracts.errors import BadInputError
from contracts.stock import TransportOrder
from tests.agv_bridge.vda5050.official import samples, validator

NOW = datetime(2026, 11, 21, 8, 0, 0, 123000, tzinfo=UTC)
LEG = Leg.of(TransportOrder("T1", "sscc-1", "station-1", "slot-1"))
VERSIONS = {"2.0.0": Edition.V2_0, "2.1.0": Edition.V2_1, "3.0.0": Edition.V3_0}
KINDS = {
    "order": Order,
    "state": State,
    "connection": Connection,
    "instantactions": InstantActions,
    "visualization": Visualization,
}
OFFICIAL_NAMES = {"instantactions": "instantActions"}


def header(version: str) -> Header:
    return Header(
        header_id=1, timestamp=NOW, version=version, manufacturer="acme", serial_number="a1"
    )


@pytest.mark.data
def test_golden_messages_are_read_and_written_without_loss(data_dir: Path):
    files = samples(data_dir)
    for file in files:
        said = json.loads(file.read_text("utf-8"))
        message = wire.read(KINDS[file.parent.name], said, Edition.V2_0, name=file.name)
        written = wire.write(message, Edition.V2_0)
        written["timestamp"] = said["timestamp"]
        for key, value in said.items():
            assert written[key] == value, f"{file.name}: {key}"
        topic = f"uagv/v2/acme/a1/{OFFICIAL_NAMES.get(file.parent.name, file.parent.name)}"
        received = decode(topic, file.read_bytes())
        assert received is not None
        assert wire.write(received.message, Edition.V2_0).keys() >= said.keys()
    assert len(files) == 26


@pytest.mark.data
def test_an_order_cut_down_to_what_a_vehicle_supports_is_still_read(data_dir: Path):
    (file,) = (data_dir / "agv" / "vda5050" / "samples" / "common").glob("*.txt")
    said = json.loads(file.read_text("utf-8"))
    order = wire.read(Order, said, Edition.V2_0, name=file.name)
    assert [node.node_id for node in order.nodes] == ["node1", "node2"]
    assert order.edges[0].extra == {"sourceNode": "node1", "destinationNode": "node2"}


@pytest.mark.data
@pytest.mark.parametrize("edition", [Edition.V2_0, Edition.V2_1])
def test_golden_messages_of_2_0_are_valid_after_our_rewriting(data_dir: Path, edition: Edition):
    files = [file for file in samples(data_dir) if "v2_0" in file.parts]
    for file in files:
        kind = file.parent.name
        said = json.loads(file.read_text("utf-8"))
        message = wire.read(KINDS[kind], said, Edition.V2_0, name=file.name)
        official = validator(data_dir, edition, OFFICIAL_NAMES.get(kind, kind))
        official.validate(wire.write(message, edition))
    assert len(files) == 13


@pytest.mark.data
@pytest.mark.parametrize("version", VERSIONS)
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
            validator(data_dir, VERSIONS[version], name).validate(sent)


@pytest.mark.data
@pytest.mark.parametrize("version", VERSIONS)
async def test_what_the_virtual_vehicle_says_is_valid(
    data_dir: Path, version: str, clock: FixedClock
):
    agv = VirtualAgv(MemoryBus(), "a1", version=version, clock=clock)
    agv.body.loads.append("sscc-1")
    sent = json.loads(encode(agv.state(), agv.address.major))
    validator(data_dir, VERSIONS[version], "state").validate(sent)


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


def test_2_0_is_told_from_2_1_by_its_version_only():
    assert edition_of("v2", "2.0.0") is Edition.V2_0
    assert edition_of("v2", "2.1.0") is edition_of("v2", "") is Edition.V2_1
    assert edition_of("v3", "2.0") is Edition.V2_0


def test_a_circle_of_2_x_is_an_ellipse_of_3_0():
    position = {"x": 1, "y": 2, "allowedDeviationXY": 0.5, "mapId": "hall"}
    said = {"orderId": "T1", "nodes": [{"nodeId": "n", "nodePosition": position}]}
    order = wire.read(Order, said, Edition.V2_1, name="order")
    there = wire.write(order, Edition.V3_0)["nodes"][0]["nodePosition"]
    assert there["allowedDeviationXY"] == {"a": 0.5, "b": 0.5, "theta": 0.0}
    back = wire.write(
        wire.read(Order, wire.write(order, Edition.V3_0), Edition.V3_0, name="o"), Edition.V2_1
    )
    assert back["nodes"][0]["nodePosition"] == position


def test_whole_numbers_may_come_as_2_dot_0():
    said = b'{"orderUpdateId": 2.0, "nodeStates": [{"nodeId": "n", "sequenceId": 4.0}]}'
    received = decode("uagv/v2/acme/a1/state", said)
    assert received is not None
    assert isinstance(received.message, State)
    assert received.message.order_update_id == 2
    assert received.message.node_states[0].sequence_id == 4


def test_what_an_edition_lacks_is_understood_and_kept():
    """A vehicle of 2.1 that already tells of its instant actions as 3.0 does."""
    told = [{"actionId": "T1.cancel", "actionStatus": "RUNNING"}]
    said = {"version": "2.1.0", "instantActionStates": told}
    state = wire.read(State, said, Edition.V2_1, name="state")
    assert state.instant_action_states[0].action_status == "RUNNING"
    assert wire.write(state, Edition.V2_1)["instantActionStates"] == told


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


def test_who_wants_pictures_listens_for_them_too():
    wanted = filters("visualization", "factsheet", manufacturer="acme")
    assert len(wanted) == 4
    assert any(matches("uagv/v2/acme/a1/factsheet", one) for one in wanted)
    assert not any(matches("uagv/v2/acme/a1/state", one) for one in wanted)


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

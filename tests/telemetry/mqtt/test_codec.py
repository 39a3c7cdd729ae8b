"""Packets survive the wire in both versions, and no bytes whatever make the codec fall."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.mqtt import topics
from telemetry.mqtt.decoding import decode, split
from telemetry.mqtt.encoding import encode, pubacks
from telemetry.mqtt.fields import ALLOWED, Reader, write_properties, write_varint
from telemetry.mqtt.packets import (
    V5,
    V311,
    Code,
    ConnAck,
    Connect,
    Disconnect,
    Kind,
    MqttError,
    Packet,
    PingReq,
    PingResp,
    Property,
    PubAck,
    Publish,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
    Will,
)
from telemetry.mqtt.publishes import Names, take_publishes

VERSIONS = st.sampled_from([V311, V5])
IDS = st.integers(1, 65_535)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NAMES = TEXT.filter(topics.is_name)
BYTES = st.binary(max_size=200)
PROPERTIES = {
    Property.CONTENT_TYPE: "text/plain",
    Property.MESSAGE_EXPIRY: 4_000_000_000,
    Property.CORRELATION_DATA: b"\0\xff",
    Property.USER_PROPERTY: (("a", "1"), ("a", "2")),
    Property.SUBSCRIPTION_ID: (1, 300),
    Property.PAYLOAD_FORMAT: 1,
}
WILLS = st.builds(Will, NAMES, BYTES, st.integers(0, 2), st.booleans())
PACKETS: st.SearchStrategy[Packet] = st.one_of(
    st.builds(Publish, NAMES, BYTES, st.just(1), IDS, st.booleans(), st.booleans()),
    st.builds(Publish, NAMES, BYTES, st.just(0), st.just(0), st.booleans()),
    st.builds(PubAck, IDS),
    st.builds(Subscribe, IDS, st.lists(st.tuples(NAMES, st.integers(0, 2)), min_size=1).map(tuple)),
    st.builds(SubAck, IDS, st.lists(st.sampled_from([0, 1, 128])).map(tuple)),
    st.builds(Unsubscribe, IDS, st.lists(TEXT, min_size=1).map(tuple)),
    st.builds(UnsubAck, IDS),
    st.builds(ConnAck, st.integers(0, 5), st.booleans()),
    st.just(PingReq()),
    st.just(PingResp()),
    st.just(Disconnect()),
)


def one(data: bytes, version: int) -> Packet:
    span = split(data, 0, len(data), 1 << 20)
    assert span is not None
    assert span.end == len(data)
    return decode(span.first, data[span.start : span.end], version)


@given(PACKETS, VERSIONS)
def test_every_packet_comes_back_as_it_was(packet: Packet, version: int) -> None:
    assert one(encode(packet, version), version) == packet


@given(
    st.builds(
        Connect, TEXT, VERSIONS, st.booleans(), st.integers(0, 65_535),
        TEXT, st.none() | BYTES, st.none() | WILLS,
    )
)  # fmt: skip
def test_a_greeting_comes_back_as_it_was(packet: Connect) -> None:
    assert one(encode(packet), V5) == packet


def test_properties_of_version_5_come_back() -> None:
    packet = Publish("a", b"1", 1, 7, properties=dict(PROPERTIES))
    assert one(encode(packet, V5), V5) == packet
    refused = PubAck(7, Code.NOT_AUTHORIZED, {Property.REASON_STRING: "no"})
    assert one(encode(refused, V5), V5) == refused
    assert one(encode(Disconnect(Code.SERVER_BUSY), V5), V5) == Disconnect(Code.SERVER_BUSY)


def read_or_refuse(data: bytes, version: int) -> None:
    """Any other exception than MqttError is the codec's fault."""
    with suppress(MqttError):
        span = split(data, 0, len(data), 1 << 20)
        if span is not None and span.end <= len(data):
            decode(span.first, data[span.start : span.end], version)


@given(st.binary(max_size=120), VERSIONS)
def test_garbage_is_a_packet_or_refused(data: bytes, version: int) -> None:
    read_or_refuse(data, version)


@given(PACKETS, VERSIONS, st.data())
def test_a_bitten_packet_is_a_packet_or_refused(packet: Packet, version: int, data) -> None:
    raw = bytearray(encode(packet, version))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    read_or_refuse(bytes(raw), version)


@pytest.mark.parametrize(
    ("raw", "version", "code", "reason"),
    [
        ("3406000161000131", V311, "qos_not_supported", Code.QOS_NOT_SUPPORTED),
        ("3606000161000131", V5, "qos_not_supported", Code.MALFORMED),
        ("32050001610000", V311, "mqtt_malformed", Code.MALFORMED),
        ("3205000161" + "0000", V311, "mqtt_malformed", Code.PROTOCOL_ERROR),
        ("3004000223" + "61", V311, "topic_invalid", Code.TOPIC_NAME_INVALID),
        ("30020000", V311, "topic_invalid", Code.TOPIC_NAME_INVALID),
        ("30030001ff", V311, "mqtt_malformed", Code.MALFORMED),
        ("3003000100", V311, "mqtt_malformed", Code.MALFORMED),
        ("3803000161", V311, "mqtt_malformed", Code.MALFORMED),
        ("62020001", V311, "qos_not_supported", Code.QOS_NOT_SUPPORTED),
        ("f000", V5, "mqtt_protocol", Code.PROTOCOL_ERROR),
        ("0000", V5, "mqtt_malformed", Code.MALFORMED),
        ("c001" + "00", V5, "mqtt_malformed", Code.MALFORMED),
        ("82020001", V311, "mqtt_malformed", Code.PROTOCOL_ERROR),
        ("8205000100012303", V311, "mqtt_malformed", Code.MALFORMED),
        ("100c00064d51497364700302003c0000", V311, "mqtt_version", Code.UNSUPPORTED_VERSION),
        ("100c00044d5154540602003c0000", V311, "mqtt_version", Code.UNSUPPORTED_VERSION),
    ],
)  # fmt: skip
def test_what_the_standard_forbids_is_refused_by_name(
    raw: str, version: int, code: str, reason: Code
) -> None:
    data = bytes.fromhex(raw)
    span = split(data, 0, len(data), 1 << 20)
    assert span is not None
    with pytest.raises(MqttError) as refused:
        decode(span.first, data[span.start : span.end], version)
    assert refused.value.code == code
    if code != "mqtt_malformed":
        assert refused.value.reason == reason


def test_a_quarter_of_a_gigabyte_is_refused_when_it_is_announced() -> None:
    with pytest.raises(MqttError, match="268435455 bytes announced") as refused:
        split(b"\x32\xff\xff\xff\x7f", 0, 5, 1 << 18)
    assert refused.value.reason == Code.PACKET_TOO_LARGE
    with pytest.raises(MqttError, match="more than four bytes"):
        split(b"\x32\xff\xff\xff\xff\x01", 0, 6, 1 << 30)
    assert split(b"\x32\xff\xff", 0, 3, 1 << 18) is None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("022300", "2 bytes wanted"),
        ("0323", "left in the packet"),
        ("0201" + "02", "PAYLOAD_FORMAT is neither"),
        ("0401" + "00" + "0100", "twice"),
        ("03210000", "may not have"),
        ("027f00", "may not have"),
        ("05", "left in the packet"),
    ],
)
def test_properties_that_are_none_are_refused(raw: str, why: str) -> None:
    with pytest.raises(MqttError, match=why):
        Reader(bytes.fromhex(raw)).properties(ALLOWED[Kind.PUBLISH])


def test_a_receive_maximum_of_zero_is_refused() -> None:
    with pytest.raises(MqttError, match="RECEIVE_MAXIMUM of 0"):
        Reader(bytes.fromhex("03210000")).properties(ALLOWED[Kind.CONNECT])


@given(st.integers(0, 268_435_455))
def test_lengths_come_back(value: int) -> None:
    assert Reader(write_varint(value)).varint() == value


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(MqttError, match="65,535"):
        encode(Publish("x" * 70_000, b""))
    with pytest.raises(MqttError, match="no length"):
        write_varint(1 << 28)
    assert write_properties({}) == b"\0"


@pytest.mark.parametrize(
    ("text", "topic", "covered"),
    [
        ("plant/+/t", "plant/a/t", True),
        ("plant/+/t", "plant/a/b/t", False),
        ("plant/#", "plant", True),
        ("plant/#", "plant/a/b", True),
        ("#", "plant", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("+", "/", False),
        ("+/+", "/", True),
        ("plant", "plant/", False),
    ],
)
def test_filters_cover_what_the_standard_says(text: str, topic: str, covered: bool) -> None:  # noqa: FBT001 -- a table
    assert topics.is_filter(text)
    assert topics.matches(text, topic) is covered


@pytest.mark.parametrize("text", ["", "a/#/b", "a#", "a+/b", "#/"])
def test_filters_that_are_none(text: str) -> None:
    assert not topics.is_filter(text)


# The hot path is the slow path, only faster


def admit(raw: bytes) -> str | None:
    """As an endpoint does for somebody who may not publish to the kitchen."""
    text = raw.decode(errors="replace")
    known = "\ufffd" not in text and "\0" not in text and topics.is_name(text)
    return text if known and text != "kitchen" else None


def fast(data: bytes, version: int, *, most: int = 100) -> tuple[int, list, list]:
    messages: list[tuple[str, bytes]] = []
    numbers: list[bytes] = []
    names = Names(admit, most)
    at = take_publishes(data, 0, version, names, messages, numbers)
    return at, messages, numbers


PLAIN = st.lists(
    st.builds(
        Publish,
        st.sampled_from(["plant/a", "plant/b", "plant/é"]),
        st.binary(max_size=300),
        st.just(1),
        IDS,
        st.booleans(),
        st.booleans(),
    )
    | st.builds(Publish, st.just("plant/a"), BYTES, st.just(0), st.just(0), st.booleans()),
    max_size=12,
)


@given(PLAIN, VERSIONS)
def test_the_hot_path_reads_plain_readings(packets: list[Publish], version: int) -> None:
    data = b"".join(encode(packet, version) for packet in packets)
    at, messages, numbers = fast(data, version, most=2)
    assert at == len(data)
    assert messages == [(p.topic, p.payload) for p in packets]
    assert numbers == [p.packet_id.to_bytes(2) for p in packets if p.qos]
    assert pubacks(numbers) == b"".join(encode(PubAck(p.packet_id)) for p in packets if p.qos)


@given(PLAIN, VERSIONS, st.data())
def test_the_hot_path_stops_before_a_half(packets: list[Publish], version: int, data) -> None:
    whole = b"".join(encode(packet, version) for packet in packets)
    cut = data.draw(st.integers(0, len(whole)))
    at, messages, _ = fast(whole[:cut], version)
    again, more, _ = fast(whole[at:], version)
    assert at <= cut
    assert at + again == len(whole)
    assert messages + more == [(p.topic, p.payload) for p in packets]


@given(st.binary(max_size=100), VERSIONS)
def test_the_hot_path_takes_no_garbage_that_the_slow_path_refuses(
    junk: bytes, version: int
) -> None:
    at, messages, _ = fast(junk, version)
    slow: list[tuple[str, bytes]] = []
    place = 0
    while place < at:
        span = split(junk, place, len(junk), 1 << 20)
        assert span is not None
        packet = decode(span.first, junk[span.start : span.end], version)
        assert isinstance(packet, Publish)
        slow.append((packet.topic, packet.payload))
        place = span.end
    assert messages == slow


@pytest.mark.parametrize(
    "packet",
    [
        Publish("kitchen", b"", 1, 1),
        Publish("plant/a", b"", 1, 1, properties={Property.CONTENT_TYPE: "x"}),
        Publish("plant/a", b"x" * 20_000, 1, 1),
        PingReq(),
    ],
)
def test_the_hot_path_leaves_what_is_not_plain(packet: Packet) -> None:
    plain = encode(Publish("plant/a", b"1", 1, 5))
    at, messages, numbers = fast(plain + encode(packet) + plain, V5)
    assert (at, messages, numbers) == (len(plain), [("plant/a", b"1")], [b"\0\5"])

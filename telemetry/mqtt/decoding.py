"""Bytes to packets, both versions. Pure: what is not a packet is refused, never guessed."""

from __future__ import annotations

from typing import Final, NamedTuple

from telemetry.mqtt import topics
from telemetry.mqtt.fields import ALLOWED, WILL, Reader
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
    Properties,
    PubAck,
    Publish,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
    Will,
)

_FLAGS: Final = {Kind.PUBREL: 2, Kind.SUBSCRIBE: 2, Kind.UNSUBSCRIBE: 2}
_QOS_BITS: Final = 0b110
_MOST_QOS: Final = 2


class Span(NamedTuple):
    """Where one packet lies in a buffer."""

    first: int
    """The fixed header's first byte: kind and flags."""
    start: int
    """Of the body."""
    end: int


def split(data: bytes | bytearray, at: int, end: int, most_bytes: int) -> Span | None:
    """The packet that starts at `at`; None while its header is not complete.

    `Span.end` may lie beyond `end`: the body is still on its way. Raises MqttError for a length
    that is none, or for more than `most_bytes` announced, before any of it came.
    """
    length = 0
    for place in range(1, 5):
        if at + place >= end:
            return None
        byte = data[at + place]
        length |= (byte & 0x7F) << 7 * (place - 1)
        if byte < 0x80:  # noqa: PLR2004 -- the continuation bit of 2.2.3
            start = at + place + 1
            if start - at + length > most_bytes:
                raise MqttError(
                    f"a packet of {length} bytes announced, at most {most_bytes} are taken",
                    code="packet_too_large",
                    reason=Code.PACKET_TOO_LARGE,
                )
            return Span(data[at], start, start + length)
    raise MqttError("a length of more than four bytes")


def decode(first: int, body: bytes, version: int) -> Packet:
    """One packet from its first byte and its body. `version`: V311 or V5; a CONNECT says its own.

    Raises MqttError: malformed, QoS 2, an authentication exchange, a version nobody speaks.
    """
    kind = first >> 4
    if kind == Kind.PUBLISH:
        return decode_publish(first, body, version)
    if first & 0x0F != _FLAGS.get(Kind(kind), 0) if kind else True:
        raise MqttError(f"no packet starts with 0x{first:02x}")
    reader = Reader(body)
    packet = _decode(Kind(kind), reader, version)
    if reader.left:
        raise MqttError(f"{reader.left} bytes too many in {Kind(kind).name}")
    return packet


def _decode(kind: Kind, reader: Reader, version: int) -> Packet:  # noqa: C901, PLR0911 -- one line a packet of the standard
    match kind:
        case Kind.CONNECT:
            return _connect(reader)
        case Kind.CONNACK:
            return _connack(reader, version)
        case Kind.PUBACK:
            return PubAck(reader.packet_id(), *_code_and_properties(kind, reader, version))
        case Kind.SUBSCRIBE:
            return _subscribe(reader, version)
        case Kind.SUBACK:
            number, properties = reader.packet_id(), _properties(kind, reader, version)
            return SubAck(number, tuple(reader.rest()), properties)
        case Kind.UNSUBSCRIBE:
            return _unsubscribe(reader, version)
        case Kind.UNSUBACK:
            number, properties = reader.packet_id(), _properties(kind, reader, version)
            return UnsubAck(number, tuple(reader.rest()), properties)
        case Kind.PINGREQ:
            return PingReq()
        case Kind.PINGRESP:
            return PingResp()
        case Kind.DISCONNECT:
            return Disconnect(*_code_and_properties(kind, reader, version))
        case Kind.AUTH:
            raise MqttError(
                "an authentication exchange; only CONNECT signs in here",
                code="mqtt_protocol",
                reason=Code.PROTOCOL_ERROR,
            )
        case _:
            raise MqttError(
                f"{kind.name} belongs to QoS 2, which is not spoken here",
                code="qos_not_supported",
                reason=Code.QOS_NOT_SUPPORTED,
            )


def decode_publish(first: int, body: bytes, version: int) -> Publish:
    """A PUBLISH of any kind (3.3). Raises MqttError: QoS 2 or 3, a bad topic, a topic alias that
    was never allowed.
    """
    qos = (first & _QOS_BITS) >> 1
    if qos > 1:
        raise MqttError(
            f"PUBLISH with QoS {qos}, only 0 and 1 are spoken here",
            code="qos_not_supported",
            reason=Code.QOS_NOT_SUPPORTED if qos == _MOST_QOS else Code.MALFORMED,
        )
    if first & 0x08 and not qos:
        raise MqttError("QoS 0 marked as sent again")
    reader = Reader(body)
    topic = reader.string()
    packet_id = reader.packet_id() if qos else 0
    properties = _properties(Kind.PUBLISH, reader, version)
    if not topics.is_name(topic):
        raise MqttError(
            "a topic that is empty or has a wildcard",
            code="topic_invalid",
            reason=Code.TOPIC_NAME_INVALID,
        )
    return Publish(
        topic, reader.rest(), qos, packet_id, bool(first & 1), bool(first & 8), properties
    )


def _connect(reader: Reader) -> Connect:
    name, version = reader.string(), reader.byte()
    if name != "MQTT" or version not in {V311, V5}:
        raise MqttError(
            f"protocol {name[:8]!r} {version}, only MQTT 3.1.1 (4) and 5 are spoken here",
            code="mqtt_version",
            reason=Code.UNSUPPORTED_VERSION,
        )
    flags, keep_alive_s = reader.byte(), reader.short()
    has_will, qos = bool(flags & 0x04), flags >> 3 & 3
    if flags & 1 or qos > _MOST_QOS or (not has_will and flags & 0x38):
        raise MqttError(f"connect flags 0x{flags:02x} contradict each other")
    if version == V311 and flags & 0x40 and not flags & 0x80:
        raise MqttError("a password without a user name")
    properties = _properties(Kind.CONNECT, reader, version)
    client_id = reader.string()
    will = _will(reader, version, qos, retain=bool(flags & 0x20)) if has_will else None
    username = reader.string() if flags & 0x80 else None
    password = reader.binary() if flags & 0x40 else None
    return Connect(
        client_id,
        version,
        bool(flags & 0x02),
        keep_alive_s,
        username,
        password,
        will,
        properties,
    )


def _will(reader: Reader, version: int, qos: int, *, retain: bool) -> Will:
    properties = reader.properties(WILL) if version == V5 else {}
    topic, payload = reader.string(), reader.binary()
    if not topics.is_name(topic):
        raise MqttError("a will to a topic that is empty or has a wildcard", code="topic_invalid")
    return Will(topic, payload, qos, retain, properties)


def _connack(reader: Reader, version: int) -> ConnAck:
    flags, code = reader.byte(), reader.byte()
    if flags > 1:
        raise MqttError(f"CONNACK flags 0x{flags:02x}")
    return ConnAck(code, bool(flags), _properties(Kind.CONNACK, reader, version))


def _subscribe(reader: Reader, version: int) -> Subscribe:
    number, properties = reader.packet_id(), _properties(Kind.SUBSCRIBE, reader, version)
    filters = []
    while reader.left:
        name, options = reader.string(), reader.byte()
        if not topics.is_filter(name) or options & 3 > _MOST_QOS or options & 0xC0:
            raise MqttError("a subscription that is none", code="topic_invalid")
        filters.append((name, options))
    if not filters:
        raise MqttError("SUBSCRIBE to nothing", reason=Code.PROTOCOL_ERROR)
    return Subscribe(number, tuple(filters), properties)


def _unsubscribe(reader: Reader, version: int) -> Unsubscribe:
    number, properties = reader.packet_id(), _properties(Kind.UNSUBSCRIBE, reader, version)
    filters = []
    while reader.left:
        filters.append(reader.string())
    if not filters:
        raise MqttError("UNSUBSCRIBE from nothing", reason=Code.PROTOCOL_ERROR)
    return Unsubscribe(number, tuple(filters), properties)


def _code_and_properties(kind: Kind, reader: Reader, version: int) -> tuple[int, Properties]:
    """Both may be left out at the end of a packet of version 5 (3.4.2.1, 3.14.2.1)."""
    if version != V5 or not reader.left:
        return 0, {}
    code = reader.byte()
    return code, _properties(kind, reader, version) if reader.left else {}


def _properties(kind: Kind, reader: Reader, version: int) -> Properties:
    return reader.properties(ALLOWED[kind]) if version == V5 else {}

"""Packets to bytes, both versions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from telemetry.mqtt.fields import write_binary, write_properties, write_string, write_varint
from telemetry.mqtt.packets import (
    V5,
    ConnAck,
    Connect,
    Disconnect,
    Kind,
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

PINGRESP: Final = b"\xd0\x00"
PINGREQ: Final = b"\xc0\x00"
_PUBACK: Final = b"\x40\x02"


def encode(packet: Packet, version: int = V5) -> bytes:  # noqa: C901, PLR0911, PLR0912 -- one line a packet of the standard
    """One packet. `version`: V311 or V5; a CONNECT is written in its own.

    Raises MqttError for a field that is too long to be written.
    """
    known = partial(_known, version)
    match packet:
        case Publish():
            return _publish(packet, version)
        case PubAck(number, code, properties):
            if version != V5 or (not code and not properties):
                return _PUBACK + number.to_bytes(2)
            return _whole(Kind.PUBACK, number.to_bytes(2) + bytes((code,)) + known(properties))
        case Connect():
            return _connect(packet)
        case ConnAck(code, present, properties):
            return _whole(Kind.CONNACK, bytes((present, code)) + known(properties))
        case Subscribe(number, filters, properties):
            parts = b"".join(write_string(name) + bytes((options,)) for name, options in filters)
            return _whole(Kind.SUBSCRIBE, number.to_bytes(2) + known(properties) + parts, 2)
        case SubAck(number, codes, properties):
            return _whole(Kind.SUBACK, number.to_bytes(2) + known(properties) + bytes(codes))
        case Unsubscribe(number, names, properties):
            parts = b"".join(map(write_string, names))
            return _whole(Kind.UNSUBSCRIBE, number.to_bytes(2) + known(properties) + parts, 2)
        case UnsubAck(number, codes, properties):
            return _whole(Kind.UNSUBACK, number.to_bytes(2) + known(properties) + bytes(codes))
        case PingReq():
            return PINGREQ
        case PingResp():
            return PINGRESP
        case Disconnect(code, properties):
            if version != V5 or (not code and not properties):
                return _whole(Kind.DISCONNECT, b"")
            return _whole(Kind.DISCONNECT, bytes((code,)) + known(properties))


def pubacks(numbers: Sequence[bytes]) -> bytes:
    """One PUBACK for each packet identifier, given as its two bytes: for many at once."""
    return _PUBACK + _PUBACK.join(numbers) if numbers else b""


def _known(version: int, properties: Properties) -> bytes:
    return write_properties(properties) if version == V5 else b""


def _whole(kind: Kind, body: bytes, flags: int = 0) -> bytes:
    return bytes((kind << 4 | flags,)) + write_varint(len(body)) + body


def _publish(packet: Publish, version: int) -> bytes:
    number = packet.packet_id.to_bytes(2) if packet.qos else b""
    known = _known(version, packet.properties)
    body = write_string(packet.topic) + number + known + packet.payload
    return _whole(Kind.PUBLISH, body, packet.dup << 3 | packet.qos << 1 | packet.retain)


def _connect(packet: Connect) -> bytes:
    will = packet.will
    flags = (
        (packet.username is not None) << 7
        | (packet.password is not None) << 6
        | packet.clean_start << 1
    )
    if will is not None:
        flags |= will.retain << 5 | will.qos << 3 | 0x04
    parts = [
        write_string("MQTT"),
        bytes((packet.version, flags)),
        packet.keep_alive_s.to_bytes(2),
        _known(packet.version, packet.properties),
        write_string(packet.client_id),
        _will(will, packet.version) if will is not None else b"",
        write_string(packet.username) if packet.username is not None else b"",
        write_binary(packet.password) if packet.password is not None else b"",
    ]
    return _whole(Kind.CONNECT, b"".join(parts))


def _will(will: Will, version: int) -> bytes:
    known = _known(version, will.properties)
    return known + write_string(will.topic) + write_binary(will.payload)

"""The MQTT packets of a subscriber, 3.1.1 and 5: what it says, and what it is answered. Pure.

Deliveries are not here: they are read in place (telemetry.subscriber.session).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from contracts.errors import BadInputError

V311: Final = 4
V5: Final = 5
CONNECT, CONNACK, PUBLISH, PUBACK = 0x10, 0x20, 0x30, 0x40
SUBSCRIBE, SUBACK, PINGRESP, DISCONNECT = 0x82, 0x90, 0xD0, 0xE0
PINGREQ: Final = b"\xc0\x00"
_USER, _PASSWORD, _CLEAN = 0x80, 0x40, 0x02
_NEVER_EXPIRES: Final = 0xFFFF_FFFF
_VARINT_MOST = 4
_NO_RETAINED: Final = 0x20
"""Subscription option: do not send what is retained (MQTT 5, 3.8.3.1)."""
WRONG_VERSION: Final = frozenset((0x01, 0x84))
REFUSED_FROM: Final = 0x80


class _Property(IntEnum):
    """MQTT 5, 2.2.2.2: those that we send or look at."""

    SESSION_EXPIRY = 0x11
    RECEIVE_MAXIMUM = 0x21
    MAXIMUM_PACKET_SIZE = 0x27
    SERVER_KEEP_ALIVE = 0x13
    SHARED_AVAILABLE = 0x2A
    REASON = 0x1F


# How long the value of a property is; "utf8" and "pair" say it themselves.
_FIXED: Final = {
    0x01: 1, 0x02: 4, 0x11: 4, 0x13: 2, 0x17: 1, 0x18: 4, 0x19: 1, 0x21: 2, 0x22: 2, 0x23: 2,
    0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
_TEXTS: Final = frozenset((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F))
_PAIR: Final = 0x26


class BadPacketError(BadInputError):
    """The broker sent bytes that are no MQTT."""

    code = "bad_packet"


@dataclass(frozen=True, slots=True)
class Welcome:
    """CONNACK. `code` 0 lets us in; `reason` is what the broker says against it, where it does."""

    code: int
    session_present: bool
    shared: bool = True
    keep_alive_s: int | None = None
    reason: str = ""


def connect(
    version: int,
    client_id: str,
    *,
    keep_alive_s: int,
    receive_maximum: int,
    most_bytes: int,
    username: str | None = None,
    password: str | None = None,
) -> bytes:
    """CONNECT with a session that outlives the connection, for ever as far as we are asked."""
    flags = 0
    tail = _text(client_id)
    if username is not None:
        flags |= _USER
        tail += _text(username)
    if password is not None:
        flags |= _PASSWORD
        tail += _text(password)
    body = _text("MQTT") + bytes((version, flags)) + keep_alive_s.to_bytes(2, "big")
    if version == V5:
        properties = bytes((_Property.SESSION_EXPIRY,)) + _NEVER_EXPIRES.to_bytes(4, "big")
        properties += bytes((_Property.RECEIVE_MAXIMUM,)) + receive_maximum.to_bytes(2, "big")
        properties += bytes((_Property.MAXIMUM_PACKET_SIZE,)) + most_bytes.to_bytes(4, "big")
        body += varint(len(properties)) + properties
    return packet(CONNECT, body + tail)


def subscribe(version: int, packet_id: int, filters: Sequence[str]) -> bytes:
    """SUBSCRIBE at QoS 1; MQTT 5 is asked for nothing retained."""
    body = packet_id.to_bytes(2, "big")
    if version == V5:
        body += b"\x00"
    options = bytes((1 | (_NO_RETAINED if version == V5 else 0),))
    for each in filters:
        body += _text(each) + options
    return packet(SUBSCRIBE, body)


def welcome(body: bytes, version: int) -> Welcome:
    """Read a CONNACK. A broker that knows only 3.1.1 refuses version 5 in 3.1.1's words.

    Raises BadPacketError.
    """
    if len(body) < 2:  # noqa: PLR2004 -- flags and code
        raise BadPacketError("the broker's CONNACK is cut")
    present, code = bool(body[0] & 1), body[1]
    if version != V5 or len(body) == 2:  # noqa: PLR2004 -- as above
        return Welcome(code, present)
    shared, keep_alive, reason = True, None, ""
    for name, value in properties(body, 2):
        match name:
            case _Property.SHARED_AVAILABLE:
                shared = value != b"\x00"
            case _Property.SERVER_KEEP_ALIVE:
                keep_alive = int.from_bytes(value, "big")
            case _Property.REASON:
                reason = value.decode(errors="replace")
            case _:
                pass
    return Welcome(code, present, shared, keep_alive, reason)


def suback_codes(body: bytes, version: int) -> list[int]:
    """One code a filter, 0x80 and above refuses it. Raises BadPacketError."""
    at = 2
    if version == V5:
        length, at = read_varint(body, at)
        at += length
    if at >= len(body):
        raise BadPacketError("the broker's SUBACK is cut")
    return list(body[at:])


def properties(body: bytes, at: int) -> list[tuple[int, bytes]]:
    """The properties that begin at `at`. Raises BadPacketError."""
    length, at = read_varint(body, at)
    end = at + length
    if end > len(body):
        raise BadPacketError("the broker's properties are cut")
    found: list[tuple[int, bytes]] = []
    while at < end:
        name = body[at]
        at += 1
        if name in _FIXED:
            size = _FIXED[name]
        elif name in _TEXTS or name == _PAIR:
            size = int.from_bytes(body[at : at + 2], "big")
            at += 2
            if name == _PAIR:
                at += size
                size = int.from_bytes(body[at : at + 2], "big")
                at += 2
        else:
            raise BadPacketError(f"the broker sent property {name:#x}, which is none of MQTT 5")
        found.append((name, body[at : at + size]))
        at += size
    if at != end:
        raise BadPacketError("a property of the broker is cut")
    return found


def packet(head: int, body: bytes) -> bytes:
    return bytes((head,)) + varint(len(body)) + body


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """(value, where it ends). Raises BadPacketError where it is cut or has more than four bytes."""
    value = 0
    for index in range(_VARINT_MOST):
        if at + index >= len(data):
            break
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, at + index + 1
    raise BadPacketError("a length of the broker does not end")


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw

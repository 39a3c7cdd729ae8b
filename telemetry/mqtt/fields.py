"""Numbers, strings and properties as MQTT writes them. Pure; refuses what the standard forbids."""

from __future__ import annotations

from typing import Final

from telemetry.mqtt.packets import (
    MOST_LENGTH,
    Code,
    Kind,
    MqttError,
    Properties,
    Property,
    Value,
)

P = Property

_BYTE: Final = frozenset(
    {
        P.PAYLOAD_FORMAT,
        P.REQUEST_PROBLEM,
        P.REQUEST_RESPONSE,
        P.MAXIMUM_QOS,
        P.RETAIN_AVAILABLE,
        P.WILDCARD_AVAILABLE,
        P.SUBSCRIPTION_ID_AVAILABLE,
        P.SHARED_AVAILABLE,
    }
)
_SHORT: Final = frozenset(
    {
        P.SERVER_KEEP_ALIVE,
        P.RECEIVE_MAXIMUM,
        P.TOPIC_ALIAS_MAXIMUM,
        P.TOPIC_ALIAS,
    }
)
_LONG: Final = frozenset(
    {
        P.MESSAGE_EXPIRY,
        P.SESSION_EXPIRY,
        P.WILL_DELAY,
        P.MAXIMUM_PACKET_SIZE,
    }
)
_BINARY: Final = frozenset({P.CORRELATION_DATA, P.AUTHENTICATION_DATA})
_NEVER_ZERO: Final = frozenset({P.RECEIVE_MAXIMUM, P.MAXIMUM_PACKET_SIZE, P.SUBSCRIPTION_ID})
_KNOWN: Final = {one.value: one for one in Property}

_ANY_ACK: Final = frozenset({P.REASON_STRING, P.USER_PROPERTY})
_MESSAGE: Final = frozenset(
    {
        P.PAYLOAD_FORMAT,
        P.MESSAGE_EXPIRY,
        P.CONTENT_TYPE,
        P.RESPONSE_TOPIC,
        P.CORRELATION_DATA,
        P.USER_PROPERTY,
    }
)
WILL: Final = _MESSAGE | {P.WILL_DELAY}
ALLOWED: Final[dict[Kind, frozenset[Property]]] = {
    Kind.CONNECT: frozenset(
        {
            P.SESSION_EXPIRY,
            P.AUTHENTICATION_METHOD,
            P.AUTHENTICATION_DATA,
            P.REQUEST_PROBLEM,
            P.REQUEST_RESPONSE,
            P.RECEIVE_MAXIMUM,
            P.TOPIC_ALIAS_MAXIMUM,
            P.USER_PROPERTY,
            P.MAXIMUM_PACKET_SIZE,
        }
    ),
    Kind.CONNACK: _ANY_ACK
    | {
        P.SESSION_EXPIRY,
        P.ASSIGNED_CLIENT_ID,
        P.SERVER_KEEP_ALIVE,
        P.AUTHENTICATION_METHOD,
        P.AUTHENTICATION_DATA,
        P.RESPONSE_INFORMATION,
        P.SERVER_REFERENCE,
        P.RECEIVE_MAXIMUM,
        P.TOPIC_ALIAS_MAXIMUM,
        P.MAXIMUM_QOS,
        P.RETAIN_AVAILABLE,
        P.MAXIMUM_PACKET_SIZE,
        P.WILDCARD_AVAILABLE,
        P.SUBSCRIPTION_ID_AVAILABLE,
        P.SHARED_AVAILABLE,
    },
    Kind.PUBLISH: _MESSAGE | {P.SUBSCRIPTION_ID, P.TOPIC_ALIAS},
    Kind.PUBACK: _ANY_ACK,
    Kind.SUBSCRIBE: frozenset({P.SUBSCRIPTION_ID, P.USER_PROPERTY}),
    Kind.SUBACK: _ANY_ACK,
    Kind.UNSUBSCRIBE: frozenset({P.USER_PROPERTY}),
    Kind.UNSUBACK: _ANY_ACK,
    Kind.DISCONNECT: _ANY_ACK | {P.SESSION_EXPIRY, P.SERVER_REFERENCE},
}
"""Which properties a packet may carry (table 2-4)."""

_CONTINUES: Final = 0x80
_LENGTH_BYTES: Final = 4
_MOST_STRING: Final = 0xFFFF


class Reader:
    """Walks over one packet's body. Every method raises MqttError past the end."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end

    @property
    def left(self) -> int:
        return self.end - self.at

    def take(self, count: int) -> bytes:
        at = self.at
        if count > self.end - at:
            raise MqttError(f"{count} bytes wanted, {self.end - at} left in the packet")
        self.at = at + count
        return self.data[at : self.at]

    def rest(self) -> bytes:
        return self.take(self.end - self.at)

    def byte(self) -> int:
        return self.take(1)[0]

    def short(self) -> int:
        return int.from_bytes(self.take(2))

    def long(self) -> int:
        return int.from_bytes(self.take(4))

    def varint(self) -> int:
        """Variable byte integer (1.5.5), at most four bytes."""
        value = 0
        for place in range(_LENGTH_BYTES):
            byte = self.byte()
            value |= (byte & 0x7F) << 7 * place
            if byte < _CONTINUES:
                return value
        raise MqttError("a length of more than four bytes")

    def binary(self) -> bytes:
        return self.take(self.short())

    def string(self) -> str:
        return read_text(self.binary())

    def packet_id(self) -> int:
        number = self.short()
        if number == 0:
            raise MqttError("a packet identifier of 0", reason=Code.PROTOCOL_ERROR)
        return number

    def properties(self, allowed: frozenset[Property]) -> Properties:
        """Raises MqttError for one that is unknown, not allowed here, twice, or out of range."""
        length = self.varint()
        if length > self.left:
            raise MqttError(f"properties of {length} bytes, {self.left} left in the packet")
        stop = self.at + length
        inner = Reader(self.data, self.at, stop)
        found: Properties = {}
        while inner.left:
            key = _KNOWN.get(inner.varint())
            if key is None or key not in allowed:
                raise MqttError("a property that this packet may not have")
            _put(found, key, inner)
        self.at = stop
        return found


def _put(found: Properties, key: Property, reader: Reader) -> None:
    value = _value(key, reader)
    if key in _NEVER_ZERO and value in {0, (0,)}:
        raise MqttError(f"{key.name} of 0", reason=Code.PROTOCOL_ERROR)
    if key in _BYTE and value not in {0, 1}:
        raise MqttError(f"{key.name} is neither 0 nor 1", reason=Code.PROTOCOL_ERROR)
    before = found.get(key)
    if before is None:
        found[key] = value
    elif isinstance(before, tuple) and isinstance(value, tuple):
        found[key] = before + value  # type: ignore[operator]  # both of the key's one kind
    else:
        raise MqttError(f"{key.name} twice", reason=Code.PROTOCOL_ERROR)


def _value(key: Property, reader: Reader) -> Value:
    if key in _BYTE:
        value: Value = reader.byte()
    elif key in _SHORT:
        value = reader.short()
    elif key in _LONG:
        value = reader.long()
    elif key in _BINARY:
        value = reader.binary()
    elif key is P.SUBSCRIPTION_ID:
        value = (reader.varint(),)
    elif key is P.USER_PROPERTY:
        value = ((reader.string(), reader.string()),)
    else:
        value = reader.string()
    return value


def read_text(data: bytes) -> str:
    """A UTF-8 string as 1.5.4 allows it. Raises MqttError."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise MqttError("a string that is not UTF-8") from None
    if "\0" in text:
        raise MqttError("a string with a NUL in it")
    return text


def write_varint(value: int) -> bytes:
    """Raises MqttError beyond 268,435,455."""
    if not 0 <= value <= MOST_LENGTH:
        raise MqttError(f"{value} is no length of MQTT", reason=Code.PACKET_TOO_LARGE)
    out = bytearray()
    while value >= _CONTINUES:
        out.append(value & 0x7F | _CONTINUES)
        value >>= 7
    out.append(value)
    return bytes(out)


def write_binary(data: bytes) -> bytes:
    """Raises MqttError beyond 65,535 bytes."""
    if len(data) > _MOST_STRING:
        raise MqttError(f"a field of {len(data)} bytes, at most 65,535 can be written")
    return len(data).to_bytes(2) + data


def write_string(text: str) -> bytes:
    return write_binary(text.encode())


def write_properties(properties: Properties) -> bytes:
    body = b"".join(_write_one(key, value) for key, value in properties.items())
    return write_varint(len(body)) + body


def _write_one(key: Property, value: Value) -> bytes:
    tag = bytes((key,))
    match value:
        case int() if key in _BYTE:
            return tag + value.to_bytes(1)
        case int() if key in _SHORT:
            return tag + value.to_bytes(2)
        case int():
            return tag + value.to_bytes(4)
        case str():
            return tag + write_string(value)
        case bytes():
            return tag + write_binary(value)
        case _:
            return b"".join(tag + _write_part(part) for part in value)


def _write_part(part: int | tuple[str, str]) -> bytes:
    if isinstance(part, int):
        return write_varint(part)
    return write_string(part[0]) + write_string(part[1])

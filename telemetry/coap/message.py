"""CoAP messages to bytes and back (RFC 7252, 3). Pure; nothing here waits or remembers.

Bytes that are no CoAP message raise MalformedError with the reason under which they are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

VERSION_1: Final = 0x40
MARKER: Final = 0xFF
TOKEN_MOST: Final = 8
_HEAD = 4
DATAGRAM_MOST: Final = 4096
"""What is read of a datagram. RFC 7252, 4.6 allows 1,152 bytes where nothing else was agreed."""
_MID_MOST: Final = 0xFFFF
_EXTENDED_8 = 13
_EXTENDED_16 = 14
_EXTENDED_16_BASE = 269
_OPTION_MOST = 65_535


class Kind(IntEnum):
    """Message types (RFC 7252, 4.2 and 4.3)."""

    CON = 0
    NON = 1
    ACK = 2
    RST = 3


class Code(IntEnum):
    """Method and response codes, `class << 5 | detail` (RFC 7252, 12.1)."""

    EMPTY = 0
    GET = 0x01
    POST = 0x02
    PUT = 0x03
    DELETE = 0x04
    CREATED = 0x41
    CHANGED = 0x44
    CONTENT = 0x45
    CONTINUE = 0x5F
    BAD_REQUEST = 0x80
    BAD_OPTION = 0x82
    NOT_FOUND = 0x84
    NOT_ALLOWED = 0x85
    INCOMPLETE = 0x88
    TOO_LARGE = 0x8D
    UNSUPPORTED_FORMAT = 0x8F
    NOT_IMPLEMENTED = 0xA1
    UNAVAILABLE = 0xA3
    NO_PROXY = 0xA5


class Option(IntEnum):
    """Option numbers that we know; an unknown odd one is critical (RFC 7252, 5.4.1)."""

    URI_HOST = 3
    OBSERVE = 6
    URI_PORT = 7
    URI_PATH = 11
    CONTENT_FORMAT = 12
    MAX_AGE = 14
    URI_QUERY = 15
    ACCEPT = 17
    BLOCK2 = 23
    BLOCK1 = 27
    SIZE2 = 28
    PROXY_URI = 35
    PROXY_SCHEME = 39
    SIZE1 = 60
    NO_RESPONSE = 258
    """RFC 7967."""


class MalformedError(ValueError):
    """Not a CoAP message. `reason` is a word to count by; `answerable` says that a sender who
    wanted an acknowledgement is told by a reset (RFC 7252, 4.2).
    """

    def __init__(self, reason: str, *, answerable: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answerable = answerable


@dataclass(frozen=True, slots=True)
class Message:
    """One datagram. `code` may be one that `Code` does not know; options stand in their order."""

    kind: Kind
    code: int
    message_id: int
    token: bytes = b""
    options: tuple[tuple[int, bytes], ...] = ()
    payload: bytes = b""

    def option(self, number: int) -> bytes | None:
        """The first value of an option, None where it is absent."""
        return next((value for each, value in self.options if each == number), None)

    def number(self, number: int) -> int | None:
        """As `option`, read as the unsigned integer that RFC 7252, 3.2 describes."""
        value = self.option(number)
        return None if value is None else int.from_bytes(value, "big")


def decode(data: bytes) -> Message:
    """Read one datagram. Raises MalformedError."""
    if len(data) < _HEAD:
        raise MalformedError("short", answerable=False)
    if len(data) >= DATAGRAM_MOST:
        raise MalformedError("datagram_size")
    first, code = data[0], data[1]
    if first & 0xC0 != VERSION_1:
        # RFC 7252, 3: unknown versions are silently ignored.
        raise MalformedError("version", answerable=False)
    kind, length = Kind(first >> 4 & 3), first & 0x0F
    message_id = int.from_bytes(data[2:_HEAD], "big")
    if length > TOKEN_MOST:
        raise MalformedError("token_length")
    if code == Code.EMPTY and len(data) != _HEAD:
        raise MalformedError("empty_with_content")
    at = _HEAD + length
    if len(data) < at:
        raise MalformedError("token_cut")
    options, payload_at = read_options(data, at)
    return Message(kind, code, message_id, data[_HEAD:at], options, data[payload_at:])


def read_options(data: bytes, at: int) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """Options from `at` on, and where the payload begins. Raises MalformedError."""
    options: list[tuple[int, bytes]] = []
    number, end = 0, len(data)
    while at < end:
        head = data[at]
        at += 1
        if head == MARKER:
            if at == end:
                raise MalformedError("marker_without_payload")
            return tuple(options), at
        delta, at = _extended(data, head >> 4, at)
        length, at = _extended(data, head & 0x0F, at)
        number += delta
        if at + length > end:
            raise MalformedError("option_cut")
        if number > _OPTION_MOST:
            raise MalformedError("option_number")
        options.append((number, data[at : at + length]))
        at += length
    return tuple(options), end


def encode(message: Message) -> bytes:
    """The datagram. Options are put into the order of their numbers; raises ValueError for what
    cannot be written.
    """
    if not 0 <= message.message_id <= _MID_MOST or len(message.token) > TOKEN_MOST:
        raise ValueError(f"message id {message.message_id} or token {message.token!r} cannot be")
    out = bytearray((VERSION_1 | message.kind << 4 | len(message.token), message.code))
    out += message.message_id.to_bytes(2, "big") + message.token
    before = 0
    for number, value in sorted(message.options, key=lambda each: each[0]):
        delta, delta_more = _nibble(number - before)
        length, length_more = _nibble(len(value))
        out.append(delta << 4 | length)
        out += delta_more + length_more + value
        before = number
    if message.payload:
        out.append(MARKER)
        out += message.payload
    return bytes(out)


def uint(value: int) -> bytes:
    """An option's unsigned integer: no leading zeros, nothing at all for 0 (RFC 7252, 3.2)."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _extended(data: bytes, nibble: int, at: int) -> tuple[int, int]:
    if nibble < _EXTENDED_8:
        return nibble, at
    if nibble == _EXTENDED_8:
        if at + 1 > len(data):
            raise MalformedError("option_cut")
        return data[at] + _EXTENDED_8, at + 1
    if nibble == _EXTENDED_16:
        if at + 2 > len(data):
            raise MalformedError("option_cut")
        return int.from_bytes(data[at : at + 2], "big") + _EXTENDED_16_BASE, at + 2
    raise MalformedError("option_reserved")


def _nibble(value: int) -> tuple[int, bytes]:
    if value < _EXTENDED_8:
        return value, b""
    if value < _EXTENDED_16_BASE:
        return _EXTENDED_8, bytes((value - _EXTENDED_8,))
    if value > _EXTENDED_16_BASE + 0xFFFF:
        raise ValueError(f"an option of {value} cannot be written")
    return _EXTENDED_16, (value - _EXTENDED_16_BASE).to_bytes(2, "big")

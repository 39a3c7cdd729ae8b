"""One group as bytes: what came in together, under one CRC. Pure.

A group is a header of 24 bytes (magic, length, count, time received, CRC-32 of all the rest) and a
MessagePack array of [address, payload] pairs, or [address, payload, code, detail] in a quarantine:
a format that any language reads without this code.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final

import msgspec

from contracts.errors import TallymanError
from telemetry.segments.files import Position

MAGIC: Final = b"TGm1"
QUARANTINE_MAGIC: Final = b"TGq1"
_HEAD: Final = Struct("<4sIIqI")
HEAD: Final = _HEAD.size
MOST_BYTES: Final = 64 << 20
"""Longest body that is believed: what a broken header announces must not be allocated."""

Message = tuple[str, bytes]
"""(address, payload)."""


class Quarantined(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A message that was acknowledged but not understood, and why."""

    address: str
    payload: bytes
    code: str
    detail: str


class BadSegmentError(TallymanError):
    """A segment is damaged before its durable end; data has `segment` and `offset`."""

    code = "bad_segment"


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that were made durable together, in the order in which they came."""

    position: Position
    """After this group."""
    received_us: int
    messages: list[Message]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Message]).decode
_decode_quarantine: Final = msgspec.msgpack.Decoder(list[Quarantined]).decode


def encode_items(items: Sequence[Message] | Sequence[Quarantined]) -> bytes:
    """Messages as a MessagePack array, to be joined into a group by `frame`."""
    return _encode(items)


def frame(
    pieces: Sequence[bytes], counts: Sequence[int], received_us: int, magic: bytes = MAGIC
) -> bytes:
    """A whole group out of arrays from `encode_items`, `counts` elements in each."""
    count = sum(counts)
    if len(pieces) == 1:
        body = pieces[0]
    else:
        body = b"".join(
            (
                _array_head(count),
                *(piece[_head_length(n) :] for piece, n in zip(pieces, counts, strict=True)),
            )
        )
    crc = zlib.crc32(body, count ^ received_us & 0xFFFFFFFF)
    return _HEAD.pack(magic, len(body), count, received_us, crc) + body


def read_head(head: bytes) -> tuple[bytes, int, int, int, int] | None:
    """(magic, length of the body, count, received, CRC), or None where no group starts."""
    if len(head) < HEAD:
        return None
    magic, length, count, received_us, crc = _HEAD.unpack(head)
    if magic not in (MAGIC, QUARANTINE_MAGIC) or length > MOST_BYTES:
        return None
    return magic, length, count, received_us, crc


def is_whole(body: bytes, count: int, received_us: int, crc: int) -> bool:
    return zlib.crc32(body, count ^ received_us & 0xFFFFFFFF) == crc


def decode_messages(body: bytes) -> list[Message]:
    """Raises msgspec.DecodeError; a body whose CRC holds never does."""
    return _decode(body)


def decode_quarantined(body: bytes) -> list[Quarantined]:
    """Raises msgspec.DecodeError; a body whose CRC holds never does."""
    return _decode_quarantine(body)


_FIX: Final = 16
_SHORT: Final = 1 << 16


def _head_length(count: int) -> int:
    return 1 if count < _FIX else 3 if count < _SHORT else 5


def _array_head(count: int) -> bytes:
    """Array header of MessagePack: fixarray, array 16, array 32."""
    if count < _FIX:
        return bytes((0x90 | count,))
    return b"\xdc" + count.to_bytes(2) if count < _SHORT else b"\xdd" + count.to_bytes(4)

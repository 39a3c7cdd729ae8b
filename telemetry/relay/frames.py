"""What front and back say to each other, as bytes. Pure.

A frame is a head of 13 bytes (length of the body, kind, number) and a body. Both ends are of one
release and one user on one machine; what is no frame ends the connection all the same.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final

import msgspec

from contracts.errors import TallymanError

_HEAD: Final = Struct("<IBQ")
_MOST: Final = 64 << 20
"""No body is longer: the front hands over long before."""


class RelayError(TallymanError):
    """The other end says what nobody says."""

    code = "relay"


class Kind(IntEnum):
    HELLO = 1
    """From the back, first of all: `Hello`, with all that the front must know to let anybody in."""
    OPEN = 2
    """From the front: its doors are open; the number is that of its process."""
    MESSAGES = 3
    """From the front: a MessagePack array of [address, payload], numbered."""
    ASIDE = 4
    """From the front: an array of `Quarantined`, numbered."""
    ON_DISK = 5
    """From the back: what had this number is on disk."""
    REVOKED = 6
    """From the back: names whose certificates let nobody in any more."""
    ENTERED = 8
    """Both ways: `[client identifier, device]` of one that signed in at another front."""
    COUNTS = 7
    """From the front, every second: `Told`."""


_KINDS: Final = frozenset(Kind)


class Hello(msgspec.Struct, frozen=True):
    """`papers` is whatever the one who starts a front wants it to know."""

    revoked: tuple[str, ...] = ()
    papers: dict[str, str] = {}


class Noted(msgspec.Struct, frozen=True, array_like=True):
    """One refusal, for the page: as `mqtt.limits.Refusal`."""

    at_us: int
    code: str
    detail: str
    peer: str
    client_id: str


class Told(msgspec.Struct, frozen=True):
    """What a front did since it started, and who it refused since it told last."""

    connected: int = 0
    accepted: int = 0
    messages: int = 0
    pauses: int = 0
    refused: dict[str, int] = {}
    newest: list[Noted] = []


def frame(kind: Kind, number: int, body: bytes = b"") -> bytes:
    return _HEAD.pack(len(body), kind, number) + body


class Frames:
    """Bytes as they come, frames as they are whole."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[tuple[Kind, int, bytes]]:
        """(kind, number, body) of each frame that is whole by now: each is given once, whatever
        becomes of it. Raises RelayError.
        """
        self._data += data
        found: list[tuple[Kind, int, bytes]] = []
        at = 0
        while len(self._data) - at >= _HEAD.size:
            length, kind, number = _HEAD.unpack_from(self._data, at)
            if length > _MOST or kind not in _KINDS:
                raise RelayError(f"a frame of kind {kind} and {length} bytes")
            end = at + _HEAD.size + length
            if end > len(self._data):
                break
            found.append((Kind(kind), number, bytes(self._data[at + _HEAD.size : end])))
            at = end
        if at:
            del self._data[:at]
        return found

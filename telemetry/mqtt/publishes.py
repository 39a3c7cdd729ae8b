"""The hot path: a run of plain PUBLISH packets out of one buffer, about half a microsecond each.

Plain means QoS 0 or 1, a topic met before on this connection, no properties, whole in the buffer.
Everything else is left to `decoding`, one packet at a time, so that the rules stand there once.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from struct import error as StructError  # noqa: N812 -- it is a class
from typing import Final

from telemetry.mqtt.packets import V5, V311

_PUBLISH_1: Final = 0x32
_NO_ID: Final = b"\0\0"


class Names(dict[bytes, str]):
    """Topics of one connection, as they came and as text.

    `admit` decides over one not met before: its text, or None where only the slow path can answer
    (not UTF-8, a wildcard, not allowed). Bounded: a sender that invents topics starts anew.
    """

    def __init__(self, admit: Callable[[bytes], str | None], most: int = 4096) -> None:
        super().__init__()
        self._admit = admit
        self._most = most

    def __missing__(self, raw: bytes) -> str:
        text = self._admit(raw)
        if text is None:
            raise KeyError(raw)
        if len(self) >= self._most:
            self.clear()
        self[raw] = text
        return text


class Shapes(dict[bytes, tuple[Callable[[bytes, int], tuple[bytes, bytes, object, bytes]], int]]):
    """What a packet's first five bytes say of the rest: how it is cut up, and its length.

    They hold its kind, its length and that of its topic, so packets of one shape are cut by one
    call. KeyError for what is not plain. Bounded: lengths of all sorts start anew.
    """

    def __init__(self, version: int, most: int = 4096) -> None:
        super().__init__()
        self._properties = "B" if version == V5 else "0s"
        self._most = most

    def __missing__(
        self, head: bytes
    ) -> tuple[Callable[[bytes, int], tuple[bytes, bytes, object, bytes]], int]:
        first, length, skip = head[0], head[1], 4
        if length > 0x7F:  # noqa: PLR2004 -- the continuation bit of 2.2.3
            if head[2] > 0x7F:  # noqa: PLR2004 -- as above; 16 KiB and more are not plain
                raise KeyError(head)
            length += (head[2] << 7) - 0x80
            skip = 5
        if first & 0xF6 == _PUBLISH_1:
            number = 2
        elif first & 0xFE == 0x30:  # noqa: PLR2004 -- QoS 0, retained or not
            number = 0
        else:
            raise KeyError(head)
        topic = int.from_bytes(head[skip - 2 : skip])
        payload = length - 2 - topic - number - (self._properties == "B")
        if payload < 0:
            raise KeyError(head)
        if len(self) >= self._most:
            self.clear()
        cut = Struct(f">{skip}x{topic}s{number}s{self._properties}{payload}s")
        shape = self[head] = (cut.unpack_from, cut.size)
        return shape


_SHAPES: Final = {V311: Shapes(V311), V5: Shapes(V5)}


def take_publishes(
    data: bytes,
    at: int,
    version: int,
    names: Names,
    messages: list[tuple[str, bytes]],
    numbers: list[bytes],
) -> int:
    """Appends (topic, payload) to `messages` and, of QoS 1, the two bytes of the packet identifier
    to `numbers`; returns where the first packet starts that is not plain or not whole.

    Never raises and never reads past a packet: `decoding` says what is wrong with what is left.
    """
    shapes = _SHAPES[version]
    take, number = messages.append, numbers.append
    try:
        while True:
            cut, length = shapes[data[at : at + 5]]
            topic, packet_id, properties, payload = cut(data, at)
            if properties or packet_id == _NO_ID:
                break
            take((names[topic], payload))
            if packet_id:
                number(packet_id)
            at += length
    except (IndexError, KeyError, StructError):
        pass
    return at

"""The hot path: a run of plain PUBLISH packets out of one buffer, about half a microsecond each.

Plain means QoS 0 or 1, a topic met before on this connection, no properties, whole in the buffer.
Everything else is left to `decoding`, one packet at a time, so that the rules stand there once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from telemetry.mqtt.packets import V5

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


def take_publishes(  # noqa: C901, PLR0912 -- a call a step would double its cost
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
    end = len(data)
    properties = version == V5
    take, number = messages.append, numbers.append
    try:
        while at < end:
            first = data[at]
            if first != _PUBLISH_1 and first & 0xF0 != 0x30:  # noqa: PLR2004 -- no PUBLISH
                break
            length = data[at + 1]
            body = at + 2
            if length > 0x7F:  # noqa: PLR2004 -- the continuation bit of 2.2.3
                more = data[body]
                if more > 0x7F:  # noqa: PLR2004 -- as above; 16 KiB and more are not plain
                    break
                length += (more << 7) - 0x80
                body += 1
            stop = body + length
            start = body + 2 + (data[body] << 8) + data[body + 1]
            if stop > end or start > stop:
                break
            topic = names[data[body + 2 : start]]
            if first == _PUBLISH_1 or first & 0xF6 == _PUBLISH_1:
                packet_id = data[start : start + 2]
                start += 2
                if properties:
                    if data[start]:
                        break
                    start += 1
                if start > stop or packet_id == _NO_ID:
                    break
                number(packet_id)
            elif first & 0xFE == 0x30:  # noqa: PLR2004 -- QoS 0, retained or not
                if properties:
                    if data[start]:
                        break
                    start += 1
                if start > stop:
                    break
            else:
                break
            take((topic, data[start:stop]))
            at = stop
    except (IndexError, KeyError):
        pass
    return at

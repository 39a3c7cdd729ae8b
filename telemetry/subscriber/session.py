"""One connection to a broker: deliveries to the durable path, PUBACK when they are on disk (I2).

Packets are read in place, all that one reading of the socket brought are taken as one group. A
group whose connection is gone by the time it is on disk is not acknowledged: the broker delivers it
again on the next one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final, cast

from telemetry.ports import DurablePath
from telemetry.segments.groups import Quarantined
from telemetry.subscriber import packets
from telemetry.subscriber.packets import BadPacketError, Welcome

_TOPICS: Final = 65_536
_LONG_TOPIC: Final = 256
"""Longer ones are read anew each time: whoever publishes may vary them as he likes."""
_QOS = 0x06
_QOS_2 = 0x04
_RETAIN = 0x01
_PUBACK: Final = b"\x40\x02"
_KEPT: Final = 256
"""Bytes that the quarantine gets of a packet that is too long."""


class Session(asyncio.Protocol):
    """`welcomed`, `granted` and `closed` are futures of the connection's three moments."""

    def __init__(
        self,
        intake: DurablePath,
        hello: bytes,
        *,
        version: int,
        most_bytes: int,
        counts: Counter[str],
        topics: dict[bytes, str],
        now_us: Callable[[], int],
    ) -> None:
        loop = asyncio.get_running_loop()
        self._intake = intake
        self._hello = hello
        self._version = version
        self._most_bytes = most_bytes
        self._counts = counts
        self._topics = topics
        self._now_us = now_us
        self._rest = b""
        self._skip = 0
        self._messages: list[tuple[str, bytes]] = []
        self._ids: list[bytes] = []
        self._stored_ids: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self.welcomed: asyncio.Future[Welcome] = loop.create_future()
        self.granted: asyncio.Future[list[int]] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.heard_at = loop.time()

    # -- the transport's calls ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.closed.done():
            if exc is None:
                self.closed.set_result(None)
            else:
                self.closed.set_exception(exc)

    def data_received(self, data: bytes) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        if self._skip:
            data = self._skip_on(data)
        if self._rest:
            data = self._rest + data
        try:
            used = self._read(data)
        except BadPacketError as error:
            self.fail(error)
            return
        self._rest = data[used:]
        if self._messages:
            self._hand_over()

    # -- out ---------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def fail(self, error: Exception) -> None:
        """Give the connection up; `closed` says why."""
        if not self.closed.done():
            self.closed.set_exception(error)
        self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # -- in ----------------------------------------------------------------------------------------

    def _read(self, data: bytes) -> int:  # noqa: C901, PLR0912 -- the hot loop: a call a packet costs more than the packet
        """Every whole packet; how many bytes that was. Raises BadPacketError."""
        at, end = 0, len(data)
        topics, messages, ids = self._topics, self._messages, self._ids
        v5 = self._version == packets.V5
        while end - at >= 2:  # noqa: PLR2004 -- the shortest packet
            head, length, start = data[at], data[at + 1], at + 2
            if length & 0x80:
                if end - at < 5 and all(byte & 0x80 for byte in data[at + 1 : end]):  # noqa: PLR2004 -- a length has four bytes at most
                    break
                length, start = packets.read_varint(data, at + 1)
            stop = start + length
            if stop > end:
                if length > self._most_bytes:
                    return self._too_large(data, at, start, stop)
                break
            if head & 0xF0 != packets.PUBLISH:
                self._control(head, data[start:stop])
                at = stop
                continue
            body = start + 2 + (data[start] << 8 | data[start + 1] if length > 1 else stop)
            name = data[start + 2 : body]
            if head & _QOS:
                number, body = data[body : body + 2], body + 2
            else:
                number = b""
            if v5 and body < stop:
                if data[body]:
                    size, body = packets.read_varint(data, body)
                    body += size
                else:
                    body += 1
            if body > stop or head & _QOS_2:
                raise BadPacketError("the broker's PUBLISH is cut or of QoS 2")
            at = stop
            if head & _RETAIN:
                # Last week's value, told because we have just come: not a reading of now.
                self._counts["retained"] += 1
                self.send(_PUBACK + number if number else b"")
                continue
            topic = topics.get(name)
            messages.append((topic or self._topic(name), data[body:stop]))
            if number:
                ids.append(number)
        return at

    def _topic(self, name: bytes) -> str:
        try:
            topic = name.decode()
        except UnicodeDecodeError as error:
            raise BadPacketError("a topic of the broker is not UTF-8") from error
        if len(name) > _LONG_TOPIC:
            return topic
        if len(self._topics) >= _TOPICS:
            self._topics.clear()
        self._topics[name] = topic
        return topic

    def _hand_over(self) -> None:
        messages, ids = self._messages, self._ids
        self._messages, self._ids = [], []
        self._counts["taken"] += len(messages)

        self._intake.take(messages, self._now_us(), lambda: self._stored(ids))
        if self._intake.full and self._transport is not None:
            self._counts["pauses"] += 1
            self._transport.pause_reading()
            self._intake.when_room(self._go_on)

    def _stored(self, ids: list[bytes]) -> None:
        """A group is on disk. All groups of one sync are acknowledged by one write."""
        if self._transport is None:
            self._counts["unacknowledged"] += len(ids)
        elif ids:
            if not self._stored_ids:
                asyncio.get_running_loop().call_soon(self._acknowledge)
            self._stored_ids += ids

    def _acknowledge(self) -> None:
        ids, self._stored_ids = self._stored_ids, []
        if self._transport is None:
            self._counts["unacknowledged"] += len(ids)
            return
        self._counts["acknowledged"] += len(ids)
        self._transport.write(_PUBACK + _PUBACK.join(ids))

    def _go_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _control(self, head: int, body: bytes) -> None:
        match head & 0xF0:
            case packets.CONNACK:
                if not self.welcomed.done():
                    self.welcomed.set_result(packets.welcome(body, self._version))
            case packets.SUBACK:
                if not self.granted.done():
                    self.granted.set_result(packets.suback_codes(body, self._version))
            case packets.PINGRESP:
                pass
            case packets.DISCONNECT:
                code = body[0] if body else 0
                raise BadPacketError(f"the broker says goodbye with code {code:#x}")
            case _:
                raise BadPacketError(f"the broker sent a packet of kind {head >> 4}")

    def _too_large(self, data: bytes, at: int, start: int, stop: int) -> int:
        """A packet that must not be held: its beginning is set aside, the rest goes by. Not
        acknowledged it would come for ever.
        """
        if data[at] & 0xF0 != packets.PUBLISH:
            raise BadPacketError(f"the broker announces {stop - start} bytes")
        if len(data) < start + 2:
            return at
        body = start + 2 + (data[start] << 8 | data[start + 1])
        if len(data) < body + 2:
            return at
        topic = self._topic(data[start + 2 : body])
        number = b""
        if data[at] & _QOS:
            number, body = data[body : body + 2], body + 2
        self._counts["refused.too_large"] += 1
        self._skip = stop - len(data)
        kept = Quarantined(topic, data[body : body + _KEPT], "too_large", f"{stop - body} bytes")
        answer = _PUBACK + number if number else b""
        self._intake.set_aside([kept], self._now_us(), lambda: self.send(answer))
        return len(data)

    def _skip_on(self, data: bytes) -> bytes:
        gone = min(self._skip, len(data))
        self._skip -= gone
        return data[gone:]

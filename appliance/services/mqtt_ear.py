"""A connection to an MQTT broker that only listens: 3.1.1, clean session, QoS 0 and 1.

All packets that one reading of the socket brought are taken at once and in place. A general client
asks the system four times for each message; with a thousand vehicles that alone costs a third of a
core (`tallyman bench agv`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import structlog

from contracts.ports import BusMessage
from telemetry.subscriber import packets
from telemetry.subscriber.packets import BadPacketError

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

MOST_BYTES: Final = 16 << 20
"""A longer packet goes by unread and is counted: what a broker lets through must not fill memory."""
_QOS, _QOS_2, _RETAIN = 0x06, 0x04, 0x01
_PUBACK: Final = b"\x40\x02"
_GOODBYE: Final = b"\xe0\x00"
_REFUSED_FROM: Final = 0x80
_SILENCE_IN_KEEPALIVES: Final = 1.5
_SUBSCRIPTION: Final = 1


class ListeningError(Exception):
    """The broker refused the connection or a filter, spoke nonsense, or fell silent."""


@dataclass(frozen=True, slots=True)
class Line:
    """Where to listen, as whom, and how long to wait for an answer."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    keepalive_s: int = 15
    timeout_s: float = 3.0


async def listen(
    line: Line,
    filters: Sequence[str],
    *,
    qos: int,
    put: Callable[[BusMessage], None],
    live: Callable[[], None],
) -> None:
    """Give every message to `put` until the connection ends. live: called once subscribed.

    Raises ListeningError, OSError.
    """
    loop = asyncio.get_running_loop()
    ear = _Ear(put)
    try:
        async with asyncio.timeout(line.timeout_s):
            await loop.create_connection(lambda: ear, line.host, line.port, ssl=line.tls)
            ear.send(_connect(line))
            code = await ear.answer(ear.welcomed)
            if code:
                raise ListeningError(f"the broker refused the connection with code {code}")
            ear.send(_subscribe(filters, qos))
            granted = await ear.answer(ear.granted)
        if any(each >= _REFUSED_FROM for each in granted):
            # The broker's topic rules of this user: somebody must change them.
            _log.warning("mqtt_subscription_refused", client=line.client_id, filters=filters)
            raise ListeningError(f"subscription to {', '.join(filters)} refused")
        live()
        await _stay(ear, line.keepalive_s)
    except TimeoutError as error:
        raise ListeningError(f"no answer within {line.timeout_s:g} s") from error
    finally:
        ear.hang_up()


async def _stay(ear: _Ear, keepalive_s: int) -> None:
    """Ask now and then whether the broker is there, until the connection ends."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.wait({ear.closed}, timeout=keepalive_s / 2)
        if ear.closed.done():
            ear.closed.result()
            raise ListeningError("the broker closed the connection")
        if loop.time() - ear.heard_at > keepalive_s * _SILENCE_IN_KEEPALIVES:
            raise ListeningError("the broker fell silent")
        ear.send(packets.PINGREQ)


class _Ear(asyncio.Protocol):
    """Cuts the stream into packets. `welcomed`, `granted` and `closed` are its three moments."""

    def __init__(self, put: Callable[[BusMessage], None]) -> None:
        loop = asyncio.get_running_loop()
        self._put = put
        self._buffer = bytearray()
        self._skip = 0
        self._transport: asyncio.Transport | None = None
        self.welcomed: asyncio.Future[int] = loop.create_future()
        self.granted: asyncio.Future[list[int]] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.heard_at = loop.time()

    async def answer(self, moment: asyncio.Future[_T]) -> _T:
        """Raises ListeningError, OSError where the connection ends first."""
        either: set[asyncio.Future[Any]] = {moment, self.closed}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not moment.done():
            self.closed.result()
            raise ListeningError("the broker closed the connection")
        return moment.result()

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def hang_up(self) -> None:
        self.send(_GOODBYE)
        if self._transport is not None:
            self._transport.close()
        if self.closed.done() and not self.closed.cancelled():
            # Whoever waited has been told; nobody else will ask.
            self.closed.exception()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._end(exc)

    def data_received(self, data: bytes) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        gone = min(self._skip, len(data))
        self._skip -= gone
        self._buffer += data[gone:]
        try:
            with memoryview(self._buffer) as view:
                used = self._read(view)
        except BadPacketError as error:
            self._end(ListeningError(str(error)))
            self.hang_up()
            return
        del self._buffer[:used]

    def _end(self, error: Exception | None) -> None:
        if not self.closed.done():
            if error is None:
                self.closed.set_result(None)
            else:
                self.closed.set_exception(error)

    def _read(self, data: memoryview) -> int:
        """Every whole packet; how many bytes that was. Raises BadPacketError."""
        at, end = 0, len(data)
        acknowledged: list[bytes] = []
        while end - at >= 2:  # noqa: PLR2004 -- the shortest packet
            length, start = data[at + 1], at + 2
            if length & 0x80:
                head = bytes(data[at + 1 : at + 5])
                if len(head) < 4 and all(byte & 0x80 for byte in head):  # noqa: PLR2004 -- a length has four bytes at most
                    break
                length, taken = packets.read_varint(head, 0)
                start = at + 1 + taken
            stop = start + length
            if data[at] & 0xF0 == packets.PUBLISH:
                if stop > end and length <= MOST_BYTES:
                    break
                message = self._publish(data[at], data[start : min(stop, end)], length)
                if message is None:
                    break
                number, at = message, stop
                if number:
                    acknowledged.append(number)
            elif stop > end:
                break
            else:
                self._control(data[at], bytes(data[start:stop]))
                at = stop
        if acknowledged:
            self.send(_PUBACK + _PUBACK.join(acknowledged))
        self._skip = max(0, at - end)
        return min(at, end)

    def _publish(self, head: int, body: memoryview, length: int) -> bytes | None:
        """Hand one on; its packet number. None where too little of a too long one is here."""
        topic_end = 2 + int.from_bytes(body[:2], "big")
        payload = topic_end + (2 if head & _QOS else 0)
        if payload > length or head & _QOS_2:
            raise BadPacketError("the broker's PUBLISH is cut or of QoS 2")
        if payload > len(body):
            return None
        number = bytes(body[topic_end:payload])
        if length > MOST_BYTES:
            _log.warning("mqtt_message_too_long", bytes=length)
            return number
        try:
            topic = str(body[2:topic_end], "utf-8")
        except UnicodeDecodeError as error:
            raise BadPacketError("a topic of the broker is not UTF-8") from error
        qos = (head & _QOS) >> 1
        self._put(BusMessage(topic, bytes(body[payload:]), qos, bool(head & _RETAIN)))
        return number

    def _control(self, head: int, body: bytes) -> None:
        match head & 0xF0:
            case packets.CONNACK:
                if not self.welcomed.done():
                    self.welcomed.set_result(packets.welcome(body, packets.V311).code)
            case packets.SUBACK:
                if not self.granted.done():
                    self.granted.set_result(packets.suback_codes(body, packets.V311))
            case packets.PINGRESP:
                pass
            case _:
                raise BadPacketError(f"the broker sent a packet of kind {head >> 4}")


def _connect(line: Line) -> bytes:
    flags = 0x02
    tail = _text(line.client_id)
    if line.username is not None:
        flags |= 0x80
        tail += _text(line.username)
        if line.password is not None:
            flags |= 0x40
            tail += _text(line.password)
    head = _text("MQTT") + bytes((packets.V311, flags)) + line.keepalive_s.to_bytes(2, "big")
    return packets.packet(packets.CONNECT, head + tail)


def _subscribe(filters: Sequence[str], qos: int) -> bytes:
    body = _SUBSCRIPTION.to_bytes(2, "big")
    body += b"".join(_text(each) + bytes((qos,)) for each in filters)
    return packets.packet(packets.SUBSCRIBE, body)


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw

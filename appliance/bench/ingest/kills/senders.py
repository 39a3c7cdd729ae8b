"""Sensors that do not give up: what was not acknowledged is sent again, under its own number.

They keep the account of the campaign: which readings were acknowledged to them.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

from appliance.bench.ingest.kills.papers import payload
from appliance.services.address import LOOPBACK
from telemetry.coap.message import Code, Kind, MalformedError, Message, Option, decode, encode
from telemetry.mqtt.encoding import encode as encode_mqtt
from telemetry.mqtt.packets import V311, Connect, Publish

_WINDOW: Final = 64
_AGAIN_S: Final = 0.05
_ANSWER_S: Final = 2.0
_BACK_DAYS_MS: Final = 200 * 86_400_000


class Account:
    """One sensor's readings: a byte each, 1 where it was acknowledged."""

    def __init__(self, device: str, begin_ms: int) -> None:
        self.device = device
        self.acked = bytearray()
        self._begin_ms = begin_ms - _BACK_DAYS_MS

    def next(self) -> tuple[int, bytes]:
        """Another reading: its number and its payload. A second lies between two of a sensor."""
        number = len(self.acked)
        self.acked.append(0)
        return number, self.payload(number)

    def payload(self, number: int) -> bytes:
        return payload(number, self._begin_ms + 1000 * number)

    def open(self) -> list[int]:
        """Numbers that were sent and not acknowledged, oldest first."""
        newest = range(max(0, len(self.acked) - 4 * _WINDOW), len(self.acked))
        return [number for number in newest if not self.acked[number]]


class MqttSender:
    """QoS 1 with a window; another connection resends what is open."""

    def __init__(self, account: Account, port: int, *, user: str, password: str) -> None:
        self.account = account
        self._port, self._user, self._password = port, user, password
        self.pausing = False
        """Nothing new is sent; what is open still is, again and again."""

    async def run(self, pause_s: float) -> None:
        """Until cancelled; `pause_s` between two readings."""
        while True:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._connected(pause_s)
            await asyncio.sleep(_AGAIN_S)

    async def _connected(self, pause_s: float) -> None:
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
        try:
            hello = Connect(
                client_id=self.account.device,
                version=V311,
                username=self._user,
                password=self._password.encode(),
            )
            writer.write(encode_mqtt(hello, V311))
            async with asyncio.timeout(_ANSWER_S):
                if (await reader.readexactly(4))[3]:
                    return
            flying: dict[int, int] = {}
            for number in self.account.open():
                self._send(writer, flying, number, self.account.payload(number))
            hearing = asyncio.create_task(self._hear(reader, flying))
            try:
                while not hearing.done():
                    if len(flying) < _WINDOW and not self.pausing:
                        self._send(writer, flying, *self.account.next())
                    await writer.drain()
                    await asyncio.sleep(pause_s)
            finally:
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)
        finally:
            writer.close()

    def _send(
        self, writer: asyncio.StreamWriter, flying: dict[int, int], number: int, body: bytes
    ) -> None:
        packet_id = number % 0xFFFF + 1
        flying[packet_id] = number
        topic = f"sensors/{self.account.device}/climate"
        packet = Publish(topic=topic, payload=body, qos=1, packet_id=packet_id)
        writer.write(encode_mqtt(packet, V311))

    async def _hear(self, reader: asyncio.StreamReader, flying: dict[int, int]) -> None:
        while True:
            head = await reader.readexactly(2)
            body = await reader.readexactly(head[1])
            if head[0] == 0x40:  # noqa: PLR2004 -- PUBACK
                number = flying.pop(int.from_bytes(body[:2], "big"), None)
                if number is not None:
                    self.account.acked[number] = 1


class CoapSender:
    """One confirmable POST at a time, repeated until it is answered (RFC 7252, 4.2)."""

    def __init__(self, account: Account, port: int) -> None:
        self.account = account
        self._port = port
        self.pausing = False

    async def run(self, pause_s: float) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((LOOPBACK, self._port))
            while True:
                if not self.pausing or self.account.open():
                    number = (self.account.open() or [-1])[0]
                    body = self.account.payload(number)
                    if number < 0:
                        number, body = self.account.next()
                    await self._post(loop, sock, number, body)
                await asyncio.sleep(pause_s)

    async def _post(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, number: int, body: bytes
    ) -> None:
        options = ((Option.URI_PATH, self.account.device.encode()),)
        message_id = number & 0xFFFF
        raw = encode(Message(Kind.CON, Code.POST, message_id, b"", options, body))
        with suppress(OSError, TimeoutError, MalformedError):
            await loop.sock_sendall(sock, raw)
            async with asyncio.timeout(_ANSWER_S / 4):
                while True:
                    answer = decode(await loop.sock_recv(sock, 4096))
                    if (answer.kind, answer.message_id) == (Kind.ACK, message_id):
                        if answer.code == Code.CHANGED:
                            self.account.acked[number] = 1
                        return

"""A subscriber that does nothing but count and acknowledge: the most that a broker gives anybody.

Says "ready", then "seen N" when N messages were acknowledged.

    python -m appliance.bench.ingest.bare_subscriber mqtt://127.0.0.1:1883 WANTED
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast
from urllib.parse import urlsplit

import uvloop

from appliance.bench.ingest.stream import FILTER
from telemetry.subscriber import packets

_PUBLISH = 0x30
_CONNACK, _SUBACK = 0x20, 0x90
_MOST_UNACKNOWLEDGED = 16_384


class Bare(asyncio.Protocol):
    """Knows QoS 1 publishes and what its own two questions are answered with."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._seen = 0
        self._half = b""
        self._transport: asyncio.Transport | None = None
        self.gone = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(
            packets.connect(
                5,
                "bare",
                keep_alive_s=0,
                receive_maximum=_MOST_UNACKNOWLEDGED,
                most_bytes=1 << 20,
                username=None,
                password=None,
            )
        )

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        self.gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Whole packets are read where they lie; acknowledgements leave in one write."""
        assert self._transport is not None  # noqa: S101 -- connected
        data = self._half + data
        at, end = 0, len(data)
        answers = []
        while end - at >= 4:  # noqa: PLR2004 -- head, length of at most two bytes here
            head, length, body = data[at], data[at + 1], at + 2
            if length & 0x80:
                length, body = (length & 0x7F) | data[at + 2] << 7, at + 3
            if body + length > end:
                break
            if head & 0xF0 == _PUBLISH:
                topic = data[body] << 8 | data[body + 1]
                answers.append(b"\x40\x02" + data[body + 2 + topic : body + 4 + topic])
            elif head == _CONNACK:
                self._transport.write(packets.subscribe(5, 1, (FILTER,)))
            elif head == _SUBACK:
                print("ready", flush=True)  # noqa: T201 -- what its parent waits for
            at = body + length
        self._half = data[at:]
        if answers:
            self._transport.write(b"".join(answers))
            self._seen += len(answers)
            if self._seen >= self._wanted:
                print(f"seen {self._wanted}", flush=True)  # noqa: T201 -- as above
                self._wanted *= 2


async def receive(url: str, wanted: int) -> None:
    """Until it is ended."""
    at = urlsplit(url)
    _, bare = await asyncio.get_running_loop().create_connection(
        lambda: Bare(wanted), at.hostname or "127.0.0.1", at.port or 1883
    )
    await bare.gone


if __name__ == "__main__":
    uvloop.run(receive(sys.argv[1], int(sys.argv[2])))

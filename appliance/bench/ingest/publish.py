"""One publisher that sends so many readings at QoS 1 and waits for their acknowledgements."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from appliance.bench.ingest.load_packets import Packets
from appliance.bench.ingest.stream import SENSORS
from contracts.errors import UnavailableError
from telemetry.mqtt.encoding import encode
from telemetry.mqtt.packets import Connect

_VERSION = 5
_ROWS = 2 * SENSORS
_PUBACK = 4
_CONNACK_MOST = 256
_RECEIVE = 1 << 16
_SILENT_S = 60.0
_FIRST, _FRESH = 1_000_000_000, 8_000_000_000


class Publisher:
    """Sends the bench's stream over one connection; sequences go on from call to call."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._socket = socket.create_connection((at.hostname or "127.0.0.1", at.port or 1883))
        self._socket.settimeout(_SILENT_S)
        # A publisher that comes anew repeats no sequence: its readings would be duplicates.
        fresh = _FIRST + int(time.time() * 1000) % _FRESH
        self._packets = Packets(range(SENSORS), _ROWS, _VERSION, first_sequence=fresh)
        self._socket.sendall(encode(Connect("bench-publisher"), _VERSION))
        if not self._socket.recv(_CONNACK_MOST):
            raise UnavailableError(f"{url} does not let the publisher in", mend="Read its log")

    def send(self, count: int) -> None:
        """`count` readings, a multiple of 2,000, acknowledged when it returns. The next batch leaves
        when half of the one before is acknowledged. Raises UnavailableError, OSError.
        """
        sent = acked = 0
        while acked < count * _PUBACK:
            while sent < count and sent * _PUBACK - acked <= _ROWS * _PUBACK // 2:
                self._socket.sendall(self._packets.batch(time.time_ns() // 1_000_000))
                sent += _ROWS
            data = self._socket.recv(_RECEIVE)
            if not data:
                raise UnavailableError("The broker closed the connection", mend="Read its log")
            acked += len(data)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def publisher(url: str) -> Iterator[Publisher]:
    """A publisher until the block ends."""
    made = Publisher(url)
    try:
        yield made
    finally:
        made.close()


def publish(url: str, count: int) -> None:
    """As `Publisher.send`, over a connection of its own."""
    with publisher(url) as made:
        made.send(count)

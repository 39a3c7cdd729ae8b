"""A generator of CoAP readings: confirmable POSTs from many endpoints, so many on their way at once."""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass

from contracts.errors import UnavailableError
from telemetry.coap.message import Code, Kind, Message, Option, encode

SOCKETS = 64
"""Endpoints: a message identifier counts for one endpoint for four minutes (RFC 7252, 4.8.2)."""
_ACK_MOST = 1_500
_AGAIN_S = 2.0
_GRACE_S = 5.0
_TOKEN = b"\x01"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back within the time."""

    answered: int
    seconds: float
    repeated: int

    @property
    def per_s(self) -> float:
        return self.answered / self.seconds


def post(host: str, port: int, *, seconds: float, window: int) -> Answered:
    """Send for `seconds`, `window` requests of each endpoint unanswered at most; one that is not
    answered in two seconds is sent again. Raises UnavailableError where nothing is answered.
    """
    lines = [_Line(host, port, number) for number in range(SOCKETS)]
    answered = repeated = 0
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        began = time.perf_counter()
        stop, last = began + seconds, began
        while (now := time.perf_counter()) < stop:
            for line in lines:
                line.fill(window)
            for key, _ in selector.select(0.01):
                got = key.data.hear()
                answered += got
                last = now if got else last
            if now - last > _AGAIN_S:
                repeated += sum(line.again() for line in lines)
                last = now
            if now - began > _GRACE_S and not answered:
                raise UnavailableError("No request is answered", mend="Is the server up?")
        took = time.perf_counter() - began
    for line in lines:
        line.socket.close()
    return Answered(answered, took, repeated)


class _Line:
    """One endpoint with its own message identifiers."""

    def __init__(self, host: str, port: int, number: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect((host, port))
        self._waiting: dict[int, bytes] = {}
        self._next = 0
        self._sequence = 1_000_000_000 * (1 + number % 8)
        self._device = f"cold-{number:04d}"
        path = [
            (int(Option.URI_PATH), part.encode()) for part in ("sensors", self._device, "reading")
        ]
        options = (*path, (int(Option.CONTENT_FORMAT), b"\x32"))
        marked = Message(Kind.CON, Code.POST, 0, _TOKEN, options, b"P")
        self._head = encode(marked)[4:-1]

    def fill(self, window: int) -> None:
        """Until `window` requests wait for their answer."""
        while len(self._waiting) < window:
            self._next = (self._next + 1) & 0xFFFF
            self._sequence += 1
            text = (
                f'{{"device":"{self._device}","seq":{self._sequence},"time":{time.time_ns() // 1_000_000},'
                '"temperature":4.03,"humidity":61.2,"battery":3.6,"firmware":"1.4","rssi":-74}'
            )
            packet = b"".join(
                (b"\x41\x02", self._next.to_bytes(2, "big"), self._head, text.encode())
            )
            if not self._send(packet):
                return
            self._waiting[self._next] = packet

    def hear(self) -> int:
        """How many of what waited was answered."""
        before = len(self._waiting)
        while True:
            try:
                data = self.socket.recv(_ACK_MOST)
            except BlockingIOError:
                return before - len(self._waiting)
            if data[0] & 0x30 == 0x20:  # noqa: PLR2004 -- an acknowledgement
                self._waiting.pop(int.from_bytes(data[2:4], "big"), None)

    def again(self) -> int:
        """Send what waits once more."""
        return sum(self._send(packet) for packet in self._waiting.values())

    def _send(self, packet: bytes) -> bool:
        try:
            self.socket.send(packet)
        except BlockingIOError:
            return False
        return True

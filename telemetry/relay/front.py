"""The front's end: a durable path that is another process.

Messages of all connections that the loop read in one round leave as one frame. They count as held
until the back says that they are on disk; beyond `most_bytes` the endpoint stops reading.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, cast

import msgspec

from telemetry.relay.frames import Frames, Hello, Kind, RelayError, Told, frame
from telemetry.segments.groups import Message, Quarantined, encode_items

_log = logging.getLogger(__name__)

MOST_BYTES: Final = 8 << 20
_MANY_BYTES: Final = 256 << 10
"""So much is handed over at once, whether or not the loop has more."""
_OVERHEAD: Final = 64
_hello: Final = msgspec.msgpack.Decoder(Hello).decode
_names: Final = msgspec.msgpack.Decoder(list[str]).decode
_entered: Final = msgspec.msgpack.Decoder(tuple[str, str]).decode


class RemotePath(asyncio.Protocol):
    """Implements telemetry.ports.DurablePath. Belongs to the loop that connected it."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self.revoked: frozenset[str] = frozenset()
        self.lost = asyncio.Event()
        """The back is gone: nothing will ever be acknowledged, so this process has to end."""
        self.problem: Exception | None = None
        self.on_elsewhere: Callable[[str, str], None] | None = None
        """Told the client identifier and the device of each that signs in at another front."""
        self.idle = asyncio.Event()
        """All that was taken is on disk."""
        self.idle.set()
        self.greeted: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._most = most_bytes
        self._frames = Frames()
        self._messages: list[Message] = []
        self._callbacks: list[Callable[[], None]] = []
        self._size = 0
        self._planned = False
        self._number = 0
        self._under_way: dict[int, tuple[int, list[Callable[[], None]]]] = {}
        """By number: bytes, and whom to call."""
        self._held = 0
        self._waiting: list[Callable[[], None]] = []

    # What the endpoint calls

    @property
    def full(self) -> bool:
        return self._held + self._size >= self._most

    def when_room(self, callback: Callable[[], None]) -> None:
        if self.full:
            self._waiting.append(callback)
        else:
            self._loop.call_soon(callback)

    def take(
        self, messages: Sequence[Message], received_us: int, on_disk: Callable[[], None]
    ) -> None:
        """`received_us` is the back's to say: one clock for all fronts."""
        del received_us
        self.idle.clear()
        self._messages += messages
        self._callbacks.append(on_disk)
        self._size += sum(len(payload) for _, payload in messages) + _OVERHEAD * len(messages)
        if self._size >= _MANY_BYTES:
            self._hand_over()
        elif not self._planned:
            self._planned = True
            self._loop.call_soon(self._hand_over)

    def set_aside(
        self, items: Sequence[Quarantined], received_us: int, on_disk: Callable[[], None]
    ) -> None:
        del received_us
        self._hand_over()
        body = encode_items(items)
        self._send(Kind.ASIDE, body, len(body), [on_disk])

    # What its process calls

    def open(self, pid: int) -> None:
        """The doors are open."""
        self._transport.write(frame(Kind.OPEN, pid))

    def entered(self, client_id: str, device: str) -> None:
        """To all other fronts: a session has one connection."""
        self._transport.write(frame(Kind.ENTERED, 0, msgspec.msgpack.encode((client_id, device))))

    def tell(self, told: Told) -> None:
        self._transport.write(frame(Kind.COUNTS, 0, msgspec.msgpack.encode(told)))

    def close(self) -> None:
        """Everything taken is on its way; what is not on disk by now stays unacknowledged."""
        self._hand_over()
        self._transport.close()

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            for kind, number, body in self._frames.feed(data):
                self._hear(kind, number, body)
        except (RelayError, msgspec.MsgspecError) as error:
            self.problem = error
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.problem = self.problem or exc
        self.lost.set()
        if not self.greeted.done():
            self.greeted.set_exception(ConnectionResetError("it closed without a greeting"))

    # Inside

    def _hear(self, kind: Kind, number: int, body: bytes) -> None:
        match kind:
            case Kind.ON_DISK:
                self._on_disk(number)
            case Kind.ENTERED:
                if self.on_elsewhere is not None:
                    self.on_elsewhere(*_entered(body))
            case Kind.REVOKED:
                self.revoked = frozenset(_names(body))
            case Kind.HELLO:
                hello = _hello(body)
                self.revoked = frozenset(hello.revoked)
                if not self.greeted.done():
                    self.greeted.set_result(hello)
            case _:
                raise RelayError(f"the back says {kind.name}")

    def _hand_over(self) -> None:
        self._planned = False
        if not self._messages:
            return
        messages, self._messages = self._messages, []
        callbacks, self._callbacks = self._callbacks, []
        size, self._size = self._size, 0
        self._send(Kind.MESSAGES, encode_items(messages), size, callbacks)

    def _send(
        self, kind: Kind, body: bytes, size: int, callbacks: list[Callable[[], None]]
    ) -> None:
        self.idle.clear()
        self._number += 1
        self._under_way[self._number] = (size, callbacks)
        self._held += size
        if not self._transport.is_closing():
            self._transport.write(frame(kind, self._number, body))

    def _on_disk(self, number: int) -> None:
        size, callbacks = self._under_way.pop(number)
        self._held -= size
        for callback in callbacks:
            try:
                callback()
            except Exception:  # noqa: BLE001 -- one fault must not stop the others
                _log.exception("A connection failed while it acknowledged")
        if not (self._messages or self._under_way):
            self.idle.set()
        if self._waiting and 2 * (self._held + self._size) <= self._most:
            waiting, self._waiting = self._waiting, []
            for callback in waiting:
                callback()

"""TLS before MQTT: how many may be at it at once, for how long, and why one did not come about.

The loop's own TLS servers let any number of strangers begin a handshake and tell nobody of it. Here
each is counted from its accept on, and one that fails or takes too long has a reason.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

_BACKLOG: Final = 4096
_AT_ONCE: Final = 64
_AGAIN_S: Final = 1.0
_NO_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Notes(Protocol):
    """Who counts what did not come about: peer, code (`refused.<code>`), detail."""

    def __call__(self, peer: str, code: str, detail: str) -> None: ...


class Handshakes:
    """Those that are going on at all TLS doors of an endpoint."""

    def __init__(self, most: int, within_s: float, note: Notes) -> None:
        self._most, self._within_s, self._note = most, within_s, note
        self._going: set[asyncio.Task[None]] = set()
        self._doors: list[socket.socket] = []

    def __len__(self) -> int:
        return len(self._going)

    async def listen(
        self,
        host: str,
        port: int,
        tls: ssl.SSLContext,
        then: Callable[[], asyncio.Protocol],
        *,
        shared: bool = False,
    ) -> int:
        """What `then` makes gets each connection that speaks TLS; the port. `shared`: with other
        processes. Raises OSError.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        doors: list[socket.socket] = []
        try:
            for family, _, _, _, address in dict.fromkeys(found):
                door = socket.create_server(
                    address[:2], family=family, backlog=_BACKLOG, reuse_port=shared
                )
                door.setblocking(False)
                doors.append(door)
        except OSError:
            for door in doors:
                door.close()
            raise
        for door in doors:
            loop.add_reader(door, self._accept, door, tls, then)
        self._doors += doors
        bound: int = doors[0].getsockname()[1]
        return bound

    def close(self) -> None:
        """No more connections; handshakes that are going on end."""
        for door in self._doors:
            asyncio.get_running_loop().remove_reader(door)
            door.close()
        self._doors.clear()
        for task in self._going:
            task.cancel()

    def _accept(
        self, door: socket.socket, tls: ssl.SSLContext, then: Callable[[], asyncio.Protocol]
    ) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, address = door.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_FILES:
                    raise
                self._wait(door, tls, then, str(error))
                return
            peer = f"{address[0]}:{address[1]}"
            if len(self._going) >= self._most:
                connection.close()
                self._note(peer, "too_many_handshakes", f"{len(self._going)} are going on")
                continue
            connection.setblocking(False)
            task = asyncio.get_running_loop().create_task(self._shake(connection, peer, tls, then))
            self._going.add(task)
            task.add_done_callback(self._going.discard)

    def _wait(
        self,
        door: socket.socket,
        tls: ssl.SSLContext,
        then: Callable[[], asyncio.Protocol],
        why: str,
    ) -> None:
        """The system has no file for one more, and says so again and again: ask it later."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(door)
        self._note("", "too_many_connections", why)

        def again() -> None:
            if door in self._doors:
                loop.add_reader(door, partial(self._accept, door, tls, then))

        loop.call_later(_AGAIN_S, again)

    async def _shake(
        self,
        connection: socket.socket,
        peer: str,
        tls: ssl.SSLContext,
        then: Callable[[], asyncio.Protocol],
    ) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                then, connection, ssl=tls, ssl_handshake_timeout=self._within_s
            )
        except (OSError, TimeoutError) as error:
            self._note(peer, *_why(error, self._within_s))


def _why(error: OSError, within_s: float) -> tuple[str, str]:
    """Code and detail."""
    text = str(error) or type(error).__name__
    slow = isinstance(error, TimeoutError) or "is taking longer than" in text
    if slow and not isinstance(error, ssl.SSLError):
        return "tls_timeout", f"not done within {within_s:.0f} s"
    return "tls_failed", text[:200]

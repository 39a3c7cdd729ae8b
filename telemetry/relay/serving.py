"""The life of a front: greeted, open, telling what it does, gone with the back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from contracts.errors import UnavailableError
from telemetry.mqtt.endpoint import Endpoint
from telemetry.relay.back import Relay
from telemetry.relay.frames import Hello, Noted, Told
from telemetry.relay.front import RemotePath

_GREETED_S: Final = 10.0
_TELL_S: Final = 1.0
_LAST_S: Final = 2.0

Opens = Callable[[Hello, RemotePath], Awaitable[Endpoint]]
"""Opens the doors of a front before the durable path that it is given."""


@contextmanager
def reached(socket: Path) -> Iterator[str]:
    """A name of a Unix socket that is short enough wherever its folder lies: 108 bytes are all that
    the system takes. Raises OSError.
    """
    folder = os.open(socket.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{socket.name}"
    finally:
        os.close(folder)


async def listen(relay: Relay, socket: Path) -> asyncio.Server:
    """Fronts may come to `socket`: whoever may write into its folder. Raises OSError."""
    before = os.umask(0o177)
    try:
        with reached(socket) as name:
            with suppress(FileNotFoundError):
                os.unlink(name)  # noqa: PTH108 -- of whoever was killed; one name, no waiting
            return await asyncio.get_running_loop().create_unix_server(relay.protocol, name)
    finally:
        os.umask(before)


async def run_front(socket: Path, opens: Opens, stop: asyncio.Event) -> None:
    """Until `stop`, or until the back is gone: without it nothing can be acknowledged.

    Raises UnavailableError where the back does not greet or ends, and what `opens` raises.
    """
    path = RemotePath()
    try:
        with reached(socket) as name:
            await asyncio.get_running_loop().create_unix_connection(lambda: path, name)
        hello = await asyncio.wait_for(path.greeted, _GREETED_S)
    except (OSError, TimeoutError) as error:
        raise UnavailableError(
            f"The gateway does not answer at {socket}: {error!r}", mend="It starts its endpoints"
        ) from error
    endpoint = await opens(hello, path)
    endpoint.on_enter, path.on_elsewhere = path.entered, endpoint.came_elsewhere
    path.open(os.getpid())
    telling = asyncio.create_task(_tell(endpoint, path))
    ends = [asyncio.create_task(each.wait()) for each in (stop, path.lost)]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (telling, *ends):
            task.cancel()
        await endpoint.stop()
    if path.lost.is_set():
        raise UnavailableError(f"The gateway is gone: {path.problem or 'it closed'}")
    with suppress(TimeoutError):
        await asyncio.wait_for(path.idle.wait(), _LAST_S)
    path.tell(_told(endpoint))
    path.close()


async def _tell(endpoint: Endpoint, path: RemotePath) -> None:
    while True:
        endpoint.turn_away(path.revoked)
        path.tell(_told(endpoint))
        await asyncio.sleep(_TELL_S)


def _told(endpoint: Endpoint) -> Told:
    counts = endpoint.counts
    newest = [
        Noted(each.at_us, each.code, each.detail, each.peer, each.client_id)
        for each in counts.newest
    ]
    counts.newest.clear()
    return Told(
        connected=endpoint.connected,
        accepted=counts.accepted,
        messages=counts.messages,
        pauses=counts.pauses,
        refused=dict(counts.refused),
        newest=newest,
    )

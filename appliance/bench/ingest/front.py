"""An endpoint process of the bench's receiver: MQTT and TLS, before the durable path (ADR 0030).

python -m appliance.bench.ingest.front SOCKET
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import uvloop

from appliance.bench.ingest.site import server_context
from telemetry.ingest.tuning import prepare_process
from telemetry.mqtt.endpoint import Endpoint
from telemetry.ports import Admission, Caller, DurablePath
from telemetry.relay.frames import Hello
from telemetry.relay.front import RemotePath
from telemetry.relay.serving import run_front


class Anybody:
    """A doorman who lets everybody in."""

    async def admit(self, caller: Caller) -> Admission:
        return Admission(caller.common_name or caller.client_id, ("sensors/#",))


async def opened(
    path: DurablePath, papers: Mapping[str, str], *, shared: bool
) -> tuple[Endpoint, int, int]:
    """(endpoint, port, port with TLS or 0). `papers`: `mqtt` and `mqtts`, the ports; and where there
    is TLS `certificate`, `key` and `ca`, files.
    """
    endpoint = Endpoint(path, Anybody())
    plain = await endpoint.listen("127.0.0.1", int(papers.get("mqtt", "0")), shared=shared)
    secure = 0
    if "certificate" in papers:
        context = server_context(*(Path(papers[each]) for each in ("certificate", "key", "ca")))
        port = int(papers.get("mqtts", "0"))
        secure = await endpoint.listen("127.0.0.1", port, context, shared=shared)
    return endpoint, plain, secure


async def _opens(hello: Hello, path: RemotePath) -> Endpoint:
    endpoint, _, _ = await opened(path, hello.papers, shared=True)
    prepare_process()
    return endpoint


async def _run(socket: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run_front(socket, _opens, stop)


if __name__ == "__main__":
    uvloop.run(_run(Path(sys.argv[1])))

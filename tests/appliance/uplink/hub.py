"""A hub's device port for tests: the real routes over a core, served with TLS by real uvicorn.

Also a program, `python hub.py FOLDER PORT`, with the real core, to be killed.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from appliance import problems
from appliance.evidence import EvidenceStore
from appliance.identity import api
from appliance.identity.device import DeviceIdentity
from appliance.identity.registry import DeviceRegistry
from appliance.identity.site_ca import SiteCa
from appliance.uplink import intake
from appliance.uplink.ports import AppliesEntries, OnApplied
from contracts.asn import Expectations
from contracts.clock import Clock, SystemClock
from contracts.errors import JournalBrokenError, JournalError
from contracts.events import EventBody, JournalEntry
from erp_link.service.core import Applied, Core


class MemoryCore:
    """Keeps what was applied, in order; as strict about order and forks as the real one."""

    def __init__(self) -> None:
        self.entries: dict[str, list[JournalEntry]] = {}
        self.known = Expectations()
        self.aside: list[tuple[int, str]] = []

    def apply(self, entry: JournalEntry, body: EventBody) -> Applied:
        log = self.entries.setdefault(entry.device, [])
        if entry.seq <= len(log):
            if log[entry.seq - 1].hash != entry.hash:
                raise JournalBrokenError("a fork", seq=entry.seq)
            return Applied(duplicate=True)
        if entry.seq != len(log) + 1:
            raise JournalError("a gap", expected=len(log) + 1)
        log.append(entry)
        return Applied(duplicate=False)

    def set_aside(self, entry: JournalEntry, why: str) -> Applied:
        self.aside.append((entry.seq, why))
        self.entries.setdefault(entry.device, []).append(entry)
        return Applied(duplicate=False)

    def device_head(self, device: str) -> tuple[int, str]:
        log = self.entries.get(device, [])
        return (len(log), log[-1].hash) if log else (0, "")

    def expectations(self, station: str | None = None) -> Expectations:
        return self.known


@dataclass(frozen=True)
class Hub:
    """Everything of a hub but its web server."""

    core: AppliesEntries
    ca: SiteCa
    registry: DeviceRegistry
    evidence: EvidenceStore
    app: FastAPI

    def enrol(self, identity: DeviceIdentity) -> None:
        """As enrolling over the wire does, in one step."""
        token = self.registry.new_claim(identity.device)
        identity.keep(self.registry.claim(identity.device, token, identity.csr_pem()))


def build(
    folder: Path,
    core: AppliesEntries,
    *,
    clock: Clock | None = None,
    on_applied: OnApplied | None = None,
) -> Hub:
    clock = clock or SystemClock()
    ca = SiteCa.open_or_create(folder / "ca", clock=clock)
    registry = DeviceRegistry(folder / "devices.db", ca, clock)
    evidence = EvidenceStore(folder / "evidence")
    app = FastAPI()
    problems.install(app)
    app.include_router(api.router(registry, ca, clock=clock))
    app.include_router(
        intake.router(
            core, registry=registry, evidence=evidence, ca=ca, clock=clock, on_applied=on_applied
        )
    )
    return Hub(core, ca, registry, evidence, app)


@contextmanager
def serving(hub: Hub, port: int = 0) -> Iterator[str]:
    """The hub's device port on loopback; gives its URL."""
    files = hub.ca.device_port_files()
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(
        uvicorn.Config(
            hub.app,
            ssl_certfile=str(files.certificate),
            ssl_keyfile=str(files.key),
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )

    async def serve() -> None:
        await server.serve(sockets=[listener])
        # An idle client answers no TLS goodbye: a process would just end here.
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        for _ in range(5):
            await asyncio.sleep(0)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def main(folder: Path, port: int) -> None:
    core = Core(f"sqlite:///{folder / 'core.db'}", clock=SystemClock())
    hub = build(folder, core)
    files = hub.ca.device_port_files()
    uvicorn.run(
        hub.app,
        host="127.0.0.1",
        port=port,
        ssl_certfile=str(files.certificate),
        ssl_keyfile=str(files.key),
        log_level="warning",
        lifespan="off",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

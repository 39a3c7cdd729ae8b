"""A hub's registry and a device with a clock that is moved by hand, and the device port in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fastapi import FastAPI

from appliance import problems
from appliance.identity import api
from appliance.identity.device import DeviceIdentity
from appliance.identity.registry import DeviceRegistry
from appliance.identity.requests import sign_request
from appliance.identity.site_ca import SiteCa
from appliance.journal.stamp import to_us
from contracts.clock import FixedClock

SERIAL = "BOX-0042"


@dataclass
class Site:
    """A hub's side of identity."""

    folder: Path
    clock: FixedClock
    ca: SiteCa
    registry: DeviceRegistry
    app: FastAPI = field(default_factory=FastAPI)

    def box(self, name: str = "dock-1", *, serial: str = SERIAL, place: str = "") -> DeviceIdentity:
        folder = self.folder / (place or name)
        return DeviceIdentity.open_or_create(folder, name, serial=serial)

    def enrolled(self, name: str = "dock-1", *, serial: str = SERIAL) -> DeviceIdentity:
        box = self.box(name, serial=serial)
        token = self.registry.new_claim(name)
        box.keep(self.registry.claim(name, token, box.csr_pem()))
        return box

    async def ask(
        self, box: DeviceIdentity, method: str, path: str, body: bytes = b"", *, late_us: int = 0
    ) -> httpx.Response:
        """One request that `box` signs, over no network."""
        headers = sign_request(
            box.sign,
            device=box.device,
            method=method,
            target=path,
            body=body,
            at_us=to_us(self.clock.now()) - late_us,
        )
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
            return await http.request(method, path, content=body, headers=headers)


@contextmanager
def open_site(folder: Path, clock: FixedClock) -> Iterator[Site]:
    """A hub with its registry and its device port."""
    ca = SiteCa.open_or_create(folder / "ca", clock=clock)
    registry = DeviceRegistry(folder / "devices.db", ca, clock)
    site = Site(folder, clock, ca, registry)
    problems.install(site.app)
    site.app.include_router(api.router(registry, ca, clock=clock))
    yield site
    registry.close()

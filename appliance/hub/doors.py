"""Where devices come in: the device port, and beside it the door for those without a certificate.

Who may come in is judged on every request by its signature (docs/adr/0003). A site that sets
`hub.device_mtls` has TLS ask for the device's certificate as well; a new device, or one whose
certificate ran out, then comes by the door, which serves nothing but `/device/v1/ca`, `claim` and
`recover`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from appliance import problems
from appliance.accounts.session import AccountFacts
from appliance.config import host_port
from appliance.hub_config import HubConfig
from appliance.identity import api
from appliance.identity.registry import DeviceRegistry
from appliance.identity.site_ca import SiteCa
from appliance.quick import Handler, Quick
from appliance.serving import Serving, Tls
from contracts.clock import Clock

_LOOK_EVERY_S = 6 * 3600.0


class DevicePort:
    """Collect routes, then `serve`. Every route but the door's must pass a DeviceGate."""

    def __init__(
        self,
        hub: HubConfig,
        registry: DeviceRegistry,
        ca: SiteCa,
        clock: Clock,
        account_facts: Callable[[], AccountFacts] = AccountFacts,
    ) -> None:
        self._hub = hub
        self._ca = ca
        self._quick: dict[str, Handler] = {}
        door_port = host_port(hub.door_listen, "hub.door_listen")[1] if hub.device_mtls else 0
        self.app = _app("Tallyman device port")
        self.door = _app("Tallyman device door")
        self.door.include_router(api.door(registry, ca, clock=clock))
        self.add(
            api.router(registry, ca, clock=clock, account_facts=account_facts, door_port=door_port)
        )

    def add(self, *routers: APIRouter) -> None:
        for each in routers:
            self.app.include_router(each)

    def quick(self, path: str, handler: Handler) -> None:
        """Answer GETs of `path` before the routes are looked through."""
        self._quick[path] = handler

    @property
    def asgi(self) -> ASGIApp:
        """What is served."""
        return Quick(self.app, self._quick)

    def serve(self, serving: Serving) -> None:
        """Raises BadInputError for an address that cannot be."""
        files = self._ca.device_port_files()
        clients = self._ca.device_ca_file if self._hub.device_mtls else None
        serving.http(
            self.asgi,
            self._hub.device_listen,
            where="hub.device_listen",
            tls=Tls(files.certificate, files.key, clients),
        )
        if self._hub.device_mtls:
            serving.http(
                self.door,
                self._hub.door_listen,
                where="hub.door_listen",
                tls=Tls(files.certificate, files.key),
            )
        serving.side_job("device port's certificate", lambda: self._keep_valid(serving))

    async def _keep_valid(self, serving: Serving) -> None:
        """A hub may run for years: its certificate is renewed in time and shown without a restart."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            await asyncio.to_thread(self._ca.device_port_files)
            serving.show_certificates()


def _app(title: str) -> FastAPI:
    app = FastAPI(title=title, docs_url=None, redoc_url=None)
    problems.install(app)
    return app

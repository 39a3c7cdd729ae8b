"""The hub's fleet view: what the bridge hears and the core books, kept for the pages."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from agv_bridge.bridge.bridge import AgvBridge
from appliance.config import Config
from appliance.fleet.desk import JourneyDesk
from appliance.fleet.notebook import Notebook
from appliance.fleet.watch import FleetWatch
from appliance.hub.moves import CoreMoves
from appliance.layout import Layout
from appliance.services.mqtt import MqttBus, broker_trust
from appliance.serving import Serving
from appliance.web.fleet import fleet_router
from appliance.web.ports import Gate
from contracts.clock import Clock
from contracts.ports import LiveView
from contracts.stock import TransportProgress
from erp_link.service.core import Core
from erp_link.service.missions.desk import Missions


class NotedMoves(CoreMoves):
    """The core's moves, each told to the fleet view once the core has it."""

    def __init__(
        self, core: Core, live: LiveView, told: Callable[[TransportProgress], None]
    ) -> None:
        super().__init__(core, live)
        self._told = told

    async def transport_progress(self, progress: TransportProgress) -> None:
        await super().transport_progress(progress)
        self._told(progress)


@dataclass(frozen=True, slots=True)
class HubFleet:
    """Broker, bridge and view; the first three None where the hub has no broker."""

    bus: MqttBus | None
    bridge: AgvBridge | None
    watch: FleetWatch | None
    notebook: Notebook

    def wake(self) -> None:
        """A transport order was just asked for."""
        if self.bridge is not None:
            self.bridge.wake()

    def serve(self, serving: Serving) -> None:
        """The bridge's work, and the view's beside it."""
        if self.bridge is not None and self.watch is not None:
            serving.job("AGV bridge", self.bridge.run)
            serving.side_job("fleet view", self.watch.run)


@asynccontextmanager
async def open_fleet(
    config: Config, layout: Layout, core: Core, live: LiveView, clock: Clock
) -> AsyncIterator[HubFleet]:
    """Open until the end; never waits for the broker."""
    notebook = await asyncio.to_thread(Notebook, layout.hub / "fleet.db")
    try:
        if not config.broker.url:
            yield HubFleet(None, None, None, notebook)
            return
        # Nobody can throw it out by signing in with a name that cannot be guessed.
        name = f"tallyman-hub-{secrets.token_hex(6)}"
        trust = broker_trust(config.broker.authority)
        async with MqttBus(config.broker.url, client_id=name, tls_context=trust) as bus:
            watch = FleetWatch(bus, notebook, clock=clock, given=layout.hub / "places.csv")
            moves = NotedMoves(core, live, watch.told)
            bridge = AgvBridge(bus, moves, clock=clock, heard=watch.heard)
            watch.follow(bridge)
            yield HubFleet(bus, bridge, watch, notebook)
    finally:
        await asyncio.to_thread(notebook.close)


def add_fleet_pages(app: FastAPI, core: Core, fleet: HubFleet, gate: Gate, *, clock: Clock) -> None:
    """The pages below /fleet."""
    desk = JourneyDesk(core, fleet.notebook)
    pages = fleet_router(fleet.watch, desk, Missions(core), gate, wake=fleet.wake, clock=clock)
    app.include_router(pages)

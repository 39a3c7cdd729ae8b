"""The hub's fleet view: what the bridge hears and the core books, kept for the pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from appliance.fleet.desk import JourneyDesk
from appliance.fleet.notebook import Notebook
from appliance.fleet.watch import FleetWatch
from appliance.hub.moves import CoreMoves
from appliance.layout import Layout
from appliance.web.fleet import fleet_router
from appliance.web.ports import Gate
from contracts.clock import Clock
from contracts.ports import LiveView, MessageBus
from contracts.stock import TransportProgress
from erp_link.service.core import Core
from erp_link.service.missions.journeys import Journeys


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
    """watch: None where the hub has no broker."""

    watch: FleetWatch | None
    notebook: Notebook

    @property
    def run(self) -> Callable[[], Awaitable[None]] | None:
        """The work beside the bridge."""
        return self.watch.run if self.watch is not None else None


@contextmanager
def open_fleet(layout: Layout, bus: MessageBus | None, clock: Clock) -> Iterator[HubFleet]:
    """The view's memory, open until the end."""
    notebook = Notebook(layout.hub / "fleet.db")
    try:
        watch = FleetWatch(bus, notebook, clock=clock) if bus is not None else None
        yield HubFleet(watch, notebook)
    finally:
        notebook.close()


def add_fleet_pages(app: FastAPI, core: Core, fleet: HubFleet, gate: Gate, *, clock: Clock) -> None:
    """The pages below /fleet."""
    desk = JourneyDesk(Journeys(core), fleet.notebook)
    app.include_router(fleet_router(fleet.watch, desk, gate, clock=clock))

"""The hub's pages of sensors' readings: charts over the gateway's history and the live view."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from urllib.parse import quote

from fastapi import FastAPI

from appliance.config import Config
from appliance.fences.office import FenceOffice
from appliance.hub.sensors import SensorDocuments
from appliance.live.readings import ReadingsLine
from appliance.sensors.store import SensorStore
from appliance.web.charts.data import sensor_data_router
from appliance.web.charts.gateway import Gateway, SeriesCard
from appliance.web.charts.limits import Limit, limits_of
from appliance.web.charts.pages import DeviceCard, charts_router
from appliance.web.gateway.pages import gateway_router
from appliance.web.ports import Gate
from appliance.web.sensors import sensors_router
from contracts.clock import Clock
from contracts.telemetry import SeriesKey
from erp_link.service.core import Core
from erp_link.service.excursions.whereabouts import Whereabouts


def add_sensor_pages(
    app: FastAPI,
    config: Config,
    gate: Gate,
    *,
    clock: Clock,
    store: SensorStore,
    core: Core,
    fences: FenceOffice,
) -> Callable[[], Awaitable[None]]:
    """To be called behind every other page below /sensors. Answers what closes the connections."""
    gateway = Gateway(config.hub.gateway_url)
    line = ReadingsLine(config.live.url) if config.live.url else None
    app.include_router(sensors_router(store, gateway, gate, lambda: _places(core)))
    app.include_router(gateway_router(gateway, gate))
    app.include_router(sensor_data_router(gateway, line, gate, clock=clock))
    documents = SensorDocuments(core, fences, store)
    app.include_router(
        charts_router(
            gateway,
            gate,
            book=lambda name: _card(store, name),
            limits=lambda cards: _limits(documents, cards),
        )
    )

    async def close() -> None:
        async with AsyncExitStack() as closing:
            closing.push_async_callback(gateway.close)
            if line is not None:
                closing.push_async_callback(line.close)

    return close


def _limits(
    documents: SensorDocuments, cards: Sequence[SeriesCard]
) -> Mapping[SeriesKey, Sequence[Limit]]:
    active = [each.active for each in documents.fences.stories()]
    fences = [version.fence for version in active if version is not None]
    return limits_of(cards, fences, documents.whereabouts()) if fences and cards else {}


def _card(store: SensorStore, name: str) -> DeviceCard | None:
    found = store.book().find(name)
    if found is None:
        return None
    return DeviceCard(
        found.id, found.name, found.place, found.template, f"/sensors/book/{quote(found.id)}"
    )


def _places(core: Core) -> list[str]:
    """Locations and zones that a sensor may stand in, for the form to offer."""
    zones = Whereabouts(core).zones()
    return sorted({place for place in (*zones, *zones.values()) if place and place[0] != "@"})

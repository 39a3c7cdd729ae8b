"""The hub's pages of fences and alarms, over the fence office, the gateway's history and the core."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from fastapi import FastAPI

from appliance.config import Config
from appliance.fences.office import FenceOffice
from appliance.hub.sensors import places_of
from appliance.sensors.store import SensorStore
from appliance.web.alarms import alarms_router
from appliance.web.fences import fences_router
from appliance.web.fences.trials import GatewayTrials
from appliance.web.ports import Gate
from erp_link.service.core import Core
from erp_link.service.excursions.alarms import Alarms
from erp_link.service.excursions.whereabouts import Whereabouts

_MOST_NAMES = 2_000


class SiteNames:
    """Implements appliance.web.fences.ports.Names over the core's locations and the sensor book."""

    def __init__(self, core: Core, sensors: SensorStore) -> None:
        self._core, self._sensors = core, sensors

    def names(self) -> Mapping[str, Sequence[str]]:
        zones = Whereabouts(self._core).zones()
        devices = [each for each in self._sensors.book().device if not each.retired]
        places = {*zones, *(each.place for each in devices)}
        return {
            "zone": sorted({*zones.values()} - {""}),
            "place": sorted(places - {""})[:_MOST_NAMES],
            "device": sorted(each.id for each in devices)[:_MOST_NAMES],
        }


def add_fence_pages(
    app: FastAPI,
    config: Config,
    core: Core,
    office: FenceOffice,
    gate: Gate,
    *,
    sensors: SensorStore,
    silent: Callable[[str], datetime | None],
) -> Callable[[], Awaitable[None]]:
    """Answers what closes the connection to the gateway."""
    trials = GatewayTrials(config.hub.gateway_url, core, lambda: places_of(sensors.book()))
    app.include_router(fences_router(office, trials, gate, SiteNames(core, sensors)))
    app.include_router(alarms_router(Alarms(core), gate, silent))
    return trials.close

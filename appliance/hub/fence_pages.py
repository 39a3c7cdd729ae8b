"""The hub's pages of fences and alarms, over the fence office, the gateway's history and the core."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI

from appliance.config import Config
from appliance.fences.office import FenceOffice
from appliance.web.alarms import alarms_router
from appliance.web.fences import fences_router
from appliance.web.fences.trials import GatewayTrials
from appliance.web.ports import Gate
from erp_link.service.core import Core
from erp_link.service.excursions.alarms import Alarms


def add_fence_pages(
    app: FastAPI, config: Config, core: Core, office: FenceOffice, gate: Gate
) -> Callable[[], Awaitable[None]]:
    """Answers what closes the connection to the gateway."""
    trials = GatewayTrials(config.hub.gateway_url, core)
    app.include_router(fences_router(office, trials, gate))
    app.include_router(alarms_router(Alarms(core), gate))
    return trials.close

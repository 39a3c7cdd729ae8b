"""The fleet's pages: the map with its list, one vehicle, journeys and one journey's time line."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from appliance.web.fleet.asking import add_asking_routes
from appliance.web.fleet.board import add_board_routes
from appliance.web.fleet.journeys import add_journey_routes
from appliance.web.fleet.ports import Asking, Desk, Sight
from appliance.web.fleet.vehicle import add_vehicle_routes
from appliance.web.ports import Gate
from contracts.clock import Clock

__all__ = ["fleet_router"]


def fleet_router(
    sight: Sight | None,
    desk: Desk,
    asking: Asking,
    gate: Gate,
    *,
    wake: Callable[[], None],
    clock: Clock,
) -> APIRouter:
    """/fleet and what lies below it. sight None: this hub has no broker; the pages say so."""
    router = APIRouter(include_in_schema=False)
    add_board_routes(router, sight, gate, clock)
    add_journey_routes(router, sight, desk, gate)
    add_asking_routes(router, sight, desk, asking, gate, wake)
    add_vehicle_routes(router, sight, desk, gate)
    return router

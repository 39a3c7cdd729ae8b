"""/fleet/vehicles/MANUFACTURER/SERIAL: one vehicle, what it says of itself and what it did lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from agv_bridge.fleet.board import FleetRow
from agv_bridge.vda5050.messages import State
from appliance.web.app import pages_of
from appliance.web.fleet.ports import Desk, Sight
from appliance.web.fleet.words import BADGES, STEP_BADGES, journey_url, vehicle_url
from appliance.web.ports import Gate
from contracts.errors import NotFoundError

_JOURNEYS: Final = 20


def add_vehicle_routes(router: APIRouter, sight: Sight | None, desk: Desk, gate: Gate) -> None:
    """One vehicle's page."""

    @router.get("/fleet/vehicles/{manufacturer}/{serial}")
    async def one(request: Request, manufacturer: str, serial: str) -> Response:
        viewer = await gate.require(request)
        name = f"{manufacturer}/{serial}"
        rows: Sequence[FleetRow] = sight.rows() if sight is not None else ()
        row = next((each for each in rows if each.name == name), None)
        lately = await run_in_threadpool(lambda: desk.of_vehicle(name, most=_JOURNEYS))
        if row is None and not lately:
            raise NotFoundError(
                f"No vehicle {name} was heard of",
                mend="Look it up in the fleet; a vehicle is known once it is connected",
                vehicle=name,
            )
        state = sight.board.state(name) if sight is not None else None
        factsheet = sight.board.factsheet(name) if sight is not None else None
        missions = sight.missions() if sight is not None else ()
        return pages_of(request).render(
            request,
            "fleet_vehicle.html",
            name=name,
            row=row,
            state=state,
            handles=_actions(state),
            factsheet=factsheet,
            mission=next((each for each in missions if each.vehicle == name), None),
            lately=lately,
            badges=BADGES,
            step_badges=STEP_BADGES,
            vehicle_url=vehicle_url,
            journey_url=journey_url,
            viewer=viewer,
        )


def _actions(state: State | None) -> list[tuple[str, str]]:
    """Actions of the order under way, with their status as the vehicle says it."""
    if state is None or not state.is_working:
        return []
    return [
        (each.action_type or each.action_id, each.action_status) for each in state.action_states
    ]

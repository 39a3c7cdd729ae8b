"""/fleet/journeys: what became of each load that was to be brought somewhere, and one whole story."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.web.app import pages_of
from appliance.web.fleet.ports import Desk, Sight
from appliance.web.fleet.words import STEP_BADGES, WORKERS, journey_url, reason_of, vehicle_url
from appliance.web.listing import ON_A_PAGE, query_of, turn_of
from appliance.web.ports import Gate
from contracts.errors import TallymanError
from contracts.stock import TransportState

_UNDER_WAY: Final = (TransportState.SENT, TransportState.ACCEPTED, TransportState.PICKED)
STATES: Final = {
    "all": (),
    "waiting": (TransportState.REQUESTED,),
    "under_way": _UNDER_WAY,
    "failed": (TransportState.FAILED,),
    "done": (TransportState.DROPPED,),
    "cancelled": (TransportState.CANCELLED,),
}


def add_journey_routes(router: APIRouter, sight: Sight | None, desk: Desk, gate: Gate) -> None:
    """The list and one journey."""

    @router.get("/fleet/journeys")
    async def listed(request: Request) -> Response:
        viewer = await gate.require(request)
        query, turn = query_of(request), turn_of(request)
        shown = request.query_params.get("show", "")
        shown = shown if shown in STATES else "all"
        window = await run_in_threadpool(
            lambda: desk.listed(query, states=STATES[shown], skip=turn.skip, most=ON_A_PAGE)
        )
        return pages_of(request).render(
            request,
            "fleet_journeys.html",
            rows=window.rows,
            found=window.found,
            total=window.total,
            shows=tuple(STATES),
            shown=shown,
            turn=turn,
            last=turn.pages(window.found),
            step_badges=STEP_BADGES,
            vehicle_url=vehicle_url,
            journey_url=journey_url,
            q=query,
            viewer=viewer,
        )

    @router.get("/fleet/journeys/{order_id:path}")
    async def one(request: Request, order_id: str) -> Response:
        return await show_journey(request, sight, desk, gate, order_id)


async def show_journey(
    request: Request,
    sight: Sight | None,
    desk: Desk,
    gate: Gate,
    order_id: str,
    *,
    error: TallymanError | None = None,
) -> Response:
    """One journey's page; error: why something that was asked of it was not done."""
    viewer = await gate.require(request)
    view = await run_in_threadpool(desk.one, order_id)
    missions = sight.missions() if sight is not None else ()
    return pages_of(request).render(
        request,
        "fleet_journey.html",
        status_code=409 if error else 200,
        view=view,
        journey=view.journey,
        now_at=next((each for each in missions if each.order_id == order_id), None),
        may_call_off=viewer.may(*WORKERS)
        and view.facts.stop is None
        and view.journey.state in (TransportState.REQUESTED, *_UNDER_WAY),
        error=error,
        step_badges=STEP_BADGES,
        reason_of=reason_of,
        vehicle_url=vehicle_url,
        journey_url=journey_url,
        viewer=viewer,
    )

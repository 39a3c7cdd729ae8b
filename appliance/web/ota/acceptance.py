"""/ota/acceptance: a new set beside the old one on this site's frames, disagreements with pictures,
and the decision to go live; and one box beside the others.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.web.app import pages_of
from appliance.web.listing import turn_of
from appliance.web.ota.ports import Acceptance, Fleet, Rollouts
from appliance.web.ota.words import RUNNERS, STATE_BADGES
from appliance.web.ports import Gate

PAGE: Final = 24
_COMES: Final = frozenset({"shadow", "staging", "paused", "running"})


def add_acceptance_routes(
    router: APIRouter, fleet: Fleet, rollouts: Rollouts, acceptance: Acceptance, gate: Gate
) -> None:
    """What is being accepted, and one candidate side by side."""

    @router.get("/ota/acceptance")
    async def listed(request: Request) -> Response:
        viewer = await gate.require(request)
        rows = [row for row in await run_in_threadpool(rollouts.listed) if row.state in _COMES]
        boxes = {box.device: box for box in await run_in_threadpool(fleet.boxes)}
        return pages_of(request).render(
            request,
            "ota_acceptance.html",
            rows=[
                (row, await run_in_threadpool(acceptance.sides, row.rollout, row.candidate))
                for row in rows
            ],
            figures=await run_in_threadpool(acceptance.boxes),
            boxes=boxes,
            names=await run_in_threadpool(fleet.names),
            state_badges=STATE_BADGES,
            may_run=viewer.may(*RUNNERS),
            viewer=viewer,
        )

    @router.get("/ota/acceptance/{rollout}")
    async def one(request: Request, rollout: str) -> Response:
        viewer = await gate.require(request)
        page = await run_in_threadpool(rollouts.one, rollout)
        turn, asked = turn_of(request), request.query_params
        device, said, stood = asked.get("box", ""), asked.get("said", ""), asked.get("stood", "")
        found, rows = await run_in_threadpool(
            lambda: acceptance.disagreements(
                rollout,
                device=device,
                said=said,
                stood=stood,
                skip=(turn.page - 1) * PAGE,
                most=PAGE,
            )
        )
        return pages_of(request).render(
            request,
            "ota_accept.html",
            page=page,
            row=page.row,
            sides=await run_in_threadpool(acceptance.sides, rollout, page.row.candidate),
            rows=rows,
            found=found,
            device=device,
            said=said,
            stood=stood,
            turn=turn,
            last=max(1, -(-found // PAGE)),
            names=await run_in_threadpool(fleet.names),
            state_badges=STATE_BADGES,
            may_run=viewer.may(*RUNNERS),
            viewer=viewer,
        )

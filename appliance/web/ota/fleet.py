"""/ota: who runs what, what differs from what should run, and the stop for the whole fleet."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.listing import matching, query_of, turn_of
from appliance.web.ota import board
from appliance.web.ota.forms import why_of
from appliance.web.ota.ports import Fleet, Rollouts
from appliance.web.ota.words import BADGES, RUNNERS, STATE_BADGES
from appliance.web.ports import Gate
from contracts.errors import TallymanError

PAGE: Final = 100
_OVER: Final = frozenset({"done", "returned", "stopped", "cancelled", "draft"})


def add_fleet_routes(router: APIRouter, fleet: Fleet, rollouts: Rollouts, gate: Gate) -> None:
    """GET /ota, POST /ota/stop and /ota/clear-stop."""

    async def page(request: Request, *, error: TallymanError | None = None) -> Response:
        viewer = await gate.require(request)
        query, turn = query_of(request), turn_of(request)
        asked = request.query_params
        cell, site, shown = asked.get("cell", ""), asked.get("site", ""), asked.get("show", "")
        shown = shown if shown in board.SHOWS else board.SHOWS[0]
        boxes = list(await run_in_threadpool(fleet.boxes))
        names = await run_in_threadpool(fleet.names)
        here = [b for b in boxes if cell in ("", b.cell) and site in ("", b.site)]
        found = matching(here, query, lambda box: board.words_of(box, names))
        counts = board.counts(found)
        found = sorted((b for b in found if board.fits(b, shown)), key=board.urgency)
        part = found[turn.skip : turn.skip + PAGE]
        under_way = await run_in_threadpool(rollouts.listed)
        return pages_of(request).render(
            request,
            "ota_fleet.html",
            status_code=422 if error else 200,
            rows=[(box, board.condition(box), board.is_moving(box)) for box in part],
            found=len(found),
            total=len(boxes),
            counts=counts,
            shows=board.SHOWS,
            shown=shown,
            lanes=board.shares(here),
            cells=board.cells(boxes),
            sites=board.sites(boxes),
            cell=cell,
            site_name=site,
            names=names,
            open_rollouts=[row for row in under_way if row.state not in _OVER],
            stopped=await run_in_threadpool(fleet.stopped),
            turn=turn,
            last=turn.pages(len(found)),
            badges=BADGES,
            state_badges=STATE_BADGES,
            may_run=viewer.may(*RUNNERS),
            error=error,
            q=query,
            viewer=viewer,
        )

    @router.get("/ota")
    async def listed(request: Request) -> Response:
        return await page(request)

    @router.post("/ota/stop")
    async def stop(request: Request) -> Response:
        viewer = await gate.require(request, *RUNNERS)
        await gate.verify(request)
        why = await why_of(request)
        await run_in_threadpool(lambda: fleet.stop(by=viewer.name, why=why))
        return RedirectResponse("/ota", status_code=303)

    @router.post("/ota/clear-stop")
    async def clear(request: Request) -> Response:
        viewer = await gate.require(request, *RUNNERS)
        await gate.verify(request)
        why = await why_of(request)
        await run_in_threadpool(lambda: fleet.clear_stop(by=viewer.name, why=why))
        return RedirectResponse("/ota", status_code=303)

"""/ota/boxes/DEVICE: one box's story: what it runs and ran, its updates, troubles, certificate."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.ota.console.moments import moment
from appliance.web.app import pages_of
from appliance.web.ota import board
from appliance.web.ota.forms import typed, why_of
from appliance.web.ota.ports import Fleet
from appliance.web.ota.words import BADGES, RUNNERS
from appliance.web.ports import Gate
from contracts.errors import BadInputError, ConflictError, ForbiddenError, TallymanError

_SAID = (BadInputError, ConflictError, ForbiddenError)


def add_box_routes(router: APIRouter, fleet: Fleet, gate: Gate) -> None:
    """One box's page and its commands."""

    async def show(
        request: Request, device: str, *, error: TallymanError | None = None
    ) -> Response:
        viewer = await gate.require(request)
        page = await run_in_threadpool(fleet.box, device)
        return pages_of(request).render(
            request,
            "ota_box.html",
            status_code=409 if error else 200,
            page=page,
            box=page.row,
            word=board.condition(page.row),
            moving=board.is_moving(page.row),
            names=await run_in_threadpool(fleet.names),
            stopped=await run_in_threadpool(fleet.stopped),
            badges=BADGES,
            moment=moment,
            may_run=viewer.may(*RUNNERS),
            error=error,
            viewer=viewer,
        )

    @router.get("/ota/boxes/{device}")
    async def one(request: Request, device: str) -> Response:
        return await show(request, device)

    @router.post("/ota/boxes/{device}/place")
    async def place(request: Request, device: str) -> Response:
        viewer = await gate.require(request, *RUNNERS)
        await gate.verify(request)
        form = await typed(request)
        try:
            await run_in_threadpool(
                lambda: fleet.place(
                    device, cell=form.get("cell", ""), site=form.get("site", ""), by=viewer.name
                )
            )
        except _SAID as error:
            return await show(request, device, error=error)
        return RedirectResponse(f"/ota/boxes/{device}", status_code=303)

    @router.post("/ota/boxes/{device}/lock-out")
    async def lock_out(request: Request, device: str) -> Response:
        viewer = await gate.require(request, *RUNNERS)
        await gate.verify(request)
        try:
            why = await why_of(request)
            await run_in_threadpool(lambda: fleet.lock_out(device, by=viewer.name, why=why))
        except _SAID as error:
            return await show(request, device, error=error)
        return RedirectResponse(f"/ota/boxes/{device}", status_code=303)

    @router.post("/ota/boxes/{device}/readmit")
    async def readmit(request: Request, device: str) -> Response:
        viewer = await gate.require(request, *RUNNERS)
        await gate.verify(request)
        try:
            why = await why_of(request)
            await run_in_threadpool(lambda: fleet.readmit(device, by=viewer.name, why=why))
        except _SAID as error:
            return await show(request, device, error=error)
        return RedirectResponse(f"/ota/boxes/{device}", status_code=303)

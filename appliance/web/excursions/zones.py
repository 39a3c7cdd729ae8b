"""Which places a sensor of a zone speaks for."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.excursions.ports import ZoneDesk
from appliance.web.goods.fields import text
from appliance.web.ports import Gate
from contracts.errors import BadInputError

NAMERS = ("ops", "quality")
_HERE = "/excursions/zones"


def add_to(router: APIRouter, places: ZoneDesk, gate: Gate) -> None:
    """/excursions/zones."""

    async def page(
        request: Request, error: BadInputError | None, typed: Mapping[str, str]
    ) -> Response:
        viewer = await gate.require(request)
        known = await run_in_threadpool(places.zones)
        together: dict[str, list[str]] = {}
        for place, zone in known.items():
            together.setdefault(zone, []).append(place)
        return pages_of(request).render(
            request,
            "excursion_zones.html",
            status_code=422 if error else 200,
            zones=sorted(together.items()),
            may_name=viewer.may(*NAMERS),
            error=error,
            typed=typed,
            viewer=viewer,
        )

    @router.get(_HERE, include_in_schema=False)
    async def show(request: Request) -> Response:
        return await page(request, None, {"zone": "", "places": ""})

    @router.post(_HERE, include_in_schema=False)
    async def keep(request: Request) -> Response:
        viewer = await gate.require(request, *NAMERS)
        await gate.verify(request)
        form = await request.form()
        codes = text(form, "places").replace(",", " ").split()
        zone = text(form, "zone")
        try:
            await run_in_threadpool(lambda: places.name_zone(zone, codes, by=viewer.name))
        except BadInputError as error:
            # What was typed stays: one code of a hundred is to be mended.
            return await page(request, error, {"zone": zone, "places": text(form, "places")})
        return RedirectResponse(_HERE, status_code=303)

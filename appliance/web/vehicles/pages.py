"""/fleet/vehicles: let a vehicle in, shut one out, see what was refused.

A password is shown in the answer that made it, and never again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.vehicles.acl import acl_text, password_lines
from appliance.vehicles.office import Enrolment
from appliance.vehicles.registry import Enrolled, Kind
from appliance.web.app import pages_of
from appliance.web.goods.fields import text
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate, Viewer
from appliance.web.vehicles.board import SHOWS, Row, fits, rows_of, strangers
from appliance.web.vehicles.ports import Access
from contracts.errors import BadInputError, ConflictError, NotFoundError, TallymanError

KEEPERS: Final = ("ops", "integrator")
HOME: Final = "/fleet/vehicles"
_REFUSALS = (BadInputError, ConflictError)
_BLANK: Final = {"kind": "vehicle", "name": "", "note": "", "interfaces": ""}
_ROWS: Final = 200
_REFUSED: Final = 20


def vehicles_router(access: Access, gate: Gate) -> APIRouter:
    """The page and its commands."""
    router = APIRouter(include_in_schema=False)
    page = _Page(access, gate)
    _add_commands(router, page)

    @router.get(HOME)
    async def listed(request: Request) -> Response:
        return await page.show(request, await gate.require(request))

    @router.get(f"{HOME}/site-ca.pem")
    async def authority(request: Request) -> Response:
        """What a vehicle trusts the broker by; no secret."""
        await gate.require(request)
        return _file(access.authority_pem, "site-ca.pem", "application/x-pem-file")

    @router.get(f"{HOME}/mosquitto.acl")
    async def acl(request: Request) -> Response:
        await gate.require(request, *KEEPERS)
        return _file(acl_text(await page.enrolled()), "mosquitto.acl", "text/plain")

    @router.get(f"{HOME}/mosquitto.passwords")
    async def passwords(request: Request) -> Response:
        await gate.require(request, *KEEPERS)
        lines = password_lines(await page.enrolled())
        return _file(lines, "mosquitto.passwords", "text/plain")

    return router


@dataclass(frozen=True, slots=True)
class _Page:
    access: Access
    gate: Gate

    async def enrolled(self) -> list[Enrolled]:
        return list(await run_in_threadpool(self.access.office.enrolled))

    async def keeper(self, request: Request) -> tuple[Viewer, FormData]:
        """Who writes, and what. Raises NotSignedInError, ForbiddenError."""
        viewer = await self.gate.require(request, *KEEPERS)
        await self.gate.verify(request)
        return viewer, await request.form()

    async def show(
        self,
        request: Request,
        viewer: Viewer,
        *,
        made: Enrolment | None = None,
        fields: FormData | None = None,
        error: TallymanError | None = None,
    ) -> Response:
        access, office = self.access, self.access.office
        enrolled, seen = await self.enrolled(), access.seen()
        address = await run_in_threadpool(office.address)
        rows = rows_of(enrolled, seen)
        query, shown = query_of(request), request.query_params.get("show", "")
        shown = shown if shown in SHOWS else SHOWS[0]
        found = [row for row in matching(rows, query, lambda row: row.text) if fits(row, shown)]
        return pages_of(request).render(
            request,
            "vehicles.html",
            status_code=422 if error is not None else 200,
            rows=found[:_ROWS],
            found=len(found),
            total=len(rows),
            counts={name: _count(rows, name) for name in SHOWS},
            shows=SHOWS,
            shown=shown,
            q=query,
            strangers=strangers(enrolled, seen)[:_REFUSED],
            refused=(await run_in_threadpool(office.refused))[:_REFUSED],
            turned_away=access.turned_away()[:_REFUSED],
            address=address,
            stale=address is not None and not await run_in_threadpool(office.is_in_force),
            access=access,
            made=made,
            fields=_BLANK | {key: str(value) for key, value in (fields or {}).items()},
            error=error,
            may_keep=viewer.may(*KEEPERS),
            viewer=viewer,
        )


def _add_commands(router: APIRouter, page: _Page) -> None:
    office = page.access.office

    @router.post(HOME)
    async def enrol(request: Request) -> Response:
        viewer, form = await page.keeper(request)
        kind: Kind = "station" if text(form, "kind") == "station" else "vehicle"
        try:
            made = await office.enrol(
                kind,
                text(form, "name"),
                by=viewer.name,
                interfaces=tuple(text(form, "interfaces").replace(",", " ").split()),
                note=text(form, "note"),
            )
        except _REFUSALS as error:
            return await page.show(request, viewer, fields=form, error=error)
        return await page.show(request, viewer, made=made)

    @router.post(f"{HOME}/password")
    async def another(request: Request) -> Response:
        """A new password for one who is enrolled; connections under the old one end."""
        viewer, form = await page.keeper(request)
        name = text(form, "name")
        known = next((one for one in await page.enrolled() if one.name == name), None)
        if known is None:
            raise NotFoundError(f"{name[:120]!r} is not enrolled", mend="Choose one from the list")
        made = await office.enrol(
            known.kind, name, by=viewer.name, interfaces=known.interfaces, note=known.note
        )
        return await page.show(request, viewer, made=made)

    @router.post(f"{HOME}/revoke")
    async def revoke(request: Request) -> Response:
        viewer, form = await page.keeper(request)
        try:
            await office.revoke(text(form, "name"), by=viewer.name, why=text(form, "why"))
        except _REFUSALS as error:
            return await page.show(request, viewer, error=error)
        return RedirectResponse(HOME, status_code=303)

    @router.post(f"{HOME}/apply")
    async def apply(request: Request) -> Response:
        await page.keeper(request)
        await office.apply()
        return RedirectResponse(HOME, status_code=303)


def _count(rows: list[Row], shown: str) -> int:
    return sum(fits(row, shown) for row in rows)


def _file(body: str, name: str, kind: str) -> Response:
    return Response(
        body,
        media_type=kind,
        headers={
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
        },
    )

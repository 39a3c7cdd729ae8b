"""A batch's dossier on one printable page, and a delivery's claims pack as one file."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.claims.pack import pack, picture_names
from appliance.web.app import pages_of
from appliance.web.ports import Gate, PictureStore
from appliance.web.quality.ports import Desk
from contracts.stock import BatchKey

CLAIMANTS = ("quality", "operator", "ops", "integrator")


def add_to(router: APIRouter, gate: Gate, desk: Desk, pictures: PictureStore) -> None:
    """/batch/dossier and /receiving/{session}/claims.zip."""

    @router.get("/batch/dossier", include_in_schema=False)
    async def dossier(
        request: Request, supplier: str = "", gtin: str = "", lot: str = ""
    ) -> Response:
        viewer = await gate.require(request)
        found = await run_in_threadpool(desk.dossier, BatchKey(supplier, gtin, lot))
        return pages_of(request).render(request, "dossier.html", dossier=found, viewer=viewer)

    @router.get("/receiving/{session}/claims.zip", include_in_schema=False)
    async def claims(request: Request, session: str) -> Response:
        viewer = await gate.require(request, *CLAIMANTS)
        found = await run_in_threadpool(desk.claim, session)
        names = await run_in_threadpool(picture_names, found, pictures)
        page = pages_of(request).render(
            request, "claims_pack.html", claim=found, pictures=names, viewer=viewer
        )
        made = await run_in_threadpool(pack, found, pictures, page=bytes(page.body).decode())
        name = "".join(c if c.isascii() and c.isalnum() else "-" for c in found.report.asn)
        return Response(
            made.data,
            media_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="claims-{name}-{session}.zip"'},
        )

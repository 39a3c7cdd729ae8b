"""A batch's dossier on one printable page, and a delivery's claims pack as one file."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from appliance.claims.pack import pack, picture_names
from appliance.web.app import pages_of
from appliance.web.ports import Gate, PictureStore
from appliance.web.quality.ports import Desk
from contracts.stock import BatchKey

_IN_MEMORY = 8 * 1024 * 1024
_PART = 256 * 1024
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
        # A delivery with thousands of pictures goes to the disk, not into memory.
        file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 -- closed when it is sent
        text = bytes(page.body).decode()
        try:
            await run_in_threadpool(pack, found, pictures, page=text, out=file)
        except BaseException:
            file.close()
            raise
        size = file.tell()
        file.seek(0)
        name = "".join(c if c.isascii() and c.isalnum() else "-" for c in found.report.asn)
        return StreamingResponse(
            _parts(file),
            media_type="application/zip",
            headers={
                "Content-Disposition": f'attachment; filename="claims-{name}-{session}.zip"',
                "Content-Length": str(size),
            },
        )


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from iter(lambda: file.read(_PART), b"")

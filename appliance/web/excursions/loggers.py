"""A data logger's export, read and shown as it stands: nothing is kept."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from appliance.web.app import pages_of
from appliance.web.ports import Gate
from contracts.errors import BadInputError
from telemetry.excursions.fridge_tag import MOST_BYTES, FridgeTag, read_fridge_tag

_HERE = "/excursions/logger"


def add_to(router: APIRouter, gate: Gate) -> None:
    """/excursions/logger."""

    async def page(
        request: Request, tag: FridgeTag | None = None, error: BadInputError | None = None
    ) -> Response:
        viewer = await gate.require(request)
        return pages_of(request).render(
            request,
            "excursion_logger.html",
            status_code=422 if error else 200,
            tag=tag,
            error=error,
            viewer=viewer,
        )

    @router.get(_HERE, include_in_schema=False)
    async def show(request: Request) -> Response:
        return await page(request)

    @router.post(_HERE, include_in_schema=False)
    async def read(request: Request) -> Response:
        await gate.require(request)
        await gate.verify(request)
        async with request.form(max_files=1) as form:
            sent = form.get("export")
            data = await sent.read(MOST_BYTES + 1) if isinstance(sent, UploadFile) else b""
        try:
            return await page(request, await run_in_threadpool(read_fridge_tag, data))
        except BadInputError as error:
            return await page(request, error=error)

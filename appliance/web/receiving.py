"""Receiving: what was announced, what was counted, and the difference, line by line."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.listing import ON_A_PAGE, turn_of
from appliance.web.ports import Gate, Records
from contracts.asn import Asn
from contracts.errors import BadAsnError, BadInputError, ConflictError

RECEIVERS = ("operator", "quality", "integrator")
_LIMIT_BYTES = 32 * 1024 * 1024

ParseAsn = Callable[[bytes, str], Asn]
"""A file's bytes and name to an ASN; raises BadAsnError whose data has `file`, `line`, `findings`."""


def receiving_router(records: Records, gate: Gate, parse_asn: ParseAsn) -> APIRouter:
    """/receiving, /receiving/{session}, opening, closing, and the ASN upload."""
    router = APIRouter()
    _add_views(router, records, gate)
    _add_commands(router, records, gate, parse_asn)
    return router


async def _list(
    request: Request, records: Records, gate: Gate, *, error: BadInputError | ConflictError | None
) -> Response:
    viewer = await gate.require(request)
    turn = turn_of(request)
    listed = await run_in_threadpool(lambda: records.sessions(skip=turn.skip, most=ON_A_PAGE))
    return pages_of(request).render(
        request,
        "receiving.html",
        status_code=422 if error else 200,
        listed=listed,
        turn=turn,
        waiting=await run_in_threadpool(records.waiting_asns),
        docks=await run_in_threadpool(records.docks),
        may_receive=viewer.may(*RECEIVERS),
        error=error,
        viewer=viewer,
    )


def _add_views(router: APIRouter, records: Records, gate: Gate) -> None:
    @router.get("/receiving", include_in_schema=False)
    async def receiving(request: Request) -> Response:
        return await _list(request, records, gate, error=None)

    @router.get("/receiving/{session}", include_in_schema=False)
    async def sheet(request: Request, session: str) -> Response:
        viewer = await gate.require(request)
        return pages_of(request).render(
            request,
            "sheet.html",
            sheet=await run_in_threadpool(records.sheet, session),
            may_receive=viewer.may(*RECEIVERS),
            viewer=viewer,
        )


async def _keep(
    records: Records, parse_asn: ParseAsn, sent: UploadFile | str | None, *, by: str
) -> None:
    """Read one uploaded list and hand it to the core, whole or not at all."""
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise BadAsnError("No file was chosen", mend="Choose the supplier's CSV or X12 file")
    data = await sent.read(_LIMIT_BYTES + 1)
    asn = await run_in_threadpool(parse_asn, data, sent.filename)
    await run_in_threadpool(lambda: records.import_asn(asn, by=by))


def _add_commands(router: APIRouter, records: Records, gate: Gate, parse_asn: ParseAsn) -> None:
    @router.post("/asns", include_in_schema=False)
    async def upload(request: Request) -> Response:
        viewer = await gate.require(request, *RECEIVERS)
        async with request.form() as form:
            await gate.verify(request)
            sent = form.get("file")
            try:
                await _keep(records, parse_asn, sent, by=viewer.name)
            except (BadInputError, ConflictError) as error:
                return await _list(request, records, gate, error=error)
        return RedirectResponse("/receiving", status_code=303)

    @router.post("/receiving", include_in_schema=False)
    async def open_session(request: Request) -> Response:
        viewer = await gate.require(request, *RECEIVERS)
        await gate.verify(request)
        form = await request.form()
        asn, dock = str(form.get("asn", "")), str(form.get("dock", "")).strip()
        session = await run_in_threadpool(
            lambda: records.open_session(asn, dock=dock, by=viewer.name)
        )
        return RedirectResponse(f"/receiving/{session}", status_code=303)

    @router.post("/receiving/{session}/close", include_in_schema=False)
    async def close_session(request: Request, session: str) -> Response:
        viewer = await gate.require(request, *RECEIVERS)
        await gate.verify(request)
        await run_in_threadpool(lambda: records.close_session(session, by=viewer.name))
        return RedirectResponse(f"/receiving/{session}", status_code=303)

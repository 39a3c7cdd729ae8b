"""Receiving: what was announced, what was counted, and the difference, line by line."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.ports import Gate, Records
from contracts.asn import Asn
from contracts.errors import BadAsnError, BadInputError, ConflictError

RECEIVERS = ("operator", "quality", "integrator")
_LIMIT_BYTES = 5_000_000

ParseAsn = Callable[[str, str], Asn]
"""Text and file name to an ASN; raises BadAsnError with `file`, `line` and a mend."""


def decoded(data: bytes, *, name: str) -> str:
    """The text of an uploaded file: UTF-8 with or without a mark, else GB 18030.

    Raises BadAsnError for an empty file, one over 5 MB, or bytes that are neither.
    """
    if not data.strip():
        raise BadAsnError(f"{name} is empty", mend="Choose the file the supplier sent", file=name)
    if len(data) > _LIMIT_BYTES:
        raise BadAsnError(
            f"{name} is over {_LIMIT_BYTES // 1_000_000} MB", mend="Send one delivery", file=name
        )
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadAsnError(
        f"{name} is not text in UTF-8 or GB 18030",
        mend="Save it as CSV in UTF-8, or send the X12 file as it came",
        file=name,
    )


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
    sessions = await run_in_threadpool(records.sessions)
    newest = sorted(sessions, key=lambda row: row.opened_at, reverse=True)
    return pages_of(request).render(
        request,
        "receiving.html",
        status_code=422 if error else 200,
        sessions=sorted(newest, key=lambda row: not row.is_open),
        waiting=await run_in_threadpool(records.waiting_asns),
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


def _add_commands(router: APIRouter, records: Records, gate: Gate, parse_asn: ParseAsn) -> None:
    @router.post("/asns", include_in_schema=False)
    async def upload(request: Request) -> Response:
        viewer = await gate.require(request, *RECEIVERS)
        await gate.verify(request)
        sent = (await request.form()).get("file")
        try:
            if not isinstance(sent, UploadFile) or not sent.filename:
                raise BadAsnError(
                    "No file was chosen", mend="Choose the supplier's CSV or X12 file"
                )
            name = sent.filename
            text = decoded(await sent.read(_LIMIT_BYTES + 1), name=name)
            asn = await run_in_threadpool(parse_asn, text, name)
            await run_in_threadpool(lambda: records.import_asn(asn, by=viewer.name))
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

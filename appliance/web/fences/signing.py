"""A fence takes effect, or ends, by a signature made in the browser of a person of quality (I5)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from appliance.fences.statement import State
from appliance.web.fences.listing import SIGNERS
from appliance.web.fences.ports import FenceDesk
from appliance.web.ports import Gate
from contracts.errors import BadInputError


def add_to(router: APIRouter, desk: FenceDesk, gate: Gate) -> None:
    """/fences/{id}/statement gives out what to sign, /fences/{id}/signed takes it."""

    @router.post("/fences/{name}/statement", include_in_schema=False)
    async def statement(request: Request, name: str) -> Response:
        viewer = await gate.require(request, *SIGNERS)
        await gate.verify(request)
        form = await request.form()
        state, key = _state(str(form.get("state", ""))), str(form.get("key", ""))
        reason = str(form.get("reason", ""))
        text = await run_in_threadpool(
            lambda: desk.statement(name, state, signer=viewer.name, key=key, reason=reason)
        )
        return JSONResponse({"statement": text, "purpose_hex": desk.purpose.hex()})

    @router.post("/fences/{name}/signed", include_in_schema=False)
    async def signed(request: Request, name: str) -> Response:
        viewer = await gate.require(request, *SIGNERS)
        await gate.verify(request)
        form = await request.form()
        text, signature = str(form.get("statement", "")), str(form.get("signature", ""))
        version = await run_in_threadpool(lambda: desk.activate(text, signature, by=viewer.name))
        return JSONResponse({"next": f"/fences/{name}", "version": version.fence.version})


def _state(text: str) -> State:
    match text:
        case "active":
            return "active"
        case "retired":
            return "retired"
        case _:
            raise BadInputError(
                "Neither in force nor over was chosen", mend="Use the page's buttons"
            )

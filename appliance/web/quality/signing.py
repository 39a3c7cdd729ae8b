"""Signing in the browser: statements given out, signatures taken, keys enrolled and revoked.

The private key is made in the browser and never leaves it; the public half is registered to the
person under their password.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.ports import Gate
from appliance.web.quality.ports import Desk
from appliance.web.quality.tickets import DECIDERS, choice_of, good_keys
from erp_link.domain.quality.statement import PURPOSE
from erp_link.service.quality.keys import PROOF


def add_to(router: APIRouter, gate: Gate, desk: Desk) -> None:
    """/tickets/{id}/statement, /tickets/{id}/signed, /signing-keys."""
    _add_signatures(router, gate, desk)
    _add_keys(router, gate, desk)


def _add_signatures(router: APIRouter, gate: Gate, desk: Desk) -> None:
    @router.post("/tickets/{ticket_id}/statement", include_in_schema=False)
    async def statement(request: Request, ticket_id: str) -> Response:
        viewer = await gate.require(request, *DECIDERS)
        await gate.verify(request)
        form = await request.form()
        choice, key = choice_of(form), str(form.get("key", ""))
        text = await run_in_threadpool(
            lambda: desk.statement(ticket_id, choice, signer=viewer.name, key=key)
        )
        return JSONResponse({"statement": text, "purpose_hex": PURPOSE.hex()})

    @router.post("/tickets/{ticket_id}/signed", include_in_schema=False)
    async def signed(request: Request, ticket_id: str) -> Response:
        viewer = await gate.require(request, *DECIDERS)
        await gate.verify(request)
        form = await request.form()
        text, signature = str(form.get("statement", "")), str(form.get("signature", ""))
        await run_in_threadpool(
            lambda: desk.decide_signed(ticket_id, text, signature, by=viewer.name)
        )
        return JSONResponse({"next": f"/tickets/{ticket_id}"})


def _add_keys(router: APIRouter, gate: Gate, desk: Desk) -> None:
    @router.get("/signing-keys", include_in_schema=False)
    async def keys(request: Request) -> Response:
        viewer = await gate.require(request, *DECIDERS)
        own = await run_in_threadpool(desk.keys, viewer.name)
        return pages_of(request).render(
            request,
            "signing_keys.html",
            keys=own,
            good_keys=good_keys(own),
            proof_hex=PROOF.hex(),
            viewer=viewer,
        )

    @router.post("/signing-keys", include_in_schema=False)
    async def register(request: Request) -> Response:
        viewer = await gate.require(request, *DECIDERS)
        await gate.verify(request)
        form = await request.form()
        said = {
            name: str(form.get(name, "")) for name in ("password", "public_key", "label", "proof")
        }
        key_id = await run_in_threadpool(
            lambda: desk.register_key(
                viewer.name,
                said["password"],
                address=request.client.host if request.client else "",
                public_key=said["public_key"],
                label=said["label"],
                proof=said["proof"],
            )
        )
        return JSONResponse({"key_id": key_id}, status_code=201)

    @router.post("/signing-keys/{key_id}/revoke", include_in_schema=False)
    async def revoke(request: Request, key_id: str) -> Response:
        viewer = await gate.require(request, *DECIDERS)
        await gate.verify(request)
        await run_in_threadpool(lambda: desk.revoke_key(key_id, person=viewer.name))
        return RedirectResponse("/signing-keys", status_code=303)

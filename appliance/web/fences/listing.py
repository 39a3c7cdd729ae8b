"""The list of fences, and who may sign them."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.fences.store import Story
from appliance.web.fences.ports import FenceDesk
from appliance.web.fences.words import render
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate

EDITORS = ("quality", "ops")
SIGNERS = ("quality",)


def add_to(router: APIRouter, desk: FenceDesk, gate: Gate) -> None:
    """/fences, /fences/signers, /fences/signers/withdraw."""

    @router.get("/fences", include_in_schema=False)
    async def fences(request: Request) -> Response:
        viewer = await gate.require(request)
        every = await run_in_threadpool(desk.stories)
        query = query_of(request)
        may_sign = viewer.may(*SIGNERS)
        keys = await run_in_threadpool(desk.keys) if may_sign else []
        delegations = await run_in_threadpool(desk.delegations)
        delegated = {each.key_id for each in delegations}
        lead = await run_in_threadpool(lambda: desk.lead_key)
        orphaned = await run_in_threadpool(_orphaned, desk, every)
        return render(
            request,
            "fences.html",
            rows=matching(every, query, _text),
            total=len(every),
            q=query,
            viewer=viewer,
            may_edit=viewer.may(*EDITORS),
            may_sign=may_sign,
            lead=lead,
            orphaned=orphaned,
            delegations=delegations,
            labels={key.key_id: key.label for key in keys},
            waiting_keys=[
                key
                for key in keys
                if key.key_id not in delegated
                or any(
                    d.key_id == key.key_id and lead and d.by_key != lead.name for d in delegations
                )
            ],
        )

    @router.post("/fences/signers", include_in_schema=False)
    async def delegate(request: Request) -> Response:
        viewer = await gate.require(request, *SIGNERS)
        await gate.verify(request)
        form = await request.form()
        key_id, passphrase = str(form.get("key", "")), str(form.get("passphrase", ""))
        every = await run_in_threadpool(desk.keys)
        person = next((key.person for key in every if key.key_id == key_id), "")
        await run_in_threadpool(
            lambda: desk.delegate(person, key_id, by=viewer.name, passphrase=passphrase)
        )
        return RedirectResponse("/fences#signers", status_code=303)

    @router.post("/fences/signers/withdraw", include_in_schema=False)
    async def withdraw(request: Request) -> Response:
        await gate.require(request, *SIGNERS)
        await gate.verify(request)
        key_id = str((await request.form()).get("key", ""))
        await run_in_threadpool(desk.withdraw, key_id)
        return RedirectResponse("/fences#signers", status_code=303)


def _orphaned(desk: FenceDesk, stories: Sequence[Story]) -> set[str]:
    """Fences in force whose signer's key may sign no more: gateways that have them go on, one that
    is set up anew refuses them.
    """
    signed = [story.active.said for story in stories if story.active is not None]
    return {each.fence for each in signed if each and each.key not in desk.may_sign(each.signer)}


def _text(story: Story) -> str:
    fence = story.newest.fence
    state = story.signed.state if story.signed else "draft"
    return f"{fence.fence} {fence.title} {fence.quantity} {fence.scope.kind} {fence.scope.name} {state}"

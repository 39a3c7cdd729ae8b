"""The webhooks page: who outside is told of what, whether they take it, and what was given up.

A secret is shown in the answer that made it, and never again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.ports import Gate, Viewer
from contracts.errors import BadInputError
from erp_link.service.exchange.webhooks import Made, Webhooks
from erp_link.webhooks.schedule import State

KEEPERS = ("ops", "integrator")
_HERE = "/exchange/webhooks"
_SHOWN = 20
T = TypeVar("T")


def webhooks_router(desk: Webhooks, gate: Gate) -> APIRouter:
    """/exchange/webhooks, and the commands on webhooks and their dead messages."""
    router = APIRouter()

    async def page(request: Request, viewer: Viewer, made: Made | None = None) -> Response:
        found = await run_in_threadpool(desk.webhooks)
        dead = {
            each.webhook_id: await run_in_threadpool(
                desk.messages, each.webhook_id, state=State.DEAD, limit=_SHOWN
            )
            for each in found
            if each.dead
        }
        return pages_of(request).render(
            request, "webhooks.html", webhooks=found, dead=dead, made=made, viewer=viewer
        )

    async def keeper(request: Request) -> tuple[Viewer, dict[str, str]]:
        viewer = await gate.require(request, *KEEPERS)
        await gate.verify(request)
        return viewer, {key: str(value) for key, value in (await request.form()).items()}

    async def done(act: Callable[[], T]) -> Response:
        await run_in_threadpool(act)
        return RedirectResponse(_HERE, status_code=303)

    @router.get(_HERE, include_in_schema=False)
    async def show(request: Request) -> Response:
        return await page(request, await gate.require(request, *KEEPERS))

    @router.post(_HERE, include_in_schema=False)
    async def add(request: Request) -> Response:
        viewer, form = await keeper(request)
        topics = form.get("topics", "").replace(",", " ").split()
        made = await run_in_threadpool(
            desk.add, form.get("url", "").strip(), topics, by=viewer.name
        )
        return await page(request, viewer, made)

    @router.post(_HERE + "/{number}/secret", include_in_schema=False)
    async def rotate(request: Request, number: int) -> Response:
        viewer, _ = await keeper(request)
        made = await run_in_threadpool(desk.rotate, number, by=viewer.name)
        return await page(request, viewer, made)

    @router.post(_HERE + "/{number}/state", include_in_schema=False)
    async def set_state(request: Request, number: int) -> Response:
        viewer, form = await keeper(request)
        state = form.get("state", "")
        return await done(lambda: desk.set_state(number, state, by=viewer.name))

    @router.post(_HERE + "/{number}/retry", include_in_schema=False)
    async def retry(request: Request, number: int) -> Response:
        viewer, form = await keeper(request)
        message = form.get("message", "")
        if not message.isdecimal():
            raise BadInputError("No message was named", mend="Use the button beside the message")
        return await done(lambda: desk.retry(number, int(message), by=viewer.name))

    return router

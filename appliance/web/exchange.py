"""The exchange page: what the site's ERP was told, what it refused and why, what things are called
there. Whoever mends something tries the message again, or says that it was done by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.ports import Gate
from contracts.errors import BadInputError
from erp_link.connectors.names import NameKind
from erp_link.domain.erp.delivery import State
from erp_link.service.erp.desk import Announced, ErpDesk

MENDERS = ("ops", "quality", "integrator")
_SHOWN = 50
_HERE = "/exchange"


class ErpTalk(Protocol):
    """The hub's talk with the ERP (appliance.hub.erp.HubErp)."""

    @property
    def desk(self) -> ErpDesk: ...

    @property
    def announced(self) -> Announced:
        """What the last look at expected deliveries brought."""
        ...

    def wake(self) -> None:
        """Look now."""
        ...


def exchange_router(talk: ErpTalk, gate: Gate) -> APIRouter:
    """/exchange, and the commands on dead messages and names."""
    router = APIRouter()

    @router.get(_HERE, include_in_schema=False)
    async def show(request: Request) -> Response:
        viewer = await gate.require(request)
        desk = talk.desk
        dead = await run_in_threadpool(lambda: desk.letters(state=State.DEAD, limit=_SHOWN))
        waiting = await run_in_threadpool(lambda: desk.letters(state=State.WAITING, limit=_SHOWN))
        every = await run_in_threadpool(lambda: desk.letters(limit=_SHOWN))
        return pages_of(request).render(
            request,
            "exchange.html",
            overview=await run_in_threadpool(desk.overview),
            dead=dead,
            waiting=list(reversed(waiting)),
            ended=[letter for letter in every if letter.state in {State.DONE, State.SKIPPED}],
            names=await run_in_threadpool(desk.names),
            kinds=list(NameKind),
            announced=talk.announced,
            states=State,
            may_mend=viewer.may(*MENDERS),
            viewer=viewer,
        )

    async def mended(request: Request, act: Callable[[str, dict[str, str]], object]) -> Response:
        viewer = await gate.require(request, *MENDERS)
        await gate.verify(request)
        form = {key: str(value) for key, value in (await request.form()).items()}
        await run_in_threadpool(act, viewer.name, form)
        talk.wake()
        return RedirectResponse(_HERE, status_code=303)

    @router.post("/exchange/messages/{number}/retry", include_in_schema=False)
    async def again(request: Request, number: int) -> Response:
        return await mended(request, lambda by, _: talk.desk.again(number, by=by))

    @router.post("/exchange/messages/{number}/skip", include_in_schema=False)
    async def skip(request: Request, number: int) -> Response:
        return await mended(
            request, lambda by, form: talk.desk.skip(number, note=form.get("note", ""), by=by)
        )

    @router.post("/exchange/hurry", include_in_schema=False)
    async def hurry(request: Request) -> Response:
        return await mended(request, lambda by, _: talk.desk.hurry(by=by))

    @router.post("/exchange/names", include_in_schema=False)
    async def give_name(request: Request) -> Response:
        return await mended(
            request,
            lambda by, form: talk.desk.give_name(
                _kind(form), form.get("ours", ""), form.get("theirs", ""), by=by
            ),
        )

    @router.post("/exchange/names/drop", include_in_schema=False)
    async def drop_name(request: Request) -> Response:
        return await mended(
            request,
            lambda by, form: talk.desk.drop_name(_kind(form), form.get("ours", ""), by=by),
        )

    return router


def _kind(form: dict[str, str]) -> NameKind:
    try:
        return NameKind(form.get("kind", ""))
    except ValueError as error:
        raise BadInputError(
            "No kind of name was chosen", mend="Choose product, partner or customer"
        ) from error

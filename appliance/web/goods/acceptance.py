"""Received is not accepted: what waits, why, the sample to look at, and the decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.goods.fields import whole
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate, Viewer
from contracts.errors import BadInputError, ConflictError, ForbiddenError, TallymanError
from erp_link.domain.acceptance import ACCEPTERS, OVERRIDERS
from erp_link.service.goods.acceptance import Waiting

HOME = "/acceptance"
_REFUSALS = (BadInputError, ConflictError, ForbiddenError)


class AcceptanceDesk(Protocol):
    """What the pages ask of erp_link's Acceptances."""

    def waiting(self) -> Sequence[Waiting]: ...

    def decided(self) -> Sequence[Waiting]: ...

    def accept(self, name: str, *, by: str, roles: frozenset[str], reason: str = "") -> Waiting:
        """Raises NotFoundError, ConflictError, ForbiddenError, BadInputError."""
        ...

    def refuse(self, name: str, *, by: str, roles: frozenset[str], reason: str) -> Waiting: ...

    def inspect(
        self, name: str, *, inspected: int, bad: int, by: str, note: str = ""
    ) -> Waiting: ...


def acceptance_router(desk: AcceptanceDesk, gate: Gate) -> APIRouter:
    """/acceptance, with its decisions and samples."""
    router = APIRouter()

    @router.get(HOME, include_in_schema=False)
    async def acceptance(request: Request) -> Response:
        return await _page(request, desk, gate, error=None)

    def _add(path: str, act: Callable[[str, Viewer, FormData], Waiting]) -> None:
        @router.post(f"{HOME}/{{name}}/{path}", include_in_schema=False)
        async def step(request: Request, name: str) -> Response:
            viewer = await gate.require(request, *sorted(ACCEPTERS))
            await gate.verify(request)
            form = await request.form()
            try:
                await run_in_threadpool(act, name, viewer, form)
            except _REFUSALS as error:
                return await _page(request, desk, gate, error=error)
            return RedirectResponse(HOME, status_code=303)

    _add("accept", lambda name, viewer, form: desk.accept(
        name, by=viewer.name, roles=viewer.roles, reason=str(form.get("reason", ""))
    ))  # fmt: skip
    _add("refuse", lambda name, viewer, form: desk.refuse(
        name, by=viewer.name, roles=viewer.roles, reason=str(form.get("reason", ""))
    ))  # fmt: skip
    _add("sample", lambda name, viewer, form: desk.inspect(
        name,
        inspected=whole(form, "inspected"),
        bad=whole(form, "bad"),
        by=viewer.name,
        note=str(form.get("note", "")),
    ))  # fmt: skip
    return router


def _text(row: Waiting) -> str:
    return f"{row.batch} {row.description} {row.session or ''} {row.acceptance_id}"


async def _page(
    request: Request, desk: AcceptanceDesk, gate: Gate, *, error: TallymanError | None
) -> Response:
    viewer = await gate.require(request)
    every = await run_in_threadpool(desk.waiting)
    query = query_of(request)
    return pages_of(request).render(
        request,
        "acceptance.html",
        status_code=409 if error else 200,
        rows=matching(every, query, _text),
        total=len(every),
        done=await run_in_threadpool(desk.decided),
        may_accept=viewer.may(*ACCEPTERS),
        may_override=viewer.may(*OVERRIDERS),
        error=error,
        q=query,
        viewer=viewer,
    )

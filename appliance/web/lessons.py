"""The quality lead's page: what stations taught, with pictures, and the signature that lets it judge.

The passphrase opens the key for one signature and is kept nowhere (I5). A signature wants a reason in
words and the role quality; what it covers is shown before it is asked for (I4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.teaching.console import ProductRow
from appliance.teaching.signing import ProfileSignature, QualityKey
from appliance.web.app import pages_of
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate
from appliance.web.teaching import STATE_BADGE
from contracts.errors import BadInputError

SIGNERS = ("quality",)
_PAGE = "/lessons"


class LessonBook(Protocol):
    """What the page asks of appliance.teaching.console.Console. Calls block."""

    def rows(self) -> Sequence[ProductRow]: ...

    def key(self) -> QualityKey | None: ...

    def sign(
        self, station: str, gtin: str, digest: str, *, by: str, reason: str, passphrase: str
    ) -> ProfileSignature: ...

    def make_key(self, passphrase: str, *, holder: str) -> QualityKey: ...

    def replace_key(self, passphrase: str, new_passphrase: str, *, holder: str) -> QualityKey: ...

    def lost_key(self, new_passphrase: str, *, holder: str) -> QualityKey: ...


def lessons_router(book: LessonBook, gate: Gate) -> APIRouter:
    """/lessons, its signature, and the key that signs."""
    router = APIRouter()

    @router.get(_PAGE, include_in_schema=False)
    async def lessons(request: Request) -> Response:
        viewer = await gate.require(request)
        every = await run_in_threadpool(book.rows)
        query = query_of(request)
        return pages_of(request).render(
            request,
            "lessons.html",
            rows=matching(every, query, _row_text),
            total=len(every),
            waiting=sum(row.waits for row in every),
            key=await run_in_threadpool(book.key),
            may_sign=viewer.may(*SIGNERS),
            state_badge=STATE_BADGE,
            signed=request.query_params.get("signed", ""),
            q=query,
            viewer=viewer,
        )

    @router.post(_PAGE + "/sign", include_in_schema=False)
    async def sign(request: Request) -> Response:
        viewer = await gate.require(request, *SIGNERS)
        await gate.verify(request)
        form = _fields(await request.form())
        signature = await run_in_threadpool(
            lambda: book.sign(
                form.get("station", ""),
                form.get("gtin", ""),
                form.get("digest", ""),
                by=viewer.name,
                reason=form.get("reason", ""),
                passphrase=form.get("passphrase", ""),
            )
        )
        return RedirectResponse(f"{_PAGE}?signed={signature.serial}", status_code=303)

    @router.post(_PAGE + "/key", include_in_schema=False)
    async def key(request: Request) -> Response:
        viewer = await gate.require(request, *SIGNERS)
        await gate.verify(request)
        form = _fields(await request.form())
        await run_in_threadpool(lambda: _key(book, form, holder=viewer.name))
        return RedirectResponse(_PAGE, status_code=303)

    return router


def _key(book: LessonBook, form: Mapping[str, str], *, holder: str) -> QualityKey:
    """Make, replace or begin anew. Raises BadInputError and what the book raises."""
    new = form.get("new_passphrase", "")
    if new != form.get("again", ""):
        raise BadInputError(
            "The two passphrases differ", mend="Type the same passphrase twice, slowly"
        )
    match form.get("how", ""):
        case "make":
            return book.make_key(new, holder=holder)
        case "replace":
            return book.replace_key(form.get("passphrase", ""), new, holder=holder)
        case "lost":
            return book.lost_key(new, holder=holder)
        case how:
            raise BadInputError(f"A key cannot be {how[:40]!r}", mend="Make, replace or lost")


def _fields(form: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _row_text(row: ProductRow) -> str:
    state = "waiting" if row.waits else ""
    return f"{row.history.gtin} {row.history.station} {state} " + " ".join(
        f"{step.operator} {step.defect} {step.lesson}" for step in row.history.steps
    )

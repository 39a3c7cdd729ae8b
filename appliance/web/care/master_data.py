"""The master data pages: send a list, see what is unclean, accept or say what is meant, apply."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.care.ports import MasterDesk
from appliance.web.care.sheets import csv_answer
from appliance.web.ports import Gate, Viewer
from contracts.errors import BadInputError, ConflictError, NotFoundError, TallymanError
from erp_link.domain.master_data.findings import Finding, Kind
from erp_link.domain.master_data.lists import MOST_BYTES
from erp_link.domain.master_data.products import COLUMNS
from erp_link.service.care.master_lists import ListReport

KEEPERS = ("ops", "quality", "integrator")
"""Who sends lists and accepts mends; everybody who is signed in sees them."""
ROWS = 50
EXAMPLES = 5
EXAMPLE_ROW = (
    "4006381333931", "Sparkling water 0.5 l", "bottle", "case=24;pallet=960", "case",
    "ambient", "fefo", "yes", "365", "90", "480", "9600",
)  # fmt: skip
LEAVE_EMPTY = " "
"""An answer that says nothing: the cell counts as empty, the record stays as it is."""


def master_data_router(desk: MasterDesk, gate: Gate) -> APIRouter:
    """/master-data, one list at /master-data/{number}, and their commands."""
    router = APIRouter()
    _add_lists(router, desk, gate)
    _add_list(router, desk, gate)
    return router


def _add_lists(router: APIRouter, desk: MasterDesk, gate: Gate) -> None:
    async def page(request: Request, error: TallymanError | None = None) -> Response:
        viewer = await gate.require(request)
        books = await run_in_threadpool(desk.books)
        kind = request.query_params.get("kind", "")
        shown = [each for each in books if not kind or each.code == kind]
        return pages_of(request).render(
            request,
            "master_data.html",
            status_code=422 if error else 200,
            lists=await run_in_threadpool(desk.lists),
            books=shown[:ROWS],
            books_found=len(shown),
            counts=Counter(each.code for each in books),
            kind=kind,
            columns=COLUMNS,
            may_keep=viewer.may(*KEEPERS),
            error=error,
            viewer=viewer,
        )

    @router.get("/master-data", include_in_schema=False)
    async def show(request: Request) -> Response:
        return await page(request)

    @router.get("/master-data/template.csv", include_in_schema=False)
    async def template(request: Request) -> Response:
        await gate.require(request)
        return csv_answer("products.csv", COLUMNS, [EXAMPLE_ROW])

    @router.post("/master-data", include_in_schema=False)
    async def send(request: Request) -> Response:
        viewer = await gate.require(request, *KEEPERS)
        async with request.form() as form:
            await gate.verify(request)
            try:
                number = await _send(desk, form, viewer)
            except (BadInputError, ConflictError) as error:
                return await page(request, error)
        return RedirectResponse(f"/master-data/{number}", status_code=303)


async def _send(desk: MasterDesk, form: FormData, viewer: Viewer) -> int:
    sent = form.get("file")
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise BadInputError("No file was chosen", mend="Choose a CSV file of products")
    data, name = await sent.read(MOST_BYTES + 1), sent.filename
    report = await run_in_threadpool(lambda: desk.send(data, name=name, by=viewer.name))
    return report.summary.list_id


def _add_list(router: APIRouter, desk: MasterDesk, gate: Gate) -> None:
    async def page(request: Request, number: int, error: TallymanError | None = None) -> Response:
        viewer = await gate.require(request)
        report = await run_in_threadpool(desk.report, number)
        unclean = report.unclean
        notes = [
            (row.number, each)
            for row in report.rows
            for each in (row.examined.findings if row.examined else ())
            if each.kind is Kind.NOTE
        ]
        return pages_of(request).render(
            request,
            "master_list.html",
            status_code=409 if error else 200,
            report=report,
            unclean=unclean[:ROWS],
            unclean_found=len(unclean),
            notes=notes[:ROWS],
            mends=sorted(report.codes.items(), key=lambda each: (-each[1], each[0])),
            examples=_examples(report),
            leave_empty=LEAVE_EMPTY,
            may_keep=viewer.may(*KEEPERS) and report.summary.state == "waiting",
            error=error,
            viewer=viewer,
        )

    @router.get("/master-data/{number}", include_in_schema=False)
    async def show(request: Request, number: str) -> Response:
        return await page(request, _number(number))

    @router.post("/master-data/{number}", include_in_schema=False)
    async def change(request: Request, number: str) -> Response:
        viewer = await gate.require(request, *KEEPERS)
        await gate.verify(request)
        form, list_id = await request.form(), _number(number)
        try:
            await run_in_threadpool(_change, desk, list_id, form, viewer.name)
        except (BadInputError, ConflictError) as error:
            return await page(request, list_id, error)
        return RedirectResponse(f"/master-data/{list_id}", status_code=303)


def _change(desk: MasterDesk, list_id: int, form: FormData, by: str) -> None:
    """What a button of the list's page asks for. Raises BadInputError, ConflictError."""
    text = {name: value for name, value in form.items() if isinstance(value, str)}
    match text.get("do", ""):
        case "accept_all":
            desk.accept(list_id, code=text.get("code", ""), by=by)
        case "answer":
            line, field = _number(text.get("line", "")), text.get("field", "")
            desk.answer(list_id, line, {field: text.get("value", "")}, by=by)
        case "leave_out":
            desk.leave_out(list_id, _number(text.get("line", "")), by=by)
        case "apply":
            desk.apply(list_id, by=by)
        case "discard":
            desk.discard(list_id, by=by)
        case other:
            raise BadInputError(f"{other[:20]!r} cannot be done", mend="Use the page's buttons")


def _examples(report: ListReport) -> dict[str, list[Finding]]:
    """The first few mends of each kind: what a person accepts together must be seen."""
    found: dict[str, list[Finding]] = {}
    for row in report.unclean:
        for each in row.examined.findings if row.examined else ():
            if each.kind is Kind.MEND:
                found.setdefault(each.code, []).append(each)
    return {code: mends[:EXAMPLES] for code, mends in found.items()}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004 -- fits the database
        raise NotFoundError(f"There is no list or line {text[:20]!r}", mend="Look at the lists")
    return int(text)

"""The list of excursions, and one report as page, PDF, CSV and signed JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.excursions.chart import drawn
from appliance.excursions.facts import Signer
from appliance.excursions.pdf import report_pdf
from appliance.excursions.table import COLUMNS, rows
from appliance.web.app import pages_of
from appliance.web.care.sheets import csv_answer
from appliance.web.excursions import limits, loggers, zones
from appliance.web.excursions.ports import ExcursionDesk, ZoneDesk
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate
from contracts.errors import BadInputError
from erp_link.domain.excursions.exposure import MINUTE_US
from erp_link.domain.excursions.judging import minutes, number, unit_words
from erp_link.service.excursions.report import ExcursionLine, ExcursionReport
from erp_link.service.excursions.whereabouts import micros, moment

HOME = "/excursions"
_PAGE = 100
_SHOWN: Mapping[str, Any] = {"minutes": minutes, "number": number, "unit_words": unit_words}


def excursions_router(
    desk: ExcursionDesk, places: ZoneDesk, signer: Signer, gate: Gate
) -> APIRouter:
    """/excursions and what is below it."""
    router = APIRouter()

    @router.get(HOME, include_in_schema=False)
    async def listed(request: Request, before: str = "") -> Response:
        viewer = await gate.require(request)
        found = await run_in_threadpool(
            lambda: desk.excursions(before=_before(before), limit=_PAGE + 1)
        )
        query = query_of(request)
        shown = matching(found[:_PAGE], query, _text)
        last = found[_PAGE - 1] if len(found) > _PAGE else None
        return pages_of(request).render(
            request,
            "excursions.html",
            rows=shown,
            total=len(found[:_PAGE]),
            older=f"{micros(last.begun)}:{last.excursion_id}" if last else "",
            q=query,
            viewer=viewer,
            **_SHOWN,
        )

    # Their addresses would be taken for names of excursions.
    limits.add_to(router, desk, gate)
    zones.add_to(router, places, gate)
    loggers.add_to(router, gate)

    @router.get(f"{HOME}/{{name}}", include_in_schema=False)
    async def one(request: Request, name: str) -> Response:
        viewer = await gate.require(request)
        found = await run_in_threadpool(desk.report, name)
        pages = pages_of(request)
        return pages.render(
            request,
            "excursion.html",
            report=found,
            about=found.alarm,
            chart=drawn(found, pages.zone),
            curve=_ends(found),
            sealed=signer.report(found),
            viewer=viewer,
            **_SHOWN,
        )

    @router.get(f"{HOME}/{{name}}/report.pdf", include_in_schema=False)
    async def as_pdf(request: Request, name: str) -> Response:
        await gate.require(request)
        found = await run_in_threadpool(desk.report, name)
        pages = pages_of(request)
        made = await run_in_threadpool(
            lambda: report_pdf(
                found,
                signer.report(found),
                pages.words(request),
                zone=pages.zone,
                site=signer.site,
            )
        )
        return _file(made, "application/pdf", found, "pdf")

    @router.get(f"{HOME}/{{name}}/report.csv", include_in_schema=False)
    async def as_csv(request: Request, name: str) -> Response:
        await gate.require(request)
        found = await run_in_threadpool(desk.report, name)
        lines = rows(found, signer.report(found), pages_of(request).words(request))
        return csv_answer(_name(found, "csv"), COLUMNS, lines)

    @router.get(f"{HOME}/{{name}}/report.json", include_in_schema=False)
    async def as_json(request: Request, name: str) -> Response:
        await gate.require(request)
        found = await run_in_threadpool(desk.report, name)
        return _file(signer.report(found).file(), "application/json", found, "json")

    return router


def _ends(found: ExcursionReport) -> tuple[datetime, datetime] | None:
    """When the curve begins and ends."""
    if not found.trace:
        return None
    return moment(found.trace[0].at_us), moment(found.trace[-1].at_us + MINUTE_US)


def _file(data: bytes, media: str, found: ExcursionReport, ending: str) -> Response:
    name = _name(found, ending)
    return Response(
        data,
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _name(found: ExcursionReport, ending: str) -> str:
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in found.excursion_id)
    return f"excursion-{plain}.{ending}"


def _text(row: ExcursionLine) -> str:
    return f"{row.excursion_id} {row.alarm.place} {row.alarm.series} {row.alarm.fence}"


def _before(text: str) -> tuple[int, str] | None:
    """Where the page before ended. Raises BadInputError."""
    if not text:
        return None
    begun, _, name = text.partition(":")
    if not (begun.lstrip("-").isdecimal() and begun.isascii()) or len(begun) > 19 or not name:  # noqa: PLR2004 -- the digits of 2**62
        raise BadInputError(f"{text[:80]!r} is no end of a page", mend="Begin at the first page")
    return int(begun), name

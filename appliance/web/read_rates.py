"""The read-rate pages: how many cartons were read, left to a person, misread, and the pictures
behind every number (I4, I7).

A number without its bound says too much: shares stand with their counts and 95 % bounds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.readrates.intervals import Share
from appliance.readrates.rates import Count, Row
from appliance.readrates.service import CALIBRATION_DAYS, ReadRates, Report
from appliance.readrates.window import FACETS, NAMELESS, Question, question_of
from appliance.web.app import pages_of
from appliance.web.ports import Gate
from contracts.errors import BadInputError

SEERS = ("operator", "quality", "ops")
PRESETS = (1, 7, 30, 90)
PAGE = 24
_TABLES = (*FACETS, "hour", "day")
_LABELS = 8
_PAGE_DIGITS = 6
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    rows: Sequence[Row]

    @property
    def alone(self) -> bool:
        """One value splits nothing: it is said once for all tables."""
        return len(self.rows) <= 1


def read_rates_router(rates: ReadRates, gate: Gate) -> APIRouter:
    """/read-rates, the cartons behind its numbers, and its tables as CSV."""
    router = APIRouter()

    def asked(request: Request) -> Question:
        return question_of(request.query_params, now=rates.now(), zone=rates.zone)

    @router.get("/read-rates", include_in_schema=False)
    async def show(request: Request) -> Response:
        viewer = await gate.require(request, *SEERS)
        question = asked(request)
        report = await run_in_threadpool(rates.report, question)
        tallest = max((bucket.count.cartons for bucket in report.timeline), default=0)
        return pages_of(request).render(
            request,
            "read_rates.html",
            question=question,
            report=report,
            tables=[_Table(name, report.tables[name]) for name in _TABLES],
            tallest=tallest,
            label_every=-(-len(report.timeline) // _LABELS),
            choices=await run_in_threadpool(rates.choices),
            watched=rates.watched or await run_in_threadpool(rates.look),
            calibration_days=CALIBRATION_DAYS,
            presets=PRESETS,
            nameless=NAMELESS,
            viewer=viewer,
        )

    @router.get("/read-rates/cartons", include_in_schema=False)
    async def cartons(request: Request) -> Response:
        viewer = await gate.require(request, *SEERS)
        question = asked(request)
        page = _page_of(request)
        total, frames = await run_in_threadpool(
            lambda: rates.frames(question, most=PAGE, skip=PAGE * (page - 1))
        )
        return pages_of(request).render(
            request,
            "read_cartons.html",
            question=question,
            total=total,
            frames=frames,
            page=page,
            pages=max(1, -(-total // PAGE)),
            viewer=viewer,
        )

    @router.get("/read-rates.csv", include_in_schema=False)
    async def as_csv(request: Request) -> Response:
        await gate.require(request, *SEERS)
        question = asked(request)
        report = await run_in_threadpool(rates.report, question)
        name = f"read-rates-{question.since.date()}-{question.last_day}.csv"
        return Response(
            table_csv(report),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    return router


def _page_of(request: Request) -> int:
    text = request.query_params.get("page", "1")
    if not (len(text) <= _PAGE_DIGITS and text.isascii() and text.isdigit() and int(text)):
        raise BadInputError(f"page={text[:20]!r} is not a page", mend="Start at page 1")
    return int(text)


COLUMNS = (
    "by", "value", "cartons",
    "read", "read_share", "read_low", "read_high",
    "review", "review_share", "review_low", "review_high",
    "known", "misread", "misread_share", "misread_low", "misread_high",
    "audited", "proposed", "proposed_wrong",
)  # fmt: skip


def table_csv(report: Report) -> str:
    """Every table of the page, one row a line; shares and their 95 % bounds lie in [0, 1]."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerow(_line("total", "", report.total))
    for by, row in _rows(report):
        writer.writerow(_line(by, row.value, row.count))
    return text.getvalue()


def _rows(report: Report) -> Iterator[tuple[str, Row]]:
    for by, rows in (*report.tables.items(), ("cause", report.causes)):
        for row in rows:
            yield by, row


def _line(by: str, value: str, count: Count) -> list[object]:
    def bounds(share: Share) -> list[str]:
        return [
            "" if share.value is None else f"{share.value:.6f}",
            f"{share.low:.6f}",
            f"{share.high:.6f}",
        ]

    return [
        by,
        # A spreadsheet must not take a supplier's name for a formula.
        f"'{value}" if value.startswith(_FORMULA) else value,
        count.cartons,
        count.read,
        *bounds(count.read_share),
        count.review,
        *bounds(count.review_share),
        count.known,
        count.misread,
        *bounds(count.misread_share),
        count.audited,
        count.proposed,
        count.proposed_wrong,
    ]

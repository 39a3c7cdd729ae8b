"""Batches with their story, and holds with what is at risk."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.web.app import pages_of
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate, Records
from contracts.stock import BatchKey, BatchSummary, Hold


def _batch_text(row: BatchSummary) -> str:
    state = "free" if row.may_leave else "held"
    return f"{row.key} {row.description} {row.expiry or ''} {state}"


def _hold_text(row: Hold) -> str:
    return f"{row.hold_id} {row.batch or ''} {row.location} {row.raised_by} {row.reason.code}"


def add_to(router: APIRouter, records: Records, gate: Gate, *, dossiers: bool) -> None:
    """/batches, /batch, /holds."""

    @router.get("/batches", include_in_schema=False)
    async def batches(request: Request) -> Response:
        viewer = await gate.require(request)
        every = await run_in_threadpool(records.batches)
        query = query_of(request)
        rows = matching(every, query, _batch_text)
        return pages_of(request).render(
            request, "batches.html", rows=rows, total=len(every), q=query, viewer=viewer
        )

    @router.get("/batch", include_in_schema=False)
    async def batch(
        request: Request, supplier: str = "", gtin: str = "", lot: str = ""
    ) -> Response:
        viewer = await gate.require(request)
        key = BatchKey(supplier, gtin, lot)
        story = await run_in_threadpool(records.batch_story, key)
        summaries = await run_in_threadpool(records.batches)
        holds = await run_in_threadpool(records.holds)
        return pages_of(request).render(
            request,
            "batch.html",
            key=key,
            story=story,
            summary=next((row for row in summaries if row.key == key), None),
            holds=[hold for hold in holds if hold.batch == key],
            dossiers=dossiers,
            viewer=viewer,
        )

    @router.get("/holds", include_in_schema=False)
    async def holds(request: Request) -> Response:
        viewer = await gate.require(request)
        every = await run_in_threadpool(records.holds)
        query = query_of(request)
        newest = sorted(every, key=lambda hold: hold.raised_at, reverse=True)
        rows = matching(sorted(newest, key=lambda hold: not hold.is_open), query, _hold_text)
        return pages_of(request).render(
            request, "holds.html", rows=rows, total=len(every), q=query, viewer=viewer
        )

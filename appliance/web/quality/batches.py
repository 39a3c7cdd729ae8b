"""Batches with their story, and holds with what is at risk."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.web.app import pages_of
from appliance.web.listing import ON_A_PAGE, query_of, turn_of
from appliance.web.ports import Gate, Records
from contracts.stock import BatchKey


def add_to(router: APIRouter, records: Records, gate: Gate, *, dossiers: bool) -> None:
    """/batches, /batch, /holds."""

    @router.get("/batches", include_in_schema=False)
    async def batches(request: Request) -> Response:
        viewer = await gate.require(request)
        query, turn = query_of(request), turn_of(request)
        listed = await run_in_threadpool(
            lambda: records.batches(query, skip=turn.skip, most=ON_A_PAGE)
        )
        return pages_of(request).render(
            request, "batches.html", listed=listed, turn=turn, q=query, viewer=viewer
        )

    @router.get("/batch", include_in_schema=False)
    async def batch(
        request: Request, supplier: str = "", gtin: str = "", lot: str = ""
    ) -> Response:
        viewer = await gate.require(request)
        key = BatchKey(supplier, gtin, lot)
        story = await run_in_threadpool(records.batch_story, key)
        summary = await run_in_threadpool(records.batch, key)
        holds = await run_in_threadpool(records.holds_on, key)
        return pages_of(request).render(
            request,
            "batch.html",
            key=key,
            story=story,
            summary=summary,
            holds=holds,
            dossiers=dossiers,
            viewer=viewer,
        )

    @router.get("/holds", include_in_schema=False)
    async def holds(request: Request) -> Response:
        viewer = await gate.require(request)
        query, turn = query_of(request), turn_of(request)
        listed = await run_in_threadpool(
            lambda: records.holds(query, skip=turn.skip, most=ON_A_PAGE)
        )
        return pages_of(request).render(
            request, "holds.html", listed=listed, turn=turn, q=query, viewer=viewer
        )

"""The quality pages: batches and their story, holds with what is at risk, tickets and decisions.

A ticket shows its evidence before it asks for anything (I4). A decision wants a reason in
words and the role quality; only a usage decision lifts a hold (I1).
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate, Records
from contracts.errors import BadInputError
from contracts.stock import BatchKey, BatchSummary, Hold, Ticket, TicketState, UsageDecision

DECIDERS = ("quality",)
_DONE = (TicketState.DECIDED, TicketState.CLOSED)


def _batch_text(row: BatchSummary) -> str:
    state = "free" if row.may_leave else "held"
    return f"{row.key} {row.description} {row.expiry or ''} {state}"


def _hold_text(row: Hold) -> str:
    return f"{row.hold_id} {row.batch or ''} {row.location} {row.raised_by} {row.reason.code}"


def _ticket_text(row: Ticket) -> str:
    return (
        f"{row.ticket_id} {row.batch or ''} {row.carton_id} {row.owner} {row.station} {row.state}"
    )


def quality_router(records: Records, gate: Gate) -> APIRouter:
    """/batches, /batch, /holds, /tickets, /tickets/{id} and its decision."""
    router = APIRouter()
    _add_batches(router, records, gate)
    _add_tickets(router, records, gate)
    return router


def _add_batches(router: APIRouter, records: Records, gate: Gate) -> None:
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


def _add_tickets(router: APIRouter, records: Records, gate: Gate) -> None:
    @router.get("/tickets", include_in_schema=False)
    async def tickets(request: Request) -> Response:
        viewer = await gate.require(request)
        every = await run_in_threadpool(records.tickets)
        query = query_of(request)
        queue = sorted(every, key=lambda ticket: (ticket.state in _DONE, ticket.due_at))
        return pages_of(request).render(
            request,
            "tickets.html",
            rows=matching(queue, query, _ticket_text),
            total=len(every),
            done=_DONE,
            q=query,
            viewer=viewer,
        )

    @router.get("/tickets/{ticket_id}", include_in_schema=False)
    async def ticket(request: Request, ticket_id: str) -> Response:
        viewer = await gate.require(request)
        found = await run_in_threadpool(records.ticket, ticket_id)
        every = await run_in_threadpool(records.holds)
        return pages_of(request).render(
            request,
            "ticket.html",
            ticket=found,
            holds=[hold for hold in every if hold.hold_id in found.hold_ids],
            decisions=list(UsageDecision),
            undecided=found.state not in _DONE,
            may_decide=viewer.may(*DECIDERS),
            viewer=viewer,
        )

    @router.post("/tickets/{ticket_id}/decision", include_in_schema=False)
    async def decide(request: Request, ticket_id: str) -> Response:
        viewer = await gate.require(request, *DECIDERS)
        await gate.verify(request)
        form = await request.form()
        reason = str(form.get("reason", "")).strip()
        try:
            decision = UsageDecision(str(form.get("decision", "")))
        except ValueError as error:
            raise BadInputError(
                "No usage decision was chosen", mend="Choose release, return, scrap or sort"
            ) from error
        if not reason:
            raise BadInputError(
                "A usage decision needs its reason in words",
                mend="Write what was checked and why",
            )
        await run_in_threadpool(
            lambda: records.decide(ticket_id, decision, reason=reason, by=viewer.name)
        )
        return RedirectResponse(f"/tickets/{ticket_id}", status_code=303)

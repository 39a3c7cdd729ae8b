"""Tickets: the queue by due time, one ticket with its evidence, and what is done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.listing import ON_A_PAGE, query_of, turn_of
from appliance.web.ports import Gate, Records, Viewer
from appliance.web.quality.ports import AboutTicket, Choice, Decider, Desk
from contracts.errors import BadInputError, NotFoundError
from contracts.stock import TicketState, UsageDecision
from erp_link.service.quality.keys import PROOF, SigningKey

DECIDERS = ("quality",)
WORKERS = ("operator", "quality", "ops")
LEAVING = (UsageDecision.RETURN, UsageDecision.SCRAP)
_DONE = (TicketState.DECIDED, TicketState.CLOSED)
_NAME = 120


def add_to(
    router: APIRouter,
    records: Records,
    gate: Gate,
    desk: Desk | None,
    decider: Decider | None,
) -> None:
    """/tickets, /tickets/{id}, its decision and its life."""
    _add_views(router, records, gate, desk)
    if decider is not None:
        _add_decision(router, gate, decider)
    if desk is not None:
        _add_life(router, gate, desk)


def _add_views(router: APIRouter, records: Records, gate: Gate, desk: Desk | None) -> None:
    @router.get("/tickets", include_in_schema=False)
    async def tickets(request: Request) -> Response:
        viewer = await gate.require(request)
        query, turn = query_of(request), turn_of(request)
        listed = await run_in_threadpool(
            lambda: records.tickets(query, skip=turn.skip, most=ON_A_PAGE)
        )
        return pages_of(request).render(
            request,
            "tickets.html",
            listed=listed,
            turn=turn,
            done=_DONE,
            q=query,
            viewer=viewer,
        )

    @router.get("/tickets/{ticket_id}", include_in_schema=False)
    async def ticket(request: Request, ticket_id: str) -> Response:
        viewer = await gate.require(request)
        found = await run_in_threadpool(records.ticket, ticket_id)
        about: AboutTicket | None = None
        if desk is not None:
            about = await run_in_threadpool(desk.about, ticket_id)
        shown = {*found.hold_ids, *(about.open_holds if about else ())}
        undecided = found.state not in _DONE
        return pages_of(request).render(
            request,
            "ticket.html",
            ticket=found,
            holds=await run_in_threadpool(records.holds_named, shown),
            decisions=list(UsageDecision),
            undecided=undecided,
            may_decide=viewer.may(*DECIDERS),
            may_work=desk is not None and viewer.may(*WORKERS),
            about=about,
            signed=desk is not None and desk.signed,
            good_keys=good_keys(await run_in_threadpool(desk.keys, viewer.name)) if desk else {},
            proof_hex=PROOF.hex(),
            due_input=found.due_at.astimezone(pages_of(request).zone).strftime("%Y-%m-%dT%H:%M"),
            leaves=found.state is TicketState.DECIDED and found.decision in LEAVING,
            viewer=viewer,
        )


def good_keys(keys: Sequence[SigningKey]) -> dict[str, str]:
    """The labels of those that may still sign, by key id."""
    return {key.key_id: key.label for key in keys if key.is_good}


def choice_of(form: FormData) -> Choice:
    """What a decision form says. Raises BadInputError."""
    try:
        decision = UsageDecision(str(form.get("decision", "")))
    except ValueError as error:
        raise BadInputError(
            "No usage decision was chosen",
            mend="Choose release, return, scrap, sort or rework",
        ) from error
    # A form sends line ends as CR LF, whatever the person typed.
    reason = str(form.get("reason", "")).replace("\r\n", "\n").strip()
    if not reason:
        raise BadInputError(
            "A usage decision needs its reason in words",
            mend="Write what was checked and why",
        )
    quantity = 0
    cartons: tuple[str, ...] = ()
    if form.get("part") == "part":
        cartons = tuple(sorted({str(name) for name in form.getlist("cartons")}))
        quantity = _number(str(form.get("quantity", "") or "0"))
        if not cartons and not quantity:
            raise BadInputError(
                "A decision about a part names no goods",
                mend="Mark the cartons, or say how many units",
            )
    return Choice(decision, reason, quantity, cartons)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > len("1000000000"):
        raise BadInputError(f"{text[:20]!r} is no quantity", mend="Write a whole number")
    return int(text)


def _add_decision(router: APIRouter, gate: Gate, decider: Decider) -> None:
    @router.post("/tickets/{ticket_id}/decision", include_in_schema=False)
    async def decide(request: Request, ticket_id: str) -> Response:
        viewer = await gate.require(request, *DECIDERS)
        await gate.verify(request)
        choice = choice_of(await request.form())
        await run_in_threadpool(lambda: decider.decide_unsigned(ticket_id, choice, by=viewer.name))
        return _back(ticket_id)


def _add_life(router: APIRouter, gate: Gate, desk: Desk) -> None:
    def step(
        path: str,
        act: Callable[[str, FormData, Viewer, tzinfo], object],
        roles: tuple[str, ...],
    ) -> None:
        @router.post("/tickets/{ticket_id}/" + path, include_in_schema=False)
        async def taken(request: Request, ticket_id: str) -> Response:
            viewer = await gate.require(request, *roles)
            await gate.verify(request)
            form = await request.form()
            zone = pages_of(request).zone
            await run_in_threadpool(lambda: act(ticket_id, form, viewer, zone))
            return _back(ticket_id)

    def plan(ticket_id: str, form: FormData, viewer: Viewer, zone: tzinfo) -> None:
        owner = str(form.get("owner", "")).strip()[:_NAME]
        desk.plan(ticket_id, owner=owner, due_at=_due(form, zone), by=viewer.name)

    def contain(ticket_id: str, form: FormData, viewer: Viewer, _zone: tzinfo) -> None:
        desk.contain(ticket_id, note=_note(form), by=viewer.name)

    def close(ticket_id: str, form: FormData, viewer: Viewer, _zone: tzinfo) -> None:
        desk.close(ticket_id, note=_note(form), by=viewer.name)

    def carry_out(ticket_id: str, _form: FormData, viewer: Viewer, _zone: tzinfo) -> None:
        desk.carry_out(ticket_id, by=viewer.name)

    def withdraw(ticket_id: str, _form: FormData, viewer: Viewer, _zone: tzinfo) -> None:
        waiting = desk.about(ticket_id).waiting
        if waiting is None:
            raise NotFoundError(f"Nothing on {ticket_id} waits", mend="Load the page again")
        desk.withdraw(waiting.decision_id, by=viewer.name)

    step("plan", plan, WORKERS)
    step("contain", contain, WORKERS)
    step("close", close, DECIDERS)
    step("carry-out", carry_out, DECIDERS)
    step("withdraw", withdraw, DECIDERS)


def _note(form: FormData) -> str:
    return str(form.get("note", "")).strip()[:1000]


def _due(form: FormData, zone: tzinfo) -> datetime | None:
    text = str(form.get("due", "")).strip()
    if not text:
        return None
    try:
        due = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"{text[:40]!r} is no time", mend="Choose a day and a time") from error
    return due.replace(tzinfo=zone) if due.tzinfo is None else due


def _back(ticket_id: str) -> Response:
    return RedirectResponse(f"/tickets/{ticket_id}", status_code=303)

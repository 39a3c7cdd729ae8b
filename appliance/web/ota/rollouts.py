"""/ota/rollouts: what is under way and what was, one rollout with its gate, and its commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.listing import ON_A_PAGE, matching, query_of, turn_of
from appliance.web.ota.forms import typed
from appliance.web.ota.plan_form import wave_text, window_text
from appliance.web.ota.ports import Fleet, Rollouts
from appliance.web.ota.rows import RolloutBox, RolloutRow, SetName
from appliance.web.ota.words import (
    ASKS_WHY,
    BOX_BADGES,
    COMMANDS,
    DECIDERS,
    RUNNERS,
    STATE_BADGES,
    log_width,
)
from appliance.web.ports import Gate
from contracts.errors import (
    BadInputError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    TallymanError,
)

SHOWS: Final = ("open", "all", "done", "returned")
_SAID: Final = (BadInputError, ConflictError, ForbiddenError)
_TOLD: Final = 12
"""Boxes that a page names before it says how many more."""


def add_rollout_routes(router: APIRouter, fleet: Fleet, rollouts: Rollouts, gate: Gate) -> None:
    """The list, one rollout, its points, its commands."""

    @router.get("/ota/rollouts")
    async def listed(request: Request) -> Response:
        viewer = await gate.require(request)
        query, turn = query_of(request), turn_of(request)
        rows = list(await run_in_threadpool(rollouts.listed))
        names = await run_in_threadpool(fleet.names)
        asked = request.query_params.get("show", "")
        shown = asked if asked in SHOWS else "all"
        found = matching(rows, query, lambda row: _words(row, names))
        counts = {name: sum(_fits(row, name) for row in found) for name in SHOWS}
        found = [row for row in found if _fits(row, shown)]
        return pages_of(request).render(
            request,
            "ota_rollouts.html",
            rows=found[turn.skip : turn.skip + ON_A_PAGE],
            found=len(found),
            total=len(rows),
            counts=counts,
            shows=SHOWS,
            shown=shown,
            turn=turn,
            last=turn.pages(len(found)),
            names=names,
            state_badges=STATE_BADGES,
            stopped=await run_in_threadpool(fleet.stopped),
            may_run=viewer.may(*RUNNERS),
            q=query,
            viewer=viewer,
        )

    async def show(
        request: Request, rollout: str, *, error: TallymanError | None = None
    ) -> Response:
        viewer = await gate.require(request)
        page = await run_in_threadpool(rollouts.one, rollout)
        query, turn = query_of(request), turn_of(request)
        state = request.query_params.get("state", "")
        wave = request.query_params.get("wave", "")
        found = [
            box
            for box in matching(page.boxes, query, _box_words)
            if state in ("", box.state) and wave in ("", str(box.wave))
        ]
        found.sort(key=_urgency)
        return pages_of(request).render(
            request,
            "ota_rollout.html",
            status_code=409 if error else 200,
            page=page,
            row=page.row,
            plan=page.state.plan,
            boxes=found[turn.skip : turn.skip + ON_A_PAGE],
            found=len(found),
            total=len(page.boxes),
            states=sorted({box.state for box in page.boxes}),
            state=state,
            wave=wave,
            turn=turn,
            last=turn.pages(len(found)),
            told=_TOLD,
            commands=[each for each in COMMANDS if each in page.may],
            asks_why=ASKS_WHY,
            log_width=log_width,
            wave_text=wave_text,
            window_text=window_text,
            names=await run_in_threadpool(fleet.names),
            stopped=await run_in_threadpool(fleet.stopped),
            state_badges=STATE_BADGES,
            box_badges=BOX_BADGES,
            may_run=viewer.may(*RUNNERS),
            may_approve=viewer.may(*DECIDERS)
            and not (page.second_person and viewer.name == page.row.made_by),
            error=error,
            q=query,
            viewer=viewer,
        )

    @router.get("/ota/rollouts/{rollout}")
    async def one(request: Request, rollout: str) -> Response:
        return await show(request, rollout)

    @router.get("/ota/rollouts/{rollout}/points")
    async def points(request: Request, rollout: str) -> Response:
        await gate.require(request)
        page = await run_in_threadpool(rollouts.one, rollout)
        number = page.gate.number if page.gate else 0
        found = await run_in_threadpool(lambda: rollouts.points(rollout, gate=number))
        body = msgspec.json.encode(
            {
                "gate": number,
                "frames": [each.frames for each in found],
                "against": [each.against for each in found],
                "good": [each.good for each in found],
                "abort_at": page.gate.abort_at if page.gate else page.row.abort_at,
                "promote_at": page.state.plan.policy.promote_at,
            }
        )
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    @router.post("/ota/rollouts/{rollout}/{command}")
    async def act(request: Request, rollout: str, command: str) -> Response:
        if command not in COMMANDS:
            raise NotFoundError(f"A rollout has no command {command[:40]!r}", mend="Use its page")
        viewer = await gate.require(request, *(DECIDERS if command == "approve" else RUNNERS))
        await gate.verify(request)
        why = (await typed(request)).get("why", "")
        try:
            if command in ASKS_WHY and not why:
                raise BadInputError("No reason was given", mend="Write why, for the audit")
            await run_in_threadpool(lambda: rollouts.act(rollout, command, by=viewer.name, why=why))
        except _SAID as error:
            return await show(request, rollout, error=error)
        return RedirectResponse(f"/ota/rollouts/{rollout}", status_code=303)


def _fits(row: RolloutRow, shown: str) -> bool:
    match shown:
        case "open":
            return row.is_open
        case "done":
            return row.state == "done"
        case "returned":
            return row.state in ("returning", "returned", "stopping", "stopped")
        case _:
            return True


def _words(row: RolloutRow, names: Mapping[str, SetName]) -> str:
    name = names.get(row.candidate)
    called = f"{name.name} {name.version}" if name else ""
    return f"{row.rollout} {row.lane} {row.state} {row.made_by} {row.candidate} {called}"


def _box_words(box: RolloutBox) -> str:
    return f"{box.device} {box.cell} {box.state} {box.trouble.code if box.trouble else ''}"


def _urgency(box: RolloutBox) -> tuple[bool, float, int, str, str]:
    """Trouble first, then what speaks most against the candidate, then wave and name."""
    trouble = box.state in ("failed", "returned")
    return (
        not trouble,
        -box.against if box.against > 1 else 0.0,
        box.wave or 10**6,
        box.cell,
        box.device,
    )

"""/ota/approvals: everything that waits for a person's yes: sets, rollouts, boxes. /ota/audit: what
was done, and what ran where at any moment.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.identity.admission.records import WaitState
from appliance.ota.console.moments import moment
from appliance.web.app import pages_of
from appliance.web.listing import ON_A_PAGE, matching, query_of, turn_of
from appliance.web.ota.forms import typed
from appliance.web.ota.ports import Admissions, Audit, Fleet, Rollouts, Sets
from appliance.web.ota.rows import Happening
from appliance.web.ota.sets import waiting_for_yes
from appliance.web.ota.words import DECIDERS, RUNNERS, STATE_BADGES
from appliance.web.ports import Gate
from contracts.errors import BadInputError, ConflictError, ForbiddenError, TallymanError

_SAID: Final = (BadInputError, ConflictError, ForbiddenError)
KINDS: Final = ("all", "people", "rollouts", "sets", "boxes")
_BOXES: Final = ("box_", "began", "joined")
_ABOUT_SETS: Final = ("set_",)


def add_approval_routes(
    router: APIRouter,
    fleet: Fleet,
    rollouts: Rollouts,
    sets: Sets,
    admissions: Admissions,
    gate: Gate,
) -> None:
    """The queue and the word on a box; sets and rollouts are decided on their own pages."""

    async def show(request: Request, *, error: TallymanError | None = None) -> Response:
        viewer = await gate.require(request)
        records = await run_in_threadpool(sets.listed)
        asked = await run_in_threadpool(admissions.asking)
        return pages_of(request).render(
            request,
            "ota_approvals.html",
            status_code=409 if error else 200,
            proposed=waiting_for_yes(records),
            drafts=[
                row for row in await run_in_threadpool(rollouts.listed) if row.state == "draft"
            ],
            boxes=[each for each in asked if each.state is WaitState.WAITING],
            refused=[each for each in asked if each.state is WaitState.REFUSED],
            names=await run_in_threadpool(fleet.names),
            state_badges=STATE_BADGES,
            moment=moment,
            may_admit=viewer.may(*RUNNERS),
            may_decide=viewer.may(*DECIDERS),
            error=error,
            viewer=viewer,
        )

    @router.get("/ota/approvals")
    async def queue(request: Request) -> Response:
        return await show(request)

    @router.post("/ota/approvals/{word}")
    async def decide(request: Request, word: str) -> Response:
        viewer = await gate.require(request, *RUNNERS)
        await gate.verify(request)
        form = await typed(request)
        device, key_id, why = form.get("device", ""), form.get("key_id", ""), form.get("why", "")
        try:
            if word == "let-in":
                new_machine = form.get("new_machine") == "yes"
                await run_in_threadpool(
                    lambda: admissions.let_in(
                        device, key_id, by=viewer.name, new_machine=new_machine
                    )
                )
            else:
                if not why:
                    raise BadInputError("No reason was given", mend="Write why, for the audit")
                await run_in_threadpool(
                    lambda: admissions.turn_away(device, key_id, by=viewer.name, why=why)
                )
        except _SAID as error:
            return await show(request, error=error)
        return RedirectResponse("/ota/approvals", status_code=303)


def add_audit_routes(router: APIRouter, fleet: Fleet, audit: Audit, gate: Gate) -> None:
    """The audit, filtered; and who ran what at a moment."""

    @router.get("/ota/audit")
    async def listed(request: Request) -> Response:
        viewer = await gate.require(request)
        query, turn = query_of(request), turn_of(request)
        asked = request.query_params
        kind = asked.get("kind", "")
        kind = kind if kind in KINDS else KINDS[0]
        pages = pages_of(request)
        names = await run_in_threadpool(fleet.names)
        lines = list(await run_in_threadpool(audit.audit))
        words = pages.words(request)
        found = [
            line
            for line in matching(
                lines, query, lambda line: f"{_text(line)} {words.term('ota.did', line.what)}"
            )
            if _is_of(line, kind)
        ]
        at = _moment(asked.get("at", ""), request)
        return pages.render(
            request,
            "ota_audit.html",
            lines=found[turn.skip : turn.skip + ON_A_PAGE],
            found=len(found),
            total=len(lines),
            kinds=KINDS,
            kind=kind,
            at=at,
            at_typed=asked.get("at", ""),
            ran=sorted((await run_in_threadpool(audit.ran_at, at)).items()) if at else [],
            zone=pages.zone,
            names=names,
            turn=turn,
            last=turn.pages(len(found)),
            q=query,
            viewer=viewer,
        )


def _is_of(line: Happening, kind: str) -> bool:
    match kind:
        case "people":
            return bool(line.by)
        case "rollouts":
            return bool(line.rollout)
        case "sets":
            return line.what.startswith(_ABOUT_SETS)
        case "boxes":
            return line.what.startswith(_BOXES) or bool(line.device)
        case _:
            return True


def _text(line: Happening) -> str:
    said = line.reason.code if line.reason else ""
    return (
        f"{line.by} {line.why} {line.rollout} {line.device} {line.model_set} {said} "
        f"{line.at:%Y-%m-%d %H:%M}"
    )


def _moment(text: str, request: Request) -> datetime | None:
    """What a person typed, in the site's time; None where it is no moment."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=pages_of(request).zone)

"""/ota/sets: which model sets there are, where they come from, what was shown of them, who said yes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.accounts.store import TooManyTriesError
from appliance.ota.console.moments import moment
from appliance.teaching.locking import WrongPassphraseError
from appliance.web.app import pages_of
from appliance.web.listing import matching, query_of
from appliance.web.ota.forms import typed
from appliance.web.ota.lineage import HEIGHT, WIDTH, drawing
from appliance.web.ota.ports import Fleet, Sets
from appliance.web.ota.records import LEAST, card_blocks, engines, quality_rows
from appliance.web.ota.words import DECIDERS, RUNNERS, SET_BADGES
from appliance.web.ports import Gate
from contracts.errors import (
    ArtefactRefusedError,
    BadInputError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    TallymanError,
    UnavailableError,
)
from contracts.ota import LANES
from ota.publishing import FREE
from ota.registry.records import SetRecord, SetState

SHOWS: Final = ("all", "proposed", "published", "withdrawn")
_SAID: Final = (
    ArtefactRefusedError,
    BadInputError,
    ConflictError,
    ForbiddenError,
    TooManyTriesError,
    UnavailableError,
    WrongPassphraseError,
)
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_ASK: Final = {
    "approve": DECIDERS,
    "publish": RUNNERS,
    "withdraw": DECIDERS,
    "licence": ("quality",),
}
"""Commands of a set and who may give them."""


def add_set_routes(router: APIRouter, fleet: Fleet, sets: Sets, gate: Gate) -> None:
    """The list with its drawing, one set, and what people decide about it."""

    @router.get("/ota/sets")
    async def listed(request: Request) -> Response:
        viewer = await gate.require(request)
        query = query_of(request)
        lane = request.query_params.get("lane", "")
        asked = request.query_params.get("show", "")
        shown = asked if asked in SHOWS else "all"
        records = list(await run_in_threadpool(sets.listed))
        found = [each for each in matching(records, query, _words) if lane in ("", each.lane)]
        counts = Counter({"all": len(found)}) + Counter(str(each.state) for each in found)
        rows = [each for each in found if shown in ("all", str(each.state))]
        lanes = [name for name in LANES if any(each.lane == name for each in records)]
        return pages_of(request).render(
            request,
            "ota_sets.html",
            rows=rows,
            found=len(rows),
            total=len(records),
            counts=counts,
            shows=SHOWS,
            shown=shown,
            lanes=lanes,
            lane=lane,
            drawings=[drawing(name, records) for name in lanes if lane in ("", name)],
            node_width=WIDTH,
            node_height=HEIGHT,
            moment=moment,
            warnings=await run_in_threadpool(sets.warnings),
            runs=await run_in_threadpool(_runs, fleet),
            badges=SET_BADGES,
            may_run=viewer.may(*RUNNERS),
            q=query,
            viewer=viewer,
        )

    async def show(
        request: Request, digest: str, *, error: TallymanError | None = None
    ) -> Response:
        viewer = await gate.require(request)
        page = await run_in_threadpool(sets.one, digest)
        record = page.record
        approvers = {each.by for each in record.approvals}
        return pages_of(request).render(
            request,
            "ota_set.html",
            status_code=409 if error else 200,
            page=page,
            record=record,
            card=card_blocks(record.card),
            quality=quality_rows(record, page.base),
            engines=engines(record),
            least=LEAST,
            moment=moment,
            is_free=record.licence in FREE,
            made=[
                each
                for each in await run_in_threadpool(sets.listed)
                if each.lineage.base == record.digest
            ],
            names=await run_in_threadpool(fleet.names),
            runs=(await run_in_threadpool(_runs, fleet))[record.digest],
            badges=SET_BADGES,
            may_approve=viewer.may(*DECIDERS)
            and viewer.name != record.proposed_by
            and viewer.name not in approvers,
            may_withdraw=viewer.may(*DECIDERS),
            may_run=viewer.may(*RUNNERS),
            may_decide=viewer.may("quality"),
            error=error,
            viewer=viewer,
        )

    @router.get("/ota/sets/{digits}")
    async def one(request: Request, digits: str) -> Response:
        return await show(request, _digest(digits))

    @router.post("/ota/sets/{digits}/{command}")
    async def act(request: Request, digits: str, command: str) -> Response:
        if command not in _ASK:
            raise NotFoundError(f"A set has no command {command[:40]!r}", mend="Use its page")
        viewer = await gate.require(request, *_ASK[command])
        await gate.verify(request)
        form, digest = await typed(request), _digest(digits)
        why, passphrase = form.get("why", ""), form.get("passphrase", "")
        commands: dict[str, Callable[[], None]] = {
            "approve": lambda: sets.approve(digest, by=viewer.name, why=why),
            "publish": lambda: sets.publish(digest, by=viewer.name, why=why, passphrase=passphrase),
            "withdraw": lambda: sets.withdraw(
                digest, by=viewer.name, why=why, passphrase=passphrase
            ),
            "licence": lambda: sets.decide_licence(digest, by=viewer.name, why=why),
        }
        try:
            await run_in_threadpool(commands[command])
        except _SAID as error:
            return await show(request, digest, error=error)
        return RedirectResponse(f"/ota/sets/{digits}", status_code=303)


def _digest(digits: str) -> str:
    if _HEX.fullmatch(digits) is None:
        raise NotFoundError("That is no model set's digest", mend="Choose one from the list")
    return f"sha256:{digits}"


def _runs(fleet: Fleet) -> Counter[str]:
    """How many boxes run each digest."""
    return Counter(
        lane.running for box in fleet.boxes() if box.standing != "revoked" for lane in box.lanes
    )


def _words(record: SetRecord) -> str:
    return (
        f"{record.name} {record.version} {record.lane} {record.kind} {record.state} "
        f"{record.digest} {record.proposed_by} {record.published_by} {record.licence}"
    )


def waiting_for_yes(records: Sequence[SetRecord]) -> list[SetRecord]:
    """Proposed sets, the oldest first."""
    found = [each for each in records if each.state is SetState.PROPOSED]
    return sorted(found, key=lambda each: each.proposed_at_us)

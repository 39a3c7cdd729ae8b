"""/ota/rollouts/new: write a rollout, see which boxes come in which wave, and draft it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.ota import board
from appliance.web.ota.forms import LONGEST
from appliance.web.ota.plan_form import DRAWS, WAVES, Places, plan_of
from appliance.web.ota.ports import Fleet, Rollouts
from appliance.web.ota.rows import BoxRow, Preview, SetName
from appliance.web.ota.words import RUNNERS
from appliance.web.ports import Gate
from contracts.errors import ArtefactRefusedError, BadInputError, ConflictError, TallymanError
from contracts.ota import LANES
from ota.rollout.choosing import drawn
from ota.rollout.plan import Plan

_BLANK: Final = {
    "candidate": "",
    "why": "",
    "wave1": "5%",
    "wave2": "25%",
    "wave3": "100%",
    "wave4": "",
    "wave5": "",
    "by": "box",
    "strata": "cell",
    "seed": "",
    "soak": "10",
    "most_failed": "25",
    "start": "",
    "windows": "",
    "shadow": "yes",
    "certify": "yes",
}
_SAID: Final = (ArtefactRefusedError, BadInputError, ConflictError)
_SETS: Final = frozenset({"published", "installed"})


def add_planning_routes(router: APIRouter, fleet: Fleet, rollouts: Rollouts, gate: Gate) -> None:
    """The form, its preview, and the draft that comes of it. Before /ota/rollouts/{rollout}."""

    async def show(
        request: Request,
        fields: Mapping[str, str],
        cells: Sequence[str],
        *,
        error: TallymanError | None = None,
    ) -> Response:
        viewer = await gate.require(request, *RUNNERS)
        boxes = list(await run_in_threadpool(fleet.boxes))
        names = await run_in_threadpool(fleet.names)
        preview, trouble = await _preview(request, rollouts, fields, cells, boxes, names)
        return pages_of(request).render(
            request,
            "ota_plan.html",
            status_code=422 if error else 200,
            fields=fields,
            cells=board.cells(boxes),
            sites=board.sites(boxes),
            chosen=set(cells),
            sets=_choices(names),
            waves=range(1, WAVES + 1),
            draws=DRAWS,
            preview=preview,
            trouble=None if error else trouble,
            error=error,
            zone=pages_of(request).zone,
            stopped=await run_in_threadpool(fleet.stopped),
            names=names,
            may_run=True,
            viewer=viewer,
        )

    @router.get("/ota/rollouts/new")
    async def new(request: Request) -> Response:
        asked = {k: v.strip()[:LONGEST] for k, v in request.query_params.items()}
        cells = request.query_params.getlist("cells")
        # A form that was sent leaves out what is not ticked; an address typed by hand has no wave.
        # Drawn here, so that the draft has the waves of this preview.
        blank = _BLANK | {"seed": str(drawn())}
        fields = blank | asked if "wave1" not in asked else _unticked(_BLANK) | asked
        return await show(request, fields, cells)

    @router.post("/ota/rollouts")
    async def draft(request: Request) -> Response:
        viewer = await gate.require(request, *RUNNERS)
        await gate.verify(request)
        form = await request.form()
        fields = _unticked(_BLANK) | {k: str(v).strip()[:LONGEST] for k, v in form.items()}
        cells = [str(each) for each in form.getlist("cells")]
        boxes = list(await run_in_threadpool(fleet.boxes))
        names = await run_in_threadpool(fleet.names)
        try:
            plan = _plan(request, fields, cells, boxes, names)
            if not plan.why:
                raise BadInputError(
                    "It is not said why this is rolled out", mend="Write it for the audit"
                )
            made = await run_in_threadpool(lambda: rollouts.create(plan, by=viewer.name))
        except _SAID as error:
            return await show(request, fields, cells, error=error)
        return RedirectResponse(f"/ota/rollouts/{made}", status_code=303)


async def _preview(
    request: Request,
    rollouts: Rollouts,
    fields: Mapping[str, str],
    cells: Sequence[str],
    boxes: Sequence[BoxRow],
    names: Mapping[str, SetName],
) -> tuple[Preview | None, TallymanError | None]:
    """None without a candidate: nothing was chosen yet, which is no fault."""
    if not fields["candidate"]:
        return None, None
    try:
        plan = _plan(request, fields, cells, boxes, names)
        return await run_in_threadpool(rollouts.preview, plan), None
    except _SAID as error:
        return None, error


def _plan(
    request: Request,
    fields: Mapping[str, str],
    cells: Sequence[str],
    boxes: Sequence[BoxRow],
    names: Mapping[str, SetName],
) -> Plan:
    chosen = names.get(fields["candidate"])
    if chosen is None:
        raise BadInputError("No model set is chosen", mend="Choose a published one")
    places = Places({box.device for box in boxes}, board.cells(boxes), board.sites(boxes))
    return plan_of(fields, cells, places, lane=chosen.lane, zone=pages_of(request).zone)


def _choices(names: Mapping[str, SetName]) -> list[tuple[str, list[SetName]]]:
    """By lane the sets that may be rolled out, the newest version first."""
    found = [name for name in names.values() if name.state in _SETS]
    return [
        (lane, sorted(mine, key=lambda each: (each.name, each.version), reverse=True))
        for lane in LANES
        if (mine := [each for each in found if each.lane == lane])
    ]


def _unticked(fields: Mapping[str, str]) -> dict[str, str]:
    """What stands for a field that was not sent: a tick that is not set, a wave that is not written."""
    ticks = ("shadow", "certify", "decide")
    kept = {name: value for name, value in fields.items() if name not in ticks}
    return kept | {name: "" for name in kept if name.startswith("wave")}

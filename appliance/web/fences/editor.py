"""One fence: edited, tried out on what was recorded, saved as a draft."""

from __future__ import annotations

import itertools
from datetime import timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.fences.store import Story
from appliance.journal.stamp import to_us
from appliance.web.app import pages_of
from appliance.web.fences.chart import charts
from appliance.web.fences.form import (
    DAYS,
    SPANS,
    STEPS,
    differences,
    fence_of,
    form_of,
    id_from,
    new_form,
    typed_in,
)
from appliance.web.fences.listing import EDITORS, SIGNERS
from appliance.web.fences.ports import FenceDesk, Names, Trials
from appliance.web.fences.words import render
from appliance.web.ports import Gate, Viewer
from appliance.web.quality.tickets import good_keys
from appliance.web.uploads import check_length
from contracts.errors import BadInputError, NotFoundError, UnavailableError
from contracts.telemetry import AlarmEffect
from telemetry.units import QUANTITIES
from telemetry.watching.conditions.making import prepare
from telemetry.watching.fences import Fence, ScopeKind, Severity
from telemetry.watching.trials.trying import Tried, try_file

_MOST_FILE = 32 << 20
_SPANS_OF_DAYS = (1, 7, 30, 90)


def add_to(
    router: APIRouter, desk: FenceDesk, trials: Trials, gate: Gate, names: Names | None
) -> None:
    """/fences/new, /fences/{id}, /fences/try."""
    pages = _Editor(desk, names)

    @router.get("/fences/new", include_in_schema=False)
    async def new(request: Request) -> Response:
        viewer = await gate.require(request, *EDITORS)
        return await pages.show(request, viewer, None, new_form())

    @router.post("/fences/try", include_in_schema=False)
    async def trial(request: Request) -> Response:
        await gate.require(request, *EDITORS)
        check_length(request, _MOST_FILE)
        await gate.verify(request)
        return await _trial(request, trials)

    @router.get("/fences/{name}", include_in_schema=False)
    async def one(request: Request, name: str) -> Response:
        viewer = await gate.require(request)
        story = await run_in_threadpool(desk.story, name)
        return await pages.show(request, viewer, story, form_of(story.newest.fence))

    @router.post("/fences/new", include_in_schema=False)
    async def create(request: Request) -> Response:
        viewer = await gate.require(request, *EDITORS)
        await gate.verify(request)
        return await pages.save(request, viewer, None)

    @router.post("/fences/{name}", include_in_schema=False)
    async def change(request: Request, name: str) -> Response:
        viewer = await gate.require(request, *EDITORS)
        await gate.verify(request)
        return await pages.save(request, viewer, await run_in_threadpool(desk.story, name))

    @router.post("/fences/{name}/drop", include_in_schema=False)
    async def drop(request: Request, name: str) -> Response:
        await gate.require(request, *EDITORS)
        await gate.verify(request)
        await run_in_threadpool(desk.drop_draft, name)
        left = name in {story.newest.fence.fence for story in await run_in_threadpool(desk.stories)}
        return RedirectResponse(f"/fences/{name}" if left else "/fences", status_code=303)


class _Editor:
    def __init__(self, desk: FenceDesk, names: Names | None) -> None:
        self._desk = desk
        self._names = names

    async def save(self, request: Request, viewer: Viewer, story: Story | None) -> Response:
        typed = typed_in(await request.form())
        try:
            kept = await run_in_threadpool(self._save, request, viewer, story, typed)
        except BadInputError as error:
            return await self.show(request, viewer, story, typed, error)
        return RedirectResponse(f"/fences/{kept.fence}", status_code=303)

    def _save(
        self, request: Request, viewer: Viewer, story: Story | None, typed: dict[str, str]
    ) -> Fence:
        if story is None:
            taken = [each.newest.fence.fence for each in self._desk.stories()]
            name = id_from(typed["title"], taken)
        else:
            name = story.newest.fence.fence
        fence = fence_of(typed, name=name, zone=_zone(request))
        return self._desk.save(fence, by=viewer.name)

    async def show(
        self,
        request: Request,
        viewer: Viewer,
        story: Story | None,
        typed: dict[str, str],
        error: BadInputError | None = None,
    ) -> Response:
        signs = viewer.may(*SIGNERS)
        own = await run_in_threadpool(self._desk.keys, viewer.name) if signs else []
        allowed = (
            await run_in_threadpool(self._desk.may_sign, viewer.name) if signs else frozenset()
        )
        return render(
            request,
            "fence.html",
            status_code=200 if error is None else 422,
            story=story,
            typed=typed,
            error=error,
            field=error.data.get("field", "") if error else "",
            viewer=viewer,
            may_edit=viewer.may(*EDITORS),
            may_sign=signs,
            good_keys={k: v for k, v in good_keys(own).items() if k in allowed},
            has_keys=bool(own),
            lead=await run_in_threadpool(lambda: self._desk.lead_key),
            quantities=QUANTITIES,
            scopes=list(ScopeKind),
            names=await run_in_threadpool(self._names.names) if self._names else {},
            severities=list(Severity),
            effects=list(AlarmEffect),
            steps=STEPS,
            spans=SPANS,
            weekdays=DAYS,
            zone=_zone(request),
            differences=_changes(story),
            trial_days=_SPANS_OF_DAYS,
        )


def _changes(story: Story | None) -> dict[int, list[tuple[str, str, str]]]:
    """What each version changed of the one before it."""
    versions = story.versions if story else ()
    return {
        later.fence.version: differences(before.fence, later.fence)
        for later, before in itertools.pairwise(versions)
    }


async def _trial(request: Request, trials: Trials) -> Response:
    """A part of the page: what would have been told, or why it cannot be said."""
    try:
        # Closed at the end: a long file lies on the disk.
        async with request.form(max_part_size=_MOST_FILE) as form:
            typed = typed_in(form)
            typed["title"] = typed["title"].strip() or "trial"
            fence = fence_of(typed, name="trial", zone=_zone(request))
            prepare(fence)
            tried = await _tried(request, form, fence, trials)
    except (BadInputError, NotFoundError, UnavailableError) as error:
        return render(request, "part_tried.html", error=error, tried=None)
    hours = (tried.to_us - tried.from_us) / 3_600_000_000
    return render(
        request,
        "part_tried.html",
        error=None,
        tried=tried,
        fence=fence,
        charts=charts(fence, tried, pages_of(request).zone),
        hours=round(hours, 1),
        days=round(hours / 24, 1),
    )


async def _tried(request: Request, form: FormData, fence: Fence, trials: Trials) -> Tried:
    upload = form.get("file")
    if isinstance(upload, UploadFile) and upload.filename:
        data = await upload.read(_MOST_FILE + 1)
        if len(data) > _MOST_FILE:
            raise BadInputError("The file is too long", mend="Give a part of it, 32 MB at most")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInputError("The file is no text", mend="Export it as CSV in UTF-8") from error
        return await run_in_threadpool(try_file, fence, text, ZoneInfo(_zone(request)))
    text = str(form.get("days", "7"))
    days = int(text) if text in {str(each) for each in _SPANS_OF_DAYS} else 7
    now = pages_of(request).clock.now()
    return await trials.try_out(fence, from_us=to_us(now - timedelta(days=days)), to_us=to_us(now))


def _zone(request: Request) -> str:
    return str(pages_of(request).zone)

"""Alarms: what goes on in the building, who has seen it, what was; and the story of one.

An alarm is over when the readings say so, never because somebody acknowledged it. Where its gateway
is lost no reading will: how it stands is unknown then, and a person may say that it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.care.plots import curve
from appliance.web.fences.words import render
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate
from contracts.errors import ConflictError
from contracts.telemetry import AlarmChange, TracePoint
from erp_link.domain.excursions.exposure import merged
from erp_link.service.excursions.alarms import AlarmRow, ChangeRow
from erp_link.service.excursions.report import calibration_state

WORKERS = ("operator", "quality", "ops")
CLOSERS = ("quality", "ops")
_PAGE = 50


class AlarmDesk(Protocol):
    """erp_link.service.excursions.alarms.Alarms. Calls block."""

    def open(self) -> Sequence[AlarmRow]: ...

    def history(
        self, *, before: tuple[int, str] | None = None, limit: int = 100
    ) -> Sequence[AlarmRow]: ...

    def alarm(self, alarm_id: str) -> AlarmRow:
        """Raises NotFoundError."""
        ...

    def changes(self, alarm_id: str) -> Sequence[ChangeRow]: ...

    def acknowledge(self, alarm_id: str, *, note: str, by: str) -> None: ...

    def close(self, alarm_id: str, *, note: str, by: str) -> None:
        """Raises NotFoundError, ConflictError, BadInputError without a note."""
        ...


Silent = Callable[[str], datetime | None]
"""Since when a gateway is no longer heard; None while it is."""


def alarms_router(desk: AlarmDesk, gate: Gate, silent: Silent = lambda _: None) -> APIRouter:
    """/alarms, /alarms/{id}, its acknowledgement, and its end where its gateway is lost."""
    router = APIRouter()

    @router.get("/alarms", include_in_schema=False)
    async def alarms(request: Request, before: str = "") -> Response:
        viewer = await gate.require(request)
        query = query_of(request)
        opened = await run_in_threadpool(desk.open)
        cursor = _cursor(before)
        past = await run_in_threadpool(lambda: desk.history(before=cursor, limit=_PAGE + 1))
        shown = past[:_PAGE]
        return render(
            request,
            "alarms.html",
            rows=matching(opened, query, _text),
            total=len(opened),
            past=matching(shown, query, _text),
            earlier=f"{shown[-1].since_us}.{shown[-1].alarm_id}" if len(past) > _PAGE else "",
            q=query,
            silent={row.gateway: silent(row.gateway) for row in opened},
            may_work=viewer.may(*WORKERS),
            viewer=viewer,
        )

    @router.get("/alarms/{alarm_id}", include_in_schema=False)
    async def alarm(request: Request, alarm_id: str) -> Response:
        viewer = await gate.require(request)
        found = await run_in_threadpool(desk.alarm, alarm_id)
        changes = await run_in_threadpool(desk.changes, alarm_id)
        # A minute that was told in two parts is one.
        points = merged(point for change in changes for point in change.trace)
        return render(
            request,
            "alarm.html",
            alarm=found,
            changes=changes,
            minutes=len(points),
            plot=_plot(found, points),
            calibration=calibration_state(found.calibration, found.since, pages_of(request).zone),
            silent=silent(found.gateway) if found.open else None,
            by_person=not found.open and changes and changes[-1].change is not AlarmChange.CLEARED,
            may_work=viewer.may(*WORKERS),
            may_close=viewer.may(*CLOSERS),
            viewer=viewer,
        )

    @router.post("/alarms/{alarm_id}/acknowledge", include_in_schema=False)
    async def acknowledge(request: Request, alarm_id: str) -> Response:
        viewer = await gate.require(request, *WORKERS)
        await gate.verify(request)
        form = await request.form()
        note = str(form.get("note", ""))
        await run_in_threadpool(lambda: desk.acknowledge(alarm_id, note=note, by=viewer.name))
        there = f"/alarms/{alarm_id}" if form.get("here") else "/alarms"
        return RedirectResponse(there, status_code=303)

    @router.post("/alarms/{alarm_id}/close", include_in_schema=False)
    async def close(request: Request, alarm_id: str) -> Response:
        viewer = await gate.require(request, *CLOSERS)
        await gate.verify(request)
        found = await run_in_threadpool(desk.alarm, alarm_id)
        if silent(found.gateway) is None:
            raise ConflictError(
                f"{found.gateway} is heard: the alarm is over when its readings say so",
                mend="Mend what it tells of, or withdraw its fence",
            )
        note = str((await request.form()).get("note", ""))
        await run_in_threadpool(lambda: desk.close(alarm_id, note=note, by=viewer.name))
        return RedirectResponse(f"/alarms/{alarm_id}", status_code=303)

    return router


def _text(row: AlarmRow) -> str:
    return (
        f"{row.alarm_id} {row.fence} {row.series} {row.place} {row.severity} {row.kind} "
        f"{row.gateway} {row.ticket_id} {row.acknowledged_by}"
    )


def _cursor(text: str) -> tuple[int, str] | None:
    since, _, name = text.partition(".")
    if not since.isascii() or not since.isdigit() or len(since) > 18 or not name:  # noqa: PLR2004 -- 64 bits
        return None
    return int(since), name[:80]


def _plot(alarm: AlarmRow, points: Sequence[TracePoint]) -> dict[str, object] | None:
    """Least and most of each minute, and the limit, in the box of `care.plots`."""
    if len(points) < 2:  # noqa: PLR2004 -- a line has two ends
        return None
    ends = [each.least for each in points] + [each.most for each in points]
    if alarm.limit is not None and alarm.kind in {"above", "below"}:
        ends.append(alarm.limit)
    low, high = min(ends), max(ends)
    room = (high - low) * 0.1 or 1.0
    low, high = low - room, high + room
    begin, end = points[0].at_us, points[-1].at_us

    def share(value: float) -> float:
        return (value - low) / (high - low)

    def line(values: Sequence[float]) -> list[tuple[float, float]]:
        times = [(each.at_us - begin) / (end - begin) for each in points]
        return [(x, share(value)) for x, value in zip(times, values, strict=True)]

    upper = line([each.most for each in points])
    lower = line([each.least for each in points])
    limited = alarm.limit is not None and alarm.kind in {"above", "below"}
    return {
        "band": curve([*upper, *reversed(lower)]),
        "line": curve(line([each.mean for each in points])),
        "limit": round(100 * (1 - share(alarm.limit or 0.0)), 1) if limited else None,
        "low": f"{low + room:.2f}",
        "high": f"{high - room:.2f}",
        "begin": begin,
        "end": end,
    }

"""/sensors and what lies below it: the book, one entry, a sheet, templates, trying one on bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.gateway.aside import Unknown
from appliance.sensors.sheet import write_sheet
from appliance.sensors.store import SensorStore
from appliance.web.app import pages_of
from appliance.web.charts.gateway import PREFIX, Gateway, SeriesCard
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate
from appliance.web.sensors.board import SHOWS, Row, fits, rows_of
from appliance.web.sensors.entry import add_entry_routes
from appliance.web.sensors.templates import add_template_routes
from contracts.errors import TallymanError, UnavailableError

KEEPERS: Final = ("ops", "quality", "integrator")
_ROWS: Final = 300
_UNKNOWN: Final = 20
Places = Callable[[], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the gateway answered; `trouble` where it did not."""

    series: Sequence[SeriesCard] = ()
    unknown: Sequence[Unknown] = ()
    trouble: TallymanError | None = None


def sensors_router(store: SensorStore, gateway: Gateway, gate: Gate, places: Places) -> APIRouter:
    """The pages of the book. To be included before the charts', whose address takes any name."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sensors")
    async def listed(request: Request) -> Response:
        viewer = await gate.require(request)
        heard = await _heard(gateway)
        pages = pages_of(request)
        today = pages.clock.now().astimezone(pages.zone).date()
        rows = await run_in_threadpool(
            rows_of, store.book(), store.templates(), heard.series, today
        )
        query, shown = query_of(request), request.query_params.get("show", "")
        shown = shown if shown in SHOWS else SHOWS[0]
        found = [row for row in matching(rows, query, lambda row: row.text) if fits(row, shown)]
        return pages.render(
            request,
            "sensors.html",
            rows=found[:_ROWS],
            found=len(found),
            total=len(rows),
            shows=SHOWS,
            shown=shown,
            counts=_counts(rows, asked=heard.trouble is None),
            unknown=heard.unknown[:_UNKNOWN],
            unknown_more=max(0, len(heard.unknown) - _UNKNOWN),
            families=store.book().family,
            trouble=heard.trouble,
            moment=_moment,
            may_keep=viewer.may(*KEEPERS),
            q=query,
            viewer=viewer,
        )

    @router.get("/sensors/book.csv")
    async def as_sheet(request: Request) -> Response:
        await gate.require(request)
        return Response(
            "\ufeff" + write_sheet(store.book().device),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="sensors.csv"'},
        )

    add_entry_routes(router, store, gate, places, KEEPERS)
    add_template_routes(router, store, gate, KEEPERS)
    return router


async def _heard(gateway: Gateway) -> Heard:
    try:
        series = await gateway.series("")
        raw = await gateway.get(f"{PREFIX}/unknown", within_s=3.0)
        return Heard(series, msgspec.json.decode(raw, type=list[Unknown]))
    except UnavailableError as error:
        return Heard(trouble=error)
    except msgspec.MsgspecError as error:
        return Heard(trouble=UnavailableError(f"The gateway speaks another version: {error}"))


def _counts(rows: Sequence[Row], *, asked: bool) -> Counter[str]:
    """Who is silent only the gateway knows."""
    found: Counter[str] = Counter()
    for shown in SHOWS:
        found[shown] = sum(fits(row, shown) for row in rows)
    if not asked:
        found["silent"] = 0
    return found


def _moment(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1_000_000, UTC)

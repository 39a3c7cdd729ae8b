"""The page of one sensor with its charts, and the page that says what history is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.web.app import pages_of
from appliance.web.charts.gateway import PREFIX, Gateway, SeriesCard, StoreCard
from appliance.web.charts.limits import Limit, LimitsOf, no_limits
from appliance.web.ports import Gate
from contracts.errors import NotFoundError, TallymanError, UnavailableError

SPANS: Final = {
    "15m": 900,
    "1h": 3_600,
    "24h": 86_400,
    "7d": 7 * 86_400,
    "30d": 30 * 86_400,
    "90d": 90 * 86_400,
}
"""What a chart may show up to now, seconds."""
FIRST: Final = "1h"
POINTS: Final = 1000
_WITH_THE_PAGE: Final = 2
"""Charts that are seen before anybody scrolls: their first answer comes with the page."""
_AT_ONCE_S: Final = 0.4
SENTENCES: Final = (
    "sensor.failed",
    "sensor.empty_range",
    "sensor.point.raw",
    "sensor.point.step",
    "sensor.at",
    "sensor.at_step",
)
"""What chart.js writes; it fills in the values."""


@dataclass(frozen=True, slots=True)
class DeviceCard:
    """What the sensor book says of a device."""

    device: str
    name: str = ""
    place: str = ""
    template: str = ""
    address: str = ""
    """Page where its entry is edited; empty: nowhere."""


Book = Callable[[str], DeviceCard | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure: a series and the question that its first picture answers."""

    series: SeriesCard
    question: str
    overdue: bool
    limits: Sequence[Limit] = ()
    first: str = ""
    """The answer to the question as JSON, where it is in time: the first picture waits for nothing."""

    @property
    def lines(self) -> list[dict[str, object]]:
        """The limits as chart.js draws them."""
        return [{"at": each.at, "kind": each.kind, "name": each.title} for each in self.limits]


def charts_router(
    gateway: Gateway, gate: Gate, *, book: Book = lambda _: None, limits: LimitsOf = no_limits
) -> APIRouter:
    """/sensors/history and /sensors/DEVICE: to be included behind every other page of /sensors."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sensors/history")
    async def history(request: Request) -> Response:
        viewer = await gate.require(request)
        store: StoreCard | None = None
        trouble: TallymanError | None = None
        try:
            store = await gateway.store()
        except UnavailableError as error:
            trouble = error
        return pages_of(request).render(
            request,
            "sensor_history.html",
            store=store,
            trouble=trouble,
            moment=_moment,
            viewer=viewer,
        )

    @router.get("/sensors/{device}")
    async def sensor(request: Request, device: str) -> Response:
        viewer = await gate.require(request)
        card = book(device)
        found: Sequence[SeriesCard] = ()
        trouble: TallymanError | None = None
        try:
            found = await gateway.series(device)
        except UnavailableError as error:
            trouble = error
        if not found and card is None and trouble is None:
            raise NotFoundError(
                f"No sensor {device!r} is in the book or in the history",
                mend="Choose one from the list of sensors",
            )
        pages = pages_of(request)
        span = request.query_params.get("span", "")
        span = span if span in SPANS else FIRST
        now = pages.clock.now()
        charts = [_chart(each, span, now) for each in found]
        fenced, first = await asyncio.gather(
            run_in_threadpool(limits, found), _answers(gateway, charts[:_WITH_THE_PAGE])
        )
        charts = [
            replace(each, limits=fenced.get(each.series.key, ()), first=first.get(n, ""))
            for n, each in enumerate(charts)
        ]
        return pages.render(
            request,
            "sensor.html",
            device=device,
            card=card or DeviceCard(device),
            charts=charts,
            place=next((each.place for each in found if each.place), card.place if card else ""),
            spans=SPANS,
            span=span,
            trouble=trouble,
            moment=_moment,
            sentences={key: pages.words(request).sentence(key) for key in SENTENCES},
            viewer=viewer,
        )

    return router


async def _answers(gateway: Gateway, charts: Sequence[Chart]) -> dict[int, str]:
    """What the gateway says at once; what takes longer the page asks for itself."""

    async def ask(chart: Chart) -> str:
        address = f"{PREFIX}/history?{chart.question}"
        try:
            found = await gateway.get(address, within_s=_AT_ONCE_S)
        except TallymanError:
            return ""
        # No end of a script can stand in it.
        return found.decode().replace("<", "\\u003c")

    return dict(enumerate(await asyncio.gather(*(ask(each) for each in charts))))


def _chart(series: SeriesCard, span: str, now: datetime) -> Chart:
    to_us = int(now.timestamp() * 1_000_000)
    question = series.query(from_us=to_us - SPANS[span] * 1_000_000, to_us=to_us, points=POINTS)
    return Chart(series, question, _overdue(series, now.date()))


def _overdue(series: SeriesCard, today: date) -> bool:
    due = series.calibration.due_on if series.calibration else ""
    try:
        return bool(due) and date.fromisoformat(due) < today
    except ValueError:
        return False


def _moment(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1_000_000, UTC)

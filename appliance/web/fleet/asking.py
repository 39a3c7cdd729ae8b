"""What people ask vehicles to bring, and what they call off. The core permits it or says why not (I1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.fleet.journeys import show_journey
from appliance.web.fleet.ports import Asking, Desk, Sight
from appliance.web.fleet.words import WORKERS, journey_url, word_of
from appliance.web.ports import Gate
from contracts.errors import (
    BadInputError,
    ConflictError,
    HeldError,
    InsufficientStockError,
    NotFoundError,
    TallymanError,
)
from contracts.stock import BatchKey

_SAID: Final = (BadInputError, ConflictError, HeldError, InsufficientStockError, NotFoundError)
_LONGEST: Final = 200


def add_asking_routes(
    router: APIRouter,
    sight: Sight | None,
    desk: Desk,
    asking: Asking,
    gate: Gate,
    wake: Callable[[], None],
) -> None:
    """The page to ask on, its three forms, and calling an order off. wake: the bridge asks at once."""

    async def page(
        request: Request,
        *,
        error: TallymanError | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        viewer = await gate.require(request)
        return pages_of(request).render(
            request,
            "fleet_ask.html",
            status_code=422 if error else 200,
            slots=await run_in_threadpool(desk.slots),
            offered=await run_in_threadpool(desk.offered),
            may_work=viewer.may(*WORKERS),
            error=error,
            word=word_of(error) if error else "",
            typed=typed or {},
            viewer=viewer,
        )

    @router.get("/fleet/ask")
    async def ask(request: Request) -> Response:
        return await page(request)

    @router.post("/fleet/ask/{what}")
    async def asked(request: Request, what: str) -> Response:
        viewer = await gate.require(request, *WORKERS)
        await gate.verify(request)
        typed = await _typed(request)
        try:
            orders = await run_in_threadpool(lambda: _ask(asking, what, typed, viewer.name))
        except _SAID as error:
            return await page(request, error=error, typed=typed)
        wake()
        there = journey_url(orders[0]) if len(orders) == 1 else "/fleet?view=missions"
        return RedirectResponse(there, status_code=303)

    @router.post("/fleet/call-off")
    async def call_off(request: Request) -> Response:
        viewer = await gate.require(request, *WORKERS)
        await gate.verify(request)
        typed = await _typed(request)
        order = typed.get("order", "")
        try:
            await run_in_threadpool(
                lambda: asking.cancel(order, reason=typed.get("reason", ""), by=viewer.name)
            )
        except (BadInputError, ConflictError) as error:
            return await show_journey(request, sight, desk, gate, order, error=error)
        wake()
        return RedirectResponse(journey_url(order), status_code=303)


def _ask(asking: Asking, what: str, typed: Mapping[str, str], by: str) -> list[str]:
    """The ids of the orders made now."""
    match what:
        case "replenishment":
            count = typed.get("cartons", "")
            if not (count.isascii() and count.isdigit()):
                raise BadInputError(
                    f"{count[:20]!r} is no number of cartons",
                    mend="Write a whole number",
                    count=count[:20],
                )
            return asking.replenish(
                typed.get("gtin", ""), typed.get("target", ""), int(count), by=by
            )
        case "carton":
            return [asking.ask(typed.get("carton", ""), by=by).order.order_id]
        case "recall":
            gtin = typed.get("gtin", "").zfill(14)
            key = BatchKey(typed.get("supplier", ""), gtin, typed.get("lot", ""))
            made = asking.recall(key, by=by)
            if not made:
                raise ConflictError(
                    f"No carton of {key.lot} is to be brought away now",
                    mend="Its blocked cartons stand in quarantine or are on their way, or none is"
                    " blocked: hold the batch first",
                    batch=str(key),
                    lot=key.lot,
                )
            return made
        case _:
            raise NotFoundError(f"Nothing is asked for with {what[:40]!r}", mend="Use the forms")


async def _typed(request: Request) -> dict[str, str]:
    form = await request.form()
    return {name: str(value).strip()[:_LONGEST] for name, value in form.items()}

"""The order pages: what every order waits for, and why it gets these goods and not others.

The buttons are those of the next step. What a hold stops says so in place, and nothing is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.listing import matching, query_of
from appliance.web.orders.ports import OrderDesk
from appliance.web.ports import Gate
from contracts.errors import (
    BadInputError,
    ConflictError,
    HeldError,
    InsufficientStockError,
    TallymanError,
)
from erp_link.domain.orders import NewLine, NewOrder, OrderState
from erp_link.service.orders.shapes import OrderSummary, OrderView

HANDLERS = ("operator", "quality", "ops", "integrator")
_SHOWN = 300
_LINES = 8
BADGES = {
    OrderState.OPEN: "hold",
    OrderState.SHORT: "review",
    OrderState.ALLOCATED: "info",
    OrderState.PICKING: "info",
    OrderState.PICKED: "info",
    OrderState.PACKED: "info",
    OrderState.SHIPPED: "accept",
    OrderState.CANCELLED: "waiting",
}
"""Which reserved colour a state has; the word is always there too."""
_REFUSALS = (HeldError, ConflictError, BadInputError, InsufficientStockError)


def order_url(order: str) -> str:
    """An order's page. Numbers may hold `/` and `?`, so it goes into the query."""
    return "/orders/one?" + urlencode({"order": order})


def orders_router(desk: OrderDesk, gate: Gate) -> APIRouter:
    """/orders, /orders/one and the steps of an order."""
    router = APIRouter()
    _add_lists(router, desk, gate)
    _add_steps(router, desk, gate)
    return router


def _text(row: OrderSummary) -> str:
    return f"{row.order} {row.customer} {row.due_on or ''} {row.state} {row.placed_by}"


async def _list(
    request: Request,
    desk: OrderDesk,
    gate: Gate,
    *,
    error: TallymanError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    viewer = await gate.require(request)
    every = await run_in_threadpool(lambda: desk.orders(limit=_SHOWN))
    state, query = request.query_params.get("state", ""), query_of(request)
    rows = [row for row in every if state in ("", row.state.value)]
    return pages_of(request).render(
        request,
        "orders.html",
        status_code=422 if error else 200,
        rows=matching(rows, query, _text),
        total=len(every),
        counts={each: sum(row.state is each for row in every) for each in OrderState},
        states=list(OrderState),
        state=state,
        q=query,
        badges=BADGES,
        order_url=order_url,
        line_numbers=range(1, _LINES + 1),
        may_handle=viewer.may(*HANDLERS),
        quotas=await run_in_threadpool(desk.quotas),
        offered=await run_in_threadpool(desk.offered),
        error=error,
        typed=typed or {},
        viewer=viewer,
    )


async def _one(
    request: Request, desk: OrderDesk, gate: Gate, order: str, *, error: TallymanError | None = None
) -> Response:
    viewer = await gate.require(request)
    view = await run_in_threadpool(desk.order, order)
    return pages_of(request).render(
        request,
        "order.html",
        status_code=409 if error else 200,
        view=view,
        row=view.summary,
        steps=steps_of(view),
        badges=BADGES,
        order_url=order_url,
        may_handle=viewer.may(*HANDLERS),
        error=error,
        viewer=viewer,
    )


def steps_of(view: OrderView) -> tuple[str, ...]:
    """What can be done with an order now, the next step first: goods that may not leave any more
    go back before anything else, since no step that takes them along would be done.
    """
    row = view.summary
    if row.state in (OrderState.CANCELLED, OrderState.SHIPPED):
        return ()
    loose = row.picked - row.packed
    wanted = (
        ("return_stopped", bool(stopped_of(view))),
        ("pick", row.reserved > 0),
        ("pack", loose > 0),
        ("ship", row.packed > 0 and loose == 0 and not row.reserved and not row.short),
        ("ship_part", row.packed > 0 and bool(loose or row.reserved or row.short)),
        ("plan", row.short > 0),
        ("return", row.picked > 0),
        ("cancel", row.shipped == 0),
    )
    return tuple(name for name, can in wanted if can)


def stopped_of(view: OrderView) -> tuple[int, ...]:
    """The reservations whose goods are picked and may not leave."""
    return tuple(
        good.reservation_id
        for good in view.goods
        if good.stopped and good.state in ("picked", "packed")
    )


def _add_lists(router: APIRouter, desk: OrderDesk, gate: Gate) -> None:
    @router.get("/orders", include_in_schema=False)
    async def orders(request: Request) -> Response:
        return await _list(request, desk, gate)

    @router.get("/orders/one", include_in_schema=False)
    async def one(request: Request, order: str = "") -> Response:
        return await _one(request, desk, gate, order)

    @router.post("/orders", include_in_schema=False)
    async def place(request: Request) -> Response:
        viewer = await gate.require(request, *HANDLERS)
        await gate.verify(request)
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            order = typed_order(form)
            await run_in_threadpool(lambda: desk.place(order, by=viewer.name))
        except _REFUSALS as error:
            return await _list(request, desk, gate, error=error, typed=form)
        return RedirectResponse(order_url(order.order), status_code=303)


def _add_steps(router: APIRouter, desk: OrderDesk, gate: Gate) -> None:
    @router.post("/orders/step", include_in_schema=False)
    async def step(request: Request) -> Response:
        viewer = await gate.require(request, *HANDLERS)
        await gate.verify(request)
        form = {name: str(value) for name, value in (await request.form()).items()}
        order = form.get("order", "")
        try:
            await run_in_threadpool(take_step, desk, order, form, by=viewer.name)
        except _REFUSALS as error:
            return await _one(request, desk, gate, order, error=error)
        return RedirectResponse(order_url(order), status_code=303)


def take_step(desk: OrderDesk, order: str, form: Mapping[str, str], *, by: str) -> None:
    """The step that the pressed button names. Raises BadInputError for one that is none."""
    one = form.get("reservation", "")
    only = (_whole(one, "The reservation"),) if one else ()
    match form.get("step", ""):
        case "pick":
            desk.pick(order, only=only, by=by)
        case "pack":
            desk.pack(order, only=only, label=form.get("label", "").strip(), by=by)
        case "ship":
            desk.ship(order, by=by)
        case "ship_part":
            desk.ship(order, partly=True, by=by)
        case "plan":
            desk.plan(order, by=by)
        case "return_stopped":
            stopped = stopped_of(desk.order(order))
            if not stopped:
                raise ConflictError(
                    f"Nothing picked for order {order} is stopped any more", mend="Look again"
                )
            desk.bring_back(order, only=stopped, by=by)
        case "return":
            desk.bring_back(order, only=only, by=by)
        case "cancel":
            desk.cancel(order, reason=form.get("reason", ""), by=by)
        case other:
            raise BadInputError(f"{other!r} is no step of an order", mend="Use the page's buttons")


def typed_order(form: Mapping[str, str]) -> NewOrder:
    """An order from the form's fields gtin_1, quantity_1, unit_1, days_1 ... Raises BadInputError."""
    lines = tuple(
        NewLine(
            gtin=form[f"gtin_{n}"].replace(" ", ""),
            quantity=_whole(form.get(f"quantity_{n}", ""), f"The quantity of line {n}"),
            unit=form.get(f"unit_{n}", "").strip(),
            least_days=_whole(form.get(f"days_{n}", "") or "0", f"The days of line {n}"),
        )
        for n in range(1, _LINES + 1)
        if form.get(f"gtin_{n}", "").strip()
    )
    due = form.get("due_on", "").strip()
    try:
        due_on = date.fromisoformat(due) if due else None
    except ValueError as error:
        raise BadInputError(f"{due!r} is no date", mend="Write it like 2026-12-31") from error
    return NewOrder(form.get("order", "").strip(), lines, form.get("customer", "").strip(), due_on)


def _whole(text: str, what: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:  # noqa: PLR2004 -- more units than any house holds
        raise BadInputError(f"{what} is {text!r}", mend="Write a whole number")
    return int(digits)

"""The replenishment pages: what to order today, why, and how sure that is (I7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.care import plots
from appliance.web.care.ports import ReorderDesk
from appliance.web.care.sheets import csv_answer
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate
from contracts.errors import BadInputError
from erp_link.domain.reorder.policy import ReorderPolicy
from erp_link.domain.reorder.suggest import Urgency
from erp_link.service.care.reorder import ReorderLine

PLANNERS = ("ops", "quality", "integrator")
"""Who sets how a product is replenished; everybody who is signed in sees it."""
ROWS = 50
_FIELDS = (
    "lead_days", "late_days", "review_days", "cycle_days", "service_percent", "pack", "least",
)  # fmt: skip
_DIGITS = 10
BADGES = {
    Urgency.OUT: "hold",
    Urgency.NOW: "review",
    Urgency.SOON: "info",
    Urgency.ENOUGH: "accept",
    Urgency.UNKNOWN: "waiting",
}
COLUMNS = (
    "gtin", "name", "suppliers", "urgency", "order", "position", "lasts_days", "reorder_point",
    "order_up_to", "a_day", "median", "high", "pattern", "free", "inspection", "on_order", "owed",
    "blocked", "expires_unsold", "reasons",
)  # fmt: skip


def reorder_router(desk: ReorderDesk, gate: Gate) -> APIRouter:
    """/reorder, /reorder.csv, /reorder/{gtin}, and the form that sets how a product is replenished."""
    router = APIRouter()
    _add_list(router, desk, gate)
    _add_product(router, desk, gate)
    return router


def _add_list(router: APIRouter, desk: ReorderDesk, gate: Gate) -> None:
    @router.get("/reorder", include_in_schema=False)
    async def show(request: Request) -> Response:
        viewer = await gate.require(request)
        plan = await run_in_threadpool(desk.plan)
        query, urgency = query_of(request), request.query_params.get("urgency", "")
        found = [
            line
            for line in matching(plan.lines, query, _text)
            if not urgency or line.suggestion.urgency == urgency
        ]
        return pages_of(request).render(
            request,
            "reorder.html",
            plan=plan,
            rows=found[:ROWS],
            found=len(found),
            total=len(plan.lines),
            counts=Counter(line.suggestion.urgency for line in plan.lines),
            urgencies=list(Urgency),
            urgency=urgency,
            badges=BADGES,
            bars=plots.bars,
            q=query,
            viewer=viewer,
        )

    @router.get("/reorder.csv", include_in_schema=False)
    async def as_csv(request: Request) -> Response:
        await gate.require(request)
        plan = await run_in_threadpool(desk.plan)
        words = pages_of(request).words(request)
        rows = [
            (*_row(line), " | ".join(words.reason(reason) for reason in line.suggestion.reasons))
            for line in plan.lines
        ]
        return csv_answer(f"reorder-{plan.until}.csv", COLUMNS, rows)


def _add_product(router: APIRouter, desk: ReorderDesk, gate: Gate) -> None:
    async def page(
        request: Request,
        gtin: str,
        *,
        error: BadInputError | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        viewer = await gate.require(request)
        line = await run_in_threadpool(desk.line, gtin)
        series = await run_in_threadpool(desk.series, gtin) if line.demand.observed_days else None
        days = len(series.shipped) if series else 0
        dates = [series.until - timedelta(days=days - at) for at in range(days)] if series else []
        return pages_of(request).render(
            request,
            "reorder_product.html",
            status_code=422 if error else 200,
            line=line,
            badge_kind=BADGES[line.suggestion.urgency],
            series=series,
            shipped=plots.bars(series.shipped) if series else (),
            on_hand=plots.steps(series.on_hand) if series else "",
            ticks=plots.ticks([f"{day:%m-%d}" for day in dates]),
            fields=_FIELDS,
            typed=typed or {name: str(getattr(line.policy, name)) for name in _FIELDS},
            error=error,
            may_plan=viewer.may(*PLANNERS),
            viewer=viewer,
        )

    @router.get("/reorder/{gtin}", include_in_schema=False)
    async def product(request: Request, gtin: str) -> Response:
        return await page(request, gtin)

    @router.post("/reorder/{gtin}", include_in_schema=False)
    async def set_policy(request: Request, gtin: str) -> Response:
        viewer = await gate.require(request, *PLANNERS)
        await gate.verify(request)
        form = await request.form()
        typed = {name: str(form.get(name, "")).strip() for name in _FIELDS}
        try:
            policy = None if "default" in form else policy_of(typed)
            await run_in_threadpool(lambda: desk.set_policy(gtin, policy, by=viewer.name))
        except BadInputError as error:
            return await page(request, gtin, error=error, typed=typed)
        return RedirectResponse(f"/reorder/{gtin}", status_code=303)


def policy_of(typed: Mapping[str, str]) -> ReorderPolicy:
    """The policy that somebody typed. Raises BadInputError naming the field."""
    values: dict[str, int] = {}
    for name in _FIELDS:
        text = typed[name]
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
            raise BadInputError(
                f"{name} is {text[:20]!r}", mend="Give a whole number, without a sign", field=name
            )
        values[name] = int(text)
    return ReorderPolicy(**values)


def _text(line: ReorderLine) -> str:
    return " ".join((line.card.gtin, line.card.name, *line.card.suppliers))


def _row(line: ReorderLine) -> tuple[object, ...]:
    said, demand, position = line.suggestion, line.demand, line.position
    return (
        line.card.gtin,
        line.card.name,
        ", ".join(line.card.suppliers),
        said.urgency.value,
        said.quantity,
        said.position,
        said.lasts_days,
        said.reorder_point,
        said.order_up_to,
        f"{demand.a_day:.3f}",
        f"{demand.median:.1f}",
        f"{demand.high:.1f}",
        demand.pattern,
        position.free,
        position.inspection,
        position.on_order,
        position.owed,
        position.blocked,
        said.expires_unsold,
    )

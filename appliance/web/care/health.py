"""The stock health page: turnover, age, importance and expiry of what stands here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.web.app import pages_of
from appliance.web.care import plots
from appliance.web.care.ports import HealthDesk
from appliance.web.care.sheets import csv_answer
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate
from erp_link.domain.health.measures import AGES, Importance
from erp_link.service.care.health import RUNGS, SPAN_DAYS, BatchHealth, Health, ProductHealth

ROWS = 50
_SORTS: dict[str, Callable[[ProductHealth], float]] = {
    "old": lambda each: -each.old,
    "on_hand": lambda each: -each.on_hand,
    "shipped": lambda each: -each.shipped,
    "slow": lambda each: each.turnover.turns if each.turnover.turns is not None else float("inf"),
    "fast": lambda each: -(each.turnover.turns or 0.0),
}
SHOWS = ("all", *(each.value for each in Importance if each is not Importance.NONE), "old", "dead")
COLUMNS = (
    "gtin", "name", "suppliers", "class", "on_hand", "blocked", "shipped_90_days", "mean_stock",
    "turns_a_year", "days_of_stock", "older_than_90_days", "oldest_days",
    *(f"age_to_{days}" for days in AGES), f"age_over_{AGES[-1]}",
    *(f"expiry_{rung}" for rung in RUNGS),
)  # fmt: skip
BATCH_COLUMNS = (
    "supplier", "gtin", "lot", "name", "expiry", "days_left", "stage", "on_hand", "free",
    "blocked", "oldest_days",
)  # fmt: skip


def stock_health_router(desk: HealthDesk, gate: Gate) -> APIRouter:
    """/stock-health and its tables as CSV: /stock-health.csv, /stock-health/batches.csv."""
    router = APIRouter()

    @router.get("/stock-health", include_in_schema=False)
    async def show(request: Request) -> Response:
        viewer = await gate.require(request)
        health = await run_in_threadpool(desk.report)
        query = query_of(request)
        shown = _chosen(request, "show", SHOWS)
        sort = _chosen(request, "sort", tuple(_SORTS))
        rung = request.query_params.get("rung", "")
        products = [each for each in matching(health.products, query, _text) if _fits(each, shown)]
        batches = matching(health.batches, query, _batch_text)
        on_rung = [each for each in batches if each.rung == rung]
        products.sort(key=_SORTS[sort])
        return pages_of(request).render(
            request,
            "stock_health.html",
            health=health,
            products=products[:ROWS],
            found=len(products),
            shows=SHOWS,
            shown=shown,
            counts=_counts(health),
            sorts=tuple(_SORTS),
            sort=sort,
            rung=rung if rung in RUNGS else "",
            rungs=[(name, *health.rung(name)) for name in RUNGS],
            most=max((health.rung(name)[0] for name in RUNGS), default=0) or 1,
            batches=on_rung[:ROWS],
            batches_found=len(on_rung),
            ages=_ages(health),
            oldest=max(health.ages) or 1,
            span=SPAN_DAYS,
            shipped=plots.bars(health.shipped_weeks),
            stock=plots.steps(health.stock_weeks),
            curve=plots.curve(health.pareto),
            q=query,
            viewer=viewer,
        )

    @router.get("/stock-health.csv", include_in_schema=False)
    async def as_csv(request: Request) -> Response:
        await gate.require(request)
        health = await run_in_threadpool(desk.report)
        rows = [_row(each) for each in health.products]
        return csv_answer(f"stock-health-{health.today}.csv", COLUMNS, rows)

    @router.get("/stock-health/batches.csv", include_in_schema=False)
    async def batches_csv(request: Request) -> Response:
        await gate.require(request)
        health = await run_in_threadpool(desk.report)
        rows = [_batch_row(each) for each in health.batches]
        return csv_answer(f"expiry-ladder-{health.today}.csv", BATCH_COLUMNS, rows)

    return router


def _chosen(request: Request, name: str, known: tuple[str, ...]) -> str:
    asked = request.query_params.get(name, "")
    return asked if asked in known else known[0]


def _fits(each: ProductHealth, shown: str) -> bool:
    match shown:
        case "all":
            return True
        case "old":
            return each.old > 0
        case "dead":
            return each.dead
        case _:
            return each.importance.value == shown


def _counts(health: Health) -> Counter[str]:
    found = Counter(each.importance.value for each in health.products)
    found["all"] = len(health.products)
    found["old"] = sum(each.old > 0 for each in health.products)
    found["dead"] = sum(each.dead for each in health.products)
    return found


def _ages(health: Health) -> list[tuple[str, int, bool]]:
    """Each age group: its name, its units, and whether it is over 90 days."""
    lower = (0, *(days + 1 for days in AGES))
    names = [f"{low}–{high}" for low, high in zip(lower, AGES, strict=False)]
    names.append(f"> {AGES[-1]}")
    old = [low > SPAN_DAYS for low in lower]
    return list(zip(names, health.ages, old, strict=True))


def _text(each: ProductHealth) -> str:
    return " ".join((each.card.gtin, each.card.name, *each.card.suppliers))


def _batch_text(each: BatchHealth) -> str:
    return f"{each.key.gtin} {each.key.lot} {each.key.supplier} {each.name}"


def _row(each: ProductHealth) -> tuple[object, ...]:
    turns, days = each.turnover.turns, each.turnover.days
    return (
        each.card.gtin,
        each.card.name,
        ", ".join(each.card.suppliers),
        each.importance.value,
        each.on_hand,
        each.blocked,
        each.shipped,
        f"{each.mean_stock:.1f}",
        None if turns is None else f"{turns:.2f}",
        None if days is None else f"{days:.1f}",
        each.old,
        each.oldest_days,
        *each.ages,
        *(each.rungs.get(rung, 0) for rung in RUNGS),
    )


def _batch_row(each: BatchHealth) -> tuple[object, ...]:
    return (
        each.key.supplier,
        each.key.gtin,
        each.key.lot,
        each.name,
        each.expiry,
        each.days_left,
        each.rung,
        each.on_hand,
        each.free,
        each.blocked,
        each.oldest_days,
    )

"""The health page: every part of the house with its state, its figure and that figure's age."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.web.app import pages_of
from appliance.web.ports import Gate, HealthItem, HealthSource

GROUPS = (
    "process",
    "camera",
    "journal",
    "uplink",
    "broker",
    "live",
    "agv",
    "module",
    "model_set",
    "learning",
    "device",
)
_WORST = ("down", "warn", "unknown", "ok")


def worst(items: list[HealthItem]) -> str:
    """The state that a group shows: its worst one, `ok` for an empty group."""
    states = {item.state for item in items}
    return next((state for state in _WORST if state in states), "ok")


def health_router(source: HealthSource, gate: Gate) -> APIRouter:
    """/health and the part of it that live events refresh."""
    router = APIRouter()

    async def show(request: Request, template: str) -> Response:
        viewer = await gate.require(request)
        items = list(await run_in_threadpool(source.health))
        groups = [(name, [item for item in items if item.group == name]) for name in GROUPS]
        return pages_of(request).render(
            request,
            template,
            groups=[(name, worst(rows), rows) for name, rows in groups if rows],
            worst=worst(items),
            counts={state: sum(item.state == state for item in items) for state in _WORST},
            viewer=viewer,
        )

    @router.get("/health", include_in_schema=False)
    async def health(request: Request) -> Response:
        return await show(request, "health.html")

    @router.get("/health/board", include_in_schema=False)
    async def board(request: Request) -> Response:
        return await show(request, "part_health.html")

    return router

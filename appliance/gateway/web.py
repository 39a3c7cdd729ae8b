"""The gateway's read port: what the hub's pages ask, below the address under which the hub hands it on.

Nothing here changes anything, and it listens on loopback: whoever may ask is the hub's to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, FastAPI, Query
from starlette.responses import Response

from appliance import problems
from appliance.gateway.aside import by_address, newest_aside
from contracts.telemetry import AlarmChanged
from telemetry.history.api import history_router
from telemetry.history.reader import History

PREFIX = "/sensors/data"
MOST_ASIDE = 500

Text = Annotated[str, Query(max_length=60)]


def gateway_app(
    status: Callable[[], dict[str, Any]],
    *,
    quarantine: Path,
    history: History,
    open_alarms: Callable[[], list[AlarmChanged]],
    routers: tuple[APIRouter, ...] = (),
) -> FastAPI:
    """`status` and `open_alarms` are called on the event loop and must not block."""
    app = FastAPI(title="Tallyman gateway", docs_url=None, redoc_url=None, openapi_url=None)
    problems.install(app)
    router = APIRouter(prefix=PREFIX)

    @app.get("/livez")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/status")
    async def tell() -> Response:
        return _json(status())

    @router.get("/alarms")
    async def alarms() -> Response:
        """The newest change of every alarm that is not over."""
        return _json(open_alarms())

    @router.get("/quarantine")
    def aside(limit: Annotated[int, Query(ge=1, le=MOST_ASIDE)] = 50, code: Text = "") -> Response:
        return _json(newest_aside(quarantine, limit, code=code))

    @router.get("/unknown")
    def unknown(code: Text = "unknown_address") -> Response:
        """Addresses whose messages were set aside, with how many and the newest one."""
        return _json(by_address(quarantine, code=code))

    app.include_router(router)
    app.include_router(history_router(history, prefix=PREFIX))
    for each in routers:
        app.include_router(each)
    return app


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")

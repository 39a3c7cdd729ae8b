"""/ota/stream: that something changed, once a second at most; pages then ask for their own part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import StreamingResponse

from appliance.web.live import BEAT_S, frame
from appliance.web.ota.ports import Rollouts
from appliance.web.ports import Gate
from contracts.clock import Clock

TOPIC: Final = "ota"


def add_stream_route(router: APIRouter, rollouts: Rollouts, gate: Gate, clock: Clock) -> None:
    """GET /ota/stream."""

    @router.get("/ota/stream")
    async def live(request: Request) -> StreamingResponse:
        await gate.require(request)
        return StreamingResponse(
            stream(rollouts.version, clock, beat_s=BEAT_S),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )


async def stream(version: Callable[[], str], clock: Clock, *, beat_s: float) -> AsyncIterator[str]:
    """An event `ota` for each new version, a `beat` each `beat_s` without one."""
    seen = version()
    yield "retry: 1000\n\n" + frame("beat", {"at": clock.now().isoformat()})
    while True:
        await asyncio.sleep(beat_s)
        now = version()
        if now != seen:
            yield frame(TOPIC, {"version": now})
        else:
            yield frame("beat", {"at": clock.now().isoformat()})
        seen = now

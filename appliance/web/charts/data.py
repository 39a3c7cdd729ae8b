"""What charts ask while they are open: ranges of history from the gateway, and readings as they come.

Live readings come from Valkey by the hub itself, so that open pages cost the gateway nothing. A
frame goes out at most sixty times a second, whatever is said meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from appliance.live.readings import ReadingsLine
from appliance.web.charts.gateway import PREFIX, Gateway
from appliance.web.live import BEAT_S, frame
from appliance.web.ports import Gate
from contracts.clock import Clock, SystemClock
from contracts.errors import UnavailableError
from contracts.telemetry import SeriesKey

_FRAME_S: Final = 1 / 60
_BACK_S: Final = 30.0
"""Readings that are in no file of the history yet: longer than a flush takes."""


def sensor_data_router(
    gateway: Gateway, line: ReadingsLine | None, gate: Gate, *, clock: Clock | None = None
) -> APIRouter:
    """/sensors/data/live, the stream of one sensor, and below /sensors/data whatever the gateway's
    read port answers there. `line` None: there is no live view, charts ask again by time.
    """
    router = APIRouter(prefix=PREFIX, include_in_schema=False)
    ticking = clock or SystemClock()

    @router.get("/live")
    async def live(request: Request, device: str) -> StreamingResponse:
        await gate.require(request)
        return StreamingResponse(
            _stream(line, device, ticking),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )

    @router.get("/{name:path}")
    async def passed_on(request: Request, name: str) -> Response:
        await gate.require(request)
        answer = await gateway.stream(f"{PREFIX}/{quote(name)}?{request.url.query}")
        headers = {"Cache-Control": "no-store"}
        if name == "export.csv":
            query = request.query_params
            words = filter(None, (query.get(key) for key in ("device", "quantity", "channel")))
            file = _file_name("-".join(words))
            headers["Content-Disposition"] = f'attachment; filename="{file}.csv"'
        return StreamingResponse(
            answer.aiter_bytes(),
            status_code=answer.status_code,
            media_type=answer.headers.get("content-type"),
            headers=headers,
            background=BackgroundTask(answer.aclose),
        )

    return router


async def _stream(line: ReadingsLine | None, device: str, clock: Clock) -> AsyncIterator[str]:
    """Frames `readings`, a `beat` where a second passed without, `away` while there is no view."""
    yield "retry: 1000\n\n" + frame("beat", {"at": clock.now().isoformat()})
    while True:
        try:
            if line is not None:
                async for columns in line.follow(device, back_s=_BACK_S):
                    if columns:
                        yield frame("readings", _plain(columns))
                        await asyncio.sleep(_FRAME_S)
                    else:
                        yield frame("beat", {"at": clock.now().isoformat()})
        except UnavailableError:
            pass
        yield frame("away", {"at": clock.now().isoformat()})
        await asyncio.sleep(BEAT_S)


def _plain(
    columns: Mapping[SeriesKey, tuple[list[int], list[float]]],
) -> list[dict[str, object]]:
    return [
        {"quantity": key.quantity, "channel": key.channel, "at_us": at_us, "value": value}
        for key, (at_us, value) in columns.items()
    ]


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in text)

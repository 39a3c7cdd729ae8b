"""Live events for pages: a stream that resumes, says that it is alive, and heals.

A `beat` goes out every second, so a page knows within three that its line is broken. When the live
view is away the stream stays open and says so: losing it loses nothing, the page asks again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import StreamingResponse

from appliance.web.ports import Gate
from contracts.clock import Clock, SystemClock
from contracts.errors import UnavailableError
from contracts.ports import LiveEvent, LiveView

TOPICS = (
    "carton", "camera", "hold", "ticket", "transport", "session", "health", "lesson", "order", "alarm",
)  # fmt: skip
BEAT_S = 1.0


def frame(event: str, data: object, *, event_id: str = "") -> str:
    """One event in the text/event-stream format; an id never holds a line end."""
    lines = [f"id: {event_id.splitlines()[0]}"] if event_id else []
    lines += [f"event: {event}", f"data: {json.dumps(data, ensure_ascii=False)}", "", ""]
    return "\n".join(lines)


async def stream(
    live: LiveView, topics: Sequence[str], *, after: str | None, beat_s: float, clock: Clock
) -> AsyncIterator[str]:
    """Events as text, beats between them; asks the live view again while it is away."""
    yield "retry: 1000\n\n" + frame("beat", {"at": clock.now().isoformat()})
    while True:
        events = live.events(topics, after=after)
        waiting: asyncio.Task[LiveEvent] | None = None
        try:
            while True:
                waiting = waiting or asyncio.ensure_future(anext(events))
                done, _ = await asyncio.wait({waiting}, timeout=beat_s)
                if not done:
                    yield frame("beat", {"at": clock.now().isoformat()})
                    continue
                event, waiting = waiting.result(), None
                after = event.id
                yield frame(event.topic, dict(event.data), event_id=event.id)
        except (UnavailableError, StopAsyncIteration):
            waiting = None
            yield frame("away", {"at": clock.now().isoformat()})
            await asyncio.sleep(beat_s)
        finally:
            await _stop(waiting, events)


async def _stop(waiting: asyncio.Task[LiveEvent] | None, events: AsyncIterator[LiveEvent]) -> None:
    """End the pending read first: a generator that is running cannot be closed."""
    if waiting is not None:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    close: Any = getattr(events, "aclose", None)
    if close is not None:
        await close()


def live_router(
    live: LiveView,
    gate: Gate,
    *,
    path: str = "/events",
    topics: Sequence[str] = TOPICS,
    beat_s: float = BEAT_S,
    clock: Clock | None = None,
) -> APIRouter:
    """GET `path`: the stream. `?topics=carton,hold` narrows it; resumes after `Last-Event-ID`
    (or `?after=`, for a stream that a page opens anew).
    """
    router = APIRouter()
    ticking = clock or SystemClock()

    @router.get(path, include_in_schema=False)
    async def events(request: Request) -> StreamingResponse:
        await gate.require(request)
        asked = [name for name in request.query_params.get("topics", "").split(",") if name]
        chosen = [name for name in topics if not asked or name in asked]
        after = request.headers.get("last-event-id") or request.query_params.get("after") or None
        return StreamingResponse(
            stream(live, chosen, after=after, beat_s=beat_s, clock=ticking),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )

    return router

"""Watching over HTTP, for a loopback port of the gateway: trials of fences, and what is open now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from contracts.errors import BadInputError
from contracts.telemetry import AlarmChanged
from telemetry.history.reader import History
from telemetry.watching.fences import MOST_TEXT, read_fence
from telemetry.watching.places import Whereabouts
from telemetry.watching.recorded import try_recorded

_LONGEST_US = 92 * 86_400_000_000
TRY_PATH = "/watching/try"


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked: the fence's text, and from when to when."""

    fence: str
    from_us: int
    to_us: int


def watching_router(
    history: History,
    *,
    whereabouts: Callable[[], Whereabouts],
    open_alarms: Callable[[], Sequence[AlarmChanged]],
) -> APIRouter:
    """POST /watching/try, GET /watching/open."""
    router = APIRouter()

    @router.post(TRY_PATH, include_in_schema=False)
    async def trial(request: Request) -> Response:
        body = await request.body()
        if len(body) > 2 * MOST_TEXT:
            raise BadInputError("The trial is too long", mend="Send one fence")
        try:
            asked = msgspec.json.decode(body, type=Trial)
        except msgspec.MsgspecError as error:
            raise BadInputError(
                f"That is no trial: {error}", mend="Send fence and times"
            ) from error
        if not 0 < asked.to_us - asked.from_us <= _LONGEST_US:
            raise BadInputError("A trial is over 92 days at most", mend="Choose fewer days")
        fence = read_fence(asked.fence)
        tried = await run_in_threadpool(
            lambda: try_recorded(
                fence, history, whereabouts(), from_us=asked.from_us, to_us=asked.to_us
            )
        )
        return Response(msgspec.json.encode(tried), media_type="application/json")

    @router.get("/watching/open", include_in_schema=False)
    async def now() -> Response:
        return Response(msgspec.json.encode(list(open_alarms())), media_type="application/json")

    return router

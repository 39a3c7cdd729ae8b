"""Trials of fences over HTTP, for a loopback port of the gateway: it alone has the history."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from contracts.errors import BadInputError
from telemetry.history.reader import History
from telemetry.watching.fences import MOST_TEXT, read_fence
from telemetry.watching.places import Whereabouts
from telemetry.watching.trials.recorded import try_recorded

LONGEST_US = 92 * 86_400_000_000
TRY_PATH = "/watching/try"
_MOST_BODY = 4 << 20


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked: the fence's text, from when to when, and where goods are."""

    fence: str
    from_us: int
    to_us: int
    whereabouts: Whereabouts = field(default_factory=Whereabouts)


def watching_router(history: History) -> APIRouter:
    """POST /watching/try: telemetry.watching.trials.trying.Tried as JSON."""
    router = APIRouter()

    @router.post(TRY_PATH, include_in_schema=False)
    async def trial(request: Request) -> Response:
        asked = _trial(await request.body())
        fence = read_fence(asked.fence)
        tried = await run_in_threadpool(
            lambda: try_recorded(
                fence, history, asked.whereabouts, from_us=asked.from_us, to_us=asked.to_us
            )
        )
        return Response(msgspec.json.encode(tried), media_type="application/json")

    return router


def _trial(body: bytes) -> Trial:
    if len(body) > _MOST_BODY + MOST_TEXT:
        raise BadInputError("The trial is too long", mend="Send one fence")
    try:
        asked = msgspec.json.decode(body, type=Trial)
    except msgspec.MsgspecError as error:
        raise BadInputError(f"That is no trial: {error}", mend="Send fence and times") from error
    if not 0 < asked.to_us - asked.from_us <= LONGEST_US:
        raise BadInputError("A trial is over 92 days at most", mend="Choose fewer days")
    return asked

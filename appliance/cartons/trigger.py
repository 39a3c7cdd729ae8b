"""A photo-eye by MQTT or by HTTP opens and closes cartons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from fastapi import APIRouter, Depends, Request

from contracts.errors import BadInputError
from contracts.ports import MessageBus
from telemetry.photo_eye import parse_photo_eye

log = structlog.get_logger()
_MOST_BYTES: Final = 4096


class Triggered(Protocol):
    def trigger(self, *, high: bool) -> None: ...


@dataclass(slots=True)
class TriggerCounts:
    taken: int = 0
    refused: int = 0


async def follow_photo_eye(
    bus: MessageBus, topic: str, tracker: Triggered, *, counts: TriggerCounts
) -> None:
    """Pass the eye's messages on until cancelled. What cannot be read is counted and logged: a
    carton less is for the operator to see, a carton guessed is not.
    """
    async with bus.subscribe(topic, qos=1) as messages:
        async for message in messages:
            try:
                eye = parse_photo_eye(message.payload)
            except BadInputError as error:
                counts.refused += 1
                log.warning("photo-eye not understood", topic=message.topic, why=str(error))
            else:
                counts.taken += 1
                tracker.trigger(high=eye.covered)


def trigger_router(
    tracker: Triggered, authorise: Callable[..., Any], *, counts: TriggerCounts
) -> APIRouter:
    """POST /station/trigger with what a photo-eye would send by MQTT as body; answers 202.

    `authorise` is a FastAPI dependency that raises where the device's token is wrong.
    """
    router = APIRouter()

    @router.post("/station/trigger", status_code=202, dependencies=[Depends(authorise)])
    async def trigger(request: Request) -> dict[str, bool]:
        payload = bytearray()
        async for part in request.stream():
            payload += part
            if len(payload) > _MOST_BYTES:
                break
        try:
            eye = parse_photo_eye(bytes(payload))
        except BadInputError:
            counts.refused += 1
            raise
        counts.taken += 1
        tracker.trigger(high=eye.covered)
        return {"covered": eye.covered}

    return router

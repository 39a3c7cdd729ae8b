"""Pictures sent by HTTP: each one is an event, kept as it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter, Depends, Request

from appliance.cameras.frame import Decode, Frame, make_frame
from contracts.clock import Clock
from contracts.errors import BadFrameError, NotFoundError, UnavailableError
from vision.frames import decode_frame

MAX_BYTES: Final = 16 * 1024 * 1024
_NAME_LENGTH: Final = 120


class UploadSource:
    """A camera fed by `push`. Pictures wait in a short queue; a full one refuses, it never drops."""

    live = False

    def __init__(
        self, *, camera: str, clock: Clock, decode: Decode = decode_frame, waiting: int = 8
    ) -> None:
        self._camera = camera
        self._clock = clock
        self._decode = decode
        self._queue: asyncio.Queue[Frame] = asyncio.Queue(waiting)
        self._number = 0

    async def push(self, data: bytes, *, name: str = "") -> Frame:
        """Take one picture. Raises BadFrameError where it is none, UnavailableError while the
        station is too busy to take more; in both cases nothing of it is kept.
        """
        at = self._clock.now()
        if self._queue.full():
            raise self._busy()
        self._number += 1
        number = self._number
        frame = await asyncio.to_thread(
            make_frame,
            data,
            camera=self._camera,
            at=at,
            name=name or f"{self._camera}-{number}",
            number=number,
            decode=self._decode,
        )
        try:
            self._queue.put_nowait(frame)
        except asyncio.QueueFull:
            raise self._busy() from None
        return frame

    async def frames(self) -> AsyncIterator[Frame]:
        while True:
            yield await self._queue.get()

    def _busy(self) -> UnavailableError:
        return UnavailableError(
            f"camera {self._camera} has {self._queue.qsize()} pictures waiting",
            mend="Send again in a second",
            camera=self._camera,
        )


def upload_router(
    sources: Mapping[str, UploadSource],
    authorise: Callable[..., Any],
    *,
    max_bytes: int = MAX_BYTES,
) -> APIRouter:
    """POST /station/cameras/{name}/frames with the picture's bytes as body, `?name=` for its own
    name. `authorise` is a FastAPI dependency that raises where the device's token is wrong.

    Answers 202 with the picture's hash; problems are TallymanErrors (not_found, bad_frame,
    unavailable), which the app answers as RFC 9457 documents.
    """
    router = APIRouter()

    @router.post(
        "/station/cameras/{camera}/frames", status_code=202, dependencies=[Depends(authorise)]
    )
    async def upload(camera: str, request: Request, name: str = "") -> dict[str, str | int]:
        source = sources.get(camera)
        if source is None:
            raise NotFoundError(
                f"this station has no upload camera {camera!r}",
                mend=f"It has: {', '.join(sorted(sources)) or 'none'}",
            )
        data = await read_limited(request, max_bytes)
        frame = await source.push(data, name=name[:_NAME_LENGTH])
        return {
            "camera": camera,
            "name": frame.name,
            "number": frame.number,
            "sha256": frame.sha256,
        }

    return router


async def read_limited(request: Request, max_bytes: int) -> bytes:
    """The request's body. Raises BadFrameError as soon as it is longer than `max_bytes`."""
    taken = bytearray()
    async for part in request.stream():
        taken += part
        if len(taken) > max_bytes:
            raise BadFrameError(
                f"the picture is larger than {max_bytes // 1024} KiB",
                mend="Send it as JPEG, or set the camera to a smaller picture",
                max_bytes=max_bytes,
            )
    return bytes(taken)

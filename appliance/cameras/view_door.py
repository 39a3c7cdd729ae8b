"""The door by which somebody says: this camera stands right, and the belt is empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Depends

from appliance.cameras.camera import Camera
from contracts.errors import NotFoundError


def view_router(
    cameras: Mapping[str, Camera],
    authorise: Callable[..., Any],
    *,
    learn_belt: Callable[[str], None] = lambda _camera: None,
) -> APIRouter:
    """POST /station/cameras/{name}/view: take what the camera shows now for its view in order, and
    for the empty belt; `learn_belt` tells presence. Answers 202; an unknown camera is not_found.

    `authorise` is a FastAPI dependency that raises where the caller may not.
    """
    router = APIRouter()

    @router.post(
        "/station/cameras/{camera}/view", status_code=202, dependencies=[Depends(authorise)]
    )
    async def learn(camera: str) -> dict[str, str]:
        known = cameras.get(camera)
        if known is None:
            raise NotFoundError(
                f"this station has no camera {camera!r}",
                mend=f"It has: {', '.join(sorted(cameras)) or 'none'}",
            )
        known.learn_view()
        learn_belt(camera)
        return {"camera": camera}

    return router

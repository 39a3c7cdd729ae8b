"""Evidence pictures by the SHA-256 of their bytes: signed-in only, and never changing (I4)."""

from __future__ import annotations

import re

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.web.ports import Gate, PictureStore
from contracts.errors import NotFoundError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KINDS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


def evidence_router(store: PictureStore, gate: Gate, *, prefix: str = "/evidence") -> APIRouter:
    """GET `prefix`/{sha256}. The name is the content, so a browser may keep it for good."""
    router = APIRouter()

    @router.get(prefix + "/{sha256}", include_in_schema=False)
    async def picture(request: Request, sha256: str) -> Response:
        await gate.require(request)
        data = await run_in_threadpool(store.get, sha256) if _SHA256.fullmatch(sha256) else None
        if data is None:
            raise NotFoundError(
                f"No picture {sha256[:12]} is kept here",
                mend="It may still be on its way from the station; try again in a minute",
            )
        kind = next((media for magic, media in _KINDS if data.startswith(magic)), "")
        return Response(
            data,
            media_type=kind or "application/octet-stream",
            headers={
                "Cache-Control": "private, max-age=31536000, immutable",
                "ETag": f'"{sha256}"',
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Content-Disposition": "inline" if kind else "attachment",
            },
        )

    return router

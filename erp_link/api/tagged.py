"""Answers to GET carry an ETag, and whoever has the answer already is told so (RFC 9110, 8.8.3 and
13.1.2): a console that asks every few seconds costs no bytes while nothing changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Tagged(APIRoute):
    """A route whose answer to a GET is tagged by the SHA-256 of its bytes."""

    def get_route_handler(self) -> Handler:
        """The route's handler, and the tag on what it answers."""
        answer = super().get_route_handler()

        async def tagged(request: Request) -> Response:
            response = await answer(request)
            if request.method != "GET" or response.status_code != HTTPStatus.OK:
                return response
            body = getattr(response, "body", None)
            if not isinstance(body, bytes) or "etag" in response.headers:
                return response
            tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            if _has(request.headers.get("if-none-match", ""), tag):
                kept = {k: v for k, v in response.headers.items() if k in _KEPT}
                return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={**kept, "etag": tag})
            response.headers["etag"] = tag
            return response

        return tagged


_KEPT = ("cache-control", "link", "vary")


def _has(wanted: str, tag: str) -> bool:
    """Weak comparison: one of the client's tags, or any."""
    tags = [part.strip().removeprefix("W/") for part in wanted.split(",")]
    return tag in tags or "*" in tags

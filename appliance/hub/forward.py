"""The hub forwards a station's pages to its edge, so that a browser needs one address.

Bodies pass through as they come, both ways (server-sent events, pictures), hop-by-hop headers stay
behind (RFC 9110, 7.6.1), and an edge that does not answer becomes a clear 503. Only paths below the
given prefix are forwarded. What is written needs somebody whom the hub knows; what they may do, the
edge decides, which checks the session's signature itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from appliance.accounts.web import Sessions, optional_user
from contracts.errors import BadInputError, NotSignedInError, UnavailableError

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        # httpx decodes bodies, so the edge's own length and encoding no longer hold.
        "content-encoding",
        "content-length",
    }
)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_READS = frozenset({"GET", "HEAD"})
# Set again by the hub's own middleware; twice would confuse a browser.
_OURS = frozenset({"date", "server"})
_POLICY = "content-security-policy"
_MOST_BYTES = 32 << 20
_READ_S = 30.0
"""Event streams beat every second, so one that is quiet for longer has lost its edge."""


def forward_router(
    edge_url: str, *, prefix: str = "/station"
) -> tuple[APIRouter, httpx.AsyncClient]:
    """The routes and the client to close at the end."""
    client = httpx.AsyncClient(
        base_url=edge_url,
        timeout=httpx.Timeout(10.0, read=_READ_S, connect=2.0),
        limits=httpx.Limits(max_connections=200),
        follow_redirects=False,
    )
    router = APIRouter()

    async def pass_on(request: Request) -> Response:
        if request.method not in _READS:
            await asyncio.to_thread(_check_known, request)
        headers = [
            (name, value)
            for name, value in request.headers.items()
            if name not in _HOP_BY_HOP | {"accept-encoding"}
        ]
        length = _announced(request)
        if length is not None:
            headers.append(("content-length", str(length)))
        upstream = client.build_request(
            request.method,
            httpx.URL(path=request.url.path, query=request.url.query.encode()),
            headers=headers,
            content=None if request.method in _READS else _limited(request),
        )
        try:
            answer = await client.send(upstream, stream=True)
        except httpx.TransportError as error:
            raise UnavailableError(
                "The station's edge does not answer",
                mend="Look at the edge process; its pages also stand on its own port",
            ) from error
        response = StreamingResponse(
            _body(answer), status_code=answer.status_code, background=BackgroundTask(answer.aclose)
        )
        for name, value in answer.headers.multi_items():
            # A page's policy is the hub's own; one that shuts a picture in is the edge's, and stands.
            loose = name == _POLICY and "sandbox" not in value
            if not loose and name not in _HOP_BY_HOP | _OURS:
                response.headers.append(name, value)
        return response

    router.add_api_route(
        prefix, pass_on, methods=_METHODS, include_in_schema=False, response_model=None
    )
    router.add_api_route(
        prefix + "/{path:path}",
        pass_on,
        methods=_METHODS,
        include_in_schema=False,
        response_model=None,
    )
    return router, client


def _check_known(request: Request) -> None:
    """A signed-in person or a program with a token of ours. Raises NotSignedInError."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    sessions: Sessions = request.app.state.sessions
    if kind.lower() == "bearer":
        known = sessions.api_token(secret.strip()) is not None
    else:
        known = optional_user(request) is not None
    if not known:
        raise NotSignedInError("Nobody is signed in", mend="Sign in and try again")


def _announced(request: Request) -> int | None:
    """The body's length as the client gives it; None where it gives none, or sends no body."""
    text = request.headers.get("content-length", "")
    if request.method in _READS or not text.isdecimal():
        return None
    if int(text) > _MOST_BYTES:
        raise _too_large()
    return int(text)


async def _limited(request: Request) -> AsyncIterator[bytes]:
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > _MOST_BYTES:
            raise _too_large()
        yield part


def _too_large() -> BadInputError:
    return BadInputError(
        f"the request has more than {_MOST_BYTES >> 20} MiB", mend="Send a smaller picture"
    )


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for part in answer.aiter_bytes():
            yield part
    except httpx.TransportError:
        # The edge went away in the middle: the browser sees the stream end and connects again.
        return

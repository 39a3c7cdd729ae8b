"""The hub forwards a station's pages to its edge, so that a browser needs one address.

Streams pass through as they come (server-sent events), hop-by-hop headers stay behind (RFC 9110,
7.6.1), and an edge that does not answer becomes a clear 503. Only paths below the given prefix are
forwarded; the edge checks the session's signature itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from contracts.errors import UnavailableError

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
# Set again by the hub's own middleware; twice would confuse a browser.
_OURS = frozenset({"content-security-policy", "date", "server"})


def forward_router(
    edge_url: str, *, prefix: str = "/station"
) -> tuple[APIRouter, httpx.AsyncClient]:
    """The routes and the client to close at the end."""
    client = httpx.AsyncClient(
        base_url=edge_url,
        timeout=httpx.Timeout(10.0, read=None, connect=2.0),
        limits=httpx.Limits(max_connections=200),
        follow_redirects=False,
    )
    router = APIRouter()

    async def pass_on(request: Request) -> Response:
        headers = [
            (name, value)
            for name, value in request.headers.items()
            if name not in _HOP_BY_HOP | {"accept-encoding"}
        ]
        headers.append(("x-forwarded-host", request.headers.get("host", "")))
        upstream = client.build_request(
            request.method,
            httpx.URL(path=request.url.path, query=request.url.query.encode()),
            headers=headers,
            content=await request.body(),
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
            if name not in _HOP_BY_HOP | _OURS:
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


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for part in answer.aiter_bytes():
            yield part
    except httpx.TransportError:
        # The edge went away in the middle: the browser sees the stream end and connects again.
        return

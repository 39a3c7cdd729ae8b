"""The app factory that the hub and the edge share: headers, errors, words, static files, health."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import tzinfo
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web import problems
from appliance.web.ports import Site
from appliance.web.render import Pages
from appliance.web.security import SecurityHeaders
from appliance.web.static_files import KeptFiles
from appliance.words import words
from contracts.clock import Clock

_STATIC = Path(__file__).parent / "static"


def create_app(
    title: str,
    *,
    station: str = "",
    hub_url: str = "",
    clock: Clock | None = None,
    zone: tzinfo | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """An application with the house's headers, error answers, words and static files.

    `hub_url` is given on the edge only (Site); `zone` is the site's, by whose days goods expire. Routers are added by the caller; they find the
    templates as `request.app.state.pages`. The OpenAPI text is at /api/openapi.json; the browser
    for it is left out because it loads from elsewhere.
    """
    app = FastAPI(
        title=title,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    address = urlsplit(hub_url)
    origin = f"{address.scheme}://{address.netloc}" if hub_url else ""
    app.add_middleware(SecurityHeaders, form_origin=origin)
    app.state.pages = Pages(
        Site(title=title, station=station, hub_url=hub_url.rstrip("/")), clock=clock, zone=zone
    )
    problems.install(app)
    app.mount("/static", KeptFiles(_STATIC), name="static")

    add_words(app)

    @app.get("/", include_in_schema=False)
    async def start() -> Response:
        return RedirectResponse("/station", status_code=303)

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        return RedirectResponse("/static/icon.svg", status_code=301)

    @app.get("/livez", include_in_schema=False)
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    return app


def add_words(app: FastAPI) -> None:
    """/words/{language}.json, which the pages' scripts speak with."""

    @app.get("/words/{language}.json", include_in_schema=False)
    async def catalogue(language: str) -> Response:
        return Response(
            words(language).as_json(),
            media_type="application/json",
            headers={"Cache-Control": "no-cache"},
        )


def pages_of(request: Request) -> Pages:
    """The templates of the app that serves this request."""
    pages: Pages = request.app.state.pages
    return pages

"""/shelf: the one document that a phone at the shelf works in, its words and its manifest.

The shell says nothing about anybody: a phone keeps it for days and opens it without the network
(I6), so who holds the phone and what stands where come from the phone's own store and the API. It is
therefore served to whoever asks.
"""

from __future__ import annotations

import json
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from appliance.web.app import pages_of
from appliance.web.preferences import preferences
from appliance.web.static_files import packed_answer
from appliance.words import LANGUAGES, read_catalogue, words
from contracts.errors import NotFoundError

MODES: Final = ("look", "count", "find", "expiry", "freeze", "photo")
FAMILIES: Final = frozenset(
    {"shelf", "reason", "expiry", "count", "hold_kind", "ticket_state", "theme", "conflict"}
)
"""Families of words that the page at the shelf uses: a phone keeps no others."""

_ELSEWHERE: Final = ("reason.ota_", "reason.agv_", "reason.fence_")
"""Reasons that no goods on a shelf have."""

READER: Final = "/shelf/reader_worker.js"
"""Where the thread begins that reads codes: a service worker serves the script of a thread only below
its own scope, so without the network one below /static would not be there.
"""


def shelf_page_router() -> APIRouter:
    """GET /shelf, /shelf/reader_worker.js, /shelf/words/{language}.json and /shelf/manifest.webmanifest."""
    router = APIRouter(include_in_schema=False)

    @router.get("/shelf")
    async def shell(request: Request) -> Response:
        return pages_of(request).render(request, "shelf.html", modes=MODES)

    @router.get("/shelf/words/{language}.json")
    async def catalogue(request: Request, language: str) -> Response:
        return packed_answer(request, shelf_words(language).encode(), "application/json")

    @router.get(READER)
    async def reader() -> Response:
        return Response(
            'import "/static/shelf/eye/reader_worker.js";\n',
            media_type="text/javascript",
            headers={"Cache-Control": "no-cache"},
        )

    @router.get("/shelf/manifest.webmanifest")
    async def manifest(request: Request) -> Response:
        t = words(preferences(request).language)
        return JSONResponse(
            {
                "id": "/shelf",
                "name": t("shelf.app_name"),
                "short_name": t("nav.shelf"),
                "lang": t.language,
                "start_url": "/shelf",
                "scope": "/shelf",
                "display": "standalone",
                "orientation": "any",
                "background_color": "#15181d",
                "theme_color": "#15181d",
                "icons": [
                    {"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml"},
                ],
            },
            media_type="application/manifest+json",
        )

    return router


def shelf_words(language: str) -> str:
    """The part of a catalogue that the page at the shelf uses, as JSON text.

    Raises NotFoundError for a language that is not ours.
    """
    if language not in LANGUAGES:
        raise NotFoundError(
            f"There are no words in {language!r}", mend=f"Ask for one of {', '.join(LANGUAGES)}"
        )
    kept = {
        key: sentence
        for key, sentence in read_catalogue(language).items()
        if key.split(".", 1)[0] in FAMILIES and not key.startswith(_ELSEWHERE)
    }
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)

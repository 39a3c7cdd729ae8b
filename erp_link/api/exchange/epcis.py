"""The EPCIS 2.0 REST binding below /api/v1/epcis: events by query, capture (section 12).

Answers carry the standard's version headers. Capture is synchronous: when it has answered, the
events are kept, and the capture job that it names is done.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from contracts.clock import Clock
from contracts.errors import BadInputError
from erp_link.api.shapes import READERS
from erp_link.epcis.check import read_json
from erp_link.epcis.document import answer
from erp_link.epcis.query import read_query
from erp_link.ports import Auth
from erp_link.service.exchange.epcis import Page, Repository

_MOST_BYTES = 8 * 1024 * 1024
_MEDIA_TYPE = "application/ld+json"
_VERSIONS = {"GS1-EPCIS-Version": "2.0.0", "GS1-CBV-Version": "2.0.0"}
_LIMITS = {
    "GS1-EPCIS-Min": "2.0.0",
    "GS1-EPCIS-Max": "2.0.0",
    "GS1-CBV-Min": "2.0.0",
    "GS1-CBV-Max": "2.0.0",
    "GS1-EPCIS-Capture-File-Size-Limit": str(_MOST_BYTES),
    "GS1-Capture-Error-Behaviour": "rollback",
}
_DOCUMENT = {
    "requestBody": {
        "required": True,
        "content": {_MEDIA_TYPE: {"schema": {"type": "object"}}},
    }
}


def add_to(api: APIRouter, repository: Repository, auth: Auth, *, clock: Clock) -> None:
    """Add the routes: readers query, integrators and ops capture."""
    reader = Depends(auth(*READERS))
    sender = Depends(auth("integrator", "ops"))

    @api.get("/epcis/events", tags=["epcis"], dependencies=[reader])
    def events(request: Request) -> Response:
        """Events by the standard's simple event query (`EQ_bizStep`, `MATCH_epc`,
        `GE_eventTime`, ...), newest first; the next page by the Link header.
        """
        asked = read_query(request.query_params.multi_items())
        page = repository.query(asked)
        response = _answered(page, clock)
        if page.next_page:
            url = request.url.include_query_params(nextPageToken=page.next_page)
            response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
        return response

    @api.options("/epcis/events", tags=["epcis"])
    def discovery() -> Response:
        """Versions and limits, as the standard's clients ask for them."""
        return Response(status_code=204, headers=_VERSIONS | _LIMITS)

    @api.get("/epcis/events/{event_id:path}", tags=["epcis"], dependencies=[reader])
    def event(event_id: str, request: Request) -> Response:
        """One event by its id."""
        whole = f"{event_id}?{request.url.query}" if request.url.query else event_id
        return _answered(repository.event(whole), clock)

    @api.post("/epcis/capture", tags=["epcis"], status_code=202, openapi_extra=_DOCUMENT)
    async def capture(request: Request, who: Any = sender) -> Response:
        """Keep a partner's events, all of the document or none; repeating it changes nothing."""
        data = await _body(request)
        try:
            body = read_json(data)
        except ValueError as error:
            raise BadInputError(f"The body is no JSON: {error}", mend="Send JSON-LD") from error
        taken = await run_in_threadpool(repository.capture, body, by=who.name)
        job = hashlib.sha256(data).hexdigest()[:32]
        return Response(
            json.dumps(
                {
                    "captureID": job,
                    "running": False,
                    "success": True,
                    "captureErrorBehaviour": "rollback",
                    "eventIDs": list(taken.event_ids),
                    "new": taken.new,
                    "known": taken.known,
                    "errors": [],
                }
            ),
            status_code=202,
            media_type="application/json",
            headers={**_VERSIONS, "GS1-Capture-Error-Behaviour": "rollback"},
        )


def _answered(page: Page, clock: Clock) -> Response:
    whole = answer(page.events, at=clock.now(), prefixes=page.prefixes)
    text = json.dumps(whole, ensure_ascii=False)
    return Response(text, media_type=_MEDIA_TYPE, headers=_VERSIONS)


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MOST_BYTES:
            raise BadInputError("The document is larger than 8 MiB", mend="Send it in parts")
    return bytes(data)

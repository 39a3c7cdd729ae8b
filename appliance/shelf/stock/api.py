"""The stock over HTTP, below `/api/v1/shelf`:

| | |
|---|---|
| `GET snapshot` | everything that a phone carries (contracts/shelf.py), with an ETag; `If-None-Match`: 304 where nothing changed |
| `GET snapshot?since=VERSION` | with the ETag of the snapshot held: only what changed since (`base` is its version); whole (`base` 0) where the hub cannot tell |
| `GET find` | lists of what somebody should go and find |
| `GET history/{gtin}` | what happened to a product's goods, newest first |
| `PUT photos/{sha256}`, `GET photos/{sha256}` | JPEGs that the log's entries name by their hash |
| `GET lists`, `GET lists/{kind}`, `PUT lists/{kind}?name=FILE` | the site's lists: contacts, prices, codes, planogram, places (CSV) |

In an answer with a `base` the lists `products`, `holds` and `tickets` hold what changed, `gone` what
is no longer there; everything else (suppliers, locations, words, limits, ...) stands whole and
replaces what was held. After a 304 what is held is as fresh as that answer.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.evidence import EvidenceStore
from appliance.shelf.caller import READERS, WORKERS
from appliance.shelf.stock import photos
from appliance.shelf.stock.book import Answer, StockBook
from appliance.web.static_files import takes_gzip
from appliance.web.uploads import read_body
from contracts.errors import ForbiddenError
from contracts.shelf import FindList, ProductHistory, Snapshot
from erp_link.api.shapes import Key
from erp_link.domain.shelf.lists import ListKind
from erp_link.domain.shelf.reading import COLUMNS, MOST_BYTES
from erp_link.domain.shelf.writing import written
from erp_link.service.shelf.desk import ShelfDesk
from erp_link.service.shelf.lists import ListKept, ShelfLists

PLANNERS = ("ops", "quality", "integrator")
_PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Accept-Encoding, Cookie, Authorization"}
_CSV = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}
_JPEG = {"requestBody": {"required": True, "content": {"image/jpeg": {}}}}
_LONGEST = 8192

Auth = Callable[..., Callable[[Request], Awaitable[Any]]]


@dataclass(frozen=True, slots=True)
class Stock:
    """What the routes ask."""

    book: StockBook
    desk: ShelfDesk
    lists: ShelfLists
    evidence: EvidenceStore


def router(stock: Stock, auth: Auth) -> APIRouter:
    """`auth(*roles)` is a dependency that gives who asks (appliance.shelf.caller.shelf_caller)."""
    api = APIRouter(prefix="/api/v1/shelf", tags=["shelf"])
    reader, worker = Depends(auth(*READERS)), Depends(auth(*WORKERS))
    _add_snapshot(api, stock, reader)
    _add_questions(api, stock, reader)
    _add_photos(api, stock, reader, worker)
    _add_lists(api, stock, reader, Depends(auth(*PLANNERS)))
    return api


def _add_snapshot(api: APIRouter, stock: Stock, reader: Any) -> None:
    @api.get("/snapshot", response_model=Snapshot, responses={304: {"description": "Unchanged"}})
    def snapshot(
        who: Any = reader,
        since: Annotated[int, Query(ge=0, le=2**53, description="Version held; 0: none")] = 0,
        if_none_match: Annotated[str, Header(max_length=_LONGEST)] = "",
        accept_encoding: Annotated[str, Header(max_length=_LONGEST)] = "",
    ) -> Response:
        """What a phone carries, or what changed since the version and ETag that it has."""
        answer = stock.book.answer(
            who.roles,
            has=if_none_match.strip().removeprefix("W/").strip('"'),
            changes=since > 0,
            zips=takes_gzip(accept_encoding),
        )
        return _told(answer)


def _told(answer: Answer) -> Response:
    headers = {**_PRIVATE, "ETag": f'"{answer.tag}"'}
    if answer.body is None:
        return Response(status_code=304, headers=headers)
    if answer.gzipped:
        headers["Content-Encoding"] = "gzip"
    return Response(answer.body, media_type="application/json", headers=headers)


def _add_questions(api: APIRouter, stock: Stock, reader: Any) -> None:
    @api.get("/find", dependencies=[reader])
    def find(response: Response) -> list[FindList]:
        """Lists of what somebody should go and find: orders to pick, recounts, goods to fetch back."""
        response.headers.update(_PRIVATE)
        return stock.desk.find_lists()

    @api.get("/history/{gtin}", dependencies=[reader])
    def history(
        gtin: str, response: Response, limit: Annotated[int, Query(ge=1, le=500)] = 50
    ) -> ProductHistory:
        """What happened to a product's goods, newest first. An unknown GTIN has no history."""
        response.headers.update(_PRIVATE)
        return stock.desk.history(gtin, limit=limit)


def _add_photos(api: APIRouter, stock: Stock, reader: Any, worker: Any) -> None:
    @api.put("/photos/{sha256}", status_code=204, dependencies=[worker], openapi_extra=_JPEG)
    async def keep(request: Request, sha256: str) -> None:
        """Keep a JPEG that is named by its hash; the same one again changes nothing. A log entry
        may name it before or after it came.
        """
        data = await read_body(
            request, photos.MOST_BYTES, what="A photo of more than 4 MiB", mend="Send a smaller one"
        )
        await run_in_threadpool(photos.keep, stock.evidence, sha256, data)

    @api.get("/photos/{sha256}", dependencies=[reader])
    def photo(sha256: str) -> Response:
        """The JPEG; its name is its content, so a browser may keep it."""
        return Response(
            photos.find(stock.evidence, sha256),
            media_type="image/jpeg",
            headers={
                "Cache-Control": "private, max-age=31536000, immutable",
                "ETag": f'"{sha256}"',
                "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )


def _add_lists(api: APIRouter, stock: Stock, reader: Any, planner: Any) -> None:
    @api.get("/lists", dependencies=[reader])
    def lists() -> list[ListKept]:
        """The site's lists for its shelves, as they stand."""
        return stock.lists.lists()

    @api.get("/lists/{kind}")
    def rows(kind: ListKind, who: Any = reader) -> Response:
        """A list as CSV, as it would be imported. Prices only for roles that may see them."""
        if kind is ListKind.PRICES and not stock.book.sees_prices(who.roles):
            raise ForbiddenError("Your role does not see prices", mend="Ask ops or quality")
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS[kind])
        writer.writerows(written(row) for row in stock.lists.rows(kind))
        return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=_PRIVATE)

    @api.put("/lists/{kind}", openapi_extra=_CSV)
    async def take(
        request: Request,
        kind: ListKind,
        name: Annotated[str, Query(min_length=1, max_length=120, description="The file's name")],
        key: Key = None,
        who: Any = planner,
    ) -> ListKept:
        """Import a CSV list in the place of the one before. Whole, or not at all: `findings` of the
        problem names every wrong line.
        """
        data = await read_body(
            request, MOST_BYTES, what="A list of more than 8 MiB", mend="Send a smaller one"
        )
        return await run_in_threadpool(
            stock.lists.take_file, kind, data, name=name, by=who.name, key=key
        )

"""The page that a film is shown to: the product's own scripts under the product's own headers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, Response

from appliance.bench.shelf.film.codes import Code
from appliance.web.app import create_app
from appliance.web.shelf import shelf_page_router
from contracts.errors import NotFoundError, UnavailableError
from contracts.shelf import (
    ExpiryLimits,
    ShelfBatch,
    ShelfCell,
    ShelfCode,
    ShelfProduct,
    ShelfSupplier,
    Snapshot,
)

_FOLDER = Path(__file__).parent / "page"
_NAMES = ("Rolled oats", "Green tea", "Apple juice", "Rice 5 kg", "Soy sauce", "Noodles", "Honey")
_PLACE: Final = "A-01-1"
_PATIENCE_S = 30.0


def snapshot_of(codes: Sequence[Code], *, today: datetime) -> Snapshot:
    """A stock list of those products, two batches each, expiring from yesterday on."""
    return Snapshot(
        version=1,
        at_us=int(today.timestamp() * 1_000_000),
        today=today.date().isoformat(),
        zone="UTC",
        site="bench",
        limits=ExpiryLimits(30, 14, 3),
        products=tuple(_product(at, code, today) for at, code in enumerate(codes)),
        suppliers=(ShelfSupplier("ACME", "Acme Foods", "Ms Zhang", "+862155550123"),),
        locations=(_PLACE,),
        roles=("operator",),
    )


def _product(at: int, code: Code, today: datetime) -> ShelfProduct:
    def batch(lot: str, days: int) -> ShelfBatch:
        expiry = (today + timedelta(days=days)).date().isoformat()
        return ShelfBatch("ACME", lot, expiry, (ShelfCell(_PLACE, free=12 + at % 30),))

    return ShelfProduct(
        gtin=code.gtin,
        name=f"{_NAMES[at % len(_NAMES)]} {at}",
        codes=(ShelfCode(code.gtin),),
        suppliers=("ACME",),
        batches=(batch("L1", at % 60 - 1), batch("L2", 90 + at)),
    )


def stage_app(snapshot: Snapshot) -> FastAPI:
    """The stage below /shelf/stage/, beside the pages' files and words."""
    app = create_app("Tallyman bench")
    told = msgspec.json.encode(snapshot)
    router = APIRouter()

    @router.get("/shelf/stage/snapshot.json")
    async def stock() -> Response:
        return Response(told, media_type="application/json")

    @router.get("/shelf/stage/{name}")
    async def file(name: str) -> Response:
        if name not in {"stage.html", "stage.js", "stage.css", "number.js"}:
            raise NotFoundError(f"The stage has no {name}")
        return FileResponse(_FOLDER / name)

    app.include_router(router)
    app.include_router(shelf_page_router())
    return app


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """Its address on this machine, where a page may open a camera without TLS; port 0: any."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(int(_PATIENCE_S / 0.02)):
        if server.started:
            break
        thread.join(0.02)
    else:
        raise UnavailableError("The bench's page server did not start", mend="Try again")
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def now() -> datetime:
    """The day that the bench's stock list is of."""
    return datetime.now(UTC)

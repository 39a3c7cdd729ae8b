"""The hub's device port, part of the registry: what boxes fetch before they may run a set (I5).

Everything is signed or named by its hash, so any cache may keep it: artefacts and numbered metadata
for ever, the timestamp not at all. Every request is signed by its device: a lost one gets nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from appliance.identity.api import with_etag
from appliance.identity.gate import DeviceGate
from appliance.identity.registry import DeviceRegistry
from appliance.ota.registry.ranges import UnsatisfiableError, wanted
from contracts.clock import Clock
from contracts.errors import NotFoundError
from ota.registry.artefacts import DeltaName
from ota.registry.plane.files import TIMESTAMP
from ota.registry.registry import Registry

PATH = "/device/v1/ota"
_SMALL = 64 << 10
_IMMUTABLE = "public, max-age=31536000, immutable"
_NUMBERED = re.compile(r"[1-9][0-9]{0,9}\.[a-z]{1,32}\.json")
_HASH = re.compile(r"[0-9a-f]{64}")
Reads = Callable[[int, int], Iterator[bytes]]
"""From byte, to byte (exclusive)."""


def router(ota: Registry, *, registry: DeviceRegistry, clock: Clock) -> APIRouter:
    """GET root, tuf/{name}, artefacts/{sha256}, deltas/{name} below /device/v1/ota.

    `deltas/<sha256>` lists what leads to that file, the smallest first. The root is
    503 before the site has keys.
    """
    routes = APIRouter(include_in_schema=False, prefix=PATH)
    gate = DeviceGate(registry, clock)

    @routes.get("/root")
    async def root(request: Request) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        return with_etag(request, await asyncio.to_thread(ota.plane.first_root))

    @routes.get("/tuf/{name}")
    async def metadata(request: Request, name: str) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        numbered = _NUMBERED.fullmatch(name) is not None
        data = None
        if numbered or name == TIMESTAMP:
            data = await asyncio.to_thread(ota.plane.read, name)
        if data is None:
            raise NotFoundError(f"There is no metadata {name[:80]}")
        response = with_etag(request, data)
        response.headers["cache-control"] = _IMMUTABLE if numbered else "no-cache"
        return response

    @routes.get("/artefacts/{sha256}")
    async def artefact(request: Request, sha256: str) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        size = await asyncio.to_thread(ota.artefacts.size, sha256)
        return _sent(
            request,
            size,
            lambda start, end: ota.artefacts.read(sha256, start=start, end=end),
            tag=sha256,
        )

    @routes.get("/deltas/{name}")
    async def delta(request: Request, name: str) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        if _HASH.fullmatch(name):
            ways = await asyncio.to_thread(ota.artefacts.deltas, name)
            return with_etag(request, msgspec.json.encode(ways))
        way = DeltaName.of(name)
        size = await asyncio.to_thread(ota.artefacts.delta_size, way)
        return _sent(
            request,
            size,
            lambda start, end: ota.artefacts.read_delta(way, start=start, end=end),
            # Its bytes are not its name's: another release of the hub may make it otherwise.
            tag=hashlib.sha256(f"{way} {size}".encode()).hexdigest()[:32],
        )

    return routes


def _sent(request: Request, size: int | None, reads: Reads, *, tag: str) -> Response:
    """All of it, or the range that is asked for, or 304 where the device has it."""
    if size is None:
        raise NotFoundError("It is not kept here", mend="Publish its set again at the hub")
    headers = {"etag": f'"{tag}"', "cache-control": _IMMUTABLE, "accept-ranges": "bytes"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range")
    if request.headers.get("if-range") not in {None, headers["etag"]}:
        asked = None
    try:
        part = wanted(asked, size)
    except UnsatisfiableError:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
    headers["content-length"] = str(part.end - part.start)
    if not part.whole:
        headers["content-range"] = part.content_range
    return StreamingResponse(
        reads(part.start, part.end),
        status_code=200 if part.whole else 206,
        headers=headers,
        media_type="application/octet-stream",
    )

"""The hub's device port, part three: signed profiles, for stations that ask (I5)."""

from __future__ import annotations

import asyncio

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from appliance.evidence import EvidenceStore
from appliance.identity.api import with_etag
from appliance.identity.gate import DeviceGate
from appliance.identity.registry import DeviceRegistry
from appliance.teaching import wire
from appliance.teaching.office import QualityOffice
from contracts.clock import Clock
from contracts.errors import NotFoundError

_SMALL = 64 << 10


def router(
    office: QualityOffice, *, registry: DeviceRegistry, evidence: EvidenceStore, clock: Clock
) -> APIRouter:
    """GET /device/v1/profiles, GET /device/v1/profiles/of/{digest} and GET
    /device/v1/profiles/{sha256}: only files that were signed. What counts now is listed; what was
    signed before may still judge the batches that are pinned to it.
    """
    routes = APIRouter(include_in_schema=False)
    gate = DeviceGate(registry, clock)

    @routes.get(wire.PROFILES_PATH)
    async def profiles(request: Request) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        signed = await asyncio.to_thread(lambda: wire.SignedProfiles(office.keys(), office.valid()))
        return with_etag(request, msgspec.json.encode(signed))

    @routes.get(wire.PINNED_PATH + "/{digest}")
    async def of_digest(request: Request, digest: str) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        known = await asyncio.to_thread(office.signatures)
        for each in known:
            if each.digest == f"sha256:{digest}":
                return Response(msgspec.json.encode(each), media_type="application/json")
        raise NotFoundError(
            f"No profile {digest[:12]} was ever signed here", mend="Let the quality lead sign one"
        )

    @routes.get(wire.PROFILES_PATH + "/{sha256}")
    async def file(request: Request, sha256: str) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        signed = await asyncio.to_thread(office.signatures)
        data = None
        if sha256 in {each.file for each in signed}:
            data = await asyncio.to_thread(evidence.get, sha256)
        if data is None:
            raise NotFoundError(
                f"No signed profile {sha256[:12]} is kept here",
                mend="Let the quality lead sign one that is",
            )
        return Response(data, media_type="application/octet-stream")

    return routes

"""The hub's device port, part one: enrolling, renewing, and what a device should know of its site.

`/device/v1/ca` and `/device/v1/claim` are for devices without a certificate yet; everything else
is signed by the device.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from appliance.accounts.limit import FailureLimiter, Limit
from appliance.accounts.session import AccountFacts
from appliance.identity.device import SiteTrust
from appliance.identity.facts import Claim, SiteFacts
from appliance.identity.gate import DeviceGate, read_body
from appliance.identity.registry import ClaimRefusedError, DeviceRegistry
from appliance.identity.site_ca import SiteCa
from contracts.clock import Clock
from contracts.errors import BadInputError

_SMALL = 64 << 10


def router(
    registry: DeviceRegistry,
    ca: SiteCa,
    *,
    clock: Clock,
    account_facts: Callable[[], AccountFacts] = AccountFacts,
) -> APIRouter:
    """GET /device/v1/ca, POST /device/v1/claim, POST /device/v1/renew, GET /device/v1/site."""
    routes = APIRouter(prefix="/device/v1", include_in_schema=False)
    gate = DeviceGate(registry, clock)
    tries = FailureLimiter(Limit(10, timedelta(minutes=10)))

    @routes.get("/ca")
    async def authority() -> Response:
        return Response(ca.device_ca_pem, media_type="application/x-pem-file")

    @routes.post("/claim")
    async def claim(request: Request) -> Response:
        address = request.client.host if request.client else ""
        if not tries.may_try(address, clock.now()):
            raise ClaimRefusedError("Too many wrong tokens from here", mend="Wait ten minutes")
        try:
            wanted = msgspec.json.decode(await read_body(request, _SMALL), type=Claim)
        except msgspec.MsgspecError as error:
            raise BadInputError(f"not a claim: {error}", mend="Send device, token, csr") from error
        try:
            trust = await asyncio.to_thread(
                registry.claim, wanted.device, wanted.token, wanted.csr_pem
            )
        except ClaimRefusedError:
            tries.failed(address, clock.now())
            raise
        return _json(trust)

    @routes.post("/renew")
    async def renew(request: Request) -> Response:
        signed = await gate.admit(request, limit_bytes=_SMALL)
        trust: SiteTrust = await asyncio.to_thread(registry.renew, signed.device.device)
        return _json(trust)

    @routes.get("/site")
    async def site(request: Request) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        accounts = await asyncio.to_thread(account_facts)
        facts = SiteFacts(ca.head_certificate_pem, accounts)
        return with_etag(request, msgspec.json.encode(facts, order="deterministic"))

    return routes


def with_etag(request: Request, body: bytes) -> Response:
    """`body` as JSON, or 304 where the device has just that."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    return Response(body, media_type="application/json", headers={"etag": tag})


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")

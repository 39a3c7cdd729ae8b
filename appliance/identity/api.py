"""The hub's device port, part one: enrolling, renewing, and what a device should know of its site.

`/device/v1/ca` and `/device/v1/claim` are for devices without a certificate yet, `/device/v1/recover`
is for those whose certificate ran out: the door. Everything but the first two is signed by the device.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
from collections.abc import Callable
from datetime import timedelta

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from appliance.accounts.limit import FailureLimiter, Limit
from appliance.accounts.session import AccountFacts
from appliance.identity.admission.csr import MOST_SERIAL
from appliance.identity.device import SiteTrust
from appliance.identity.facts import Claim, Machine, SiteFacts
from appliance.identity.gate import DeviceGate, read_body
from appliance.identity.registry import ClaimRefusedError, DeviceRegistry
from appliance.identity.site_ca import SiteCa
from appliance.identity.upkeep.renewal import RECOVER_PATH, RENEW_PATH
from contracts.clock import Clock
from contracts.errors import BadInputError

_SMALL = 64 << 10


def router(
    registry: DeviceRegistry,
    ca: SiteCa,
    *,
    clock: Clock,
    account_facts: Callable[[], AccountFacts] = AccountFacts,
    door_port: int = 0,
) -> APIRouter:
    """The door's routes, POST /device/v1/renew, GET /device/v1/site. `door_port` is where the door
    stands apart, because the device port asks for certificates by TLS.
    """
    routes = APIRouter(include_in_schema=False)
    routes.include_router(door(registry, ca, clock=clock))
    gate = DeviceGate(registry, clock)

    @routes.post(RENEW_PATH)
    async def renew(request: Request) -> Response:
        signed = await gate.admit(request, limit_bytes=_SMALL)
        trust: SiteTrust = await asyncio.to_thread(
            registry.renew, signed.device.device, serial=_serial(signed.body)
        )
        return _json(trust)

    @routes.get("/device/v1/site")
    async def site(request: Request) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        accounts = await asyncio.to_thread(account_facts)
        facts = SiteFacts(ca.head_certificate_pem, accounts, door_port)
        return with_etag(request, msgspec.json.encode(facts, order="deterministic"))

    return routes


def door(registry: DeviceRegistry, ca: SiteCa, *, clock: Clock) -> APIRouter:
    """GET /device/v1/ca, POST /device/v1/claim, POST /device/v1/recover: all that a device without
    a valid certificate may ask.
    """
    routes = APIRouter(include_in_schema=False)
    gate = DeviceGate(registry, clock)
    tries = FailureLimiter(Limit(10, timedelta(minutes=10)))

    @routes.get("/device/v1/ca")
    async def authority() -> Response:
        return Response(ca.device_ca_pem, media_type="application/x-pem-file")

    @routes.post("/device/v1/claim")
    async def claim(request: Request) -> Response:
        address = _guesser(request)
        if not tries.may_try(address, clock.now()):
            raise ClaimRefusedError("Too many wrong tokens from here", mend="Wait ten minutes")
        try:
            wanted = msgspec.json.decode(await read_body(request, _SMALL), type=Claim)
        except msgspec.MsgspecError as error:
            raise BadInputError(f"not a claim: {error}", mend="Send device, token, csr") from error
        try:
            trust = await asyncio.to_thread(
                registry.claim, wanted.device, wanted.token, wanted.csr_pem, address=address
            )
        except ClaimRefusedError:
            tries.failed(address, clock.now())
            raise
        return _json(trust)

    @routes.post(RECOVER_PATH)
    async def recover(request: Request) -> Response:
        signed = await gate.admit(request, limit_bytes=_SMALL, expired=True)
        trust = await asyncio.to_thread(
            registry.recover,
            signed.device.device,
            _serial(signed.body),
            address=request.client.host if request.client else "",
        )
        return _json(trust)

    return routes


def _guesser(request: Request) -> str:
    """Whom wrong tokens are counted for: an address, or the 64-bit network that one IPv6 customer
    has to himself.
    """
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    return str(ipaddress.IPv6Network((address, 64), strict=False))


def _serial(body: bytes) -> str:
    """Older devices send no body."""
    if not body:
        return ""
    try:
        return msgspec.json.decode(body, type=Machine).serial[:MOST_SERIAL]
    except msgspec.MsgspecError as error:
        raise BadInputError(f"not a machine: {error}", mend="Send its serial") from error


def with_etag(request: Request, body: bytes) -> Response:
    """`body` as JSON, or 304 where the device has just that."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    return Response(body, media_type="application/json", headers={"etag": tag})


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")

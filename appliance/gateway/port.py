"""The hub's device port, sensors: the signed bundle for gateways, and 304 where it has not changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Request
from starlette.responses import Response

from appliance.gateway.bundle import SENSORS_PATH, SensorBundle, sign_bundle
from appliance.identity.gate import DeviceGate
from appliance.identity.registry import DeviceRegistry, DeviceState
from contracts.clock import Clock

_SMALL = 64 << 10


def router(
    bundle: Callable[[], SensorBundle],
    *,
    key: Ed25519PrivateKey,
    registry: DeviceRegistry,
    clock: Clock,
) -> APIRouter:
    """GET /device/v1/sensors. `bundle` may block; `key` is the hub's head key."""
    routes = APIRouter(include_in_schema=False)
    gate = DeviceGate(registry, clock)

    def signed() -> tuple[bytes, str]:
        gone = [one.device for one in registry.devices() if one.state is DeviceState.REVOKED]
        body = sign_bundle(replace(bundle(), revoked=tuple(gone)), key)
        return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'

    @routes.get(SENSORS_PATH)
    async def sensors(request: Request) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        body, tag = await asyncio.to_thread(signed)
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        return Response(body, media_type="application/json", headers={"etag": tag})

    return routes

"""The hub's device port for the learning loop: examples and erasures (I2).

Rules: an example is acknowledged when it is durable here; the same one again changes nothing; a
station sends and erases only what is its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from appliance.identity.api import with_etag
from appliance.identity.gate import DeviceGate
from appliance.identity.registry import DeviceRegistry
from appliance.journal.stamp import to_us
from appliance.learning.dataset import Dataset
from appliance.learning.erasure import Erasures
from appliance.learning.example import MOST_BYTES, decode_example, device_key, name_of
from contracts.clock import Clock
from contracts.errors import BadInputError, ForbiddenError

_MOST_ERASURES_BYTES = 4 << 20


def router(
    dataset: Dataset, *, registry: DeviceRegistry, clock: Clock, takes: bool = True
) -> APIRouter:
    """PUT /device/v1/examples/{sha256}, GET and POST /device/v1/erasures. `takes` False: the site
    has switched the loop off.
    """
    routes = APIRouter(prefix="/device/v1", include_in_schema=False)
    gate = DeviceGate(registry, clock)

    @routes.put("/examples/{sha256}")
    async def example(request: Request, sha256: str) -> Response:
        signed = await gate.admit(request, limit_bytes=MOST_BYTES, writes=True)
        if not takes:
            raise ForbiddenError("This hub keeps no examples", mend="Set learning.keep at the hub")
        found = decode_example(signed.body)
        if name_of(found, signed.body).sha256 != sha256:
            raise BadInputError("these bytes have another hash", mend="Send the example again")
        if found.device != signed.device.device:
            raise BadInputError(
                f"an example of {found.device[:80]!r}, sent by {signed.device.device!r}",
                mend="A station sends its own examples",
            )
        await asyncio.to_thread(dataset.add_bytes, signed.body, now_us=to_us(clock.now()))
        return Response(status_code=204)

    @routes.get("/erasures")
    async def erasures(request: Request) -> Response:
        signed = await gate.admit(request)
        known = await asyncio.to_thread(dataset.erasures)
        return with_etag(request, msgspec.json.encode(known.of(device_key(signed.device.device))))

    @routes.post("/erasures")
    async def erase(request: Request) -> Response:
        signed = await gate.admit(request, limit_bytes=_MOST_ERASURES_BYTES, writes=True)
        try:
            wanted = msgspec.json.decode(signed.body, type=Erasures)
        except msgspec.MsgspecError as error:
            raise BadInputError(f"not erasures: {error}", mend="Update both sides") from error
        await asyncio.to_thread(_erase, wanted, device_key(signed.device.device))
        return Response(status_code=204)

    def _erase(wanted: Erasures, device: str) -> None:
        known = set(dataset.erasures().all)
        # What the hub itself erased comes back from every station: it is no news.
        news = [each for each in wanted.all if replace(each, device="") not in known]
        dataset.erase(*(replace(each, device=device) for each in news))

    return routes

"""The hub's device port, part of the director: what a box shall do, and what it says (I5).

A poll for nothing new is the answer to almost every request a hub gets: it is served from memory.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from appliance.identity.gate import DeviceGate
from appliance.identity.registry import DeviceRegistry
from appliance.ota.rollouts import Envelope
from appliance.quick import Handler
from contracts.clock import Clock
from contracts.errors import BadInputError, ForbiddenError
from contracts.ota import BoxReport

PATH = "/device/v1/ota"
ASSIGNMENT = f"{PATH}/assignment"
_SMALL = 1024
_REPORT = 64 << 10
_NOTHING = '"0"'
"""ETag of a box that is to do nothing yet."""
_report = msgspec.json.Decoder(BoxReport)


class AssignsAndListens(Protocol):
    """What the port asks of the desk."""

    def envelope(self, device: str) -> Envelope | None: ...

    def reported(self, report: BoxReport) -> None: ...


def assignment_answer(
    desk: AssignsAndListens, *, registry: DeviceRegistry, clock: Clock
) -> Handler:
    """What answers a poll: 304 where the box has it already, 204 where there is none yet."""
    gate = DeviceGate(registry, clock)

    async def assignment(request: Request) -> Response:
        signed = await gate.admit(request, limit_bytes=_SMALL)
        found = desk.envelope(signed.device.device)
        tag = f'"{found.etag}"' if found is not None else _NOTHING
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        if found is None:
            return Response(status_code=204, headers={"etag": tag})
        return Response(found.body, media_type="application/json", headers={"etag": tag})

    return assignment


def router(
    desk: AssignsAndListens, *, director_pem: str, registry: DeviceRegistry, clock: Clock
) -> APIRouter:
    """GET assignment (ETag, 304; 204 where there is none yet), POST report (204), GET director: the
    certificate of the key that signs assignments, by the site's device CA.
    """
    routes = APIRouter(include_in_schema=False, prefix=PATH)
    gate = DeviceGate(registry, clock)

    routes.get("/assignment")(assignment_answer(desk, registry=registry, clock=clock))

    @routes.post("/report")
    async def report(request: Request) -> Response:
        signed = await gate.admit(request, limit_bytes=_REPORT)
        try:
            said = _report.decode(signed.body)
        except msgspec.MsgspecError as error:
            raise BadInputError(f"not a box's report: {error}", mend="Update both") from error
        if said.device != signed.device.device:
            raise ForbiddenError(
                f"{signed.device.device} reports for {said.device[:80]!r}",
                mend="A box speaks for itself only",
            )
        await asyncio.to_thread(desk.reported, said)
        return Response(status_code=204)

    @routes.get("/director")
    async def director(request: Request) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        return Response(director_pem, media_type="application/x-pem-file")

    return routes

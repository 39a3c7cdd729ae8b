"""The hub's device port for pins: which judge has a batch, asked at its first carton (I3).

Rules: what a station learns here is what every other station learns, whoever asked first; asking
again changes nothing; a quarantined device pins nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from appliance.identity.gate import DeviceGate
from appliance.identity.registry import DeviceRegistry
from contracts.clock import Clock
from contracts.errors import BadInputError
from contracts.judging import GOODS_PARTS, Pin, SessionPin
from contracts.ports import Pins
from contracts.stock import BatchKey

PINS_PATH = "/device/v1/pins"
MOST_ASKED = 64
"""Batches in one request."""
_SMALL = 64 << 10
_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """Who would judge a batch here, by use; the hub's answer may be another."""

    batch: BatchKey
    parts: dict[str, str]


@dataclass(frozen=True, slots=True)
class AskPins:
    """`session` and `reads`: what would read the labels of a receiving session here."""

    batches: tuple[Asked, ...] = ()
    session: str = ""
    reads: str = ""


@dataclass(frozen=True, slots=True)
class TellPins:
    """One pin for each batch asked about, in their order."""

    pins: tuple[Pin, ...] = ()
    reads: SessionPin | None = field(default=None)


# At import, by one thread: two that learn of a class at one moment crash the process.
_ASKED = msgspec.json.Decoder(AskPins)


def router(pins: Pins, *, registry: DeviceRegistry, clock: Clock) -> APIRouter:
    """POST /device/v1/pins: `AskPins` in, `TellPins` out, both JSON."""
    routes = APIRouter(include_in_schema=False)
    gate = DeviceGate(registry, clock)

    @routes.post(PINS_PATH)
    async def ask(request: Request) -> Response:
        signed = await gate.admit(request, limit_bytes=_SMALL, writes=True)
        asked = decode(signed.body)
        told = await asyncio.to_thread(answer, pins, asked, by=signed.device.device)
        return Response(msgspec.json.encode(told), media_type="application/json")

    return routes


def decode(body: bytes) -> AskPins:
    """What a station asks. Raises BadInputError."""
    try:
        asked = _ASKED.decode(body)
    except msgspec.MsgspecError as error:
        raise BadInputError(f"not a question about pins: {error}", mend="Update both") from error
    if len(asked.batches) > MOST_ASKED:
        raise BadInputError("too many batches at once", mend=f"Ask about {MOST_ASKED}")
    for each in asked.batches:
        _check_batch(each.batch)
        _check_parts(each.parts)
    if asked.session and not (
        len(asked.session) <= _LONGEST and _DIGEST.fullmatch(asked.reads) is not None
    ):
        raise BadInputError(
            "the session names no set that reads its labels", mend="Send the digest of the set"
        )
    return asked


def answer(pins: Pins, asked: AskPins, *, by: str) -> TellPins:
    """Pin what is free, and tell every pin. Blocks."""
    return TellPins(
        tuple(pins.pin(each.batch, each.parts, by=by) for each in asked.batches),
        pins.pin_session(asked.session, asked.reads, by=by) if asked.session else None,
    )


def _check_batch(batch: BatchKey) -> None:
    if not batch.gtin or not batch.lot:
        raise BadInputError("a batch without GTIN or lot", mend="Send both, as read or announced")
    if max(len(batch.supplier), len(batch.gtin), len(batch.lot)) > _LONGEST:
        raise BadInputError("a batch with an overlong name", mend="Send it as announced")


def _check_parts(parts: Mapping[str, str]) -> None:
    unknown = sorted(parts.keys() - set(GOODS_PARTS))
    if not parts or unknown:
        raise BadInputError(
            f"the judge is made of {unknown or 'nothing'}",
            mend=f"Name sets by their use: {', '.join(GOODS_PARTS)}",
        )
    for use, digest in parts.items():
        if _DIGEST.fullmatch(digest) is None:
            raise BadInputError(
                f"{digest[:80]!r} for {use} is no digest", mend="Send sha256: and 64 hex digits"
            )

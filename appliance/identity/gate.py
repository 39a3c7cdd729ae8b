"""The device port's door: who signed this request, and may it come in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from fastapi import Request
from starlette.requests import ClientDisconnect

from appliance.identity.registry import Device, DeviceRegistry, DeviceState
from appliance.identity.requests import (
    BadSignatureError,
    CertificateExpiredError,
    NotEnrolledError,
    QuarantinedError,
    RequestJudge,
    RevokedError,
    parse,
)
from appliance.journal.stamp import to_us
from contracts.clock import Clock
from contracts.errors import BadInputError


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """Who sent it and the bytes that the signature covers."""

    device: Device
    body: bytes


class DeviceGate:
    def __init__(self, registry: DeviceRegistry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._judge = RequestJudge()

    async def admit(
        self,
        request: Request,
        *,
        limit_bytes: int = 1 << 20,
        writes: bool = False,
        expired: bool = False,
    ) -> SignedRequest:
        """Judge a request, then read its body; `writes` keeps quarantined devices out, `expired`
        lets one in whose certificate ran out (to be certified anew).

        Raises NotEnrolledError, BadSignatureError, ClockSkewError, RevokedError,
        QuarantinedError, CertificateExpiredError, BadInputError when the body is over the limit.
        """
        signed = parse(request.headers)
        device = self._registry.device(signed.device)
        if device is None:
            raise NotEnrolledError(
                f"{signed.device[:80]!r} is not enrolled here", mend="Enrol the device"
            )
        query = request.scope.get("query_string", b"")
        raw_path = request.scope.get("raw_path") or request.url.path.encode()
        target = raw_path + (b"?" + query if query else b"")
        self._judge.check(
            signed,
            device.public_key,
            method=request.method,
            target=target.decode("latin-1"),
            now_us=to_us(now := self._clock.now()),
        )
        self._registry.heard(device.device)
        if device.state is DeviceState.REVOKED:
            raise RevokedError(f"{device.device} was revoked", mend="Enrol it under a new id")
        if now >= device.expires_at and not expired:
            raise CertificateExpiredError(
                f"The certificate of {device.device} ran out at {device.expires_at.isoformat()}",
                mend="It asks to be certified anew; approve it at the hub",
            )
        if writes and device.state is DeviceState.QUARANTINED:
            raise QuarantinedError(
                f"{device.device} is quarantined: {device.note}",
                mend="Look into it at the hub and readmit or revoke the device",
            )
        body = await read_body(request, limit_bytes)
        if hashlib.sha256(body).hexdigest() != signed.body_sha256:
            raise BadSignatureError(
                f"The body is not what {device.device} signed", mend="Send the request again"
            )
        return SignedRequest(device, body)


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """Raises BadInputError when more than `limit_bytes` are announced or come, or it breaks off."""
    too_large = BadInputError(
        f"the request has more than {limit_bytes} bytes", mend="Send less at once"
    )
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit_bytes:
        raise too_large
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit_bytes:
                raise too_large
            parts.append(part)
    except ClientDisconnect as gone:
        raise BadInputError("the request broke off", mend="Send it again") from gone
    return b"".join(parts)

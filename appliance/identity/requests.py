"""Requests that a device signs, and how the hub judges the signature.

Rules: the signature covers method, target, the body's hash, device, time and a nonce, so that the
hub judges it before it reads a body; the hub accepts it
within two minutes of its own clock, each nonce once, under the key enrolled for that device, while
the registry has the device active. A device whose clock is wrong is told the hub's time, so that
it can sign again: its journal keeps its own time.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.identity.keys import REQUEST, canonical, verifies_hex
from contracts.errors import ForbiddenError, NotSignedInError

DEVICE_HEADER = "tallyman-device"
SIGNATURE_HEADER = "tallyman-signature"
BODY_HEADER = "tallyman-body-sha256"
WINDOW_US = 120_000_000
_GENERATION_US = 80_000_000
_GENERATIONS = 4
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"v1 ([0-9]{1,16}) ([A-Za-z0-9_-]{16,64}) ([0-9a-f]{128})")


class NotEnrolledError(NotSignedInError):
    """No signature, or of a device that the registry does not know."""

    code = "not_enrolled"


class BadSignatureError(NotSignedInError):
    code = "bad_signature"


class ClockSkewError(NotSignedInError):
    """Signed too long ago or ahead by the hub's clock; data has the hub's `now_us`."""

    code = "clock_skew"


class QuarantinedError(ForbiddenError):
    """The device's journal contradicted itself; its entries wait for a person's decision."""

    code = "quarantined"


class RevokedError(ForbiddenError):
    code = "revoked"


class CertificateExpiredError(NotSignedInError):
    """The device was away for longer than its certificate: it asks to be let in again."""

    code = "certificate_expired"


@dataclass(frozen=True, slots=True)
class RequestSignature:
    """The parsed headers."""

    device: str
    at_us: int
    nonce: str
    signature: str
    body_sha256: str
    """What the device says of the body; whoever reads the body checks it."""


def sign_request(
    sign: Callable[[bytes], bytes],
    *,
    device: str,
    method: str,
    target: str,
    body: bytes,
    at_us: int,
) -> dict[str, str]:
    """The headers for one request. `target` is the path with its query."""
    nonce = secrets.token_urlsafe(18)
    body_sha256 = hashlib.sha256(body).hexdigest()
    message = _message(device, method, target, body_sha256, at_us, nonce)
    signature = sign(REQUEST + message).hex()
    return {
        DEVICE_HEADER: device,
        BODY_HEADER: body_sha256,
        SIGNATURE_HEADER: f"v1 {at_us} {nonce} {signature}",
    }


def parse(headers: Mapping[str, str]) -> RequestSignature:
    """Raises NotEnrolledError when the request is not signed in this form."""
    device = headers.get(DEVICE_HEADER, "")
    match = _SIGNATURE.fullmatch(headers.get(SIGNATURE_HEADER, ""))
    body_sha256 = headers.get(BODY_HEADER, "")
    if not device or match is None or not _SHA256.fullmatch(body_sha256):
        raise NotEnrolledError("The request is not signed by a device", mend="Enrol the device")
    at_us, nonce, signature = match.groups()
    return RequestSignature(device, int(at_us), nonce, signature, body_sha256)


class RequestJudge:
    """Judges signatures and remembers which requests came. Memory is enough: after a restart, within
    the two minutes, what could be replayed bears repetition (entries and pictures count once).

    What came is kept by generation, so that forgetting a hundred thousand devices' polls takes no
    time: a request stays acceptable for two windows at most (signed ahead of our clock).
    """

    def __init__(self) -> None:
        self._seen: deque[set[bytes]] = deque([set()], maxlen=_GENERATIONS)
        self._begun_us = 0

    def check(
        self,
        signed: RequestSignature,
        key: Ed25519PublicKey,
        *,
        method: str,
        target: str,
        now_us: int,
    ) -> None:
        """Raises BadSignatureError, ClockSkewError."""
        message = _message(
            signed.device, method, target, signed.body_sha256, signed.at_us, signed.nonce
        )
        if not verifies_hex(key, REQUEST, message, signed.signature):
            raise BadSignatureError(
                f"The signature does not fit the key of {signed.device}",
                mend="Enrol the device again, or give it a name of its own",
            )
        if abs(now_us - signed.at_us) > WINDOW_US:
            raise ClockSkewError(
                "The request was signed at another time than now",
                mend="Set the device's clock",
                now_us=now_us,
            )
        # A signature is over device and nonce: its first half is one request's alone.
        request = bytes.fromhex(signed.signature[:32])
        self._turn(now_us)
        if any(request in generation for generation in self._seen):
            raise BadSignatureError("The request was sent before", mend="Sign each request anew")
        self._seen[-1].add(request)

    def _turn(self, now_us: int) -> None:
        if abs(now_us - self._begun_us) >= _GENERATION_US:
            self._begun_us = now_us
            self._seen.append(set())


def _message(
    device: str, method: str, target: str, body_sha256: str, at_us: int, nonce: str
) -> bytes:
    return canonical(
        {
            "v": 1,
            "device": device,
            "method": method.upper(),
            "target": target,
            "body_sha256": body_sha256,
            "at_us": at_us,
            "nonce": nonce,
        }
    )

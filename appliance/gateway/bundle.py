"""What the hub tells a gateway of its sensors: the book, the site's templates, fences, whereabouts.

One document, signed by the hub's head key, which the site's authority certified: a gateway believes
no other (I5). Fences carry the signatures of people besides, which `appliance.fences.guard` checks.
A gateway keeps the last one that held and works by it for as long as the hub is away (I6).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.fences.wire import SignedFences
from appliance.identity.certificates import HEAD_URI, certified_key
from appliance.identity.keys import verifies_hex
from contracts.errors import ArtefactRefusedError
from telemetry.watching.places import Whereabouts

SENSORS_PATH = "/device/v1/sensors"
BUNDLE = b"tallyman sensor bundle v1\0"


@dataclass(frozen=True, slots=True)
class SensorBundle:
    """`book` is the sensor book's JSON, `templates` the texts of the site's own."""

    book: str = ""
    templates: tuple[str, ...] = ()
    fences: SignedFences = field(default_factory=SignedFences)
    whereabouts: Whereabouts = field(default_factory=Whereabouts)
    acknowledged: tuple[str, ...] = ()
    """Alarms that somebody looks after: they escalate no further."""
    revoked: tuple[str, ...] = ()
    """Devices that were lost or sold: their certificates let nobody in."""


@dataclass(frozen=True, slots=True)
class SignedBundle:
    """`text` is the bundle's JSON as it was signed; `signature` is hex."""

    text: str
    signature: str


def sign_bundle(bundle: SensorBundle, key: Ed25519PrivateKey) -> bytes:
    """The document that goes over the wire; the same bundle gives the same bytes."""
    text = msgspec.json.encode(bundle, order="deterministic")
    signed = SignedBundle(text.decode(), key.sign(BUNDLE + text).hex())
    return msgspec.json.encode(signed)


def read_bundle(raw: bytes, *, head_certificate_pem: str, ca_pem: str) -> SensorBundle:
    """The bundle in `raw`, once its signature holds. Raises ArtefactRefusedError."""
    try:
        signed = msgspec.json.decode(raw, type=SignedBundle)
    except msgspec.MsgspecError as error:
        raise ArtefactRefusedError(
            f"The hub's sensor bundle cannot be read: {error}", mend="Update hub and gateway"
        ) from error
    key = certified_key(head_certificate_pem, ca_pem, uri=HEAD_URI)
    if key is None or not verifies_hex(key, BUNDLE, signed.text.encode(), signed.signature):
        raise ArtefactRefusedError(
            "The sensor bundle's signature does not hold", mend="Check the hub's address"
        )
    try:
        return msgspec.json.decode(signed.text, type=SensorBundle)
    except msgspec.MsgspecError as error:
        raise ArtefactRefusedError(
            f"The hub's sensor bundle is of another kind: {error}", mend="Update hub and gateway"
        ) from error

"""What a gateway needs before its first start, without a hub: identity, sensors, a signed fence."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from appliance.durable import write_atomic
from appliance.fences.guard import FenceGuard
from appliance.fences.statement import DELEGATION, PURPOSE, Delegation, SignedFence, Statement
from appliance.fences.wire import SignedFences
from appliance.gateway.bundle import SensorBundle, sign_bundle
from appliance.gateway.credentials import SensorCredentials
from appliance.gateway.knowledge import bundle_file
from appliance.identity.device import DeviceIdentity, SiteTrust
from appliance.identity.site_ca import SiteCa
from appliance.layout import Layout
from appliance.teaching.signing import first_key
from appliance.teaching.trust import TrustedKeys
from erp_link.adapters.signatures import key_id, public_pem
from telemetry.describing.book import Device, SensorBook
from telemetry.watching.fences import Fence

PASSWORD = "a password of the campaign"  # noqa: S105 -- guards nothing but a folder of this run
TEMPLATE = "json-temperature-humidity"
GATEWAY = "gateway-01"
COAP_TOPIC = "coap/{device}"
_AT_US = 1_790_000_000_000_000


def cold_room() -> Fence:
    """Above 8 °C, told at once: every crossing is an alarm, every way back its end."""
    return Fence(
        fence="cold-room",
        version=1,
        title="Cold room above 8 °C",
        quantity="temperature",
        unit="Cel",
        above=8.0,
        hysteresis=0.5,
    )


def write_papers(
    layout: Layout,
    devices: tuple[str, ...],
    *,
    coap: tuple[str, ...] = (),
    fences: tuple[Fence, ...],
) -> None:
    """An enrolled gateway that knows these sensors; those of `coap` post to their own name."""
    ca = SiteCa.open_or_create(layout.root / "ca")
    identity = DeviceIdentity.open_or_create(layout.gateway / "identity", GATEWAY)
    certificate = ca.issue_device(GATEWAY, identity.public_key)
    identity.keep(SiteTrust(certificate, ca.device_ca_pem, ca.head_certificate_pem))
    book = SensorBook(
        (
            *(Device(name, TEMPLATE, place="A-01") for name in devices),
            *(Device(name, TEMPLATE, place="A-02", topic=(COAP_TOPIC,)) for name in coap),
        )
    )
    # Whose key is told first is believed from then on.
    told = sign_fences(fences) if fences else SignedFences()
    bundle = SensorBundle(book=book.encode().decode(), fences=told)
    write_atomic(bundle_file(layout), sign_bundle(bundle, ca.head_signer))
    folder = layout.gateway
    FenceGuard(folder / "fences", TrustedKeys(folder / "trust")).take(told)
    credentials = SensorCredentials(folder / "sensors.json")
    for name in devices:
        credentials.add(name, password=PASSWORD)


def sign_fences(fences: tuple[Fence, ...]) -> SignedFences:
    """By a quality lead and a person whose keys are made for this one call."""
    lead, pen = Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    chain = first_key(lead, holder="lead", at_us=_AT_US)
    name, pem = key_id(pen.public_key()), public_pem(pen.public_key())
    word = Delegation("mei", name, pem, _AT_US, by_key=chain.name)
    word = replace(word, signature=lead.sign(DELEGATION + word.message()).hex())
    return SignedFences((chain,), (word,), tuple(_sign(each, pen, name) for each in fences))


def _sign(fence: Fence, pen: ec.EllipticCurvePrivateKey, key: str) -> SignedFence:
    said = Statement(
        fence.fence, fence.version, fence.sha256, "active", "for the campaign", "mei", key, _AT_US
    ).text()
    r, s = decode_dss_signature(pen.sign(PURPOSE + said.encode(), ec.ECDSA(hashes.SHA256())))
    return SignedFence(fence.text(), said, (r.to_bytes(32) + s.to_bytes(32)).hex())


def payload(number: int, at_ms: int) -> bytes:
    """What a sensor of the campaign says: fifty readings of cold, ten too warm, and again."""
    warm = number % 60 >= 50  # noqa: PLR2004 -- as the docstring says
    return msgspec.json.encode({"seq": number, "ts": at_ms, "t": 11.5 if warm else 4.5, "h": 60.0})


def number_of(payload: bytes) -> int:
    """The sequence that a payload of `payload` bears."""
    return msgspec.json.decode(payload, type=_Said).seq


class _Said(msgspec.Struct, gc=False):
    seq: int

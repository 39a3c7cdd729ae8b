"""The site that the bench listens to: one template, one family of a thousand probes, one fence."""

from __future__ import annotations

import ssl
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.bench.ingest.stream import SENSORS
from appliance.durable import write_atomic
from appliance.identity.site_ca import SiteCa
from contracts.clock import SystemClock
from contracts.telemetry import AlarmEffect
from telemetry.describing.catalogue import Catalogue, catalogue_of
from telemetry.watching.fences import Fence

TEMPLATE = """\
name = "bench-cold-room"
kind = "temperature"
title = { en = "Cold room probe of the bench", zh = "基准测试用冷库探头" }
topic = "sensors/{device}/reading"
format = "json"
sequence = { path = "seq" }
time = { path = "time", unit = "ms" }

[[measure]]
quantity = "temperature"
path = "temperature"
unit = "Cel"
range = [-40, 85]

[[measure]]
quantity = "humidity"
path = "humidity"
unit = "%RH"
range = [0, 100]

[[measure]]
quantity = "battery_voltage"
path = "battery"
unit = "V"
range = [0, 5]

[quality]
source = "The bench's own stream"
vectors = "none"
"""
_TOPICS = ("sensors/{device}/reading", "coap/sensors/{device}/reading")
_BOOK = msgspec.json.encode(
    {
        "family": [
            {"topic": topic, "template": "bench-cold-room", "place": "COLD-1", "most": 10 * SENSORS}
            for topic in _TOPICS
        ]
    }
)


def catalogue() -> Catalogue:
    """What a site writes down for this stream: nothing but a template and a line in its book."""
    return catalogue_of(_BOOK, (TEMPLATE,))


def fence() -> Fence:
    """Too warm above 8 degrees, too cold below 0, good again half a degree inside."""
    return Fence(
        fence="cold-room",
        version=1,
        title="Cold room",
        quantity="temperature",
        unit="Cel",
        above=8.0,
        below=0.0,
        hysteresis=0.5,
        effect=AlarmEffect.TICKET,
    )


class Certificates:
    """A device authority, the endpoint's certificate and one of a device, all in `folder`."""

    def __init__(self, folder: Path) -> None:
        authority = SiteCa.open_or_create(folder / "ca", clock=SystemClock(), names=("localhost",))
        self._files = authority.device_port_files()
        self.ca = folder / "ca.pem"
        self.certificate, self.key = folder / "device.pem", folder / "device.key"
        key = Ed25519PrivateKey.generate()
        write_atomic(self.ca, authority.device_ca_pem.encode())
        pem = authority.issue_device("bench-device", key.public_key())
        write_atomic(self.certificate, pem.encode())
        plain = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_atomic(self.key, plain, mode=0o600)
        self.server_certificate = self._files.certificate
        self.server_key = self._files.key


def server_context(certificate: Path, key: Path, ca: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer that lets nobody in without a certificate of this authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context

"""A gateway believes its hub's signature and nobody else's, and keeps what held."""

from __future__ import annotations

import msgspec
import pytest

from appliance.gateway.bundle import SensorBundle, SignedBundle, read_bundle, sign_bundle
from appliance.identity.site_ca import SiteCa
from contracts.errors import ArtefactRefusedError
from telemetry.watching.places import Whereabouts

BUNDLE = SensorBundle(
    book='{"device":[]}',
    templates=('name = "ours"',),
    whereabouts=Whereabouts({"A-01": "A"}, {"09506000134352": ("A-01",)}, {}),
    acknowledged=("alarm-1",),
)


@pytest.fixture
def ca(tmp_path):
    return SiteCa.open_or_create(tmp_path / "ca")


def read(raw: bytes, ca: SiteCa) -> SensorBundle:
    return read_bundle(raw, head_certificate_pem=ca.head_certificate_pem, ca_pem=ca.device_ca_pem)


def test_what_the_hub_signed_is_what_the_gateway_reads(ca):
    raw = sign_bundle(BUNDLE, ca.head_signer)
    assert read(raw, ca) == BUNDLE
    assert sign_bundle(BUNDLE, ca.head_signer) == raw


def test_another_hubs_word_is_refused(ca, tmp_path):
    other = SiteCa.open_or_create(tmp_path / "other")
    with pytest.raises(ArtefactRefusedError, match="signature"):
        read(sign_bundle(BUNDLE, other.head_signer), ca)


@pytest.mark.parametrize(
    "altered",
    [
        lambda one: SignedBundle(one.text.replace("alarm-1", "alarm-2"), one.signature),
        lambda one: SignedBundle(one.text, one.signature.upper()),
        lambda one: SignedBundle(one.text + " ", one.signature),
        lambda one: SignedBundle(one.text, ""),
    ],
)
def test_one_letter_altered_is_refused(ca, altered):
    signed = msgspec.json.decode(sign_bundle(BUNDLE, ca.head_signer), type=SignedBundle)
    with pytest.raises(ArtefactRefusedError):
        read(msgspec.json.encode(altered(signed)), ca)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff"])
def test_what_is_no_bundle_is_refused_in_words(ca, raw):
    with pytest.raises(ArtefactRefusedError, match="cannot be read"):
        read(raw, ca)

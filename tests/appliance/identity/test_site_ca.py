"""The site's authorities: made once, kept apart, owner-only."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

from cryptography import x509

from appliance.identity.certificates import HEAD_URI, certified_key, device_uri
from appliance.identity.device import DeviceIdentity
from appliance.identity.site_ca import SiteCa
from contracts.clock import FixedClock


def test_a_site_is_made_once(tmp_path: Path, clock: FixedClock):
    first = SiteCa.open_or_create(tmp_path, clock=clock)
    again = SiteCa.open_or_create(tmp_path, clock=clock)
    assert (first.fingerprint, first.device_ca_pem) == (again.fingerprint, again.device_ca_pem)
    assert first.head_certificate_pem == again.head_certificate_pem
    first.device_port_files()
    keys = list(tmp_path.glob("*.key"))
    assert len(keys) == 4
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_device_certificate_names_its_device_and_no_other(tmp_path: Path, clock: FixedClock):
    site = SiteCa.open_or_create(tmp_path / "site", clock=clock)
    device = DeviceIdentity.open_or_create(tmp_path / "device", "dock-1")
    pem = site.issue_device("dock-1", device.public_key)
    assert certified_key(pem, site.device_ca_pem, uri=device_uri("dock-1")) == device.public_key
    assert certified_key(pem, site.device_ca_pem, uri=device_uri("dock-2")) is None
    assert certified_key(pem, site.device_ca_pem, uri=HEAD_URI) is None
    other = SiteCa.open_or_create(tmp_path / "other", clock=clock)
    assert certified_key(pem, other.device_ca_pem, uri=device_uri("dock-1")) is None
    assert certified_key("nonsense", site.device_ca_pem, uri=device_uri("dock-1")) is None


def test_the_device_ports_certificate_carries_the_sites_names(tmp_path: Path):
    files = SiteCa.open_or_create(tmp_path, names=["dock.example"]).device_port_files()
    port = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = port.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["dock.example", "localhost"]
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)


def test_a_server_certificate_is_renewed_when_due_or_when_names_change(
    tmp_path: Path, clock: FixedClock
):
    first = SiteCa.open_or_create(tmp_path, clock=clock).device_port_files().certificate.read_text()
    assert (
        SiteCa.open_or_create(tmp_path, clock=clock).device_port_files().certificate.read_text()
        == first
    )
    named = SiteCa.open_or_create(tmp_path, clock=clock, names=["dock.example"]).device_port_files()
    second = named.certificate.read_text()
    assert second != first
    clock.at += timedelta(days=300)
    later = SiteCa.open_or_create(tmp_path, clock=clock, names=["dock.example"]).device_port_files()
    assert later.certificate.read_text() != second

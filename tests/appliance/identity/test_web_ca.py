"""The authority that phones trust for the site's pages, and for nothing else."""

from __future__ import annotations

import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from appliance.identity import certificates
from appliance.identity.keys import open_or_create_key
from appliance.identity.web_ca import LEAF_DAYS, OtherNamesError, WebCa
from contracts.clock import FixedClock
from contracts.errors import BadInputError

NAMES = ("dock.example", "192.168.7.20")


@pytest.fixture
def ca(tmp_path: Path, clock: FixedClock) -> WebCa:
    return WebCa(tmp_path / "ca", clock=clock, names=NAMES, site="Dock 1")


def forged(ca: WebCa, folder: Path, name: str, clock: FixedClock) -> Path:
    """What a thief of the issuer's key can make: a server's certificate for another name."""
    issuer, _ = x509.load_pem_x509_certificates((folder / "ca/pages-authority.pem").read_bytes())
    key = open_or_create_key(folder / "ca/pages-issuer.key", curve="p256")
    made = certificates.make_server(
        ec.generate_private_key(ec.SECP256R1()),
        names=[name],
        ca=issuer,
        ca_key=key,
        now=clock.now(),
        days=LEAF_DAYS,
    )
    path = folder / "forged.crt"
    path.write_text(certificates.to_pem(made) + certificates.to_pem(issuer))
    assert ca.root()
    return path


def openssl_takes(chain: Path, root: Path, name: str, clock: FixedClock) -> bool:
    what = "-verify_ip" if name[0].isdigit() else "-verify_hostname"
    command = ["openssl", "verify", "-x509_strict", "-attime", str(int(clock.now().timestamp()))]
    command += ["-CAfile", str(root), "-untrusted", str(chain), what, name, str(chain)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def cryptography_takes(chain: Path, root: str, name: str, clock: FixedClock) -> bool:
    leaf, *others = x509.load_pem_x509_certificates(chain.read_bytes())
    store = Store([x509.load_pem_x509_certificate(root.encode())])
    verifier = (
        PolicyBuilder().store(store).time(clock.now()).build_server_verifier(x509.DNSName(name))
    )
    try:
        verifier.verify(leaf, others)
    except VerificationError:
        return False
    return True


@pytest.mark.parametrize("name", ["dock.example", "192.168.7.20", "localhost", "127.0.0.1"])
def test_the_pages_certificate_is_good_for_the_sites_names(
    ca: WebCa, clock: FixedClock, name: str
) -> None:
    chain = ca.files().certificate
    ca.root()
    assert openssl_takes(chain, ca.root_file, name, clock)
    if not name[0].isdigit():
        assert cryptography_takes(chain, ca.root().pem, name, clock)


@pytest.mark.parametrize("name", ["bank.example", "example", "notdock.example", "10.0.0.1", "::2"])
def test_with_the_issuers_key_nobody_can_stand_for_another_name(
    ca: WebCa, tmp_path: Path, clock: FixedClock, name: str
) -> None:
    ca.files()
    chain = forged(ca, tmp_path, name, clock)
    assert not openssl_takes(chain, ca.root_file, name.replace("::2", "0::2"), clock)
    if "example" in name:
        assert not cryptography_takes(chain, ca.root().pem, name, clock)


def test_names_below_the_sites_own_are_its_own_too(
    ca: WebCa, tmp_path: Path, clock: FixedClock
) -> None:
    ca.files()
    chain = forged(ca, tmp_path, "shelf.dock.example", clock)
    assert openssl_takes(chain, ca.root_file, "shelf.dock.example", clock)


def test_the_roots_key_is_kept_nowhere(ca: WebCa, tmp_path: Path) -> None:
    ca.files()
    root = ca.root().certificate
    keys = [open_or_create_key(path, curve="p256") for path in (tmp_path / "ca").glob("*.key")]
    assert len(keys) == 2
    assert all(key.public_key() != root.public_key() for key in keys)
    assert ca.root().allowed == ("dock.example", "192.168.7.20", "localhost", "127.0.0.1", "::1")


def test_the_certificate_is_renewed_at_half_of_its_life_and_the_root_stays(
    ca: WebCa, clock: FixedClock
) -> None:
    first, root = ca.leaf(), ca.root().fingerprint
    assert (first.not_valid_after_utc - clock.now()).days == LEAF_DAYS
    clock.at += timedelta(days=198)
    assert ca.leaf() == first
    clock.at += timedelta(days=1)
    renewed = ca.leaf()
    assert (renewed.not_valid_after_utc - clock.now()).days == LEAF_DAYS
    assert ca.root().fingerprint == root


def test_a_name_that_the_root_does_not_allow_is_told_and_needs_a_new_root(
    ca: WebCa, tmp_path: Path, clock: FixedClock
) -> None:
    before = ca.files().certificate.read_bytes()
    fewer = WebCa(tmp_path / "ca", clock=clock, names=("dock.example",), site="Dock 1")
    assert fewer.files().certificate.read_bytes() != before, "a name fewer needs no new root"
    moved = WebCa(tmp_path / "ca", clock=clock, names=("dock.example", "hall.example"), site="1")
    with pytest.raises(OtherNamesError, match=r"hall\.example"):
        moved.files()
    old = moved.root().fingerprint
    assert moved.renew_root().fingerprint != old
    assert openssl_takes(moved.files().certificate, moved.root_file, "hall.example", clock)


def test_a_root_that_is_made_anew_on_the_same_day_has_its_own_certificate_served(
    ca: WebCa, clock: FixedClock
) -> None:
    ca.files()
    ca.renew_root()
    assert openssl_takes(ca.files().certificate, ca.root_file, "dock.example", clock)


def test_a_damaged_or_foreign_authority_is_told(
    ca: WebCa, tmp_path: Path, clock: FixedClock
) -> None:
    ca.files()
    (tmp_path / "ca/pages-issuer.key").unlink()
    clock.at += timedelta(days=300)
    with pytest.raises(BadInputError, match="not the key"):
        ca.files()
    (tmp_path / "ca/pages-authority.pem").write_text("nothing")
    with pytest.raises(BadInputError, match="issuer and root"):
        ca.root()


@pytest.mark.parametrize("name", ["", "dock example", "仓库.example", "-dock", "a..b"])
def test_a_name_that_is_none_is_told(tmp_path: Path, clock: FixedClock, name: str) -> None:
    with pytest.raises(BadInputError, match=r"hub\.names"):
        WebCa(tmp_path, clock=clock, names=(name,), site="Dock")


def test_the_key_and_chain_make_a_server(ca: WebCa) -> None:
    files = ca.files()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)

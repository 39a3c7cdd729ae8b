"""X.509 certificates of a site: what each kind may be used for, and checking one offline.

Two authorities: one for devices (their keys, the hub's device port, the hub's head key), one for
web pages, so that a browser that trusts a site's pages trusts no device with it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.identity.keys import PrivateKey
from contracts.errors import BadInputError

_BACKDATED = timedelta(days=1)
"""A device whose clock is a little behind the hub's must not refuse a new certificate."""


def service_uri(name: str) -> str:
    """What a certificate of one of the hub's signing keys names."""
    return f"urn:tallyman:hub:{name}"


HEAD_URI = service_uri("head")


def device_uri(device: str) -> str:
    return f"urn:tallyman:device:{device}"


def to_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def load(pem: str, *, what: str) -> x509.Certificate:
    """Raises BadInputError when `pem` (named `what`) is no certificate."""
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise BadInputError(f"{what} is not a certificate in PEM", mend="Check the file") from error


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER bytes, lower-case hex: what a device pins."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def make_ca(key: PrivateKey, *, name: str, now: datetime, days: int) -> x509.Certificate:
    """A self-signed authority that may sign end certificates only."""
    subject = _name(name)
    return (
        _begin(subject, subject, key, now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def make_server(
    public_key: PrivateKey,
    *,
    names: Sequence[str],
    ca: x509.Certificate,
    ca_key: PrivateKey,
    now: datetime,
    days: int,
) -> x509.Certificate:
    """A TLS server's certificate for host names and IP addresses."""
    return (
        _begin(_name(names[0]), ca.subject, public_key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alt(name) for name in names]), critical=False)
        .add_extension(_authority(ca), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def make_signer(
    public_key: Ed25519PublicKey,
    *,
    common_name: str,
    uri: str,
    ca: x509.Certificate,
    ca_key: PrivateKey,
    now: datetime,
    days: int,
) -> x509.Certificate:
    """A certificate for a key that signs records: a device's, or the hub's head key."""
    return (
        _begin(_name(common_name), ca.subject, public_key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False
        )
        .add_extension(_authority(ca), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def certified_key(pem: str, ca_pem: str, *, uri: str) -> Ed25519PublicKey | None:
    """The key that the CA certified for exactly `uri`, or None.

    Expiry is not asked: a record stays true after its certificate ran out, and whether a device
    may still connect is the registry's to say on each request.
    """
    ca = load(ca_pem, what="the site's CA")
    try:
        certificate = load(pem, what="a stored certificate")
        certificate.verify_directly_issued_by(ca)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (BadInputError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return None
    key = certificate.public_key()
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return key if isinstance(key, Ed25519PublicKey) and uris == [uri] else None


def head_key(pem: str) -> Ed25519PublicKey | None:
    """The Ed25519 key in a certificate, without asking who issued it; None where there is none."""
    try:
        key = load(pem, what="the hub's head certificate").public_key()
    except (BadInputError, ValueError):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None


def server_names(certificate: x509.Certificate) -> tuple[str, ...]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(str(name.value) for name in names)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _alt(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _begin(
    subject: x509.Name,
    issuer: x509.Name,
    key: PrivateKey | Ed25519PublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    public = key if isinstance(key, Ed25519PublicKey) else key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _authority(ca: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )

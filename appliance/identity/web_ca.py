"""The authority for a site's pages: apart from the devices', and good for the site's names alone.

Phones are asked to trust a root that nobody knows, so it is made to be worth nothing to a thief. The
root's key signs one issuer and is thrown away without ever being written; the issuer's key, which
stays on this machine, can certify only the site's own names (name constraints, RFC 5280 section
4.2.1.10), and every verifier that follows the standard refuses others, whether or not it also asks
constraints of roots. What browsers ask of a server's certificate (at most 397 days) the hub renews by
itself at half of its life. Names beyond the constraints need a new root, which phones trust anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.durable import write_atomic
from appliance.identity import certificates
from appliance.identity.keys import open_or_create_key
from appliance.identity.site_ca import LOOPBACK, ServerFiles
from appliance.identity.web_names import allowed_by, clean, constraints_for, is_allowed
from contracts.clock import Clock
from contracts.errors import BadInputError

_CA_DAYS = 3650
LEAF_DAYS = 397
_BACKDATED = timedelta(days=1)


class OtherNamesError(BadInputError):
    """The pages' root does not allow a name that the site has now; data has `names`, `allowed`."""

    code = "other_names"


@dataclass(frozen=True, slots=True)
class WebRoot:
    """What a phone is asked to trust."""

    certificate: x509.Certificate
    allowed: tuple[str, ...]
    """Names and addresses it can ever stand for."""

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        return certificates.to_pem(self.certificate)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, lower-case hex."""
        return certificates.fingerprint(self.certificate)


class WebCa:
    """In the site's folder of authorities. Methods block."""

    def __init__(self, folder: Path, *, clock: Clock, names: Sequence[str], site: str) -> None:
        """`names`: host names and addresses under which the pages are opened, beside loopback.

        Raises BadInputError for a name that is none.
        """
        self._folder = folder
        self._clock = clock
        self._names = tuple(dict.fromkeys(clean(name) for name in (*names, *LOOPBACK)))
        self._site = site

    @property
    def root_file(self) -> Path:
        """PEM, for programs that trust the pages."""
        return self._folder / "pages-root.crt"

    def root(self) -> WebRoot:
        """Made at the first call. Raises BadInputError where a file is damaged."""
        _, root = self._authority()
        return WebRoot(root, allowed_by(root))

    def files(self) -> ServerFiles:
        """Certificate with its chain, and key; made anew at half of its life, or for other names.

        Raises OtherNamesError, BadInputError.
        """
        issuer, root = self._authority()
        allowed = allowed_by(root)
        strange = [name for name in self._names if not is_allowed(name, allowed)]
        if strange:
            raise OtherNamesError(
                f"The root that phones trust does not allow {', '.join(strange)}",
                mend="Take the name out of hub.names, or make a new root with "
                "`tallyman trust --new-root`: each phone then has to trust it anew",
                names=strange,
                allowed=list(allowed),
            )
        files = ServerFiles(self._folder / "pages.crt", self._folder / "pages.key")
        key = open_or_create_key(files.key, curve="p256")
        if not self._still_good(files.certificate, issuer):
            made = certificates.make_server(
                key,
                names=self._names,
                ca=issuer,
                ca_key=self._key_of(issuer),
                now=self._clock.now(),
                days=LEAF_DAYS,
            )
            chain = certificates.to_pem(made) + certificates.to_pem(issuer)
            write_atomic(files.certificate, chain.encode())
        return files

    def leaf(self) -> x509.Certificate:
        """The pages' certificate as it is served."""
        path = self.files().certificate
        return certificates.load(path.read_text(), what=str(path))

    def renew_root(self) -> WebRoot:
        """Another root and issuer, for the names of today. Every phone has to trust it anew."""
        self._authority_file.unlink(missing_ok=True)
        self._issuer_key.unlink(missing_ok=True)
        return self.root()

    @property
    def _issuer_key(self) -> Path:
        return self._folder / "pages-issuer.key"

    @property
    def _authority_file(self) -> Path:
        return self._folder / "pages-authority.pem"

    def _authority(self) -> tuple[x509.Certificate, x509.Certificate]:
        """Issuer and root: in one file, so that a stop in between leaves no half of them."""
        path = self._authority_file
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            issuer, root = self._make()
            write_atomic(path, (certificates.to_pem(issuer) + certificates.to_pem(root)).encode())
        try:
            issuer, root = x509.load_pem_x509_certificates(path.read_bytes())
        except ValueError as error:
            raise BadInputError(
                f"{path} does not hold the pages' issuer and root",
                mend="Restore it from a backup, or make a new root with `tallyman trust --new-root`",
            ) from error
        if not self.root_file.exists() or self.root_file.read_text() != certificates.to_pem(root):
            write_atomic(self.root_file, certificates.to_pem(root).encode())
        return issuer, root

    def _key_of(self, issuer: x509.Certificate) -> ec.EllipticCurvePrivateKey:
        key = open_or_create_key(self._issuer_key, curve="p256")
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != (
            issuer.public_key()
        ):
            raise BadInputError(
                f"{self._issuer_key} is not the key of the pages' issuer",
                mend="Restore it from a backup, or make a new root with `tallyman trust --new-root`",
            )
        return key

    def _make(self) -> tuple[x509.Certificate, x509.Certificate]:
        now = self._clock.now()
        # A key that is written nowhere cannot be stolen: it signs itself and the issuer, and is gone.
        root_key = ec.generate_private_key(ec.SECP256R1())
        issuer_key = open_or_create_key(self._issuer_key, curve="p256")
        assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)  # noqa: S101 -- asked for as p256
        constraints = constraints_for(self._names)
        about = f"Tallyman pages of {self._site}"[:48]
        named = f"{about} {now:%Y-%m-%d}"
        root = _authority(
            root_key, _name(f"{named} root"), None, root_key, constraints, now, path_length=1
        )
        issuer = _authority(
            issuer_key, _name(named), root, root_key, constraints, now, path_length=0
        )
        return issuer, root

    def _still_good(self, path: Path, issuer: x509.Certificate) -> bool:
        if not path.exists():
            return False
        leaf = certificates.load(path.read_text(), what=str(path))
        try:
            # By its key: an issuer that was made anew on the same day has the same name.
            leaf.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            return False
        left = leaf.not_valid_after_utc - self._clock.now()
        return certificates.server_names(leaf) == self._names and left > timedelta(
            days=LEAF_DAYS / 2
        )


def _authority(
    key: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    signer: x509.Certificate | None,
    signer_key: ec.EllipticCurvePrivateKey,
    constraints: x509.NameConstraints,
    now: datetime,
    *,
    path_length: int,
) -> x509.Certificate:
    issuer_id = x509.SubjectKeyIdentifier.from_public_key(signer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=_CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_SIGNS_CERTIFICATES, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id),
            critical=False,
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(constraints, critical=True)
        .sign(signer_key, hashes.SHA256())
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tallyman"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )


_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)

"""A device's identity: one Ed25519 key made on the device, and the site's certificate for it.

The same key signs journal entries and requests to the hub; each kind of signature carries its own
purpose prefix (`appliance.identity.keys`). The key never leaves its folder (I4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from appliance.durable import write_atomic
from appliance.identity.certificates import load
from appliance.identity.keys import check_device_id, ed25519_key, public_pem
from contracts.errors import BadInputError


@dataclass(frozen=True, slots=True)
class SiteTrust:
    """What a device keeps of its site: its own certificate, the device CA's, the hub head key's."""

    certificate_pem: str
    ca_pem: str
    head_certificate_pem: str


class DeviceIdentity:
    """Who this device is. Works before enrolment too: a station judges and records at once (I6)."""

    def __init__(self, folder: Path, device: str, key: Ed25519PrivateKey) -> None:
        self.device = device
        self.folder = folder
        self._key = key
        self._trust = _read_trust(folder)

    @classmethod
    def open_or_create(cls, folder: Path, device_id: str) -> DeviceIdentity:
        """The identity in `folder`, made at the first call.

        Raises BadInputError when the folder belongs to another device or its key is damaged.
        """
        check_device_id(device_id)
        name = folder / "device"
        if name.exists() and (owner := name.read_text().strip()) != device_id:
            raise BadInputError(
                f"{folder} is the identity of device {owner!r}, not of {device_id!r}",
                mend="Give each device a folder of its own, or set the device id back",
            )
        key = ed25519_key(folder / "device.key")
        if not name.exists():
            write_atomic(name, device_id.encode())
        return cls(folder, device_id, key)

    @property
    def public_key(self) -> Ed25519PublicKey:
        return self._key.public_key()

    @property
    def public_key_pem(self) -> str:
        return public_pem(self.public_key)

    @property
    def certificate_pem(self) -> str | None:
        return self._trust.certificate_pem if self._trust else None

    @property
    def ca_pem(self) -> str | None:
        return self._trust.ca_pem if self._trust else None

    @property
    def head_certificate_pem(self) -> str | None:
        return self._trust.head_certificate_pem if self._trust else None

    @property
    def is_enrolled(self) -> bool:
        return self._trust is not None

    def renewal_is_due(self, now: datetime) -> bool:
        """True in the last third of the certificate's life."""
        if self._trust is None:
            return False
        own = load(self._trust.certificate_pem, what="the device's certificate")
        start, end = own.not_valid_before_utc, own.not_valid_after_utc
        return now > end - (end - start) / 3

    def sign(self, data: bytes) -> bytes:
        """The 64 byte signature of `data`. Callers prefix the purpose."""
        return self._key.sign(data)

    def csr_pem(self) -> str:
        """A certificate signing request for this key in this device's name."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.device)])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self._key, None)
        return request.public_bytes(Encoding.PEM).decode()

    def keep(self, trust: SiteTrust) -> None:
        """Store what enrolment or renewal brought, durably."""
        write_atomic(self.folder / "ca.crt", trust.ca_pem.encode())
        write_atomic(self.folder / "head.crt", trust.head_certificate_pem.encode())
        write_atomic(self.folder / "device.crt", trust.certificate_pem.encode())
        self._trust = trust


def _read_trust(folder: Path) -> SiteTrust | None:
    # The device's own certificate is written last: without it the others count for nothing.
    if not (folder / "device.crt").exists():
        return None
    return SiteTrust(
        certificate_pem=(folder / "device.crt").read_text(),
        ca_pem=(folder / "ca.crt").read_text(),
        head_certificate_pem=(folder / "head.crt").read_text(),
    )

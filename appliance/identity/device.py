"""A device's identity: one Ed25519 key made on the device, and the site's certificate for it.

The same key signs journal entries and requests to the hub; each kind of signature carries its own
purpose prefix (`appliance.identity.keys`). The key never leaves its folder (I4).
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from weakref import WeakSet

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.durable import write_atomic
from appliance.identity.admission.csr import make_request
from appliance.identity.certificates import load
from appliance.identity.keys import check_device_id, ed25519_key, key_id, public_pem
from appliance.identity.upkeep.serial import machine_serial
from contracts.errors import BadInputError, NotSignedInError


@dataclass(frozen=True, slots=True)
class SiteTrust:
    """What a device keeps of its site: its own certificate, the device CA's, the hub head key's."""

    certificate_pem: str
    ca_pem: str
    head_certificate_pem: str


class DeviceIdentity:
    """Who this device is. Works before enrolment too: a station judges and records at once (I6)."""

    def __init__(
        self, folder: Path, device: str, key: Ed25519PrivateKey, *, serial: str = ""
    ) -> None:
        self.device = device
        self.folder = folder
        self.serial = serial
        """The machine's; empty where it has none that can be read."""
        self._key = key
        self._trust = _read_trust(folder)
        self._contexts: WeakSet[ssl.SSLContext] = WeakSet()

    @classmethod
    def open_or_create(cls, folder: Path, device_id: str, *, serial: str = "") -> DeviceIdentity:
        """The identity in `folder`, made at the first call. `serial` is the machine's, where it is
        set by hand; else it is read from the machine.

        Raises BadInputError when the folder belongs to another device or its key is damaged or
        readable by others.
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
        return cls(folder, device_id, key, serial=serial or machine_serial())

    @property
    def public_key(self) -> Ed25519PublicKey:
        return self._key.public_key()

    @property
    def public_key_pem(self) -> str:
        return public_pem(self.public_key)

    @property
    def key_id(self) -> str:
        """Sixteen digits that a person compares before this device is let in."""
        return key_id(self.public_key)

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
    def door_port(self) -> int:
        """Where the hub receives devices without a valid certificate; 0: at its device port."""
        file = self.folder / "door"
        return int(file.read_text()) if file.exists() else 0

    @property
    def is_enrolled(self) -> bool:
        return self._trust is not None

    @property
    def expires_at(self) -> datetime | None:
        """When the certificate ends; None before enrolment."""
        if self._trust is None:
            return None
        return load(
            self._trust.certificate_pem, what="the device's certificate"
        ).not_valid_after_utc

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
        return make_request(self._key, self.device, self.serial)

    def client_context(self) -> ssl.SSLContext:
        """TLS that trusts this site's device CA and no other, and shows this device's certificate
        where the hub asks for one. Connections made after a renewal show the new one.

        Raises NotSignedInError before enrolment.
        """
        if self._trust is None:
            raise NotSignedInError(
                f"device {self.device} is not enrolled",
                mend="Enrol it with a claim token from the hub",
            )
        context = trusting(self._trust.ca_pem)
        self._show(context)
        self._contexts.add(context)
        return context

    def refresh(self) -> bool:
        """Take over what another process of this device renewed; True where there was something."""
        found = _read_trust(self.folder)
        if found is None or found == self._trust:
            return False
        self._take(found)
        return True

    def keep(self, trust: SiteTrust) -> None:
        """Store what enrolment or renewal brought, durably."""
        write_atomic(self.folder / "ca.crt", trust.ca_pem.encode())
        write_atomic(self.folder / "head.crt", trust.head_certificate_pem.encode())
        write_atomic(self.folder / "device.crt", trust.certificate_pem.encode())
        self._take(trust)

    def keep_door(self, port: int) -> None:
        """Remember where to go when the certificate ran out, since the hub cannot tell then."""
        if port != self.door_port:
            write_atomic(self.folder / "door", str(port).encode())

    def _take(self, trust: SiteTrust) -> None:
        self._trust = trust
        for context in self._contexts:
            self._show(context)

    def _show(self, context: ssl.SSLContext) -> None:
        context.load_cert_chain(self.folder / "device.crt", self.folder / "device.key")


def trusting(ca_pem: str) -> ssl.SSLContext:
    """A client's context that trusts this CA and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=ca_pem)
    return context


def _read_trust(folder: Path) -> SiteTrust | None:
    # The device's own certificate is written last: without it the others count for nothing.
    if not (folder / "device.crt").exists():
        return None
    return SiteTrust(
        certificate_pem=(folder / "device.crt").read_text(),
        ca_pem=(folder / "ca.crt").read_text(),
        head_certificate_pem=(folder / "head.crt").read_text(),
    )

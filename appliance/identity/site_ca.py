"""A site's authorities and signing keys, made at the hub's first start in its data folder.

Whoever can read this folder can speak for the site: keys are readable by their owner only, and a
backup of it belongs in a safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.durable import write_atomic
from appliance.identity import certificates
from appliance.identity.keys import PrivateKey, ed25519_key, open_or_create_key
from contracts.clock import Clock, SystemClock

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_CA_DAYS = 3650
_SERVER_DAYS = 397
"""The longest that browsers accept."""
DEVICE_DAYS = 30
"""How long a device's certificate lasts where the site says nothing else; 7 to 30."""


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """What a TLS server is started with."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class _Authority:
    key: PrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return certificates.to_pem(self.certificate)


class SiteCa:
    """The device CA, the hub's head key and the site's session key."""

    def __init__(
        self, folder: Path, *, clock: Clock, names: Sequence[str], device_days: int = DEVICE_DAYS
    ) -> None:
        self._device_days = device_days
        self._folder = folder
        self._clock = clock
        self._names = tuple(dict.fromkeys((*names, *LOOPBACK)))
        self._devices = self._authority("device-ca", "Tallyman device CA")
        self.head_signer: Ed25519PrivateKey = ed25519_key(folder / "head.key")
        self.session_key: Ed25519PrivateKey = ed25519_key(folder / "session.key")
        self.head_certificate_pem = self._signer_certificate(
            "head", self.head_signer, "Tallyman hub head"
        )

    @classmethod
    def open_or_create(
        cls,
        folder: Path,
        *,
        clock: Clock | None = None,
        names: Sequence[str] = (),
        device_days: int = DEVICE_DAYS,
    ) -> SiteCa:
        """`names` are the host names and addresses that servers get beside the loopback ones;
        devices get certificates of `device_days`.

        Raises BadInputError when a key file is damaged or readable by others.
        """
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        return cls(folder, clock=clock or SystemClock(), names=names, device_days=device_days)

    @property
    def device_ca_pem(self) -> str:
        return self._devices.pem

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the device CA's certificate: what a new device pins."""
        return certificates.fingerprint(self._devices.certificate)

    def issue_device(self, device: str, public_key: Ed25519PublicKey) -> str:
        """A short certificate for a device's key, PEM. Whether to issue is the registry's."""
        return certificates.to_pem(
            certificates.make_signer(
                public_key,
                common_name=device,
                uri=certificates.device_uri(device),
                ca=self._devices.certificate,
                ca_key=self._devices.key,
                now=self._clock.now(),
                days=self._device_days,
            )
        )

    def service_signer(self, name: str) -> tuple[Ed25519PrivateKey, str]:
        """A signing key of the hub's own for one purpose (`director`), made at the first call, and
        the device CA's certificate for it, in PEM, which names `urn:tallyman:hub:NAME`.
        """
        key = ed25519_key(self._folder / f"{name}.key")
        return key, self._signer_certificate(name, key, f"Tallyman hub {name}")

    def device_port_files(self) -> ServerFiles:
        """Certificate and key of the device port, by the device CA; renewed where it is due."""
        return self._server("device-port", self._devices)

    def broker_files(self) -> ServerFiles:
        """Certificate and key of the broker's door for vehicles, by the device CA."""
        return self._server("broker", self._devices)

    @property
    def device_ca_file(self) -> Path:
        return self._folder / "device-ca.crt"

    def _authority(self, stem: str, name: str) -> _Authority:
        key = open_or_create_key(self._folder / f"{stem}.key", curve="p256")
        path = self._folder / f"{stem}.crt"
        if not path.exists():
            made = certificates.make_ca(key, name=name, now=self._clock.now(), days=_CA_DAYS)
            write_atomic(path, certificates.to_pem(made).encode())
        return _Authority(key, certificates.load(path.read_text(), what=str(path)))

    def _signer_certificate(self, stem: str, key: Ed25519PrivateKey, name: str) -> str:
        path = self._folder / f"{stem}.crt"
        uri = certificates.service_uri(stem)
        # Another key (the old one was lost, or rotated) needs another certificate.
        if (
            path.exists()
            and certificates.certified_key(path.read_text(), self.device_ca_pem, uri=uri)
            == key.public_key()
        ):
            return path.read_text()
        made = certificates.make_signer(
            key.public_key(),
            common_name=name,
            uri=uri,
            ca=self._devices.certificate,
            ca_key=self._devices.key,
            now=self._clock.now(),
            days=_CA_DAYS,
        )
        write_atomic(path, certificates.to_pem(made).encode())
        return path.read_text()

    def _server(self, stem: str, authority: _Authority) -> ServerFiles:
        files = ServerFiles(self._folder / f"{stem}.crt", self._folder / f"{stem}.key")
        key = open_or_create_key(files.key, curve="p256")
        if not self._still_good(files.certificate):
            made = certificates.make_server(
                key,
                names=self._names,
                ca=authority.certificate,
                ca_key=authority.key,
                now=self._clock.now(),
                days=_SERVER_DAYS,
            )
            chain = certificates.to_pem(made) + authority.pem
            write_atomic(files.certificate, chain.encode())
        return files

    def _still_good(self, path: Path) -> bool:
        if not path.exists():
            return False
        certificate = certificates.load(path.read_text(), what=str(path))
        half = timedelta(days=_SERVER_DAYS / 2)
        return (
            certificates.server_names(certificate) == self._names
            and certificate.not_valid_after_utc - self._clock.now() > half
        )

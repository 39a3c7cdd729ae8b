"""Which devices the hub knows, with the key each one enrolled (I4).

Rules: a claim token is for one device id, works for one key, expires, and is stored hashed; a device id
belongs to the first key enrolled for it, for ever, because its journal is chained under that key;
a quarantined device may read and not write; a revoked one may do nothing. Methods block.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID

from appliance.identity.device import SiteTrust
from appliance.identity.keys import check_device_id, load_public_pem, public_pem
from appliance.identity.site_ca import SiteCa
from appliance.journal.heads import Countersigned
from appliance.small_db import SmallDb
from contracts.clock import Clock
from contracts.errors import BadInputError, ConflictError, ForbiddenError, NotFoundError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
  device TEXT PRIMARY KEY, sha256 TEXT NOT NULL, expires_at TEXT NOT NULL,
  used_by TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS devices (
  device TEXT PRIMARY KEY, public_key TEXT NOT NULL, certificate TEXT NOT NULL,
  state TEXT NOT NULL, note TEXT NOT NULL, kept_sha256 TEXT NOT NULL, changed_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS heads (
  device TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL, at_us INTEGER NOT NULL,
  signature TEXT NOT NULL) STRICT;
"""

_ONE = "SELECT * FROM devices WHERE device = ?"


class ClaimRefusedError(ForbiddenError):
    """The token is wrong, spent or expired: which one is not told."""

    code = "claim_refused"


class DeviceState(StrEnum):
    ACTIVE = "active"
    QUARANTINED = "quarantined"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Device:
    """`kept_sha256` names the refused log in the hub's evidence store, for a quarantined one."""

    device: str
    public_key_pem: str
    certificate_pem: str
    state: DeviceState
    note: str
    kept_sha256: str
    changed_at: datetime

    @property
    def public_key(self) -> Ed25519PublicKey:
        return load_public_pem(self.public_key_pem, what=f"the key of {self.device}")


class DeviceRegistry:
    """The hub's list of devices, in a small SQLite file of its own."""

    def __init__(self, path: Path, ca: SiteCa, clock: Clock) -> None:
        self._ca = ca
        self._clock = clock
        self._heard: dict[str, datetime] = {}
        self._file = SmallDb(path, _SCHEMA)

    def close(self) -> None:
        self._file.close()

    def new_claim(self, device: str, *, hours: int = 24) -> str:
        """A claim token for `device`; one made before for it ends. Raises BadInputError."""
        check_device_id(device)
        token = secrets.token_urlsafe(32)
        expires = self._clock.now() + timedelta(hours=hours)
        with self._file.change() as db:
            db.execute(
                "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, '')",
                (device, _hash(token), expires.isoformat()),
            )
        return token

    def claim(self, device: str, token: str, csr_pem: str) -> SiteTrust:
        """Enrol the key in the signing request as `device`.

        Raises ClaimRefusedError, ConflictError (the id belongs to another key), ForbiddenError (it
        was revoked), BadInputError for a request that does not hold.
        """
        key = key_of_request(csr_pem, device)
        with self._file.change() as db:
            row = db.execute(
                "SELECT sha256, expires_at, used_by FROM claims WHERE device = ?", (device,)
            ).fetchone()
            if (
                row is None
                or not secrets.compare_digest(row[0], _hash(token))
                or self._clock.now() >= datetime.fromisoformat(row[1])
                # The key that spent it may ask again: the first answer may have been lost.
                or row[2] not in ("", public_pem(key))
            ):
                raise ClaimRefusedError(
                    f"The claim token is not good for {device[:80]}",
                    mend="Make a new one at the hub",
                )
            known = self._find(db, device)
            if known is not None and known.public_key_pem != public_pem(key):
                raise ConflictError(
                    f"{device} is enrolled with another key",
                    mend="Restore the device's key, or enrol it under a new id",
                )
            if known is not None and known.state is DeviceState.REVOKED:
                raise ForbiddenError(f"{device} was revoked", mend="Enrol it under a new id")
            db.execute("UPDATE claims SET used_by = ? WHERE device = ?", (public_pem(key), device))
            state = known.state if known else DeviceState.ACTIVE
            return self._certify(db, device, key, state, known.note if known else "")

    def renew(self, device: str) -> SiteTrust:
        """A new certificate for an enrolled device's key. Raises NotFoundError, ForbiddenError."""
        with self._file.change() as db:
            known = self._known(db, device)
            if known.state is DeviceState.REVOKED:
                raise ForbiddenError(f"{device} was revoked", mend="Enrol it under a new id")
            return self._certify(db, device, known.public_key, known.state, known.note)

    def device(self, device: str) -> Device | None:
        row = self._file.one(_ONE, device)
        return None if row is None else _device(row)

    def heard(self, device: str) -> None:
        """A request that `device` signed came in just now; remembered until the hub ends."""
        self._heard[device] = self._clock.now()

    def heard_at(self, device: str) -> datetime | None:
        """When `device` last sent a signed request to this process."""
        return self._heard.get(device)

    def devices(self) -> list[Device]:
        return [_device(row) for row in self._file.all("SELECT * FROM devices ORDER BY device")]

    def quarantine(self, device: str, why: str, *, kept_sha256: str = "") -> None:
        """Take no more entries from `device` until a person decides. Raises NotFoundError."""
        self._set_state(device, DeviceState.QUARANTINED, why, kept_sha256)

    def readmit(self, device: str, why: str) -> None:
        """A person has looked into it. Raises NotFoundError."""
        self._set_state(device, DeviceState.ACTIVE, why, "")

    def revoke(self, device: str, why: str) -> None:
        """The device is lost or sold: for ever. Raises NotFoundError."""
        self._set_state(device, DeviceState.REVOKED, why, "")

    def keep_head(self, head: Countersigned) -> None:
        """Remember the newest head countersigned for a device."""
        with self._file.change() as db:
            db.execute(
                "INSERT OR REPLACE INTO heads VALUES (?, ?, ?, ?, ?)",
                (head.device, head.seq, head.hash, head.at_us, head.signature),
            )

    def heads(self) -> list[Countersigned]:
        """The newest head of each device: what a log cut at its end is measured against."""
        return [
            Countersigned(*row) for row in self._file.all("SELECT * FROM heads ORDER BY device")
        ]

    def _find(self, db: sqlite3.Connection, device: str) -> Device | None:
        row = db.execute(_ONE, (device,)).fetchone()
        return None if row is None else _device(row)

    def _known(self, db: sqlite3.Connection, device: str) -> Device:
        known = self._find(db, device)
        if known is None:
            raise NotFoundError(f"no device {device[:80]!r} is enrolled", mend="Check its id")
        return known

    def _set_state(self, device: str, state: DeviceState, why: str, kept_sha256: str) -> None:
        with self._file.change() as db:
            known = self._known(db, device)
            if known.state is DeviceState.REVOKED:
                raise ForbiddenError(f"{device} was revoked", mend="Enrol it under a new id")
            db.execute(
                "UPDATE devices SET state = ?, note = ?, kept_sha256 = ?, changed_at = ? "
                "WHERE device = ?",
                (state, why, kept_sha256, self._clock.now().isoformat(), device),
            )

    def _certify(
        self,
        db: sqlite3.Connection,
        device: str,
        key: Ed25519PublicKey,
        state: DeviceState,
        note: str,
    ) -> SiteTrust:
        certificate = self._ca.issue_device(device, key)
        db.execute(
            "INSERT INTO devices VALUES (?, ?, ?, ?, ?, '', ?) "
            "ON CONFLICT (device) DO UPDATE SET certificate = excluded.certificate",
            (device, public_pem(key), certificate, state, note, self._clock.now().isoformat()),
        )
        return SiteTrust(certificate, self._ca.device_ca_pem, self._ca.head_certificate_pem)


def read_heads(path: Path) -> list[Countersigned]:
    """The heads in a hub's registry file, read without changing it. Raises BadInputError."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT * FROM heads ORDER BY device").fetchall()
    except sqlite3.Error as error:
        raise BadInputError(
            f"{path} is not a hub's device registry: {error}", mend="Name the hub's devices.db"
        ) from error
    return [Countersigned(*row) for row in rows]


def key_of_request(csr_pem: str, device: str) -> Ed25519PublicKey:
    """The key of a certificate signing request made by its holder in the name of `device`.

    Raises BadInputError.
    """
    check_device_id(device)
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
        good = request.is_signature_valid
        names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        key = request.public_key()
    except (ValueError, TypeError) as error:
        raise BadInputError("the signing request is not readable", mend="Send PEM") from error
    if not good or [name.value for name in names] != [device]:
        raise BadInputError(
            f"the signing request is not {device}'s own", mend="Make it on the device"
        )
    if not isinstance(key, Ed25519PublicKey):
        raise BadInputError("the device's key is not Ed25519", mend="Make it on the device")
    return key


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _device(row: tuple[str, ...]) -> Device:
    device, key, certificate, state, note, kept, changed = row
    return Device(
        device, key, certificate, DeviceState(state), note, kept, datetime.fromisoformat(changed)
    )

"""Which devices the hub knows, with the key each one enrolled (I4).

Rules: a claim token is for one device id (and one machine, where its serial is known), works for one
key, expires, and is stored hashed; where its claim says so a person approves the key before it is
certified; a device id belongs to the first key enrolled for it, for ever, because its journal is
chained under that key; a device whose certificate ran out comes back with that key, on that machine,
by a person's word; a quarantined device may read and not write; a revoked one may do nothing, from
its next request on. Methods block.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.identity.admission import approval, claims
from appliance.identity.admission.csr import read_request
from appliance.identity.admission.known import KnownDevices, to_device
from appliance.identity.admission.records import (
    ClaimRefusedError,
    Deed,
    Device,
    DeviceState,
    Waiting,
    WaitKind,
)
from appliance.identity.admission.tables import DEVICES, SCHEMA
from appliance.identity.device import SiteTrust
from appliance.identity.keys import check_device_id, public_pem
from appliance.identity.site_ca import SiteCa
from appliance.journal.heads import Countersigned
from appliance.small_db import SmallDb
from contracts.clock import Clock
from contracts.errors import ConflictError, ForbiddenError, NotFoundError

__all__ = [
    "ClaimRefusedError",
    "Deed",
    "Device",
    "DeviceRegistry",
    "DeviceState",
    "Waiting",
]


class DeviceRegistry:
    """The hub's list of devices, in a small SQLite file of its own."""

    def __init__(self, path: Path, ca: SiteCa, clock: Clock) -> None:
        self._ca = ca
        self._clock = clock
        self._heard: dict[str, datetime] = {}
        self._file = SmallDb(path, SCHEMA)
        self._known_devices = KnownDevices(path)

    def close(self) -> None:
        self._known_devices.close()
        self._file.close()

    def new_claim(
        self, device: str, *, hours: int = 24, serial: str = "", approve: bool = False, by: str = ""
    ) -> str:
        """A claim token for `device`; one made before for it ends, and a refusal with it.

        `serial` binds it to one machine; `approve`: the key that comes with it waits for a
        person's yes. Raises BadInputError.
        """
        check_device_id(device)
        now = self._clock.now()
        with self._file.change() as db:
            terms = claims.Terms(serial.strip(), approve)
            token = claims.put(db, device, terms, now + timedelta(hours=hours))
            approval.forget(db, device)
            approval.note(db, Deed(now, device, "claimed", by))
        return token

    def claim(self, device: str, token: str, csr_pem: str, *, address: str = "") -> SiteTrust:
        """Enrol the key in the signing request as `device`.

        Raises ClaimRefusedError, AwaitingApprovalError (ask again with the same key), ConflictError
        (the id belongs to another key), ForbiddenError (it was revoked or refused), BadInputError
        for a request that does not hold.
        """
        request = read_request(csr_pem, device)
        pem = public_pem(request.key)

        def within(db: sqlite3.Connection) -> SiteTrust | ForbiddenError:
            known, now = self._find(db, device), self._clock.now()
            shown = claims.Presented(token, pem, request.serial)
            terms = claims.check(db, device, shown, known, now)
            if known is not None and known.public_key_pem != pem:
                raise ConflictError(
                    f"{device} is enrolled with another key",
                    mend="Restore the device's key, or enrol it under a new id",
                )
            _check_not_revoked(known)
            claims.spend(db, device, pem)
            if terms.approve and known is None:
                asked = Waiting(
                    device, WaitKind.NEW, pem, request.serial, terms.serial, now, address
                )
                if (refused := _refusal(db, asked, now)) is not None:
                    return refused
            self._keep_serial(db, device, request.serial)
            return self._certify(db, device, request.key, known, "enrolled")

        return self._or_raise(within)

    def renew(self, device: str, *, serial: str = "") -> SiteTrust:
        """A new certificate for an enrolled device's key. `serial` is kept where none is known yet.

        Raises NotFoundError, ForbiddenError.
        """
        with self._file.change() as db:
            known = self._known(db, device)
            _check_not_revoked(known)
            if not known.serial:
                self._keep_serial(db, device, serial)
            return self._certify(db, device, known.public_key, known, "renewed")

    def recover(self, device: str, serial: str, *, address: str = "") -> SiteTrust:
        """A new certificate for a device whose last one ran out, proven by its old key (which
        signed the request), its machine's serial and a person's yes.

        Raises AwaitingApprovalError (ask again), ForbiddenError (revoked, refused), NotFoundError.
        """

        def within(db: sqlite3.Connection) -> SiteTrust | ForbiddenError:
            known, now = self._known(db, device), self._clock.now()
            _check_not_revoked(known)
            if now < known.expires_at:
                # Somebody renewed it meanwhile, or the device's own clock is wrong.
                return self._certify(db, device, known.public_key, known, "renewed")
            asked = Waiting(
                device, WaitKind.RECOVERY, known.public_key_pem, serial, known.serial, now, address
            )
            if (refused := _refusal(db, asked, now)) is not None:
                return refused
            self._keep_serial(db, device, serial)
            return self._certify(db, device, known.public_key, known, "recovered")

        return self._or_raise(within)

    def waiting(self) -> list[Waiting]:
        """Who waits for a person's word, oldest first, and whom somebody refused."""
        return [approval.to_waiting(row) for row in self._file.all(approval.LIST)]

    def approve(self, device: str, key_id: str, *, by: str, new_machine: bool = False) -> None:
        """A person compared `key_id` with what the device shows and says yes. `new_machine`: it was
        enrolled on a machine with another serial, and that is right.

        Raises NotFoundError, ConflictError (another key asks by now), OtherMachineError.
        """
        with self._file.change() as db:
            approval.approve(
                db, device, key_id, by=by, now=self._clock.now(), new_machine=new_machine
            )

    def refuse(self, device: str, key_id: str, *, by: str, why: str) -> None:
        """Raises NotFoundError, ConflictError."""
        with self._file.change() as db:
            approval.refuse(db, device, key_id, by=by, why=why, now=self._clock.now())

    def story(self, device: str = "") -> list[Deed]:
        """What happened to a device's membership (of all devices where none is named), newest
        first, 500 at most.
        """
        rows = self._file.all(approval.STORY, device, device)
        return [Deed(datetime.fromisoformat(row[0]), *row[1:]) for row in rows]

    def device(self, device: str) -> Device | None:
        """As it stands now, whoever changed it. Fast: may be called on the event loop."""
        return self._known_devices.device(device)

    def heard(self, device: str) -> None:
        """A request that `device` signed came in just now; remembered until the hub ends."""
        self._heard[device] = self._clock.now()

    def heard_at(self, device: str) -> datetime | None:
        """When `device` last sent a signed request to this process."""
        return self._heard.get(device)

    def devices(self) -> list[Device]:
        return [to_device(row) for row in self._file.all(f"{DEVICES} ORDER BY device")]

    def quarantine(self, device: str, why: str, *, kept_sha256: str = "", by: str = "") -> None:
        """Take no more entries from `device` until a person decides. Raises NotFoundError."""
        self._set_state(device, DeviceState.QUARANTINED, why, kept_sha256, by)

    def readmit(self, device: str, why: str, *, by: str = "") -> None:
        """A person has looked into it. Raises NotFoundError."""
        self._set_state(device, DeviceState.ACTIVE, why, "", by, what="readmitted")

    def revoke(self, device: str, why: str, *, by: str = "") -> None:
        """The device is lost or sold: for ever. Raises NotFoundError."""
        self._set_state(device, DeviceState.REVOKED, why, "", by)

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

    def _or_raise(
        self, within: Callable[[sqlite3.Connection], SiteTrust | ForbiddenError]
    ) -> SiteTrust:
        # What waits is noted, and that must stay although the request itself is answered by no.
        with self._file.change() as db:
            outcome = within(db)
        if isinstance(outcome, ForbiddenError):
            raise outcome
        return outcome

    @staticmethod
    def _find(db: sqlite3.Connection, device: str) -> Device | None:
        row = db.execute(f"{DEVICES} WHERE device = ?", (device,)).fetchone()
        return None if row is None else to_device(row)

    def _known(self, db: sqlite3.Connection, device: str) -> Device:
        known = self._find(db, device)
        if known is None:
            raise NotFoundError(f"no device {device[:80]!r} is enrolled", mend="Check its id")
        return known

    def _set_state(
        self,
        device: str,
        state: DeviceState,
        why: str,
        kept_sha256: str,
        by: str,
        *,
        what: str = "",
    ) -> None:
        with self._file.change() as db:
            _check_not_revoked(self._known(db, device))
            now = self._clock.now()
            db.execute(
                "UPDATE devices SET state = ?, note = ?, kept_sha256 = ?, changed_at = ? "
                "WHERE device = ?",
                (state, why, kept_sha256, now.isoformat(), device),
            )
            approval.note(db, Deed(now, device, what or state, by, why))

    @staticmethod
    def _keep_serial(db: sqlite3.Connection, device: str, serial: str) -> None:
        if serial:
            db.execute("INSERT OR REPLACE INTO machines VALUES (?, ?)", (device, serial))

    def _certify(
        self,
        db: sqlite3.Connection,
        device: str,
        key: Ed25519PublicKey,
        known: Device | None,
        what: str,
    ) -> SiteTrust:
        certificate, now = self._ca.issue_device(device, key), self._clock.now()
        state = known.state if known else DeviceState.ACTIVE
        db.execute(
            "INSERT INTO devices VALUES (?, ?, ?, ?, ?, '', ?) "
            "ON CONFLICT (device) DO UPDATE SET certificate = excluded.certificate",
            (
                device,
                public_pem(key),
                certificate,
                state,
                known.note if known else "",
                now.isoformat(),
            ),
        )
        approval.note(db, Deed(now, device, what))
        return SiteTrust(certificate, self._ca.device_ca_pem, self._ca.head_certificate_pem)


def _refusal(db: sqlite3.Connection, asked: Waiting, now: datetime) -> ForbiddenError | None:
    try:
        approval.may_pass(db, asked, now)
    except ForbiddenError as refused:
        return refused
    return None


def _check_not_revoked(known: Device | None) -> None:
    if known is not None and known.state is DeviceState.REVOKED:
        raise ForbiddenError(f"{known.device} was revoked", mend="Enrol it under a new id")

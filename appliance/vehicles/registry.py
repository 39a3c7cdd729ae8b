"""Who may sign in at the broker as a vehicle or station: one file, kept by the hub's data folder.

A password is made here, shown once and kept as two hashes, because brokers read different ones:
bcrypt (NATS) and PBKDF2 with SHA-512 (Mosquitto). It has 192 random bits, so nobody guesses it and
the hashes may be cheap: a broker that restarts lets a thousand vehicles in within seconds.
Nothing is deleted: who was revoked, by whom and why, stays.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import bcrypt
import msgspec

from appliance.services.address import write_private
from appliance.services.nats import Member, TopicRule
from appliance.vehicles import names
from contracts.clock import Clock, SystemClock
from contracts.errors import BadInputError, ConflictError, NotFoundError

Kind = Literal["vehicle", "station"]
BCRYPT_COST = 4
"""The least that bcrypt knows: see the module's head."""
PBKDF2_ROUNDS = 1_000
_MOST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One who was let in. `name` is the user name at the broker: a vehicle's MANUFACTURER/SERIAL, a
    station's topic prefix. `interfaces`: first levels of a vehicle's topics; empty: the standard's.
    """

    name: str
    kind: Kind
    bcrypt: str = field(repr=False)
    pbkdf2: str = field(repr=False)
    """As Mosquitto's password file writes it."""
    enrolled_at: datetime
    enrolled_by: str
    interfaces: tuple[str, ...] = ()
    note: str = ""
    revoked_at: datetime | None = None
    revoked_by: str = ""
    why: str = ""

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def roots(self) -> tuple[str, ...]:
        """Below which everything lies that it says and hears."""
        if self.kind == "station":
            return (self.name,)
        return names.vehicle_roots(self.name, self.interfaces)

    @property
    def rule(self) -> TopicRule:
        if self.kind == "station":
            return names.station_rule(self.name)
        return names.vehicle_rule(self.name, self.interfaces)


@dataclass(frozen=True, slots=True)
class _File:
    enrolled: dict[str, Enrolled] = field(default_factory=dict)


class VehicleRegistry:
    """The file at `path`; several processes of this machine may use it at once."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock or SystemClock()

    def all(self) -> tuple[Enrolled, ...]:
        """Everybody, by name, revoked ones too. Raises BadInputError for a file that is not ours."""
        return tuple(sorted(self._read().values(), key=lambda one: one.name))

    def find(self, name: str) -> Enrolled | None:
        return self._read().get(name)

    def members(self) -> tuple[Member, ...]:
        """Those who may sign in, for the broker."""
        return tuple(
            Member(one.name, one.bcrypt, one.rule) for one in self.all() if not one.is_revoked
        )

    def enrol_vehicle(
        self, name: str, *, by: str, interfaces: tuple[str, ...] = (), note: str = ""
    ) -> str:
        """Let a vehicle in, or give it another password; the password, which is not kept.

        Raises BadInputError, ConflictError (another has its topics, or its name but for capitals).
        """
        names.bases(interfaces)
        return self._enrol(
            Enrolled(
                names.vehicle_name(name), "vehicle", "", "", self._clock.now(), by,
                interfaces=interfaces, note=_short(note),
            )
        )  # fmt: skip

    def enrol_station(self, prefix: str, *, by: str, note: str = "") -> str:
        """Let a module station in, whose topics all lie below `prefix`; its password, not kept.

        Raises BadInputError, ConflictError.
        """
        name = names.station_prefix(prefix)
        now = self._clock.now()
        return self._enrol(Enrolled(name, "station", "", "", now, by, note=_short(note)))

    def revoke(self, name: str, *, by: str, why: str) -> Enrolled:
        """Shut one out. Raises BadInputError (no reason), NotFoundError, ConflictError (was before)."""
        if not why.strip():
            raise BadInputError(
                "A revocation without a reason helps nobody later",
                mend="Write what was found",
                word="vehicles.error.why",
                named={},
            )
        with self._changing() as known:
            found = known.get(name)
            if found is None:
                raise NotFoundError(
                    f"{name[:120]!r} is not enrolled", mend="Take a name from the list"
                )
            if found.is_revoked:
                raise ConflictError(
                    f"{name} was revoked by {found.revoked_by} before: {found.why}",
                    mend="Nothing is to be done",
                    word="vehicles.error.before",
                    named={"name": name, "who": found.revoked_by, "why": found.why},
                )
            known[name] = replace(
                found, revoked_at=self._clock.now(), revoked_by=by, why=_short(why)
            )
            return known[name]

    def knows(self, name: str, password: str) -> bool:
        """Whether `password` lets `name` in today."""
        found = self.find(name)
        return (
            found is not None
            and not found.is_revoked
            and bcrypt.checkpw(password.encode(), found.bcrypt.encode())
        )

    def _enrol(self, wanted: Enrolled) -> str:
        secret = secrets.token_urlsafe(24)
        with self._changing() as known:
            before = known.get(wanted.name)
            if before is not None and before.kind != wanted.kind and not before.is_revoked:
                raise ConflictError(
                    f"{wanted.name} is enrolled as a {before.kind}",
                    mend="Revoke it first, or choose another name",
                    word="vehicles.error.kind",
                    named={"name": wanted.name},
                )
            others = [one for one in known.values() if one.name != wanted.name]
            for other in others:
                if other.name.lower() == wanted.name.lower():
                    raise ConflictError(
                        f"{wanted.name} differs from {other.name} by its capital letters only",
                        mend="People would take them for one: choose another name",
                        word="vehicles.error.capitals",
                        named={"name": wanted.name, "other": other.name},
                    )
            taken = [(one.name, root) for one in others if not one.is_revoked for root in one.roots]
            names.check_apart(wanted.name, wanted.roots, taken)
            # Another password is no reason to forget what people should know of it.
            note = wanted.note or (before.note if before is not None else "")
            known[wanted.name] = replace(
                wanted, note=note, bcrypt=_bcrypt(secret), pbkdf2=mosquitto_hash(secret)
            )
        return secret

    def _read(self) -> dict[str, Enrolled]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_File).enrolled
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            raise BadInputError(
                f"{self._path} cannot be read: {error}", mend="Restore it from a backup"
            ) from error

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Enrolled]]:
        """What is known, to be changed by nobody else meanwhile; written when all went well."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(
            self._path.with_name(f".{self._path.name}.lock"),
            os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
            0o600,
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = self._read()
            yield known
            text = msgspec.json.format(msgspec.json.encode(_File(known)), indent=1)
            write_private(self._path, text.decode() + "\n")
        finally:
            os.close(lock)


def mosquitto_hash(password: str, *, salt: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """The password as Mosquitto 2 stores it: `$7$` is PBKDF2 with SHA-512 (mosquitto_passwd(1))."""
    grain = salt(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), grain, PBKDF2_ROUNDS)
    parts = (base64.b64encode(part).decode() for part in (grain, digest))
    return f"$7${PBKDF2_ROUNDS}${'$'.join(parts)}"


def _bcrypt(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_COST)).decode()


def _short(text: str) -> str:
    return " ".join(text.split())[:_MOST_TEXT]

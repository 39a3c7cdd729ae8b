"""The quality lead's keys and what they signed, in a small SQLite file of the hub's (I4, I5).

Rules: a key is made once and replaced by one that it vouches for; a signature is never changed, a
later one with a higher serial takes its place; what is valid is signed again when the key changes;
whoever types wrong passphrases waits.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.accounts.limit import FailureLimiter, Limit
from appliance.accounts.store import TooManyTriesError
from appliance.journal.stamp import to_us
from appliance.small_db import SmallDb
from appliance.teaching.locking import LockedKey, WrongPassphraseError, lock, unlock
from appliance.teaching.signing import (
    ProfileSignature,
    QualityKey,
    first_key,
    next_key,
    sign_profile,
)
from contracts.clock import Clock
from contracts.errors import BadInputError, ConflictError, NotFoundError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
  position INTEGER PRIMARY KEY, public_pem TEXT NOT NULL, holder TEXT NOT NULL,
  made_at_us INTEGER NOT NULL, vouched TEXT NOT NULL, salt TEXT NOT NULL, pem TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS signatures (
  serial INTEGER PRIMARY KEY, gtin TEXT NOT NULL, digest TEXT NOT NULL, file TEXT NOT NULL,
  station TEXT NOT NULL, signed_by TEXT NOT NULL, at_us INTEGER NOT NULL, reason TEXT NOT NULL,
  key TEXT NOT NULL, signature TEXT NOT NULL) STRICT;
"""
_MOST_REASON = 1000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be signed: a profile for a product at a station (empty: at every one)."""

    gtin: str
    digest: str
    file: str
    station: str


class QualityOffice:
    """Methods block; those that take a passphrase take about a tenth of a second by design."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._clock = clock
        self._stretching = threading.BoundedSemaphore(2)
        self._tries = FailureLimiter(Limit(5, timedelta(minutes=5)))
        self._file = SmallDb(path, _SCHEMA)

    def close(self) -> None:
        self._file.close()

    def keys(self) -> tuple[QualityKey, ...]:
        """The chain that stations follow, oldest first; it begins anew where a key was lost."""
        rows = self._file.all(
            "SELECT public_pem, holder, made_at_us, vouched FROM keys ORDER BY position"
        )
        chain = [QualityKey(*row) for row in rows]
        begins = max((place for place, key in enumerate(chain) if not key.vouched), default=0)
        return tuple(chain[begins:])

    def key(self) -> QualityKey | None:
        """The key in use."""
        return next(reversed(self.keys()), None)

    def signatures(self) -> list[ProfileSignature]:
        """Everything that was ever signed, newest first."""
        rows = self._file.all(f"SELECT {_COLUMNS} FROM signatures ORDER BY serial DESC")  # noqa: S608 -- constants
        return [ProfileSignature(*row) for row in rows]

    def valid(self) -> tuple[ProfileSignature, ...]:
        """What counts now: the newest signature of each product and station, in serial order."""
        newest: dict[tuple[str, str], ProfileSignature] = {}
        for each in self.signatures():
            newest.setdefault((each.gtin, each.station), each)
        return tuple(sorted(newest.values(), key=lambda each: each.serial))

    def make_key(self, passphrase: str, *, holder: str) -> QualityKey:
        """The site's first key. Raises ConflictError where there is one, BadInputError."""
        key = Ed25519PrivateKey.generate()
        locked = self._stretch(lambda: lock(key, passphrase))
        new = first_key(key, holder=holder, at_us=self._now_us())
        with self._file.change() as db:
            if db.execute("SELECT 1 FROM keys LIMIT 1").fetchone():
                raise ConflictError(
                    "This site has a quality key already", mend="Replace it with its passphrase"
                )
            _add_key(db, new, locked)
        return new

    def replace_key(self, passphrase: str, new_passphrase: str, *, holder: str) -> QualityKey:
        """Another key, vouched for by the one in use; what is valid is signed again by it.

        Raises NotFoundError, BadInputError, WrongPassphraseError, TooManyTriesError.
        """
        before = self._open(passphrase, by=holder)
        key = Ed25519PrivateKey.generate()
        locked = self._stretch(lambda: lock(key, new_passphrase))
        new = next_key(before, key, holder=holder, at_us=self._now_us())
        again = self.valid()
        with self._file.change() as db:
            _add_key(db, new, locked)
            for each in again:
                _add_signature(db, key, each)
        return new

    def lost_key(self, new_passphrase: str, *, holder: str) -> QualityKey:
        """The passphrase is gone: a key that nobody vouches for. Every station goes on refusing it
        until a person there forgets the old one, and what judges must be signed again.
        """
        key = Ed25519PrivateKey.generate()
        locked = self._stretch(lambda: lock(key, new_passphrase))
        new = first_key(key, holder=holder, at_us=self._now_us())
        with self._file.change() as db:
            _add_key(db, new, locked)
        return new

    def sign(self, wanted: Wanted, *, by: str, reason: str, passphrase: str) -> ProfileSignature:
        """Raises NotFoundError (no key yet), BadInputError, WrongPassphraseError,
        TooManyTriesError.
        """
        reason = reason.strip()
        if not reason or len(reason) > _MOST_REASON:
            raise BadInputError(
                f"A signature needs its reason, in {_MOST_REASON} signs at most",
                mend="Write what you looked at and why it may judge",
            )
        key = self._open(passphrase, by=by)
        said = ProfileSignature(
            gtin=wanted.gtin,
            digest=wanted.digest,
            file=wanted.file,
            station=wanted.station,
            serial=0,
            signed_by=by,
            at_us=self._now_us(),
            reason=reason,
        )
        with self._file.change() as db:
            return _add_signature(db, key, said)

    def vouch(self, purpose: bytes, message: bytes, *, by: str, passphrase: str) -> str:
        """The lead's word for something else than a profile, named by `purpose`: its signature, hex.

        Raises NotFoundError (no key yet), WrongPassphraseError, TooManyTriesError.
        """
        return self._open(passphrase, by=by).sign(purpose + message).hex()

    def _open(self, passphrase: str, *, by: str) -> Ed25519PrivateKey:
        row = self._file.all("SELECT salt, pem FROM keys ORDER BY position DESC LIMIT 1")
        if not row:
            raise NotFoundError(
                "This site has no quality key yet", mend="Make one on the page Lessons"
            )
        now = self._clock.now()
        if not self._tries.may_try(by, now):
            raise TooManyTriesError(
                "Too many wrong passphrases", mend="Wait five minutes and try again"
            )
        try:
            key = self._stretch(lambda: unlock(LockedKey(*row[0]), passphrase))
        except WrongPassphraseError:
            self._tries.failed(by, now)
            raise
        self._tries.succeeded(by)
        return key

    def _stretch(self, work: Callable[[], T]) -> T:
        # Argon2 takes 64 MiB a passphrase: two at a time, so that guessing cannot eat the memory.
        with self._stretching:
            return work()

    def _now_us(self) -> int:
        return to_us(self._clock.now())


_COLUMNS = "gtin, digest, file, station, serial, signed_by, at_us, reason, key, signature"


def _add_key(db: sqlite3.Connection, key: QualityKey, locked: LockedKey) -> None:
    db.execute(
        "INSERT INTO keys (public_pem, holder, made_at_us, vouched, salt, pem) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (key.public_pem, key.holder, key.made_at_us, key.vouched, locked.salt, locked.pem),
    )


def _add_signature(
    db: sqlite3.Connection, key: Ed25519PrivateKey, said: ProfileSignature
) -> ProfileSignature:
    (last,) = db.execute("SELECT coalesce(max(serial), 0) FROM signatures").fetchone()
    signed = sign_profile(key, replace(said, serial=last + 1, signature=""))
    db.execute(
        f"INSERT INTO signatures ({_COLUMNS}) VALUES ({', '.join('?' * 10)})",  # noqa: S608 -- constants
        astuple(signed),
    )
    return signed

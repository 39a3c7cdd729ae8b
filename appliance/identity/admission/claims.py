"""Claim tokens: single-use, for one device id, stored hashed.

Rules: a token ends after its hours, and when a new one is made for the id; bound to a machine's
serial it is good on that machine only; the key that spent it may repeat the claim, because the
first answer can be lost and a person's yes may take longer than the token lives, but not to come
back after its certificate ran out. Functions work within the caller's transaction.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from appliance.identity.admission.records import ClaimRefusedError, Device

_FIND = (
    "SELECT sha256, expires_at, used_by, coalesce(serial, ''), coalesce(approve, 0) "
    "FROM claims LEFT JOIN claim_terms USING (device) WHERE device = ?"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """`serial` of the machine that it is for, empty for any; `approve`: a person must say yes."""

    serial: str
    approve: bool


def put(db: sqlite3.Connection, device: str, terms: Terms, expires_at: datetime) -> str:
    """A new token, 256 random bits; it replaces the one before."""
    token = secrets.token_urlsafe(32)
    db.execute(
        "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, '')",
        (device, _hash(token), expires_at.isoformat()),
    )
    db.execute(
        "INSERT OR REPLACE INTO claim_terms VALUES (?, ?, ?)",
        (device, terms.serial, int(terms.approve)),
    )
    return token


@dataclass(frozen=True, slots=True)
class Presented:
    """What somebody shows: a token, and the key and serial in the signing request."""

    token: str
    key_pem: str
    serial: str


def check(
    db: sqlite3.Connection, device: str, shown: Presented, known: Device | None, now: datetime
) -> Terms:
    """The terms of a token that is good here and now. Raises ClaimRefusedError."""
    row = db.execute(_FIND, (device,)).fetchone()
    refused = ClaimRefusedError(
        f"The claim token is not good for {device[:80]}", mend="Make a new one at the hub"
    )
    if row is None:
        raise refused
    sha256, expires_at, used_by, serial, approve = row
    if not secrets.compare_digest(sha256, _hash(shown.token)):
        raise refused
    if serial and serial != shown.serial:
        raise refused
    in_time = now < datetime.fromisoformat(expires_at)
    if used_by:
        again = known is None or (in_time and now < known.expires_at)
        if used_by != shown.key_pem or not again:
            raise refused
    elif not in_time:
        raise refused
    return Terms(serial, bool(approve))


def spend(db: sqlite3.Connection, device: str, key_pem: str) -> None:
    """From now on the token is this key's only."""
    db.execute("UPDATE claims SET used_by = ? WHERE device = ?", (key_pem, device))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

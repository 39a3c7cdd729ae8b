"""The SQLite file of phones: invitations, phones, and the record of what happened to each."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.shelf.phones.facts import Invitation, Phone, PhoneEvent
from appliance.small_db import SmallDb

_SCHEMA = """
CREATE TABLE IF NOT EXISTS invitations (
  sha256 TEXT PRIMARY KEY, owner TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL,
  made_by TEXT NOT NULL, key TEXT NOT NULL, expires_at TEXT NOT NULL, phone TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS phones (
  phone TEXT PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL, role TEXT NOT NULL,
  public_key TEXT NOT NULL, enrolled_at TEXT NOT NULL, enrolled_by TEXT NOT NULL, seen_at TEXT,
  revoked_at TEXT, revoked_by TEXT NOT NULL, reason TEXT NOT NULL, wiped_at TEXT) STRICT;
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, phone TEXT NOT NULL, what TEXT NOT NULL,
  by_whom TEXT NOT NULL, note TEXT NOT NULL) STRICT;
"""
_COLUMNS = (
    "phone, name, owner, role, public_key, enrolled_at, enrolled_by, seen_at, revoked_at, "
    "revoked_by, reason, wiped_at"
)
_LATEST = 500


class PhoneBook:
    """Plain reads, and writes inside a transaction of `change`. Methods block."""

    def __init__(self, path: Path) -> None:
        self._db = SmallDb(path, _SCHEMA)
        self.change = self._db.change
        self.close = self._db.close

    def phone(self, phone: str) -> Phone | None:
        row = self._db.one(f"SELECT {_COLUMNS} FROM phones WHERE phone = ?", phone)  # noqa: S608 -- our own constant
        return _phone(row) if row else None

    def phones(self) -> list[Phone]:
        """Newest first."""
        rows = self._db.all(
            f"SELECT {_COLUMNS} FROM phones ORDER BY enrolled_at DESC, phone"  # noqa: S608 -- our own constant
        )
        return [_phone(row) for row in rows]

    def invitation(self, sha256: str) -> tuple[Invitation, str, str] | None:
        """The invitation, who made it, and the phone that used it (empty: none yet)."""
        row = self._db.one(
            "SELECT owner, role, name, expires_at, made_by, phone FROM invitations WHERE sha256 = ?",
            sha256,
        )
        if row is None:
            return None
        owner, role, name, expires, made_by, phone = row
        found = Invitation("", owner, role, name, datetime.fromisoformat(expires))
        return found, made_by, phone

    def events(self, phone: str) -> list[PhoneEvent]:
        """Newest first; of all phones where `phone` is empty."""
        rows = self._db.all(
            "SELECT at, phone, what, by_whom, note FROM events WHERE ? IN ('', phone) "
            "ORDER BY id DESC LIMIT ?",
            phone,
            _LATEST,
        )
        return [PhoneEvent(datetime.fromisoformat(at), *rest) for at, *rest in rows]


def put_invitation(
    db: sqlite3.Connection, sha256: str, invitation: Invitation, *, by: str, key: str, now: datetime
) -> None:
    """The one made before with the same key, and those that ran out, are good no more."""
    db.execute(
        "DELETE FROM invitations WHERE (key != '' AND key = ? AND made_by = ? AND phone = '') "
        "OR (phone = '' AND expires_at <= ?)",
        (key, by, now.isoformat()),
    )
    db.execute(
        "INSERT INTO invitations VALUES (?, ?, ?, ?, ?, ?, ?, '')",
        (
            sha256,
            invitation.owner,
            invitation.role,
            invitation.name,
            by,
            key,
            invitation.expires_at.isoformat(),
        ),
    )


def spend_invitation(db: sqlite3.Connection, sha256: str, phone: str) -> bool:
    """False where another phone was quicker."""
    spent = db.execute(
        "UPDATE invitations SET phone = ? WHERE sha256 = ? AND phone IN ('', ?)",
        (phone, sha256, phone),
    )
    return spent.rowcount == 1


def put_phone(db: sqlite3.Connection, phone: Phone) -> None:
    """A new phone; one that is known gets its owner, role and name anew."""
    db.execute(
        "INSERT INTO phones VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, '', '', NULL) "
        "ON CONFLICT (phone) DO UPDATE SET name = excluded.name, owner = excluded.owner, "
        "role = excluded.role",
        (
            phone.phone,
            phone.name,
            phone.owner,
            phone.role,
            phone.public_key,
            phone.enrolled_at.isoformat(),
            phone.enrolled_by,
        ),
    )


def note(
    db: sqlite3.Connection, phone: str, what: str, *, by: str, at: datetime, words: str = ""
) -> None:
    """One line of the record, which is only ever added to."""
    db.execute(
        "INSERT INTO events (at, phone, what, by_whom, note) VALUES (?, ?, ?, ?, ?)",
        (at.isoformat(), phone, what, by, words),
    )


def _phone(row: tuple[Any, ...]) -> Phone:
    phone, name, owner, role, key, enrolled, enrolled_by, seen, revoked, by, reason, wiped = row
    return Phone(
        phone=phone,
        name=name,
        owner=owner,
        role=role,
        public_key=key,
        enrolled_at=datetime.fromisoformat(enrolled),
        enrolled_by=enrolled_by,
        seen_at=_time(seen),
        revoked_at=_time(revoked),
        revoked_by=by,
        reason=reason,
        wiped_at=_time(wiped),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

"""The journal's file: its tables, and rows to entries and back. SQLite, WAL, synchronous=FULL.

Everything needed to verify it offline lies inside: the device's public key, its certificates, the
hub's countersigned heads with the certificate of the key that signed them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from appliance.journal.heads import Countersigned
from contracts.errors import JournalBrokenError, JournalError, JournalFullError
from contracts.events import JournalEntry

FORMAT = "1"
COLUMNS = (
    "device",
    "seq",
    "boot",
    "at_us",
    "uncertainty_us",
    "kind",
    "body",
    "previous",
    "hash",
    "signature",
)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM entries"  # noqa: S608 -- constants
INSERT = f"INSERT INTO entries ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 -- constants
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS certificates (pem TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY, device TEXT NOT NULL, boot TEXT NOT NULL, at_us INTEGER NOT NULL,
  uncertainty_us INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
  previous TEXT NOT NULL, hash TEXT NOT NULL, signature TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS heads (
  seq INTEGER PRIMARY KEY, device TEXT NOT NULL, hash TEXT NOT NULL, at_us INTEGER NOT NULL,
  signature TEXT NOT NULL) STRICT;
"""


def connect(path: Path, *, max_bytes: int | None = None) -> sqlite3.Connection:
    """Open for writing, made at the first call. Raises JournalError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(_SCHEMA)
        if max_bytes is not None:
            (page,) = db.execute("PRAGMA page_size").fetchone()
            db.execute(f"PRAGMA max_page_count={max(1, max_bytes // page)}")
    except (sqlite3.Error, OSError) as error:
        raise translated(error, path) from error
    return db


def connect_reader(path: Path) -> sqlite3.Connection:
    """A second connection that only reads. The file exists already."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    db.execute("PRAGMA query_only=ON")
    return db


def translated(error: Exception, path: Path) -> JournalError:
    """A SQLite or system error in our words."""
    name = getattr(error, "sqlite_errorname", "") or ""
    # A file size limit or a dying disk shows as a failed write, a full one as SQLITE_FULL.
    if name == "SQLITE_FULL" or name.startswith(("SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC")):
        return JournalFullError(
            f"the disk under {path} takes no more ({name})",
            mend="Free space there; the station accepts nothing until then",
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return JournalBrokenError(
            f"{path} is damaged ({error})", mend="Keep the file and start a new device identity"
        )
    return JournalError(f"journal {path}: {error}", mend="Check the disk and the folder's rights")


def set_meta(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def get_meta(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def to_row(entry: JournalEntry) -> tuple[object, ...]:
    return tuple(getattr(entry, column) for column in COLUMNS)


def to_entry(row: Sequence[object]) -> JournalEntry:
    return JournalEntry(**dict(zip(COLUMNS, row, strict=True)))  # type: ignore[arg-type]


def last_entry(db: sqlite3.Connection) -> JournalEntry | None:
    row = db.execute(f"{SELECT} ORDER BY seq DESC LIMIT 1").fetchone()
    return None if row is None else to_entry(row)


def add_head(db: sqlite3.Connection, head: Countersigned, certificate_pem: str) -> None:
    set_meta(db, "head_certificate", certificate_pem)
    db.execute(
        "INSERT OR REPLACE INTO heads (seq, device, hash, at_us, signature) VALUES (?, ?, ?, ?, ?)",
        (head.seq, head.device, head.hash, head.at_us, head.signature),
    )


def last_head(db: sqlite3.Connection) -> Countersigned | None:
    row = db.execute(
        "SELECT device, seq, hash, at_us, signature FROM heads ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return None if row is None else Countersigned(*row)

"""The catalogue in a small SQLite file of the hub's."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ota.registry.adapters.memory import taken, unknown
from ota.registry.records import Deed, SetEvent, SetRecord, SetState

# Made before any thread decodes: msgspec 0.21 crashes where two threads learn one class at once.
_RECORD = msgspec.json.Decoder(SetRecord)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sets (
  place INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, lane TEXT NOT NULL,
  target TEXT NOT NULL UNIQUE, state TEXT NOT NULL, record BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS events (
  serial INTEGER PRIMARY KEY, deed TEXT NOT NULL, digest TEXT NOT NULL, by TEXT NOT NULL,
  at_us INTEGER NOT NULL, why TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS events_of_a_set ON events (digest, serial);
CREATE TRIGGER IF NOT EXISTS events_stay BEFORE UPDATE ON events
  BEGIN SELECT raise(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER IF NOT EXISTS events_are_kept BEFORE DELETE ON events
  BEGIN SELECT raise(ABORT, 'the audit trail is only added to'); END;
"""


class SqliteCatalogue:
    """Readable by its owner only; a commit is on disk. Several processes may use one file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def add(self, record: SetRecord, event: SetEvent) -> SetRecord:
        with self._writing() as db:
            known = self.find(record.digest)
            if known is not None:
                return known
            if db.execute("SELECT 1 FROM sets WHERE target = ?", (record.target,)).fetchone():
                raise taken(record)
            db.execute(
                "INSERT INTO sets (digest, lane, target, state, record) VALUES (?, ?, ?, ?, ?)",
                (record.digest, record.lane, record.target, record.state, _encoded(record)),
            )
            _note(db, event)
        return record

    def find(self, digest: str) -> SetRecord | None:
        with self._lock:
            row = self._db.execute("SELECT record FROM sets WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else _decoded(row[0])

    def all(self, *, lane: str = "", state: SetState | None = None) -> Sequence[SetRecord]:
        with self._lock:
            rows = self._db.execute(
                "SELECT record FROM sets WHERE (? = '' OR lane = ?) AND (? = '' OR state = ?) "
                "ORDER BY place DESC",
                (lane, lane, state or "", state or ""),
            ).fetchall()
        return [_decoded(row[0]) for row in rows]

    def change(
        self, digest: str, change: Callable[[SetRecord], SetRecord], event: SetEvent
    ) -> SetRecord:
        with self._writing() as db:
            record = self.find(digest)
            if record is None:
                raise unknown(digest)
            changed = change(record)
            db.execute(
                "UPDATE sets SET state = ?, record = ? WHERE digest = ?",
                (changed.state, _encoded(changed), digest),
            )
            _note(db, event)
        return changed

    def note(self, event: SetEvent) -> None:
        with self._writing() as db:
            _note(db, event)

    def events(self, *, digest: str = "", most: int = 1000) -> Sequence[SetEvent]:
        with self._lock:
            rows = self._db.execute(
                "SELECT deed, digest, by, at_us, why, serial FROM events "
                "WHERE ? = '' OR digest = ? ORDER BY serial DESC LIMIT ?",
                (digest, digest, most),
            ).fetchall()
        return [SetEvent(Deed(deed), *rest) for deed, *rest in rows]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise


def _note(db: sqlite3.Connection, event: SetEvent) -> None:
    db.execute(
        "INSERT INTO events (deed, digest, by, at_us, why) VALUES (?, ?, ?, ?, ?)",
        (event.deed, event.digest, event.by, event.at_us, event.why),
    )


def _encoded(record: SetRecord) -> bytes:
    return msgspec.json.encode(record)


def _decoded(data: bytes) -> SetRecord:
    return _RECORD.decode(data)

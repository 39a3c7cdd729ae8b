"""The device journal: the record of what a device saw and did (I2, I4).

One thread writes. What queues up while a commit is on its way to the disk goes into the next one,
so the disk is synced once a group. `append` returns when its entry is durable, and not before.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance.identity.device import DeviceIdentity
from appliance.identity.keys import ENTRY, verifies_hex
from appliance.journal import file
from appliance.journal.codec import GENESIS, encode_body, entry_hash, hash_of
from appliance.journal.heads import Countersigned, Head
from appliance.journal.stamp import Stamp, stamp, to_us
from contracts.clock import Clock
from contracts.errors import JournalBrokenError, JournalError
from contracts.events import EventBody, JournalEntry

_log = logging.getLogger(__name__)
_GROUP = 256
_BASE_UNCERTAINTY_US = 1_000_000
"""A clock kept by NTP; a second covers what a loaded box was seen to drift between polls."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    kind: str
    body: str
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[JournalEntry]


class Journal:
    """An open journal. Use `open`, and close it (or use it as a context) before the process ends.

    Reads (`entries`, `last_countersigned`) block for a short disk read: call them in a thread.
    """

    def __init__(
        self, path: Path, db: sqlite3.Connection, *, identity: DeviceIdentity, clock: Clock
    ) -> None:
        self.path = path
        self.device = identity.device
        self.boot = uuid.uuid4().hex
        self._identity = identity
        self._clock = clock
        self._db = db
        self._db_lock = threading.Lock()
        # Reading must not wait for a commit on its way to the disk, nor hold one up.
        self._reader = file.connect_reader(path)
        self._reader_lock = threading.Lock()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._listeners: list[Callable[[int], None]] = []
        self._closed = False
        last = file.last_entry(db)
        self._head = Head(last.seq, last.hash) if last else Head(0, GENESIS)
        self._floor_us = last.at_us if last else 0
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        identity: DeviceIdentity,
        clock: Clock,
        max_bytes: int | None = None,
    ) -> Journal:
        """Open or make the journal at `path`; `max_bytes` bounds the file.

        Raises JournalBrokenError when its last entry does not hold or it is another device's,
        JournalFullError, JournalError.
        """
        db = file.connect(path, max_bytes=max_bytes)
        try:
            _check_owner(db, identity, path)
            if identity.certificate_pem:
                db.execute(
                    "INSERT OR IGNORE INTO certificates VALUES (?)", (identity.certificate_pem,)
                )
            return cls(path, db, identity=identity, clock=clock)
        except sqlite3.Error as error:
            db.close()
            raise file.translated(error, path) from error
        except JournalError:
            db.close()
            raise

    async def append(self, body: EventBody) -> JournalEntry:
        """Sign, chain and store `body`; returns when the entry is durable.

        Raises JournalFullError (nothing was stored), JournalError, BadInputError for a body that
        cannot be encoded.
        """
        if self._closed:
            raise JournalError("the journal is closed", mend="Open it again")
        kind, text = encode_body(body)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[JournalEntry] = loop.create_future()
        self._queue.put(_Waiting(kind, text, loop, done))
        return await done

    def head(self) -> Head:
        """The last durable entry; seq 0 for an empty journal."""
        return self._head

    def time(self) -> Stamp:
        """The time an entry would carry now. Not trusted: accept nothing on expiry."""
        return stamp(
            to_us(self._clock.now()), self._floor_us, base_uncertainty_us=_BASE_UNCERTAINTY_US
        )

    def entries(self, after_seq: int = 0, limit: int = 200) -> list[JournalEntry]:
        """Up to `limit` durable entries after `after_seq`, oldest first."""
        rows = self._read(f"{file.SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", after_seq, limit)
        return [file.to_entry(row) for row in rows]

    def listen(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback(seq)` from the writer's thread after each commit; returns how to stop."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def keep_head(self, head: Countersigned, certificate_pem: str) -> None:
        """Store a head that the hub countersigned, with the certificate of its key."""
        with self._db_lock:
            try:
                # One commit for both, so one wait for the disk.
                self._db.execute("BEGIN IMMEDIATE")
                with self._db:
                    file.add_head(self._db, head, certificate_pem)
            except sqlite3.Error as error:
                raise file.translated(error, self.path) from error

    def keep_certificate(self, pem: str) -> None:
        """Store a certificate that this device got after the journal was opened."""
        with self._db_lock:
            try:
                self._db.execute("INSERT OR IGNORE INTO certificates VALUES (?)", (pem,))
            except sqlite3.Error as error:
                raise file.translated(error, self.path) from error

    def last_countersigned(self) -> Countersigned | None:
        with self._reader_lock:
            return file.last_head(self._reader)

    def close(self) -> None:
        """Write what is queued, fold the write-ahead log into the file, and close it."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._writer.join()
        with self._reader_lock:
            self._reader.close()
        with self._db_lock:
            try:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error:
                # Everything acknowledged is durable in the -wal file; the next open folds it in.
                _log.warning("journal_checkpoint_failed", exc_info=True)
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with self._reader_lock:
            try:
                return self._reader.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise file.translated(error, self.path) from error

    def _write(self) -> None:
        running = True
        while running:
            group: list[_Waiting] = []
            first = self._queue.get()
            while True:
                if first is None:
                    running = False
                    break
                group.append(first)
                if len(group) == _GROUP:
                    break
                try:
                    first = self._queue.get_nowait()
                except queue.Empty:
                    break
            if group:
                self._commit(group)

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            entries, floor_us = self._chain(group)
            with self._db_lock:
                self._insert(entries)
        except Exception as error:  # noqa: BLE001 -- every waiting caller gets it, raised anew there
            failure = (
                file.translated(error, self.path) if isinstance(error, sqlite3.Error) else error
            )
            _settle(group, failure)
            return
        self._head = Head(entries[-1].seq, entries[-1].hash)
        self._floor_us = floor_us
        _settle(group, entries)
        for callback in list(self._listeners):
            try:
                callback(self._head.seq)
            except Exception:  # noqa: BLE001 -- a listener's fault must not end the record
                _log.exception("journal_listener_failed")

    def _insert(self, entries: list[JournalEntry]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            # A second writer would insert the same sequence numbers and fail on the primary key.
            self._db.executemany(file.INSERT, [file.to_row(entry) for entry in entries])
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _chain(self, group: list[_Waiting]) -> tuple[list[JournalEntry], int]:
        entries: list[JournalEntry] = []
        seq, previous, floor_us = self._head.seq, self._head.hash, self._floor_us
        for waiting in group:
            now = stamp(
                to_us(self._clock.now()), floor_us, base_uncertainty_us=_BASE_UNCERTAINTY_US
            )
            seq, floor_us = seq + 1, now.at_us
            digest = entry_hash(
                device=self.device,
                seq=seq,
                boot=self.boot,
                at_us=now.at_us,
                uncertainty_us=now.uncertainty_us,
                kind=waiting.kind,
                body=waiting.body,
                previous=previous,
            )
            signature = self._identity.sign(ENTRY + bytes.fromhex(digest)).hex()
            entries.append(
                JournalEntry(
                    device=self.device,
                    seq=seq,
                    boot=self.boot,
                    at_us=now.at_us,
                    uncertainty_us=now.uncertainty_us,
                    kind=waiting.kind,
                    body=waiting.body,
                    previous=previous,
                    hash=digest,
                    signature=signature,
                )
            )
            previous = digest
        return entries, floor_us


def _settle(group: list[_Waiting], result: list[JournalEntry] | Exception) -> None:
    """Answer every waiting caller in its own loop."""
    for number, waiting in enumerate(group):

        def answer(waiting: _Waiting = waiting, number: int = number) -> None:
            if waiting.done.done():
                return
            if isinstance(result, Exception):
                waiting.done.set_exception(result)
            else:
                waiting.done.set_result(result[number])

        try:
            waiting.loop.call_soon_threadsafe(answer)
        except RuntimeError:
            # The caller's loop has ended: the entry stands, nobody waits for it.
            _log.debug("journal_caller_gone")


def _check_owner(db: sqlite3.Connection, identity: DeviceIdentity, path: Path) -> None:
    key = file.get_meta(db, "public_key")
    if key is None:
        with db:
            db.execute("BEGIN IMMEDIATE")
            file.set_meta(db, "format", file.FORMAT)
            file.set_meta(db, "device", identity.device)
            file.set_meta(db, "public_key", identity.public_key_pem)
    elif key != identity.public_key_pem or file.get_meta(db, "device") != identity.device:
        raise JournalBrokenError(
            f"{path} was begun by device {file.get_meta(db, 'device')!r} with another key",
            mend="Move the old journal away (it can still be verified), or restore the old key",
        )
    last = file.last_entry(db)
    if last is not None and not (
        hash_of(last) == last.hash
        and verifies_hex(identity.public_key, ENTRY, bytes.fromhex(last.hash), last.signature)
    ):
        raise JournalBrokenError(
            f"{path}: entry {last.seq} does not hold",
            mend=f"Run tallyman journal verify {path}, keep the file, start a new one",
            seq=last.seq,
        )

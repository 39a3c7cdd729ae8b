"""The book of batches over restarts: a file that spares reading the whole journal, never a record.

What the file says counts only where the journal still has the entry that it ends with; everything
after that entry is read from the journal, and everything at all where the file does not fit (I6).
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Self

import msgspec
import structlog

from appliance.batches import BatchBook
from appliance.durable import write_atomic
from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from contracts.errors import JournalError, TallymanError
from contracts.events import KIND_OF, CartonJudged

_CHUNK = 500
log = structlog.get_logger()


class _File(msgspec.Struct):
    entry: str
    """Hash of the journal entry that the book ends with."""
    sha256: str
    book: msgspec.Raw


class BookFile:
    """An open book and its file. `save` before the journal is closed; losing the file costs time
    at the next start and nothing else.
    """

    def __init__(self, book: BatchBook, journal: Journal, path: Path) -> None:
        self.book = book
        self._journal = journal
        self._path = path
        self._saved = 0

    @classmethod
    def open(cls, journal: Journal, path: Path) -> Self:
        """The book as of the journal's last entry. Blocks; raises JournalError."""
        file = cls(_read(journal, path), journal, path)
        file._saved = file.book.seq
        _catch_up(file.book, journal)
        if file._is_late():
            file.save()
        return file

    async def keep_up(self) -> None:
        """Write the file now and then; called after a verdict."""
        if not self._is_late():
            return
        seq, stored = self.book.seq, self.book.to_bytes()
        await asyncio.to_thread(self._write, seq, stored)

    def save(self) -> None:
        """Write what is not written yet. Blocks."""
        if self.book.seq > self._saved:
            self._write(self.book.seq, self.book.to_bytes())

    def _is_late(self) -> bool:
        return self.book.seq - self._saved >= _CHUNK

    def _write(self, seq: int, stored: bytes) -> None:
        try:
            (entry,) = self._journal.entries(seq - 1, 1)
            file = _File(entry.hash, hashlib.sha256(stored).hexdigest(), msgspec.Raw(stored))
            write_atomic(self._path, msgspec.json.encode(file))
        except (OSError, JournalError) as error:
            log.warning("batches not saved", why=str(error))
        self._saved = seq


def _catch_up(book: BatchBook, journal: Journal) -> None:
    after, last = book.seq, journal.head().seq
    while after < last:
        entries = journal.entries(after, _CHUNK)
        for entry in entries:
            if entry.kind != KIND_OF[CartonJudged]:
                continue
            try:
                body = decode_body(entry.kind, entry.body)
            except TallymanError:
                # An entry of newer software, before this device was set back to an older one.
                log.warning("verdict not understood", seq=entry.seq)
                continue
            if isinstance(body, CartonJudged):
                book.take(body, entry.seq)
        after += _CHUNK


def _read(journal: Journal, path: Path) -> BatchBook:
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File)
        if hashlib.sha256(bytes(file.book)).hexdigest() != file.sha256:
            raise msgspec.ValidationError("its hash does not hold")
        book = BatchBook.from_bytes(bytes(file.book))
    except FileNotFoundError:
        return BatchBook()
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("batches counted anew", why=str(error))
        return BatchBook()
    entries = journal.entries(book.seq - 1, 1)
    if entries and entries[0].hash == file.entry:
        return book
    log.warning("batches counted anew", why="the file is of another journal")
    return BatchBook()

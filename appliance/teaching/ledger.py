"""A station's histories of its profiles: read from its journal, and where reading got to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from appliance.durable import write_atomic
from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from appliance.teaching.history import Histories, ProductHistory
from contracts.errors import BadInputError
from contracts.events import (
    KIND_OF,
    DefectTaught,
    LessonUndone,
    ProfileActivated,
    ProfileEnrolled,
)

_KINDS = frozenset(
    KIND_OF[kind] for kind in (DefectTaught, LessonUndone, ProfileEnrolled, ProfileActivated)
)
_BLOCK = 500
_SAVE_AFTER = 2000
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Saved:
    device: str
    seq: int
    products: tuple[ProductHistory, ...]


class Ledger:
    """The journal is the record; the file is only a shorter way to it. Methods block."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self._path = path
        self._journal = journal
        self._histories = Histories()
        self._seq = self._saved = 0
        self._load()

    def of(self, station: str, gtin: str) -> ProductHistory:
        return self._histories.of(station, gtin)

    def all(self) -> tuple[ProductHistory, ...]:
        return tuple(self._histories.products.values())

    def catch_up(self) -> None:
        """Read on to the journal's end. Raises JournalError."""
        changed = False
        while entries := self._journal.entries(self._seq, _BLOCK):
            for entry in entries:
                self._seq = entry.seq
                if entry.kind not in _KINDS:
                    continue
                try:
                    body = decode_body(entry.kind, entry.body)
                except BadInputError:
                    # Of newer software, before this device was set back to an older one.
                    log.warning("entry about a profile not understood", seq=entry.seq)
                    continue
                at = datetime.fromtimestamp(entry.at_us / 1e6, UTC)
                self._histories.take(body, at=at, seq=entry.seq)
                changed = True
        if changed or self._seq - self._saved >= _SAVE_AFTER:
            self._save()

    def _load(self) -> None:
        try:
            saved = msgspec.json.decode(self._path.read_bytes(), type=_Saved)
        except (OSError, msgspec.MsgspecError):
            return
        if saved.device != self._journal.device or saved.seq > self._journal.head().seq:
            return
        self._seq = self._saved = saved.seq
        self._histories.products = {(each.station, each.gtin): each for each in saved.products}

    def _save(self) -> None:
        saved = _Saved(self._journal.device, self._seq, self.all())
        try:
            write_atomic(self._path, msgspec.json.encode(saved))
        except OSError as error:
            log.warning("histories of profiles not kept", error=str(error))
            return
        self._saved = self._seq

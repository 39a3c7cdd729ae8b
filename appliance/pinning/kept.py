"""What a station knows of pins, on its disk: a restart without the hub judges on as before (I3, I6)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path

import msgspec
import structlog

from appliance.durable import write_atomic
from contracts.judging import SessionPin
from contracts.stock import BatchKey
from ota.judging.station import PinBook

MOST_BATCHES = 2000
"""Of batches that nobody tells of any more, the last that were judged here stay known."""
_MOST_SESSIONS = 50
_OPEN_US = 14 * 86_400_000_000
"""So long after its last carton a batch that the hub does not speak of counts as open here."""
log = structlog.get_logger()


class Reads(msgspec.Struct, frozen=True):
    """What reads a session's labels; `told` by the hub, or begun here without it."""

    model_set: str
    told: bool


class _File(msgspec.Struct):
    book: msgspec.Raw
    used: list[tuple[BatchKey, int]]
    sessions: list[tuple[str, Reads]]


class KeptPins:
    """The book and the sessions' pins; `path` None: only in memory. Changed in one thread, written
    in any.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.book = PinBook()
        self.sessions: OrderedDict[str, Reads] = OrderedDict()
        self._path = path
        self._used: OrderedDict[BatchKey, int] = OrderedDict()
        self.dirty = False
        if path is not None:
            self._read(path)

    def used(self, batch: BatchKey, now_us: int) -> None:
        """A carton of this batch came by: it is open for a while."""
        self._used[batch] = now_us
        self._used.move_to_end(batch)
        while len(self._used) > MOST_BATCHES:
            old, _ = self._used.popitem(last=False)
            self.book.forget([old])

    def forget_closed(self, is_open: Collection[BatchKey]) -> None:
        """Of the pins that the hub told once and does not tell any more, the last ones stay known."""
        closed = [b for b in self.book.told if b not in is_open and b not in self._used]
        if len(closed) > MOST_BATCHES:
            self.book.forget(closed[:-MOST_BATCHES])
            self.dirty = True

    def is_used(self, batch: BatchKey, now_us: int) -> bool:
        """Whether a carton of it came by lately."""
        at_us = self._used.get(batch)
        return at_us is not None and now_us - at_us < _OPEN_US

    def reads(self, pin: SessionPin, *, told: bool) -> None:
        """What reads a session's labels: the hub's word, else what the station began with."""
        known = self.sessions.get(pin.session)
        if known is None or (told and not known.told):
            self.sessions[pin.session] = Reads(pin.model_set, told)
            self.dirty = True
        while len(self.sessions) > _MOST_SESSIONS:
            self.sessions.popitem(last=False)

    def to_bytes(self) -> bytes:
        sessions = list(self.sessions.items())
        file = _File(msgspec.Raw(self.book.to_bytes()), list(self._used.items()), sessions)
        return msgspec.json.encode(file)

    def write(self, data: bytes) -> None:
        """Durable when it returns. Raises OSError."""
        if self._path is not None:
            write_atomic(self._path, data)

    def _read(self, path: Path) -> None:
        try:
            file = msgspec.json.decode(path.read_bytes(), type=_File)
            self.book = PinBook.from_bytes(bytes(file.book))
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError) as error:
            # The hub tells its pins again; until then batches are begun provisionally.
            log.warning("pins not known any more", why=str(error))
            return
        self._used = OrderedDict(file.used)
        self.sessions = OrderedDict(file.sessions)

"""What module stations say on the broker, by the dialects of the site, told to the stock core.

A sibling of the bridge: check stations and storage beside the vehicles. Each message is told once, and
again while the core is away: whoever hands messages over acknowledges them when `hear` returns, so
that none is lost (I2). What cannot be used is counted with its reason and shown, never dropped in
silence.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec
import structlog

from agv_bridge.dialects.compiled import Dialect
from agv_bridge.dialects.events import STATION_WORDS, Said
from agv_bridge.dialects.reading import LONGEST, Line, NotPlacedError
from contracts.errors import TallymanError, UnavailableError
from contracts.modules import ModuleEvent, ModuleResults, ModuleWord
from contracts.reason import Reason

_log = structlog.get_logger(__name__)
_MOST_STATIONS: Final = 500
_MOST_BYTES: Final = 2**20
_SHOWN: Final = 1000
"""Characters of a message that a ticket keeps."""


@dataclass(frozen=True, slots=True)
class StationSeen:
    """One station as last heard."""

    station: str
    dialect: str
    heard_at: datetime
    passed: int = 0
    failed: int = 0
    stored: int = 0
    retrieved: int = 0
    last_load: str = ""
    last_word: str = ""


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """The newest message that could not be used."""

    topic: str
    reason: Reason
    at: datetime


class ModuleStations:
    """The stations of a site. `hear` is called for one message after another."""

    def __init__(self, results: ModuleResults, dialects: Sequence[Dialect]) -> None:
        self._results = results
        self._dialects = tuple(dialects)
        self._stations: dict[str, StationSeen] = {}
        self.refused: Counter[str] = Counter()
        """By the code of the reason."""
        self.last_refused: RefusedMessage | None = None

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to."""
        topics = (topic.filter for one in self._dialects for topic in one.station_topics)
        return tuple(sorted(set(topics)))

    def stations(self) -> tuple[StationSeen, ...]:
        """Every station heard, by name."""
        return tuple(self._stations[name] for name in sorted(self._stations))

    async def hear(self, topic: str, payload: bytes, *, at: datetime) -> None:
        """Take one message in; `at`: when it came. Raises UnavailableError while the core is away:
        then call again with the same message.
        """
        known = False
        for dialect in self._dialects:
            if any(one.match(topic) is not None for one in dialect.station_topics):
                known = True
                await self._read(dialect, topic, payload, at)
        if not known:
            self.refuse(topic, Reason("agv_topic_unknown", {"topic": topic[:LONGEST]}), at=at)

    def refuse(self, topic: str, reason: Reason, *, at: datetime) -> None:
        """Count a message that cannot be used, and keep the newest for a page."""
        self.refused[reason.code] += 1
        self.last_refused = RefusedMessage(topic[:LONGEST], reason, at)
        _log.warning("module_message_refused", topic=topic[:LONGEST], reason=reason.code)

    async def _read(self, dialect: Dialect, topic: str, payload: bytes, at: datetime) -> None:
        if len(payload) > _MOST_BYTES:
            self.refuse(topic, Reason("agv_line_too_long", {"most": _MOST_BYTES}), at=at)
            return
        try:
            value = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self.refuse(topic, Reason("agv_line_not_json", {"why": str(error)[:LONGEST]}), at=at)
            return
        try:
            heard = dialect.read(Line(0, value, at, topic))
        except NotPlacedError as error:
            self.refuse(topic, error.reason, at=at)
            return
        for one in heard:
            if isinstance(one.said, Said) and one.said.what in STATION_WORDS:
                await self._tell(dialect, one.said, topic, payload, at)

    async def _tell(
        self, dialect: Dialect, said: Said, topic: str, payload: bytes, at: datetime
    ) -> None:
        event = _event(said, payload)
        try:
            await self._results.module_event(event)
        except UnavailableError:
            raise
        except TallymanError as error:
            reason = Reason("module_not_booked", {"why": error.message[:LONGEST]})
            self.refuse(topic, reason, at=at)
        except Exception:  # noqa: BLE001 -- kept, it would hold up every message behind it
            _log.exception("module_event_failed", station=event.station, number=event.event_id)
            self.refuse(topic, Reason("module_not_booked", {"why": "-"}), at=at)
        else:
            self._note(dialect, event, at)

    def _note(self, dialect: Dialect, event: ModuleEvent, at: datetime) -> None:
        before = self._stations.get(event.station)
        if before is None:
            if len(self._stations) >= _MOST_STATIONS:
                return
            before = StationSeen(event.station, dialect.name, at)
        word = event.what
        self._stations[event.station] = replace(
            before,
            heard_at=at,
            passed=before.passed + (word is ModuleWord.CHECK_PASSED),
            failed=before.failed + (word is ModuleWord.CHECK_FAILED),
            stored=before.stored + (word is ModuleWord.STORED),
            retrieved=before.retrieved + (word is ModuleWord.RETRIEVED),
            last_load=event.load_id,
            last_word=word.value,
        )


def _event(said: Said, payload: bytes) -> ModuleEvent:
    digest = hashlib.sha256(payload).hexdigest()
    text = payload.decode(errors="replace")[:_SHOWN]
    return ModuleEvent(
        said.station,
        _identity(said, digest),
        ModuleWord(said.what.value),
        said.load,
        said.at,
        said.order,
        said.place,
        said.detail,
        "".join(sign if sign.isprintable() else " " for sign in text),
        digest,
    )


def _identity(said: Said, digest: str) -> str:
    """The station's own number, with what it speaks of: a number used again for another load must
    not hide a failed check. Without a number: the message itself.
    """
    told = (said.id or digest, said.order, said.load, said.place)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]

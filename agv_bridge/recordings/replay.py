"""Recordings -> stock moves, quality results, and everything that could not be placed.

A file is read twice, line by line: first for the orders, since states may stand before the order
that explains them, then for what happened. Memory does not grow with the file. Every line ends as
used or as unplaced with its reason: `lines` = `used` + `unplaced`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agv_bridge.dialects.compiled import Dialect
from agv_bridge.dialects.events import Said, Vda
from agv_bridge.dialects.reading import Line, NotPlacedError
from agv_bridge.recordings.findings import (
    Failed,
    Finding,
    Mismatch,
    Quality,
    StockMove,
    Stored,
    Unfinished,
    Unplaced,
)
from agv_bridge.recordings.journeys import MOST, Journeys
from agv_bridge.recordings.lines import read_lines
from agv_bridge.recordings.records import Record, payload_of, read_records
from agv_bridge.recordings.vda import Missions
from agv_bridge.vda5050.topics import ORDER


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """One message of a recorded MQTT session."""

    line: int
    topic: str
    payload: bytes
    at: datetime


@dataclass(slots=True)
class Replay:
    """The outcome of a short recording, all of it in memory."""

    lines: int = 0
    used: int = 0
    moves: list[StockMove] = field(default_factory=list)
    failures: list[Failed] = field(default_factory=list)
    mismatches: list[Mismatch] = field(default_factory=list)
    quality: list[Quality] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    unplaced: list[Unplaced] = field(default_factory=list)
    unfinished: list[Unfinished] = field(default_factory=list)


class Placer:
    """Places records one after another; the counts may be read at any time, and are whole when
    `finish` has told of the lines that waited for another.
    """

    def __init__(self, dialect: Dialect | None = None, *, most: int = MOST) -> None:
        """`most`: orders, and journeys under way, that are kept in mind at once."""
        self.dialect = dialect
        self._missions = Missions(most=most)
        self._journeys = Journeys(most=most)
        self._waiting: dict[int, int] = {}
        self._spoilt: set[int] = set()
        self.lines = 0
        self.used = 0
        self.unplaced = 0

    def learn(self, record: Record) -> None:
        """The first reading: orders only."""
        topic = record.line.topic
        ours = self.dialect is not None and self.dialect.tells_orders(topic)
        if record.problem is not None or not (ours or topic.endswith(f"/{ORDER}")):
            return
        try:
            heard = self._read(record)
        except NotPlacedError:
            return
        for said in heard:
            if isinstance(said, Said):
                self._journeys.learn(said)
            else:
                self._missions.learn(said.topic, said.payload, said.at)

    def place(self, record: Record) -> Iterator[Finding]:
        """What one line proves; an Unplaced among it where it could not be used."""
        self.lines += 1
        number, topic = record.line.number, record.line.topic
        heard: list[Said | Vda] = []
        problem, waits = record.problem, 0
        try:
            heard = self._read(record) if problem is None else []
        except NotPlacedError as error:
            problem = error.reason
        for said in heard:
            if isinstance(said, Said):
                found, waiting = self._journeys.take(number, said)
                waits += waiting
            else:
                found, wrong = self._missions.place(number, said.topic, said.payload, said.at)
                problem = wrong if problem is None else problem
            yield from found
        if problem is not None:
            self.unplaced += 1
            yield Unplaced(number, topic, problem)
        elif waits:
            self._waiting[number] = waits
        else:
            self.used += 1
        yield from self._settle(self._journeys.late())

    def finish(self) -> Iterator[Finding]:
        """What the end of the recording leaves open."""
        yield from self._settle(self._journeys.finish())
        yield from self._missions.finish()

    def _read(self, record: Record) -> list[Said | Vda]:
        """Raises NotPlacedError."""
        line, dialect = record.line, self.dialect
        if record.is_names:
            return []
        ours = dialect is not None and (record.payload is None or dialect.speaks_of(line.topic))
        if dialect is not None and ours:
            told = line if record.payload is None else payload_of(record)
            return [one.said for one in dialect.read(told)]
        if record.payload is None or line.at is None:
            raise NotPlacedError("agv_record_field", field="topic")
        return [Vda(line.topic, record.payload, line.at)]

    def _settle(self, late: list[Finding]) -> Iterator[Finding]:
        """Lines that waited: their last part decides, and a line is counted once."""
        for number in self._journeys.settled():
            self._resolve(number)
        for one in late:
            if not isinstance(one, Unplaced):
                yield one
            elif one.line in self._waiting:
                if one.line not in self._spoilt:
                    self._spoilt.add(one.line)
                    yield one
                self._resolve(one.line)

    def _resolve(self, number: int) -> None:
        left = self._waiting.get(number, 0) - 1
        if left > 0:
            self._waiting[number] = left
        elif self._waiting.pop(number, None) is not None:
            if number in self._spoilt:
                self._spoilt.discard(number)
                self.unplaced += 1
            else:
                self.used += 1


def replay_file(path: Path, placer: Placer) -> Iterator[Finding]:
    """Everything that a recording proves, as it is read. Raises BadInputError (no such file)."""
    file = placer.dialect.file if placer.dialect is not None else None
    for record in read_records(read_lines(path), file):
        placer.learn(record)
    for record in read_records(read_lines(path), file):
        yield from placer.place(record)
    yield from placer.finish()


def replay(messages: Iterable[RecordedMessage], dialect: Dialect | None = None) -> Replay:
    """All moves of a short recording, each once, in the order in which they were proved."""
    records = [
        Record(Line(one.line, one.payload.decode(errors="replace"), one.at, one.topic), one.payload)
        for one in messages
    ]
    placer = Placer(dialect)
    for record in records:
        placer.learn(record)
    outcome = Replay()
    for record in records:
        _keep(outcome, placer.place(record))
    _keep(outcome, placer.finish())
    outcome.lines, outcome.used = placer.lines, placer.used
    return outcome


def _keep(outcome: Replay, found: Iterable[Finding]) -> None:
    for one in found:
        match one:
            case StockMove():
                outcome.moves.append(one)
            case Failed():
                outcome.failures.append(one)
            case Mismatch():
                outcome.mismatches.append(one)
            case Quality():
                outcome.quality.append(one)
            case Stored():
                outcome.stored.append(one)
            case Unplaced():
                outcome.unplaced.append(one)
            case Unfinished():
                outcome.unfinished.append(one)

"""A dialect made ready: a line in, what it says out. Pure.

The same dialect reads recordings (replay) and what module stations say on the broker now (bridge).
A line that it cannot place is refused with a reason, never skipped.
"""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path as File
from typing import Final

from agv_bridge.dialects.checking import Section, check
from agv_bridge.dialects.events import STATION_WORDS, Said, Vda
from agv_bridge.dialects.file import DialectFile, load_file, read_file
from agv_bridge.dialects.reading import LONGEST, Line, NotPlacedError
from agv_bridge.dialects.topics import TopicPattern

_MOST_TOPICS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Heard:
    """What one section of the dialect made of a line."""

    section: str
    """As an error would name it: `event[2]`."""
    said: Said | Vda


@dataclass(slots=True)
class Dialect:
    """A dialect in use. `read` is a function of the line alone."""

    file: DialectFile
    sections: tuple[Section, ...]
    ignored: tuple[TopicPattern, ...]
    sha256: str
    """Of the file's text."""
    _known: dict[str, list[tuple[Section, dict[str, str]]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def station_topics(self) -> tuple[TopicPattern, ...]:
        """Where module stations speak: the topics of their events, each once."""
        found = {
            one.topic.text: one.topic
            for one in self.sections
            if one.topic is not None and one.what in STATION_WORDS
        }
        return tuple(found.values())

    def tells_orders(self, topic: str) -> bool:
        """Whether lines of this topic ("" in a log without topics) may be orders."""
        return any(section.tells_orders for section, _ in self._sections_of(topic))

    def speaks_of(self, topic: str) -> bool:
        """Whether a topic is one of the dialect's."""
        return bool(self._sections_of(topic)) or self.ignores(topic)

    def ignores(self, topic: str) -> bool:
        return any(one.match(topic) is not None for one in self.ignored)

    def read(self, line: Line) -> list[Heard]:
        """Everything that a line says; its value is used up. Raises NotPlacedError."""
        sections = self._sections_of(line.topic)
        heard = [
            Heard(section.key, said)
            for section, levels in sections
            for said in section.reader.read(line if len(sections) == 1 else _copy(line), levels)
        ]
        if heard or self.ignores(line.topic):
            return heard
        if not sections:
            raise NotPlacedError("agv_topic_unknown", topic=line.topic[:LONGEST])
        raise NotPlacedError("agv_no_event", dialect=self.name)

    def _sections_of(self, topic: str) -> list[tuple[Section, dict[str, str]]]:
        found = self._known.get(topic)
        if found is None:
            found = [
                (section, levels)
                for section in self.sections
                if (levels := section.topic.match(topic) if section.topic else {}) is not None
            ]
            if len(self._known) >= _MOST_TOPICS:
                self._known.clear()
            self._known[topic] = found
        return found


def _copy(line: Line) -> Line:
    return replace(line, value=copy.deepcopy(line.value))


def load_dialect(path: File) -> Dialect:
    """A dialect from a file, or one of the house by its name. Raises BadDialectError."""
    return _ready(*load_file(path), where=path.name)


def read_dialect(text: str, *, where: str = "the dialect") -> Dialect:
    """A dialect from its text. Raises BadDialectError."""
    return _ready(text, read_file(text, where=where), where=where)


def _ready(text: str, file: DialectFile, *, where: str) -> Dialect:
    sections, ignored = check(file, text, where=where)
    return Dialect(file, sections, ignored, hashlib.sha256(text.encode()).hexdigest())

"""One line that teaches, as a person is shown it, and what the person said of it. Pure.

A line waits for a person where the place that was found for a true value is in doubt: the reader
read something else there, saw nothing for some of its characters, or was unsure of one. Doubt is
0..1, the largest of the three.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from appliance.learning.example import ExampleName, SeenLine, Truth
from appliance.learning.judging import plain
from appliance.learning.locate import Place
from appliance.learning.split import is_held_out
from contracts.errors import BadInputError

WAITS_FROM = 0.15
"""Lines with less doubt teach without anybody's look."""
MOST_TEXT = 64
_DIFFERS = 0.5
_KEY = re.compile(r"([0-9a-f]{64})\.([0-9]{1,4})\.([0-9]{1,4})")


class Said(StrEnum):
    """What a person says of a line."""

    RIGHT = "right"
    """What was found to be printed is printed."""
    TEXT = "text"
    """Something else is printed."""
    UNREADABLE = "unreadable"
    """It shows no value, or nobody can read it: it teaches nothing and judges nobody."""


@dataclass(frozen=True, slots=True, order=True)
class LineId:
    """A value's place in a kept line: the example's content, the line in it, the first character."""

    example: str
    line: int
    start: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises BadInputError."""
        match = _KEY.fullmatch(text)
        if match is None:
            raise BadInputError(f"{text[:80]!r} names no line", mend="Load the page again")
        return cls(match[1], int(match[2]), int(match[3]))

    def __str__(self) -> str:
        return f"{self.example}.{self.line}.{self.start}"


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` is what is printed, for `Said.TEXT` only; times are microseconds since 1970, UTC."""

    key: LineId
    said: Said
    text: str = ""
    by: str = ""
    at_us: int = 0


@dataclass(frozen=True, slots=True)
class QueueLine:
    """`text` is what is taught as it stands, `read` what the reader made of the same place; `seen`
    tells for each character of `text` whether the reader made anything of it.
    """

    key: LineId
    field: str
    text: str
    read: str
    seen: tuple[bool, ...]
    doubt: float
    held_out: bool
    at_us: int
    answer: Answer | None = None


def queue_line(
    name: ExampleName, truth: Truth, index: int, line: SeenLine, place: Place
) -> QueueLine:
    """A place of a true value in line `index` of an example, as the queue holds it."""
    read = line.text[place.start : place.end]
    return QueueLine(
        LineId(name.sha256, index, place.start),
        place.field,
        place.text,
        read,
        place.seen,
        doubt_of(line, place),
        is_held_out(truth),
        name.at_us,
    )


def doubt_of(line: SeenLine, place: Place) -> float:
    """0: read just as it is taught, surely; 1: nothing of it was read."""
    found = [1.0 - min(place.fit, 1.0), 1.0 - _least_sure(line, place)]
    if place.seen:
        found.append(sum(not each for each in place.seen) / len(place.seen))
    if plain(line.text[place.start : place.end]) != plain(place.text):
        found.append(_DIFFERS)
    return round(min(1.0, max(found)), 3)


def check_answer(answer: Answer) -> Answer:
    """`answer` itself with its text trimmed. Raises BadInputError for one that says nothing."""
    text = " ".join(answer.text.split())
    if answer.said is not Said.TEXT:
        return Answer(answer.key, answer.said, "", answer.by, answer.at_us)
    if not text or len(text) > MOST_TEXT or not text.isprintable():
        raise BadInputError(
            "A corrected line needs the text that is printed",
            mend=f"Type what you see, {MOST_TEXT} characters at most",
        )
    return Answer(answer.key, answer.said, text, answer.by, answer.at_us)


def _least_sure(line: SeenLine, place: Place) -> float:
    shown = [each for each in line.glyphs if each.letters and each.letters[0][0]]
    if len(shown) != len(line.text):
        # The reader kept no doubts of single characters: the whole line's stands for them.
        return line.confidence
    sure = [each.letters[0][1] for each in shown[place.start : place.end]]
    return min(sure, default=line.confidence)

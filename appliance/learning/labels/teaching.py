"""What people's answers make of the lines that teach. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from appliance.learning.labels.records import Answer, LineId, Said
from appliance.learning.lines import TeachingLine
from vision.reading.ctc import UNREADABLE


def corrected(
    lines: Iterable[TeachingLine], example: str, answers: Mapping[LineId, Answer]
) -> Iterator[TeachingLine]:
    """The lines of one example (its SHA-256) as people have seen them: what they confirmed or typed
    can be seen in every character, except where they typed the sign for one that cannot; what
    nobody can read is left out. Lines that nobody looked at stay as they are.
    """
    for line in lines:
        answer = answers.get(LineId(example, line.index, line.start))
        match answer.said if answer else None:
            case None:
                yield line
            case Said.RIGHT:
                yield replace(line, seen=_seen(line.text))
            case Said.TEXT if answer is not None:
                yield replace(line, text=answer.text, seen=_seen(answer.text))
            case _:
                continue


def _seen(text: str) -> tuple[bool, ...]:
    return tuple(each != UNREADABLE for each in text)

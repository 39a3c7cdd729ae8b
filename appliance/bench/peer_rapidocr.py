"""RapidOCR beside ours: the same frames, the same field grammar, the same list.

It reads texts with one score each; with a list, the line whose values fit those texts with the
fewest edits is taken (semi-global, caption of production dates respected), which is what a careful
user would build on top of it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.bench.label_truth import Answer, plain_answer
from vision.reading.align import AlignSettings, Stream
from vision.reading.captions import Role, find_captions
from vision.reading.ctc import FOLD, Charset
from vision.reading.expected import ExpectedIndex
from vision.reading.plain import PlainLine, read_plainly

_EDITS = AlignSettings(missing=1.0, extra=1.0, space=0.0)
_DATE_MARKS = "-/.,:; 年月日"


class Peer(Protocol):
    name: str

    def texts(self, frame: NDArray[np.uint8]) -> list[PlainLine]: ...


class RapidOcr:
    """The installed `rapidocr` with its own defaults. Raises ImportError where absent."""

    def __init__(self) -> None:
        import rapidocr

        logging.getLogger("RapidOCR").setLevel(logging.ERROR)
        self._engine: Any = rapidocr.RapidOCR()
        logging.getLogger("RapidOCR").setLevel(logging.ERROR)
        self.name = "rapidocr"

    def texts(self, frame: NDArray[np.uint8]) -> list[PlainLine]:
        said = self._engine(frame)
        if said.txts is None:
            return []
        return [PlainLine(t, float(s)) for t, s in zip(said.txts, said.scores, strict=True)]


def without_list(lines: Sequence[PlainLine]) -> Answer:
    return plain_answer(read_plainly(lines, ()))


def with_list(lines: Sequence[PlainLine], index: ExpectedIndex, charset: Charset) -> Answer:
    """The announced line whose values fit the texts with the fewest edits."""
    stream = edits(lines, charset)
    production = np.array(
        [any(role is Role.PRODUCTION for role, _, _ in find_captions(line.text)) for line in lines]
        or [False]
    )
    best = np.zeros(len(index.lines))
    for values, of_line, dates in (
        (index.gtins, index.gtin, False),
        (index.batches, index.batch, False),
        (index.dates, index.expiry, True),
    ):
        score = np.maximum(values.fit(stream, _EDITS), 0.0)
        if dates:
            score = np.where(production, 0.0, score)
        best += score.max(axis=1)[of_line]
    line = index.lines[int(best.argmax())]
    return {"gtin": line.gtin, "batch": line.batch, "expiry": line.expiry.isoformat()}


def edits(lines: Sequence[PlainLine], charset: Charset) -> Stream:
    """Texts as a stream in which a matching letter earns 1 and any other costs 1."""
    size = len(charset.letters)
    columns: list[NDArray[np.float32]] = []
    extra: list[float] = []
    starts = []
    for line in lines or [PlainLine("", 0.0)]:
        starts.append(len(columns))
        columns.append(np.full(size + 1, -200.0, dtype=np.float32))
        extra.append(200.0)
        for letter in line.text.translate(FOLD):
            column = np.full(size + 1, -1.0, dtype=np.float32)
            if letter in charset.index:
                column[charset.index[letter]] = 1.0
            if letter in _DATE_MARKS:
                column[size] = 0.0
            columns.append(column)
            extra.append(0.0 if letter == " " else 1.0)
    return Stream(
        np.ascontiguousarray(np.array(columns).T),
        np.array(extra, dtype=np.float32),
        np.zeros(len(extra), dtype=np.float32),
        np.array(starts, dtype=np.intp),
        max(1, len(columns) - len(starts)),
    )

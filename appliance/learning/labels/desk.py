"""The review queue over a hub's examples: what the page asks, and what the recipe learns by.

Lines are found in the background and as the page is opened; an example that is erased, or too old,
takes its lines and answers along at the next look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import structlog

from appliance.journal.stamp import to_us
from appliance.learning.dataset import Dataset
from appliance.learning.example import ExampleName, decode_example
from appliance.learning.labels.book import Counts, LabelBook
from appliance.learning.labels.records import Answer, LineId, QueueLine, queue_line
from appliance.learning.lines import teaching_lines
from appliance.learning.locate import best_places
from contracts.clock import Clock
from contracts.errors import NotFoundError, TallymanError

_LOOK_EVERY_S = 20.0
_AT_ONCE = 200
_WHILE_THE_PAGE_WAITS = 20
_HEIGHT_PX = 96

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """`left` examples have not been looked at yet."""

    left: int = 0


def label_book(folder: Path) -> LabelBook:
    """The book beside the examples in a hub's learning folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return LabelBook(folder / "labels.db")


class LabelDesk:
    """Methods block. `run` is the job that looks at new examples."""

    def __init__(
        self,
        dataset: Dataset,
        book: LabelBook,
        *,
        clock: Clock,
        next_run: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        self._dataset = dataset
        self._book = book
        self._clock = clock
        self._next_run = next_run

    def next_run(self) -> datetime | None:
        """When the recipe learns by the answers; None where nothing is scheduled."""
        return self._next_run()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            left = 0
            try:
                left = (await asyncio.to_thread(self.look, _AT_ONCE)).left
            except (OSError, TallymanError) as error:
                log.warning("examples_not_looked_at", why=str(error))
            await asyncio.sleep(0 if left else _LOOK_EVERY_S)

    def look(self, most: int = _WHILE_THE_PAGE_WAITS) -> Looked:
        """Take up to `most` new examples into the queue, the newest first, and forget those that
        are gone.
        """
        names = {name.sha256: name for name in self._dataset.names()}
        known = self._book.looked_at()
        if gone := known - names.keys():
            self._book.forget(gone)
        new = sorted((names[each] for each in names.keys() - known), reverse=True)
        for name in new[:most]:
            self._book.put(name.sha256, self._lines_of(name))
        return Looked(max(0, len(new) - most))

    def waiting(self, *, most: int, field: str = "") -> Sequence[QueueLine]:
        return self._book.waiting(most=most, field=field)

    def answered(self, *, most: int, field: str = "") -> Sequence[QueueLine]:
        return self._book.answered(most=most, field=field)

    def counts(self, *, field: str = "") -> Counts:
        return self._book.counts(field=field)

    def answer(self, answers: Sequence[Answer]) -> Sequence[QueueLine]:
        """As LabelBook.answer, at this time."""
        now_us = to_us(self._clock.now())
        return self._book.answer(
            [Answer(each.key, each.said, each.text, each.by, now_us) for each in answers]
        )

    def undo(self, by: str) -> Sequence[QueueLine]:
        return self._book.undo(by, at_us=to_us(self._clock.now()))

    def picture(self, key: LineId) -> bytes:
        """The value's place in its line, upright, as a PNG of 96 px height. Raises NotFoundError."""
        name = next((each for each in self._dataset.names() if each.sha256 == key.example), None)
        data = self._dataset.read(name) if name is not None else None
        if data is not None:
            for line in teaching_lines(decode_example(data)):
                if (line.index, line.start) == (key.line, key.start):
                    crop = line.crop()
                    width = round(crop.shape[1] * _HEIGHT_PX / crop.shape[0])
                    larger = cv2.resize(crop, (width, _HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
                    return cv2.imencode(".png", larger)[1].tobytes()
        raise NotFoundError(f"The line {key} is not kept here any longer", mend="Load it again")

    def _lines_of(self, name: ExampleName) -> list[QueueLine]:
        data = self._dataset.read(name)
        if data is None:
            return []
        example = decode_example(data)
        seen = [kept.line for kept in example.lines]
        return [
            queue_line(name, example.truth, index, seen[index], place)
            for index, places in best_places(example.truth, seen).items()
            for place in places
        ]

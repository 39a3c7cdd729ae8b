"""The label reader: frames of one carton and what was announced in, a reading out.

See: symbols, and lines of text (`lines`, or another reader behind `ports`) whose glyphs keep their
doubts. Weigh (`fusion`): every announced line against all of it. Decide (`decide`): accept or
review. Only what would go to review is looked at again by the second network. One model set, named
by its digest, holds the networks and every number (I3); nothing is downloaded.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.asn import ExpectedLine
from contracts.errors import ArtefactRefusedError
from contracts.reading import LabelReading, ReadDecision, TextLine
from contracts.reason import Reason
from vision.engine import CPU
from vision.reading.align import AlignSettings, Matcher, Stream
from vision.reading.captions import CaptionMatcher
from vision.reading.causes import Causes, causes_of
from vision.reading.confidence import Answers, Logistic
from vision.reading.ctc import UNREADABLE, Charset
from vision.reading.decide import (
    Confidence,
    Outcome,
    Thresholds,
    decide_listed,
    decide_plain,
    with_cause,
)
from vision.reading.detector import corners
from vision.reading.expected import ExpectedIndex
from vision.reading.fusion import Fused, FusionSettings, fuse
from vision.reading.labels import split_labels
from vision.reading.lines import OwnLines
from vision.reading.plain import PlainLine, PlainReading, read_plainly
from vision.reading.ports import LineReader
from vision.reading.recogniser import ReadLine
from vision.reading.symbols import SeenSymbol, mend_symbols, read_whole_symbols

_LEAST_DIGITS = 2


@dataclass(frozen=True, slots=True)
class View:
    """What one frame shows. `second` holds lines as another network reads them; `again` says that
    the frame was looked at a second time.
    """

    lines: tuple[ReadLine, ...]
    symbols: tuple[SeenSymbol, ...]
    causes: Causes = Causes()  # noqa: RUF009 -- frozen
    second: tuple[ReadLine, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """Evidence of all frames of one carton; `fused` is None without a list. `looks`: 1, or 2 where
    a second network was asked too. `cause`: why it may not be readable, where something is.
    """

    plain: PlainReading
    fused: Fused | None
    index: ExpectedIndex
    anything: bool
    looks: int = 1
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One carton: what was seen, weighed and decided."""

    views: tuple[View, ...]
    weighed: Weighed
    outcome: Outcome


@dataclass
class LabelReader:
    """Reads labels with one model set. Safe to call from several threads."""

    model_set: str
    line_reader: LineReader
    matcher: Matcher
    captions: CaptionMatcher
    fusion: FusionSettings
    confidence: Confidence
    confidence_again: Confidence
    calibrated: bool = True
    _pool: ThreadPoolExecutor | None = field(default=None, repr=False)
    _index: ExpectedIndex | None = field(default=None, repr=False)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        model_set: str,
        threads: int = 1,
        variant: str = CPU,
        line_reader: Callable[[Charset], LineReader] | None = None,
    ) -> LabelReader:
        """Load the set in `folder`; `model_set` is its digest as the caller verified it.

        Lines are read on `threads` threads, one core each, by our own pipeline on the engine
        `variant`, or by the `line_reader` made for the set's charset. Raises ArtefactRefusedError
        for a folder that is no label reader, and what load_engine raises.
        """
        try:
            numbers = json.loads((folder / "reader.json").read_text(encoding="utf-8"))
            charset = Charset.parse((folder / "charset.txt").read_text(encoding="utf-8"))
            align = AlignSettings(**numbers["align"])
            fusion = FusionSettings(align=align, **numbers["fusion"])
            numbers_again = numbers["confidence"] | numbers["confidence_again"]
            confidence = read_confidence(numbers["confidence"])
            confidence_again = read_confidence(numbers_again)
            calibrated = bool(numbers["calibrated"])
            matcher, captions = Matcher(charset, align), CaptionMatcher.build(charset, align)
            pool = ThreadPoolExecutor(threads, "read") if threads > 1 else None
            lines = (
                line_reader(charset)
                if line_reader
                else OwnLines.load(
                    folder, numbers, matcher, captions, variant=variant, threads=threads, pool=pool
                )
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtefactRefusedError(
                f"{folder} is not a label reader: {error}", mend="Install the model set again"
            ) from error
        return cls(
            model_set,
            lines,
            matcher,
            captions,
            fusion,
            confidence,
            confidence_again,
            calibrated,
            _pool=pool,
        )

    @property
    def variant(self) -> str:
        return self.line_reader.variant

    def read(
        self,
        frames: Sequence[NDArray[np.uint8]],
        expected: Sequence[ExpectedLine],
        *,
        name: str,
    ) -> LabelReading:
        """Read one carton from its frames, each (h, w, 3) uint8 BGR.

        `expected` is the list; empty means plain reading under grammar and check digits. Takes
        the processor for a tenth of a second or more: call it in a thread.
        """
        start = time.perf_counter()
        judged = self.conclude(frames, [self.see(frame) for frame in frames], expected)
        views, outcome = judged.views, judged.outcome
        lines = [line for view in views for line in view.lines if line.text.strip()]
        return LabelReading(
            frame=name,
            fields=outcome.fields,
            symbols=tuple(each.symbol for view in views for each in view.symbols),
            asn_line=outcome.asn_line,
            confidence=round(outcome.confidence, 4),
            decision=outcome.decision,
            reasons=outcome.reasons,
            model_set=self.model_set,
            elapsed_ms=round(1000 * (time.perf_counter() - start), 1),
            lines=tuple(_text_line(line) for line in lines),
            candidates=outcome.candidates,
        )

    def see(self, frame: NDArray[np.uint8]) -> View:
        """Symbols and lines of one frame."""
        waiting = self._pool.submit(read_whole_symbols, frame) if self._pool else None
        lines = self.line_reader.lines(frame)
        symbols = waiting.result() if waiting else read_whole_symbols(frame)
        return View(lines, symbols, Causes(labels=len(split_labels(lines, symbols))))

    def conclude(
        self,
        frames: Sequence[NDArray[np.uint8]],
        views: Sequence[View],
        expected: Sequence[ExpectedLine],
    ) -> Judged:
        """Weigh and decide; where that ends in doubt, ask the second network and do it again.
        `views` are what `see` said of `frames`.
        """
        weighed = self.weigh(views, expected)
        outcome = self.decide(weighed)
        doubt = outcome.decision is ReadDecision.REVIEW and weighed.cause != "two_labels"
        if doubt and weighed.anything and weighed.looks == 1:
            views = [
                view if view.again else self.look_again(frame, view)
                for frame, view in zip(frames, views, strict=True)
            ]
            weighed = self.weigh(views, expected)
            outcome = self.decide(weighed)
        return Judged(tuple(views), weighed, outcome)

    def look_again(self, frame: NDArray[np.uint8], view: View) -> View:
        """What takes too long for every frame: the second network's reading of the code-like
        lines, damaged symbols mended, and why it may not be readable.
        """
        mend = self._pool.submit(mend_symbols, frame) if self._pool and not view.symbols else None
        second = self.line_reader.again(frame, view.lines)
        mended = mend.result() if mend else () if view.symbols else mend_symbols(frame)
        symbols = (*view.symbols, *mended)
        boxes = np.array([line.box for line in view.lines], dtype=np.float64).reshape(-1, 5)
        causes = causes_of(frame, boxes, view.lines, symbols)
        return View(view.lines, symbols, causes, second, again=True)

    def weigh(self, views: Sequence[View], expected: Sequence[ExpectedLine]) -> Weighed:
        """Bring the evidence of all frames of one carton together."""
        lines = [line for view in views for line in (*view.lines, *view.second)]
        looks = 2 if any(view.again for view in views) else 1
        prints = 2 if any(view.second for view in views) else 1
        causes = [view.causes.likeliest for view in views]
        cause = "two_labels" if "two_labels" in causes else next(filter(None, causes), None)
        elements = [each.elements for view in views for each in view.symbols if each.elements]
        texts = [PlainLine(line.text, line.confidence, line.sure) for line in lines]
        plain = read_plainly(texts, elements)
        index = self._index_of(expected)
        anything = bool(elements) or any(len(line.text.strip()) > 2 for line in lines)  # noqa: PLR2004 -- specks
        if not expected:
            return Weighed(plain, None, index, anything, looks, cause)
        stream = self.stream([line for line in lines if _may_hold_a_field(line)])
        fused = fuse(
            stream,
            self.captions,
            elements,
            index,
            self.matcher.charset,
            self.fusion,
            frames=max(1, prints * len(views)),
            complete=_complete(expected),
        )
        return Weighed(plain, fused, index, anything, looks, cause)

    def decide(self, weighed: Weighed) -> Outcome:
        """Accept or review. A set whose confidence was fitted on another reader's lines says
        nothing about this one's, so nothing is accepted with it (I7).
        """
        confidence = self.confidence if weighed.looks == 1 else self.confidence_again
        if weighed.fused is None:
            outcome = decide_plain(weighed.plain, confidence, anything=weighed.anything)
        else:
            outcome = decide_listed(
                weighed.fused,
                weighed.plain,
                weighed.index,
                confidence,
                anything=weighed.anything,
            )
        outcome = with_cause(outcome, weighed.cause)
        if self.calibrated or outcome.decision is ReadDecision.REVIEW:
            return outcome
        reasons = (Reason("reader_uncalibrated"),)
        return replace(outcome, decision=ReadDecision.REVIEW, reasons=reasons)

    def stream(self, lines: Sequence[ReadLine]) -> Stream:
        return self.matcher.stream([line.glyphs for line in lines])

    def _index_of(self, expected: Sequence[ExpectedLine]) -> ExpectedIndex:
        # Counts change with every carton, the announced lines do not: they alone are the key.
        lines = tuple(each.line for each in expected)
        index = self._index
        if index is None or index.lines != lines:
            index = ExpectedIndex.build(lines, self.matcher.charset)
            if lines:
                self._index = index
        return index


def _may_hold_a_field(line: ReadLine) -> bool:
    """GTINs, batches and dates have digits; names and handling marks only cost time."""
    return sum(c.isdigit() or c == UNREADABLE for c in line.text) >= _LEAST_DIGITS


def read_confidence(numbers: dict[str, Any]) -> Confidence:
    """The calibration of a model set from its JSON."""
    answers = Answers(Logistic(**numbers["off_list"]), Logistic(**numbers["other"]))
    return Confidence(answers, Logistic(**numbers["plain"]), Thresholds(**numbers["thresholds"]))


def _complete(expected: Sequence[ExpectedLine]) -> NDArray[np.bool_] | None:
    """(lines,) of which everything announced has arrived; None where that is none."""
    if not any(each.counted for each in expected):
        return None
    return np.array([each.outstanding <= 0 < each.line.quantity for each in expected])


def _text_line(line: ReadLine) -> TextLine:
    a, b, c, d = ((round(float(x), 1), round(float(y), 1)) for x, y in corners(line.box))
    return TextLine(line.text, round(line.confidence, 4), (a, b, c, d))

"""Our own line reader: find, complete, read; upside down where that makes more sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.engine import load_engine
from vision.reading.align import Matcher
from vision.reading.captions import CaptionMatcher
from vision.reading.ctc import UNREADABLE, Charset
from vision.reading.detector import Boxes, Detector, DetectorSettings
from vision.reading.finder import FinderSettings, find_lines, read_finder
from vision.reading.label_area import WorthSettings, worth_reading
from vision.reading.recogniser import ReadLine, Recogniser, RecogniserSettings

_MOST_LINES = 40
_TRIED_TURNED = 2
_MOST_AGAIN = 8


@dataclass(frozen=True, slots=True)
class OwnLines:
    """Implements ports.LineReader. With a `pool`, lines are read on its threads. `second` is
    another network, asked only where the first leaves doubts.
    """

    detector: Detector
    recogniser: Recogniser
    second: Recogniser | None
    finder: FinderSettings
    matcher: Matcher
    captions: CaptionMatcher
    variant: str
    pool: ThreadPoolExecutor | None = field(default=None, repr=False)

    @classmethod
    def load(
        cls,
        folder: Path,
        numbers: Mapping[str, Any],
        matcher: Matcher,
        captions: CaptionMatcher,
        *,
        variant: str,
        threads: int,
        pool: ThreadPoolExecutor | None,
    ) -> OwnLines:
        """The networks in `folder` with a model set's `numbers` (its reader.json).

        Raises KeyError and TypeError for numbers that are not there, and what load_engine raises.
        """
        detecting = DetectorSettings(**numbers["detector"])
        recognising = RecogniserSettings(**numbers["recogniser"])
        finder = read_finder(numbers["finder"])
        # A camera's frames have one size, so the detector's buffers can be kept.
        detector = load_engine(
            folder / "det.onnx", variant=variant, threads=threads, keep_arena=True
        )
        recogniser = load_engine(folder / "rec.onnx", variant=variant, parallel=threads)
        second = None
        if (folder / "second.onnx").exists():
            engine = load_engine(folder / "second.onnx", variant=variant, parallel=threads)
            own = Charset.parse((folder / "second_charset.txt").read_text(encoding="utf-8"))
            second = Recogniser.of(engine, matcher.charset, own, recognising)
        return cls(
            Detector(detector, detecting),
            Recogniser.of(recogniser, matcher.charset, matcher.charset, recognising),
            second,
            finder,
            matcher,
            captions,
            variant,
            pool,
        )

    def lines(self, frame: NDArray[np.uint8]) -> tuple[ReadLine, ...]:
        """Text that reads as nothing is tried upside down."""
        boxes = find_lines(frame, self.detector, self.finder)
        if len(boxes) > _MOST_LINES:
            boxes = boxes[np.sort(worth_reading(boxes, WorthSettings())[:_MOST_LINES])]
        lines = self._read(self.recogniser, frame, boxes)
        return lines if self._plausible(lines) else self._turned(frame, boxes, lines)

    def again(self, frame: NDArray[np.uint8], lines: Sequence[ReadLine]) -> tuple[ReadLine, ...]:
        """As the port has it: lines that look like codes, longest first, at most eight."""
        if self.second is None:
            return ()
        coded = [
            line.box for line in lines if any(c.isdigit() or c == UNREADABLE for c in line.text)
        ]
        coded.sort(key=lambda box: -box[2] / max(box[3], 1e-6))
        boxes = np.array(coded[:_MOST_AGAIN], dtype=np.float64).reshape(-1, 5)
        return self._read(self.second, frame, boxes)

    def _turned(
        self, frame: NDArray[np.uint8], boxes: Boxes, upright: tuple[ReadLine, ...]
    ) -> tuple[ReadLine, ...]:
        """The lines read upside down where that makes more sense. A few long ones tell first: most
        frames that read as nothing are damaged, not turned.
        """
        turn = np.array([0, 0, 0, 0, np.pi])
        longest = np.sort(np.argsort(-boxes[:, 2])[:_TRIED_TURNED])
        tried = self._read(self.recogniser, frame, boxes[longest] + turn)
        if self._sense(tried) <= self._sense([upright[i] for i in longest]):
            return upright
        other = self._read(self.recogniser, frame, boxes + turn)
        return other if self._sense(other) > self._sense(upright) + 1.0 else upright

    def _read(
        self, recogniser: Recogniser, frame: NDArray[np.uint8], boxes: Boxes
    ) -> tuple[ReadLine, ...]:
        if self.pool is None:
            return tuple(recogniser.read(frame, box) for box in boxes)
        # Longest first, so that no thread is left alone with a long line at the end.
        order = np.argsort(-boxes[:, 2] / np.maximum(boxes[:, 3], 1e-6))
        read = list(self.pool.map(lambda i: recogniser.read(frame, boxes[i]), order))
        return tuple(line for _, line in sorted(zip(order, read, strict=True), key=lambda p: p[0]))

    def _plausible(self, lines: Sequence[ReadLine]) -> bool:
        """Most of what is long enough to be text reads surely."""
        return self._sense(lines) >= 8.0  # noqa: PLR2004 -- one plain caption or a dozen letters

    def _sense(self, lines: Sequence[ReadLine]) -> float:
        """How much the lines look like a label read the right way up, in log odds."""
        if not lines:
            return 0.0
        weights = self.captions.weigh(self.matcher.stream([line.glyphs for line in lines]))
        caption = max(float(each.max()) for each in weights.values())
        letters = sum(len(line.text) * (line.confidence - 0.75) for line in lines)
        return max(caption - 4.0, 0.0) + letters

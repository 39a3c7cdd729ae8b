"""The digits printed below the bars, as log odds for each digit of the number.

The lines come from a label reader's networks; where a listed number fits them best is found by the
same alignment that reads labels (vision.reading.align), so a digit that cannot be read any more
says nothing instead of something wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.reading.align import Matcher, Stream, Trie, fit
from vision.reading.ctc import Glyphs
from vision.reading.dates import Written
from vision.reading.ports import LineReader
from vision.reading.recogniser import ReadLine
from vision.reading.trace import place
from vision.shelf.damaged.grid import Floats, Grid
from vision.shelf.damaged.strip import Strip

_DIGIT_PX = 24
"""About how high digits stand in what the networks see."""
_DIGIT_MODULES = 8.0
_MOST_ENLARGED = 4.0
_OVERLAP_MODULES = 3.0
_BELOW_MODULES = 14.0
_SIDE_MODULES = 14.0
_LEAST_DIGITS = 3
_SHORTLIST = 64
_MOST = 4.0
"""Log odds that one printed digit can say."""
_TRUST = 0.7
"""Networks are surer of single digits than they are right."""


class PrintReader(Protocol):
    """What is needed of vision.reading.reader.LabelReader."""

    @property
    def line_reader(self) -> LineReader: ...

    @property
    def matcher(self) -> Matcher: ...


def digits_below(
    strip: Strip, grid: Grid, modules: int, reader: PrintReader, likely: Sequence[str]
) -> Floats | None:
    """(length, 10) log odds of the printed digits, aligned by the best of `likely` (numbers as they
    are printed, the likeliest by its bars first). None where no digits are found.
    """
    stream = _stream(strip, grid, modules, reader)
    if stream is None or not likely:
        return None
    shown = list(likely[:_SHORTLIST])
    matcher = reader.matcher
    fits = fit(Trie.build(shown, matcher.charset), stream, matcher.settings)
    best = int(fits.max(axis=1).argmax())
    line = int(fits[best].argmax())
    number = shown[best]
    written = Written(number, tuple(range(len(number))))
    placed = place(written, stream, line, matcher.charset, matcher.settings)
    rows = np.array([matcher.charset.index[str(digit)] for digit in range(10)])
    table = np.zeros((len(number), 10))
    for i, column in enumerate(placed.columns):
        if column >= 0:
            odds = _TRUST * stream.odds[rows, column].astype(np.float64)
            odds -= np.logaddexp.reduce(odds) - np.log(10)
            table[i] = np.clip(odds, -_MOST, _MOST)
    return table


def _stream(strip: Strip, grid: Grid, modules: int, reader: PrintReader) -> Stream | None:
    picture = _below(strip, grid, modules)
    if picture is None:
        return None
    lines = [
        line
        for line in reader.line_reader.lines(picture)
        if sum(c.isdigit() for c in line.text) >= 1
    ]
    joined = _joined(lines)
    if sum(c.isdigit() for line in lines for c in line.text) < _LEAST_DIGITS or joined is None:
        return None
    return reader.matcher.stream([joined])


def _below(strip: Strip, grid: Grid, modules: int) -> NDArray[np.uint8] | None:
    """The zone below the bars (h, w, 3), upright and large enough."""
    width = abs(grid.width)
    ends = sorted((grid.begin, grid.begin + grid.width * modules))
    left = max(0, round(ends[0] - _SIDE_MODULES * width))
    right = min(strip.upright.shape[1], round(ends[1] + _SIDE_MODULES * width))
    over, under = _OVERLAP_MODULES * width, _BELOW_MODULES * width
    if grid.width > 0:
        rows = (strip.bottom - over, strip.bottom + under)
    else:
        rows = (strip.top - under, strip.top + over)
    top, bottom = max(0, round(rows[0])), min(strip.upright.shape[0], round(rows[1]))
    zone = strip.upright[top:bottom, left:right]
    if zone.shape[0] < _DIGIT_MODULES * width * 0.8 or zone.shape[1] == 0:
        return None
    if grid.width < 0:
        zone = np.asarray(cv2.rotate(zone, cv2.ROTATE_180), dtype=np.uint8)
    scale = min(_MOST_ENLARGED, max(1.0, _DIGIT_PX / (_DIGIT_MODULES * width)))
    large = cv2.resize(zone, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    pad = _DIGIT_PX
    framed = cv2.copyMakeBorder(large, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(framed, cv2.COLOR_GRAY2BGR), dtype=np.uint8)


def _joined(lines: Sequence[ReadLine]) -> Glyphs | None:
    """EAN-13 is printed as 1, 6 and 6 digits apart: lines of one height are one number."""
    if not lines:
        return None
    longest = max(lines, key=lambda line: len(line.text))
    same = [
        line
        for line in lines
        if abs(line.box[1] - longest.box[1])
        < 0.6 * min(line.box[2:4].min(), longest.box[2:4].min())
    ]
    same.sort(key=lambda line: float(line.box[0]))
    glyphs = [line.glyphs for line in same]
    hidden = [np.zeros(len(g), np.float32) if g.hidden is None else g.hidden for g in glyphs]
    return Glyphs(
        np.concatenate([g.letters for g in glyphs]),
        np.concatenate([(g.at + k) / len(glyphs) for k, g in enumerate(glyphs)]),
        np.concatenate(hidden),
    )

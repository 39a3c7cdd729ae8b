"""Whose line is whose, where more than one label is in the frame: two cartons must not become one.

A label names its batch once, under one caption, and its symbols agree with each other. Two batch
captions with different values, or two symbols of different products or batches, are two labels.
The frame is then cut where nothing is printed between them, as one cuts columns on a page (XY cut,
Nagy and Seth 1984, "Hierarchical representation of optically scanned documents").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from vision.reading.boxes import dominant_angle, to_flat
from vision.reading.captions import Role, find_captions
from vision.reading.recogniser import ReadLine
from vision.reading.symbols import SeenSymbol

MOST_LABELS = 4
_VALUE = re.compile(r"[\s:：.#]*([0-9A-Za-z][0-9A-Za-z\-/._]{2,19})")
_SHORTEST_CAPTION = 3
_DATE = re.compile(r"20\d\d[./-]?\d\d[./-]?\d\d")
_APART = 1.5
"""Captions nearer than this, in line heights, are one line that was read in two pieces."""

_UNLIKE = 0.6


@dataclass(frozen=True, slots=True)
class LabelGroup:
    """Indices of the lines and symbols of one label. `height_px`: how high its print is, so that
    a smaller label behind can be told from the one in front.
    """

    lines: tuple[int, ...]
    symbols: tuple[int, ...]
    height_px: float


@dataclass(frozen=True, slots=True)
class _Claim:
    """A place (x, y) that says something which a label says once."""

    what: str
    value: str
    place: NDArray[np.float64]
    height: float


def split_labels(
    lines: Sequence[ReadLine], symbols: Sequence[SeenSymbol]
) -> tuple[LabelGroup, ...]:
    """The labels of a frame, most print first; one group where nothing speaks for two, none where
    there is nothing. Lines and symbols each belong to exactly one group.
    """
    if not lines and not symbols:
        return ()
    boxes = np.array([line.box for line in lines], dtype=np.float64).reshape(-1, 5)
    tilt = dominant_angle(boxes) if len(boxes) else 0.0
    flat = to_flat(boxes, tilt)
    quads = [_turned(np.array(each.symbol.quad, dtype=np.float64), tilt) for each in symbols]
    spans = [_span(box) for box in flat]
    spans += [np.stack([quad.min(axis=0), quad.max(axis=0)]) for quad in quads]
    claims = [*_of_lines(lines, flat), *_of_symbols(symbols, quads)]
    groups = [list(range(len(spans)))]
    while len(groups) < MOST_LABELS:
        cut = _next_cut(groups, np.array(spans), claims)
        if cut is None:
            break
        groups[cut[0] : cut[0] + 1] = [cut[1], cut[2]]
    height = float(np.median(boxes[:, 3])) if len(boxes) else 0.0
    found = [_group(group, lines, height) for group in groups]
    return tuple(sorted(found, key=lambda each: -_printed(each, flat)))


def _of_lines(lines: Sequence[ReadLine], flat: NDArray[np.float64]) -> Iterator[_Claim]:
    for line, box in zip(lines, flat, strict=True):
        for role, start, end in find_captions(line.text):
            word = line.text[start:end]
            # Element strings are the symbol's own text, and repeat what the label says. One or two
            # letters are a caption too often misread.
            short = word.isascii() and len(word.strip(" :.")) < _SHORTEST_CAPTION
            if role is not Role.BATCH or word.startswith("(") or short:
                continue
            value = _VALUE.match(line.text, end)
            if value is None or not any(c.isdigit() for c in value.group(1)):
                continue
            # More often a date whose caption was misread than a batch.
            if _DATE.fullmatch(value.group(1)):
                continue
            along = (start / max(1, len(line.text)) - 0.5) * box[2]
            place = np.array([box[0] + along, box[1]])
            yield _Claim("latin" if word.isascii() else "chinese", value.group(1), place, box[3])


def _of_symbols(
    symbols: Sequence[SeenSymbol], quads: Sequence[NDArray[np.float64]]
) -> Iterator[_Claim]:
    for each, quad in zip(symbols, quads, strict=True):
        for what in ("gtin", "batch"):
            value = getattr(each.elements, what)
            if value is not None:
                yield _Claim(f"symbol {what}", value, quad.mean(axis=0), 0.0)


def _next_cut(
    groups: Sequence[Sequence[int]], spans: NDArray[np.float64], claims: Sequence[_Claim]
) -> tuple[int, list[int], list[int]] | None:
    """Which group to cut, and its parts."""
    for k, group in enumerate(groups):
        low, high = spans[group, 0].min(axis=0), spans[group, 1].max(axis=0)
        inside = [c for c in claims if np.all(c.place >= low) and np.all(c.place <= high)]
        for i, one in enumerate(inside):
            for other in inside[i + 1 :]:
                if _contradict(one, other):
                    parts = _cut(group, spans, one.place, other.place)
                    if parts is not None:
                        return k, *parts
    return None


def _contradict(one: _Claim, other: _Claim) -> bool:
    apart = float(np.abs(one.place - other.place).max())
    if one.value == other.value or apart <= _APART * max(one.height, other.height):
        return False
    if one.what == other.what:
        return True
    # Bilingual labels say their batch twice, and misreadings of one value resemble each other.
    both = {one.what, other.what} == {"latin", "chinese"}
    return both and SequenceMatcher(None, one.value, other.value).ratio() < _UNLIKE


def _cut(
    group: Sequence[int],
    spans: NDArray[np.float64],
    one: NDArray[np.float64],
    other: NDArray[np.float64],
) -> tuple[list[int], list[int]] | None:
    """Cut between two places where the gap is widest; across print only if there is no gap."""
    best: tuple[float, int, float] | None = None
    for axis in (0, 1):
        start, stop = sorted((one[axis], other[axis]))
        edges = spans[group][:, :, axis]
        for at in (*edges[:, 0], *edges[:, 1]):
            if not start <= at <= stop:
                continue
            before, after = edges[edges.mean(axis=1) <= at], edges[edges.mean(axis=1) > at]
            if len(before) and len(after):
                gap = float(after[:, 0].min() - before[:, 1].max())
                if best is None or gap > best[0]:
                    best = (gap, axis, float(at))
    if best is None:
        return None
    _, axis, at = best
    middle = spans[:, :, axis].mean(axis=1)
    return [i for i in group if middle[i] <= at], [i for i in group if middle[i] > at]


def _group(group: Sequence[int], lines: Sequence[ReadLine], usual: float) -> LabelGroup:
    own = tuple(i for i in group if i < len(lines))
    height = float(np.median([lines[i].box[3] for i in own])) if own else usual
    return LabelGroup(own, tuple(i - len(lines) for i in group if i >= len(lines)), height)


def _printed(group: LabelGroup, flat: NDArray[np.float64]) -> float:
    own = list(group.lines)
    return float(np.sum(flat[own, 2] * flat[own, 3]))


def _span(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Low and high corner (2, 2) of a nearly flat box."""
    reach = np.array([box[2], box[3]]) / 2
    return np.stack([box[:2] - reach, box[:2] + reach])


def _turned(points: NDArray[np.float64], tilt: float) -> NDArray[np.float64]:
    c, s = np.cos(tilt), np.sin(tilt)
    turned: NDArray[np.float64] = points @ np.array([[c, -s], [s, c]])
    return turned

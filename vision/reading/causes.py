"""Why a label could not be read: blur, glare, damage, or two labels at once.

Measured on the lines that were found, so that what stands around them does not count: how wide
edges are, whether pieces of a line outshine its paper, how much the reader doubts. The levels are
calibrated on the development frames; 0.5 is where a cause is named. Of 81 of them that went to
review it named 64: blurred 7, all right; glare 6, 5 right; damaged 51, 49 right. Glare on white
paper is not told from damage: it looks like paper without print.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.reading.detector import Boxes, corners
from vision.reading.labels import split_labels
from vision.reading.recogniser import ReadLine
from vision.reading.symbols import SeenSymbol

NAMED = 0.5
_MOST_LINES = 6
_SIDE_PX = 24
_WIDE_PX = 5.2
_WIDE = 0.11
"""Edges so wide, in pixels and in line heights, make half a cause."""
_OUTSHINES = 27.0
"""Grey levels over the paper's, 0..255."""
_DOUBT = 0.08
_SLIGHT = 8.0
_FLAT = 12.0


@dataclass(frozen=True, slots=True)
class Causes:
    """How much speaks for each, 0..1; `labels` is the number of labels in the frame."""

    blur: float = 0.0
    glare: float = 0.0
    damage: float = 0.0
    labels: int = 0

    @property
    def likeliest(self) -> str | None:
        """The reason code of the likeliest cause; None where none is likely."""
        if self.labels > 1:
            return "two_labels"
        named = {"blurred": self.blur, "glare": self.glare, "damaged": self.damage}
        code = max(named, key=lambda each: named[each])
        return code if named[code] >= NAMED else None


def causes_of(
    frame: NDArray[np.uint8],
    boxes: Boxes,
    lines: Sequence[ReadLine],
    symbols: Sequence[SeenSymbol] = (),
) -> Causes:
    """Causes in one frame (h, w, 3) BGR with its boxes (n, 5), the lines read in them, and its
    symbols. Takes a few milliseconds at most: only the longest lines are looked at.
    """
    longest = boxes[np.argsort(-boxes[:, 2])[:_MOST_LINES]]
    edges, levels = [], []
    for box in longest:
        grey = _grey(frame, box)
        if grey is None:
            continue
        width = _edge_width(grey)
        if width is not None:
            edges.append((*width, float(box[3])))
        levels.append(_paper(grey, float(box[3])))
    return Causes(
        blur=_blur(np.array(edges).reshape(-1, 3)),
        glare=_glare(levels),
        damage=_damage(lines),
        labels=len(split_labels(lines, symbols)),
    )


def _grey(frame: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.uint8] | None:
    """The upright rectangle around a box, or None if nothing of it is in the frame."""
    quad = corners(box)
    low = np.maximum(np.floor(quad.min(axis=0)).astype(int), 0)
    high = np.maximum(np.ceil(quad.max(axis=0)).astype(int) + 1, 0)
    part = frame[low[1] : high[1], low[0] : high[0]]
    if min(part.shape[:2]) < _SLIGHT:
        return None
    return np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def _edge_width(grey: NDArray[np.uint8]) -> tuple[float, float] | None:
    """How many pixels the steepest edges take from paper to ink, across and down; None without
    print. Motion blurs one direction only, so the wider one tells.
    """
    low, high = _quantiles(grey, 0.03, 0.97)
    if high - low < _FLAT:
        return None
    across = cv2.absdiff(grey[:, 2:], grey[:, :-2])
    down = cv2.absdiff(grey[2:], grey[:-2])
    (steep_x,), (steep_y,) = _quantiles(across, 0.98), _quantiles(down, 0.98)
    return 2 * (high - low) / max(steep_x, 1.0), 2 * (high - low) / max(steep_y, 1.0)


def _paper(grey: NDArray[np.uint8], height: float) -> NDArray[np.float64]:
    """The level of the paper in every piece, about as wide as high, along a line."""
    long = grey if grey.shape[1] >= grey.shape[0] else np.ascontiguousarray(grey.T)
    pieces = max(1, round(long.shape[1] / height))
    small = cv2.resize(long, (6 * pieces, 6), interpolation=cv2.INTER_AREA)
    cells = small.reshape(6, pieces, 6).transpose(1, 0, 2).reshape(pieces, 36)
    return np.sort(cells, axis=1)[:, 31].astype(np.float64)


def _blur(edges: NDArray[np.float64]) -> float:
    if len(edges) == 0:
        return 0.0
    # The sharpest quarter: a smear blurs some lines, a moving carton all.
    px = max(float(np.quantile(edges[:, k], 0.25)) for k in (0, 1))
    shares = edges[:, :2] / edges[:, 2:]
    share = max(float(np.quantile(shares[:, k], 0.25)) for k in (0, 1))
    return _level(min(px / _WIDE_PX, share / _WIDE))


def _glare(levels: Sequence[NDArray[np.float64]]) -> float:
    if not levels:
        return 0.0
    joined = np.concatenate(levels)
    over = float(np.quantile(joined, 0.98) - np.quantile(joined, 0.4))
    return _level(over / _OUTSHINES)


def _damage(lines: Sequence[ReadLine]) -> float:
    letters = sum(len(line.text) for line in lines)
    if letters == 0:
        return 1.0 if len(lines) > 0 else 0.0
    doubt = sum(len(line.text) * (1 - line.confidence) for line in lines) / letters
    return _level(doubt / _DOUBT)


def _level(ratio: float) -> float:
    """0.5 at a ratio of 1, rising to 1 at 2."""
    return min(1.0, max(0.0, ratio - 0.5)) if ratio < 1 else min(1.0, ratio / 2)


def _quantiles(values: cv2.typing.MatLike, *shares: float) -> list[float]:
    """Quantiles of grey levels by their histogram, several times faster than by sorting."""
    counts = cv2.calcHist([np.ascontiguousarray(values)], [0], None, [256], [0, 256]).ravel()
    below = np.cumsum(counts)
    return [float(np.searchsorted(below, share * below[-1])) for share in shares]

"""Find the lines of a frame: what the detector found, completed by what print is like.

The network finds strokes, geometry completes what damage has broken (vision.reading.boxes), and
where a block of dots is not held by what came out, its rows are read off the ink instead
(vision.reading.dot_rows).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vision.reading.boxes import CompletionSettings, complete, dominant_angle, to_flat
from vision.reading.detector import Boxes, Detector
from vision.reading.dot_rows import DotBlock, DotRowSettings, find_dot_blocks
from vision.reading.ink import Ink, ink_of
from vision.reading.line_ends import LineEndSettings, stretch_ends


@dataclass(frozen=True, slots=True)
class FinderSettings:
    """`held`: share of a dot row that one box must hold. `like_height`: heights that agree, the
    smaller to the larger. `long`: in box heights, from here on a box knows its own line.
    """

    completion: CompletionSettings = field(default_factory=CompletionSettings)
    dots: DotRowSettings = field(default_factory=DotRowSettings)
    ends: LineEndSettings = field(default_factory=LineEndSettings)
    held: float = 0.85
    like_height: float = 0.6
    long: float = 4.0


def find_lines(image: NDArray[np.uint8], detector: Detector, settings: FinderSettings) -> Boxes:
    """Boxes (n, 5) of the lines of `image` (h, w, 3) BGR, as vision.reading.detector has them."""
    ink = ink_of(image)
    return complete_with_ink(detector.boxes(image), ink, settings)


def complete_with_ink(boxes: Boxes, ink: Ink, settings: FinderSettings) -> Boxes:
    """`boxes` (n, 5) completed by geometry, and by the rows of dot blocks they do not hold."""
    lines = complete(boxes, settings.completion)
    tilts = [dominant_angle(boxes)] if len(boxes) else []
    for block in find_dot_blocks(ink, tilts, settings.dots):
        inside = _inside(boxes, block)
        if not inside.any() or _contradicted(boxes[inside], block, settings):
            continue
        if not all(_held(row, lines, settings) for row in block.rows):
            boxes = boxes[~inside]
            outside = complete(boxes, settings.completion)
            lines = np.concatenate([outside[~_inside(outside, block)], block.rows])
    return stretch_ends(lines, ink, settings.ends)


def _inside(boxes: Boxes, block: DotBlock) -> NDArray[np.bool_]:
    """Which boxes have their middle in the block."""
    tilt = float(block.rows[0, 4])
    rows, flat = to_flat(block.rows, tilt), to_flat(boxes, tilt)
    top = float(np.min(rows[:, 1] - rows[:, 3] / 2))
    bottom = float(np.max(rows[:, 1] + rows[:, 3] / 2))
    found: NDArray[np.bool_] = (
        (np.abs(flat[:, 0] - rows[0, 0]) <= rows[0, 2] / 2)
        & (flat[:, 1] >= top)
        & (flat[:, 1] <= bottom)
    )
    return found


def _contradicted(boxes: Boxes, block: DotBlock, settings: FinderSettings) -> bool:
    """Does a box that knows its line lie between two rows of the block, or across them?"""
    tilt = float(block.rows[0, 4])
    rows, flat = to_flat(block.rows, tilt), to_flat(boxes, tilt)
    height = float(np.median(rows[:, 3]))
    for box in flat[flat[:, 2] > settings.long * flat[:, 3]]:
        if box[3] > height / settings.like_height:
            continue  # Two rows in one box: what the ink is asked for.
        off = np.min(np.abs(rows[:, 1] - box[1]))
        if box[3] < settings.like_height * height or off > 0.35 * height:
            return True
    return False


def _held(row: NDArray[np.float64], lines: Boxes, settings: FinderSettings) -> bool:
    """Is one of `lines` this row, in about its whole length?"""
    tilt = float(row[4])
    (own,), flat = to_flat(row[None], tilt), to_flat(lines, tilt)
    low, high = np.minimum(flat[:, 3], own[3]), np.maximum(flat[:, 3], own[3])
    covered = np.minimum(flat[:, 0] + flat[:, 2] / 2, own[0] + own[2] / 2) - np.maximum(
        flat[:, 0] - flat[:, 2] / 2, own[0] - own[2] / 2
    )
    return bool(
        np.any(
            (low > settings.like_height * high)
            & (np.abs(flat[:, 1] - own[1]) < 0.3 * own[3])
            & (covered > settings.held * own[2])
        )
    )

"""Find the lines of a frame: what the detector found, completed by what print is like.

The network finds strokes, geometry completes what damage has broken (vision.reading.boxes), and
where a block of dots is not held by what came out, its rows are read off the ink instead
(vision.reading.dot_rows).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.reading.boxes import CompletionSettings, complete, dominant_angle, to_flat
from vision.reading.detector import Boxes, Detector
from vision.reading.dot_rows import DotBlock, DotRowSettings, find_dot_blocks
from vision.reading.ink import Ink, ink_of
from vision.reading.label_area import ink_shares
from vision.reading.line_ends import LineEndSettings, stretch_ends


@dataclass(frozen=True, slots=True)
class FinderSettings:
    """`held`: share of a dot row that one box must hold. `least_ink`: share of a
    box that is print; completion also looks where nothing is. `like_height`: heights that agree, the
    smaller to the larger. `long`: in box heights, from here on a box knows its own line; with
    `many_lines` of them the frame shows a printed label.
    """

    completion: CompletionSettings = field(default_factory=CompletionSettings)
    dots: DotRowSettings = field(default_factory=DotRowSettings)
    ends: LineEndSettings = field(default_factory=LineEndSettings)
    held: float = 0.85
    least_ink: float = 0.012
    like_height: float = 0.6
    long: float = 4.0
    many_lines: int = 6


def read_finder(numbers: Mapping[str, Any]) -> FinderSettings:
    """The settings of a model set from its JSON. Raises KeyError and TypeError for what is not
    there or unknown.
    """
    return FinderSettings(
        **{
            **numbers,
            "completion": CompletionSettings(**numbers["completion"]),
            "dots": DotRowSettings(**numbers["dots"]),
            "ends": LineEndSettings(**numbers["ends"]),
        }
    )


def find_lines(image: NDArray[np.uint8], detector: Detector, settings: FinderSettings) -> Boxes:
    """Boxes (n, 5) of the lines of `image` (h, w, 3) BGR, as vision.reading.detector has them."""
    return complete_with_ink(_detected(image, detector), ink_of(image), settings)


def _detected(image: NDArray[np.uint8], detector: Detector) -> Boxes:
    """What the network finds. It was trained on upright text: a page that lies on its side is
    looked at again, turned.
    """
    boxes = detector.boxes(image)
    if not _sideways(boxes):
        return boxes
    turned = detector.boxes(np.ascontiguousarray(np.rot90(image)))
    if turned[:, 2].sum() < boxes[:, 2].sum():
        return boxes
    back = turned.copy()
    back[:, 0], back[:, 1] = image.shape[1] - turned[:, 1], turned[:, 0]
    # The same angles as the detector's own, from -90 degrees to below 90.
    back[:, 4] = turned[:, 4] % np.pi - np.pi / 2
    return back


def _sideways(boxes: Boxes) -> bool:
    """Does most of the text run up or down?"""
    long = boxes[boxes[:, 2] > 2 * boxes[:, 3]]
    upright = np.abs(long[:, 4]) <= np.pi / 4
    return bool(long[~upright, 2].sum() > long[upright, 2].sum())


def complete_with_ink(boxes: Boxes, ink: Ink, settings: FinderSettings) -> Boxes:
    """`boxes` (n, 5) completed by geometry, and by the rows of dot blocks they do not hold."""
    lines = complete(boxes, settings.completion)
    for block in _dot_blocks(boxes, ink, settings):
        inside = _inside(boxes, block)
        if not inside.any() or _contradicted(boxes[inside], block, settings):
            continue
        held = [_held(row, lines, settings) for row in block.rows]
        free = np.array([not each.any() for each in held])
        if free.any():
            kept = ~_inside(lines, block) | np.any(held, axis=0)
            lines = np.concatenate([lines[kept], block.rows[free]])
    seen = _hold_any(lines, boxes) | (ink_shares(lines, ink) >= settings.least_ink)
    lines = lines[seen]
    return stretch_ends(lines, ink, settings.ends)


def _dot_blocks(boxes: Boxes, ink: Ink, settings: FinderSettings) -> tuple[DotBlock, ...]:
    """Blocks of dots where there may be any: of a printed label, the network finds many lines."""
    known = np.count_nonzero(boxes[:, 2] > settings.long * boxes[:, 3])
    if known >= settings.many_lines or len(boxes) > settings.completion.most_boxes:
        return ()
    tilts = [dominant_angle(boxes)] if len(boxes) else []
    return find_dot_blocks(ink, tilts, settings.dots)


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


def _hold_any(lines: Boxes, boxes: Boxes) -> NDArray[np.bool_]:
    """Which of `lines` have the middle of one of `boxes` in them."""
    c, s = np.cos(lines[:, 4])[:, None], np.sin(lines[:, 4])[:, None]
    x, y = boxes[:, 0] - lines[:, 0, None], boxes[:, 1] - lines[:, 1, None]
    found: NDArray[np.bool_] = np.any(
        (np.abs(x * c + y * s) <= lines[:, 2, None] / 2)
        & (np.abs(y * c - x * s) <= lines[:, 3, None] / 2),
        axis=1,
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


def _held(row: NDArray[np.float64], lines: Boxes, settings: FinderSettings) -> NDArray[np.bool_]:
    """Which of `lines` are this row, in about its whole length."""
    tilt = float(row[4])
    (own,), flat = to_flat(row[None], tilt), to_flat(lines, tilt)
    low, high = np.minimum(flat[:, 3], own[3]), np.maximum(flat[:, 3], own[3])
    covered = np.minimum(flat[:, 0] + flat[:, 2] / 2, own[0] + own[2] / 2) - np.maximum(
        flat[:, 0] - flat[:, 2] / 2, own[0] - own[2] / 2
    )
    held: NDArray[np.bool_] = (
        (low > settings.like_height * high)
        & (np.abs(flat[:, 1] - own[1]) < 0.3 * own[3])
        & (covered > settings.held * own[2])
    )
    return held

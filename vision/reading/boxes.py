"""Complete the lines that damage has broken: pure geometry over boxes, no picture.

A detector finds pieces where ink or scratches cut a line. Print is regular, so the pieces tell
where the rest is: collinear pieces are one line, the lines of a block share their edges, and rows
follow each other at one pitch. Reading a little blank costs nothing; missing half a date does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CompletionSettings:
    """All lengths in line heights, all ratios of the smaller to the larger."""

    merge_gap: float = 4.0
    merge_gap_alone: float = 12.0
    merge_offset: float = 0.45
    like_height: float = 0.55
    row_distance: float = 2.6
    stretch: float = 7.0
    most_tilt_rad: float = 0.26
    longest: float = 45.0
    edge_rows: int = 4
    most_boxes: int = 120


def complete(boxes: Boxes, settings: CompletionSettings) -> Boxes:
    """Merge collinear pieces, stretch lines to their block's extent, insert missing rows.

    `boxes` (n, 5) as vision.reading.detector finds them; returns (m, 5). Boxes that lie across
    the dominant direction are kept as they are.
    """
    if len(boxes) == 0:
        return boxes
    if len(boxes) > settings.most_boxes:
        area = boxes[:, 2] * boxes[:, 3]
        boxes = boxes[np.sort(np.argsort(-area)[: settings.most_boxes])]
    tilt = dominant_angle(boxes)
    turned = np.abs((boxes[:, 4] - tilt + np.pi / 2) % np.pi - np.pi / 2) > settings.most_tilt_rad
    # A piece about as long as high has no direction of its own.
    square = boxes[:, 2] < 2.0 * boxes[:, 3]
    aside = boxes[turned & ~square]
    lines = boxes[~turned | square].copy()
    lines[lines[:, 2] < 2.0 * lines[:, 3], 4] = tilt
    flat = to_flat(lines, tilt)
    flat = _merge(flat, settings)
    done = [row for block in _blocks(flat, settings) for row in _fill(flat, block, settings)]
    return np.concatenate([from_flat(np.array(done).reshape(-1, 5), tilt), aside])


def dominant_angle(boxes: Boxes) -> float:
    """The direction of most text: the median angle, weighted by length, of the long boxes."""
    long = boxes[boxes[:, 2] > 2.5 * boxes[:, 3]]
    if len(long) == 0:
        long = boxes
    # Doubled angles: a line and the same line upside down have one direction.
    mean = np.angle(np.sum(long[:, 2] * np.exp(2j * long[:, 4]))) / 2
    off = (long[:, 4] - mean + np.pi / 2) % np.pi - np.pi / 2
    order = np.argsort(off)
    weight = np.cumsum(long[order, 2])
    return float(mean + off[order][np.searchsorted(weight, weight[-1] / 2)])


def to_flat(boxes: Boxes, tilt: float) -> Boxes:
    """Turn the page by `tilt`, so that text runs to the right."""
    c, s = np.cos(tilt), np.sin(tilt)
    flat = boxes.copy()
    flat[:, 0] = boxes[:, 0] * c + boxes[:, 1] * s
    flat[:, 1] = -boxes[:, 0] * s + boxes[:, 1] * c
    flat[:, 4] = (boxes[:, 4] - tilt + np.pi / 2) % np.pi - np.pi / 2
    return flat


def from_flat(flat: Boxes, tilt: float) -> Boxes:
    boxes = to_flat(flat, -tilt)
    boxes[:, 4] = flat[:, 4] + tilt
    return boxes


def _merge(flat: Boxes, settings: CompletionSettings) -> Boxes:
    """Collinear pieces become one line; far apart only where no row above or below tells columns
    from tears.
    """
    rows = _merged(flat[np.argsort(flat[:, 0] - flat[:, 2] / 2)], settings.merge_gap, settings)
    alone = _alone(rows, settings)
    if np.count_nonzero(alone) < 2:  # noqa: PLR2004 -- a pair
        return rows
    far = _merged(rows[alone], settings.merge_gap_alone, settings)
    return np.concatenate([rows[~alone], far])


def _merged(rows: Boxes, most_gap: float, settings: CompletionSettings) -> Boxes:
    rows = rows.copy()
    there = np.ones(len(rows), dtype=bool)
    again = True
    while again:
        again = False
        for i in range(len(rows)):
            if not there[i]:
                continue
            for j in np.flatnonzero(there & _near(rows, i, most_gap, settings)):
                low = min(rows[i, 3], rows[j, 3])
                if _step(rows[i], rows[j]) < settings.merge_offset * low:
                    rows[i], there[j], again = _union(rows[i], rows[j]), False, True
                    break
    return rows[there]


def _near(rows: Boxes, i: int, most_gap: float, settings: CompletionSettings) -> NDArray[np.bool_]:
    """Which later rows are of about the height of row `i` and follow or precede it closely."""
    own = rows[i]
    low, high = np.minimum(rows[:, 3], own[3]), np.maximum(rows[:, 3], own[3])
    mean = (low + high) / 2
    ends = np.minimum(rows[:, 0] + rows[:, 2] / 2, own[0] + own[2] / 2)
    gap = np.maximum(rows[:, 0] - rows[:, 2] / 2, own[0] - own[2] / 2) - ends
    near: NDArray[np.bool_] = (
        (low >= settings.like_height * high)
        & (gap <= most_gap * mean)
        & (np.maximum(rows[:, 2], own[2]) <= settings.longest * mean)
        & (gap >= -0.6 * np.minimum(rows[:, 2], own[2]))
        & (np.abs(rows[:, 1] - own[1]) < 0.35 * (rows[:, 2] + own[2]) + high)
    )
    near[: i + 1] = False
    return near


def _alone(rows: Boxes, settings: CompletionSettings) -> NDArray[np.bool_]:
    """Which rows have no row of their kind above or below them."""
    left, right = rows[:, 0] - rows[:, 2] / 2, rows[:, 0] + rows[:, 2] / 2
    low = np.minimum(rows[:, None, 3], rows[None, :, 3])
    high = np.maximum(rows[:, None, 3], rows[None, :, 3])
    apart = np.abs(rows[:, None, 1] - rows[None, :, 1])
    shared = np.minimum(right[:, None], right[None]) - np.maximum(left[:, None], left[None])
    beside = (
        (low >= settings.like_height * high)
        & (apart > 0.6 * low)
        & (apart < settings.row_distance * (low + high) / 2)
        & (shared > -high)
    )
    alone: NDArray[np.bool_] = np.logical_not(beside.any(axis=1))
    return alone


def _step(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """How far one piece's end lies above or below the other's beginning. Paper waves: the pieces
    are compared where they meet, along either one's direction or the page's, whichever fits.
    """
    first, second = (a, b) if a[0] <= b[0] else (b, a)
    end, start = first[0] + first[2] / 2, second[0] - second[2] / 2
    # Pieces about as long as high have no direction of their own.
    slopes = [np.tan(each[4]) if each[2] > 3 * each[3] else 0.0 for each in (first, second)]
    met = second[1] + slopes[1] * (start - second[0]) - first[1] - slopes[0] * (end - first[0])
    ways = [abs(met - slope * (start - end)) for slope in (0.0, *slopes)]
    longer, shorter = (a, b) if a[2] >= b[2] else (b, a)
    ways.append(abs(shorter[1] - longer[1] - np.tan(longer[4]) * (shorter[0] - longer[0])))
    return float(min(ways))


def _union(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    left = min(a[0] - a[2] / 2, b[0] - b[2] / 2)
    right = max(a[0] + a[2] / 2, b[0] + b[2] / 2)
    length = a[2] + b[2]
    height = max((a[2] * a[3] + b[2] * b[3]) / length, 0.85 * max(a[3], b[3]))
    if abs(b[0] - a[0]) > 3 * height:
        angle = np.arctan((b[1] - a[1]) / (b[0] - a[0]))
        # Short pieces say little about direction; the long one's own angle counts too.
        longer = a if a[2] >= b[2] else b
        weight = longer[2] / (right - left)
        angle = weight * longer[4] + (1 - weight) * angle
    else:
        angle = (a[2] * a[4] + b[2] * b[4]) / length
    centre = (left + right) / 2
    v = (
        a[2] * (a[1] + np.tan(angle) * (centre - a[0]))
        + b[2] * (b[1] + np.tan(angle) * (centre - b[0]))
    ) / length
    return np.array([centre, v, right - left, height, angle])


def _blocks(flat: Boxes, settings: CompletionSettings) -> list[list[int]]:
    """Lines that stand under each other at about one pitch and size, top to bottom."""
    n = len(flat)
    parent = list(range(n))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    left, right = flat[:, 0] - flat[:, 2] / 2, flat[:, 0] + flat[:, 2] / 2
    for i in range(n):
        low, high = np.minimum(flat[i, 3], flat[:, 3]), np.maximum(flat[i, 3], flat[:, 3])
        apart = np.abs(flat[i, 1] - flat[:, 1])
        share = np.minimum(right[i], right) - np.maximum(left[i], left)
        same = (
            (low > settings.like_height * high)
            & (share > -high)
            & (apart < settings.row_distance * (low + high) / 2)
        )
        for j in np.flatnonzero(same[i + 1 :]) + i + 1:
            parent[root(i)] = root(int(j))
    groups: dict[int, list[int]] = {}
    for i in np.argsort(flat[:, 1]):
        groups.setdefault(root(int(i)), []).append(int(i))
    return list(groups.values())


def _fill(flat: Boxes, block: list[int], settings: CompletionSettings) -> list[NDArray[np.float64]]:
    rows = flat[block]
    if len(rows) == 1:
        return [rows[0]]
    left, right = rows[:, 0] - rows[:, 2] / 2, rows[:, 0] + rows[:, 2] / 2
    reach = settings.stretch * rows[:, 3]
    new_left = np.maximum(left.min(), left - reach)
    new_right = np.minimum(right.max(), right + reach)
    for i in range(len(rows)):
        beside = np.abs(flat[:, 1] - rows[i, 1]) < 0.6 * rows[i, 3]
        others = flat[beside]
        ends = others[:, 0] + others[:, 2] / 2
        starts = others[:, 0] - others[:, 2] / 2
        before, after = ends[ends < rows[i, 0]], starts[starts > rows[i, 0]]
        if len(before):
            new_left[i] = max(new_left[i], min(left[i], before.max()))
        if len(after):
            new_right[i] = min(new_right[i], max(right[i], after.min()))
    out = rows.copy()
    out[:, 0], out[:, 2] = (new_left + new_right) / 2, new_right - new_left
    out[:, 1] = rows[:, 1] + np.tan(rows[:, 4]) * (out[:, 0] - rows[:, 0])
    return [*out, *_missing_rows(out, settings)]


def _missing_rows(rows: Boxes, settings: CompletionSettings) -> list[NDArray[np.float64]]:
    height = float(np.median(rows[:, 3]))
    # Rows side by side (two columns) count once.
    order = np.argsort(rows[:, 1])
    steps = np.diff(rows[order, 1])
    real = steps[steps > 0.6 * height]
    if len(real) == 0:
        return []
    pitch = float(np.min(real))
    found = []
    for k, step in enumerate(steps):
        if 1.6 * pitch < step < 2.6 * pitch and pitch < 2.2 * height:
            above, below = rows[order[k]], rows[order[k + 1]]
            found.append((above + below) / 2)
    if len(real) + 1 < settings.edge_rows:
        for edge, way in ((order[0], -1.0), (order[-1], 1.0)):
            row = rows[edge].copy()
            row[1] += way * pitch
            found.append(row)
    return found

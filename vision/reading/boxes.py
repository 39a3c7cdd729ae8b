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
    merge_offset: float = 0.45
    like_height: float = 0.55
    row_distance: float = 2.6
    stretch: float = 7.0
    most_tilt_rad: float = 0.26
    longest: float = 45.0
    edge_rows: int = 4


def complete(boxes: Boxes, settings: CompletionSettings) -> Boxes:
    """Merge collinear pieces, stretch lines to their block's extent, insert missing rows.

    `boxes` (n, 5) as vision.reading.detector finds them; returns (m, 5). Boxes that lie across
    the dominant direction are kept as they are.
    """
    if len(boxes) == 0:
        return boxes
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
    rows = [flat[i] for i in np.argsort(flat[:, 0] - flat[:, 2] / 2)]
    merged = True
    while merged:
        merged = False
        for i in range(len(rows)):
            for j in range(i + 1, len(rows)):
                if _collinear(rows[i], rows[j], settings):
                    rows[i] = _union(rows[i], rows[j])
                    del rows[j]
                    merged = True
                    break
            if merged:
                break
    return np.array(rows)


def _collinear(
    a: NDArray[np.float64], b: NDArray[np.float64], settings: CompletionSettings
) -> bool:
    low, high = sorted((a[3], b[3]))
    if low < settings.like_height * high:
        return False
    gap = max(a[0] - a[2] / 2, b[0] - b[2] / 2) - min(a[0] + a[2] / 2, b[0] + b[2] / 2)
    mean = (low + high) / 2
    if gap > settings.merge_gap * mean or max(a[2], b[2]) > settings.longest * mean:
        return False
    if gap < -0.6 * min(a[2], b[2]):
        return False
    longer, shorter = (a, b) if a[2] >= b[2] else (b, a)
    expected = longer[1] + np.tan(longer[4]) * (shorter[0] - longer[0])
    return bool(abs(shorter[1] - expected) < settings.merge_offset * low)


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
        for j in range(i + 1, n):
            low, high = sorted((flat[i, 3], flat[j, 3]))
            apart = abs(flat[i, 1] - flat[j, 1])
            share = min(right[i], right[j]) - max(left[i], left[j])
            if (
                low > settings.like_height * high
                and share > -high
                and apart < settings.row_distance * (low + high) / 2
            ):
                parent[root(i)] = root(j)
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

"""What kind of change a changed place is, by what is plain to see of it.

The kinds are words for a person, not what decides: whether a side is damaged at all is decided by
the score and its limit. Every cue is one measure of the place's shape or planes, tried in order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.condition import ConditionKind
from vision.condition.band import GRID_STEP, Changes, Grid

Box = tuple[float, float, float, float]
MOST_PLACES = 6
_GROWN = 0.5
"""A place reaches as far as half of the limit, so that its shape shows."""
_STRIP_SHAPE, _STRIP_LENGTH = 3.0, 0.3
"""Tape, or the gap where it was: long and narrow."""
_HOLE_BYTES = 28
"""Natural log luma x 100, softened: a hole is dark and small, a stain is large."""
_STAIN_SHARE, _ALL_DARK = 0.03, 0.9
_STICKER_FILL, _STICKER_SHARE = 0.82, 0.012
_BENT_SHARE = 0.15
"""A dent has a lit and a shaded flank."""


@dataclass(frozen=True, slots=True)
class Place:
    """`box` x, y, width, height in canvas px (outside the side for the outline), `score` the
    peak in deviations.
    """

    kind: ConditionKind
    score: float
    box: Box


def places_on(side: Grid, changes: Changes, limit: float) -> list[Place]:
    """Changed places of a side, the strongest first.

    `side` (rows, columns) is the strongest channel in deviations, `changes` the same in bytes.
    """
    count, labels = cv2.connectedComponents((side > _GROWN * limit).astype(np.uint8))
    found = []
    for label in range(1, count):
        inside = labels == label
        peak = float(side[inside].max())
        if peak > limit:
            place = np.asarray(inside, np.bool_)
            found.append(Place(_kind(place, changes), peak, _box(place, 0.0, 0.0)))
    found.sort(key=lambda place: -place.score)
    return found[:MOST_PLACES]


def places_around(
    lacking: Grid, extra: Grid, limit: float, margin_px: tuple[float, float]
) -> list[Place]:
    """Where the outline is not the good one's: pushed in is crushed, a flap standing out is open.

    `lacking` and `extra` in deviations; `margin_px` is what the grid has beside the side.
    """
    found = []
    for grid, kind in ((lacking, ConditionKind.CRUSHED), (extra, ConditionKind.OPENED)):
        count, labels = cv2.connectedComponents((grid > limit).astype(np.uint8))
        for label in range(1, count):
            inside = np.asarray(labels == label, np.bool_)
            found.append(Place(kind, float(grid[inside].max()), _box(inside, *margin_px)))
    found.sort(key=lambda place: -place.score)
    return found[:MOST_PLACES]


def joined(places: list[Place], crushed: list[Place]) -> list[Place]:
    """Both, the strongest first; what touches a part pushed in is of the same blow."""
    told = [
        replace(place, kind=ConditionKind.CRUSHED)
        if any(_touch(place.box, one.box) for one in crushed if one.kind is ConditionKind.CRUSHED)
        else place
        for place in places
    ]
    return sorted([*told, *crushed], key=lambda place: -place.score)[:MOST_PLACES]


def _touch(one: Box, other: Box) -> bool:
    reach = 2 * GRID_STEP
    return all(
        one[n] < other[n] + other[n + 2] + reach and other[n] < one[n] + one[n + 2] + reach
        for n in (0, 1)
    )


def _box(inside: NDArray[np.bool_], margin_x: float, margin_y: float) -> Box:
    x, y, width, height = cv2.boundingRect(inside.astype(np.uint8))
    return (
        float(x * GRID_STEP - margin_x),
        float(y * GRID_STEP - margin_y),
        float(width * GRID_STEP),
        float(height * GRID_STEP),
    )


def _kind(inside: NDArray[np.bool_], changes: Changes) -> ConditionKind:
    share = float(inside.mean())
    dark, bright = changes.dark[inside], changes.bright[inside]
    darkness = float(dark.sum()) / max(float(dark.sum() + bright.sum()), 1.0)
    contours, _ = cv2.findContours(
        inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    (_, (width, height), _) = cv2.minAreaRect(contours[0])
    long, short = max(width, height) + 1, min(width, height) + 1
    length = long / min(inside.shape)
    if long > _STRIP_SHAPE * short and length > _STRIP_LENGTH:
        return ConditionKind.OPENED
    if share < _STAIN_SHARE and float(dark.max()) > _HOLE_BYTES:
        return ConditionKind.TORN
    if share >= _STAIN_SHARE and darkness > _ALL_DARK:
        return ConditionKind.WET
    if share > _STICKER_SHARE and float(inside.sum()) > _STICKER_FILL * long * short:
        return ConditionKind.OPENED
    if _BENT_SHARE < darkness < 1 - _BENT_SHARE:
        return ConditionKind.CRUSHED
    return ConditionKind.CHANGED

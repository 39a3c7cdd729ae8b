"""From pictures of good cartons to the reference sides, with a limit where they are enough.

The first carton of a side is its anchor: the others are straightened over it and brought to its
light. It lies perfectly over itself, so it says nothing about how far a good one may be off and
gives no score: 20 cartons of a side give the 19 scores that a bound of 5 % takes.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import BadInputError
from contracts.geometry import Quad
from vision.condition.align import (
    Placed,
    Reference,
    from_corners,
    look_over,
    place,
    reference_of,
    straightened,
)
from vision.condition.appearance import Anchor, Appearance, Bytes, anchor_of, canvas_size, look_at
from vision.condition.band import CHANNELS, OUTLINE, Changes, band_of, changes, without_each
from vision.condition.ignored import polygons, restless
from vision.condition.profile import Side, SideFacts
from vision.defects.conformal import strictest_bound, threshold
from vision.defects.scale import Scale

PRIOR = {"detail": (16.0, 6.0), "tone": (6.0, 4.0), "colour": (6.0, 3.0), OUTLINE: (60.0, 40.0)}
"""What is typical of good ones, and its deviation, while they are too few to tell (bytes)."""
_FEW = 5
_SHOWN_FROM = 4.0
_ODD = 8.0
_MOST_IGNORED = 0.6
_NORMAL = 1.4826


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture of a good carton. `corners` (4, 2) in frame px, clockwise from the side's own top
    left; None lets the outline or the print be found. `labels` lie where no print can be expected.
    """

    frame: Bytes
    carton: str
    side: str = "top"
    corners: NDArray[np.float32] | None = None
    labels: tuple[Quad, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Start:
    """What the first carton of a side fixes for all."""

    side: str
    carton: str
    reference: Reference
    anchor: Anchor


@dataclass(frozen=True, slots=True, eq=False)
class _Good:
    carton: str
    placed: Placed
    look: Appearance
    brightness: float
    sharpness: float
    labels: tuple[Quad, ...]


def enrol_side(shown: Sequence[Shown]) -> Side:
    """One side from at least one picture of it. Raises BadInputError."""
    start = _anchor(shown)
    goods = [_good(one, start) for one in shown]
    height, width = start.reference.detail.shape
    ignored = polygons([(good.labels, good.placed.to_frame) for good in goods], height, width)
    cartons = list(dict.fromkeys(good.carton for good in goods))
    bands = [band_of([good.look for good in goods if good.carton == name]) for name in cartons]
    rest = dict(zip(cartons, without_each(bands), strict=True)) if len(bands) > 1 else {}
    if rest:
        free = [(g.carton, changes(g.look, rest[g.carton], ignored=ignored)) for g in goods]
        ignored = ignored | restless(free)
    share = float(ignored.mean())
    if share > _MOST_IGNORED:
        raise BadInputError(
            f"The good cartons differ from each other on {share:.0%} of the side {start.side}",
            mend="Enrol cartons of one kind, and name the sides if the pictures show several",
        )
    seen = [
        (good.carton, changes(good.look, rest[good.carton], ignored=ignored))
        for good in goods
        if rest and good.carton != start.carton
    ]
    return Side(
        _facts(goods, seen, start.side, share),
        start.reference,
        start.anchor,
        band_of([end for band in bands for end in (band.low, band.high)]),
        ignored,
    )


def score_of(found: Changes, scales: dict[str, Scale]) -> float:
    """The strongest channel's peak, in deviations."""
    peaks = found.peaks()
    return max(scale.of(peaks[name]) for name, scale in scales.items() if name in peaks)


def sharpness_of(side: Bytes) -> float:
    """Mean edge strength relative to the light."""
    grey = cv2.cvtColor(side, cv2.COLOR_BGR2GRAY)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_16S)).mean()) / max(float(grey.mean()), 1.0)


def _anchor(shown: Sequence[Shown]) -> _Start:
    for one in shown:
        view = look_over(one.frame)
        corners = one.corners
        if corners is None and view.outline is not None:
            corners = view.outline.corners
        if corners is not None:
            edges = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
            width, height = canvas_size((edges[0] + edges[2]) / 2, (edges[1] + edges[3]) / 2)
            to_frame = from_corners(corners, width, height)
            straight = straightened(one.frame, to_frame, width, height)
            return _Start(one.side, one.carton, reference_of(straight), anchor_of(straight))
    raise BadInputError(
        f"On no picture of the side {shown[0].side} a carton stands out from the belt",
        mend="Name the side's corners, or lay the cartons on a belt of another colour",
    )


def _good(one: Shown, start: _Start) -> _Good:
    view = look_over(one.frame)
    placed = place(view, start.reference, corners=one.corners)
    if placed is None:
        raise BadInputError(
            f"The side {one.side} is not found in the picture of {one.carton}",
            mend="Leave this picture out, or name its corners",
        )
    side = placed.side
    return _Good(
        carton=one.carton,
        placed=placed,
        look=look_at(side, placed.solid, start.anchor),
        brightness=float(side.mean()),
        sharpness=sharpness_of(side),
        labels=one.labels,
    )


def _facts(
    goods: Sequence[_Good], seen: Sequence[tuple[str, Changes]], side: str, ignored_share: float
) -> SideFacts:
    cartons = list(dict.fromkeys(name for name, _ in seen))
    peaks = [found.peaks() for _, found in seen]
    names = [
        name
        for name in CHANNELS
        if name != OUTLINE or all(good.look.solid is not None for good in goods)
    ]
    scales = {name: _scale(name, [peak[name] for peak in peaks]) for name in names}
    scores = tuple(
        max(score_of(found, scales) for name, found in seen if name == carton) for carton in cartons
    )
    bound = strictest_bound(len(scores))
    return SideFacts(
        name=side,
        good_cartons=len({good.carton for good in goods}),
        scales=scales,
        scores=scores,
        bound_percent=bound,
        threshold=None if bound is None else threshold(scores, bound),
        shown_from=max((_SHOWN_FROM, *scores)),
        brightness_low=min(good.brightness for good in goods),
        brightness_high=max(good.brightness for good in goods),
        sharpness_low=min(good.sharpness for good in goods),
        resolution_low=min(good.placed.resolution for good in goods),
        ignored_share=ignored_share,
        odd=tuple(name for name, score in zip(cartons, scores, strict=True) if score > _ODD),
    )


def _scale(name: str, values: Sequence[float]) -> Scale:
    """Robust where cartons are many; the prior where they are few. Never finer than half of it."""
    typical, deviation = PRIOR[name]
    if len(values) < _FEW:
        return Scale(max((typical, *values)), deviation)
    middle = statistics.median(values)
    spread = _NORMAL * statistics.median(abs(value - middle) for value in values)
    return Scale(middle, max(spread, deviation / 2))

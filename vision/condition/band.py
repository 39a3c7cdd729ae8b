"""What good cartons of one side have between them, and how far another one lies outside.

A band is the least and the greatest value of every place among the good ones. A place counts as
changed only when no place near it in the other picture has such a value: print that sits a few px
aside is no change, print that is gone or new is. A band only widens with more cartons, so what lies
outside a smaller one can only be more: that is what makes leave-one-out distances serve as the
calibration (vision.defects.conformal).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.condition.appearance import Appearance, Bytes

OUTLINE = "solid"
CHANNELS = ("detail", "tone", "colour", OUTLINE)
GRID_STEP = 4
"""Change maps have one number for each 4 x 4 px of the straightened side."""
_DETAIL_REACH, _COLOUR_REACH, _SOLID_REACH = 7, 5, 3
_DETAIL_SOFT, _COLOUR_SOFT, _TONE_SOFT, _SOLID_SOFT = 9, 5, 3, 3
_RIM_SHARE = 0.03
"""The side's own rim is left to the outline: there the straightening is never exact."""

Grid = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Band:
    """`low` and `high` of every plane; `solid` is None where outlines do not count."""

    low: Appearance
    high: Appearance


@dataclass(frozen=True, slots=True)
class Changes:
    """How far outside the band, in bytes of each plane: (rows, columns) of 4 x 4 px.

    `dark` and `bright` are the two ways in which the tone may leave it. `lacking` and `extra` (their
    own grid, with the margin) say where carton is missing and where there is more of it than good
    ones have; None where outlines do not count.
    """

    detail: Grid
    dark: Grid
    bright: Grid
    colour: Grid
    lacking: Grid | None
    extra: Grid | None

    @property
    def tone(self) -> Grid:
        return np.maximum(self.dark, self.bright)

    @property
    def solid(self) -> Grid | None:
        if self.lacking is None or self.extra is None:
            return None
        return np.maximum(self.lacking, self.extra)

    def peaks(self) -> dict[str, float]:
        """The greatest change of each channel."""
        found = {name: float(grid.max()) for name, grid in self.grids().items()}
        if self.solid is not None:
            found[OUTLINE] = float(self.solid.max())
        return found

    def grids(self) -> dict[str, Grid]:
        """The channels that share the side's own grid."""
        return {"detail": self.detail, "tone": self.tone, "colour": self.colour}


def band_of(looks: Sequence[Appearance]) -> Band:
    """The band of at least one look."""
    return Band(_extreme(looks, np.minimum), _extreme(looks, np.maximum))


def _extreme(looks: Sequence[Appearance], which: np.ufunc) -> Appearance:
    solids = [look.solid for look in looks if look.solid is not None]
    return Appearance(
        detail=which.reduce([look.detail for look in looks]),
        tone=which.reduce([look.tone for look in looks]),
        colour=which.reduce([look.colour for look in looks]),
        solid=which.reduce(solids) if len(solids) == len(looks) else None,
    )


def without_each(bands: Sequence[Band]) -> list[Band]:
    """For each of at least two bands the band of all others, in linear time."""
    lows = _without([band.low for band in bands], least=True)
    highs = _without([band.high for band in bands], least=False)
    return [Band(low, high) for low, high in zip(lows, highs, strict=True)]


def _without(looks: Sequence[Appearance], *, least: bool) -> list[Appearance]:
    solids = [look.solid for look in looks if look.solid is not None]
    whole = len(solids) == len(looks)
    return [
        Appearance(detail, tone, colour, solid)
        for detail, tone, colour, solid in zip(
            _others([look.detail for look in looks], least=least),
            _others([look.tone for look in looks], least=least),
            _others([look.colour for look in looks], least=least),
            _others(solids, least=least) if whole else [None] * len(looks),
            strict=True,
        )
    ]


def _others(planes: Sequence[Bytes], *, least: bool) -> list[Bytes]:
    """For each plane the least (or greatest) of all others, place by place."""
    two = np.partition(np.stack(planes), (0, 1) if least else (-2, -1), axis=0)
    best, next_best = (two[0], two[1]) if least else (two[-1], two[-2])
    return [np.asarray(np.where(plane == best, next_best, best), np.uint8) for plane in planes]


def changes(look: Appearance, band: Band, *, ignored: NDArray[np.bool_] | None = None) -> Changes:
    """What of `look` lies outside; `ignored` (rows, columns) is not looked at."""
    rows, columns = look.tone.shape
    seen = np.zeros((rows, columns), np.float32)
    rim_y, rim_x = (max(1, round(_RIM_SHARE * length)) for length in (rows, columns))
    seen[rim_y : rows - rim_y, rim_x : columns - rim_x] = 1.0
    if ignored is not None:
        seen[ignored] = 0.0

    def grid(plane: Bytes, soft: int) -> Grid:
        blurred = cv2.blur(plane.astype(np.float32), (soft, soft))
        return cv2.resize(blurred, (columns, rows), interpolation=cv2.INTER_AREA) * seen

    colour = [
        _outside(
            look.colour[:, :, n], band.low.colour[:, :, n], band.high.colour[:, :, n], _COLOUR_REACH
        )
        for n in (0, 1)
    ]
    lacking, extra = _beyond_outline(look, band)
    return Changes(
        detail=grid(
            _outside(look.detail, band.low.detail, band.high.detail, _DETAIL_REACH), _DETAIL_SOFT
        ),
        dark=grid(np.asarray(cv2.subtract(band.low.tone, look.tone), np.uint8), _TONE_SOFT),
        bright=grid(np.asarray(cv2.subtract(look.tone, band.high.tone), np.uint8), _TONE_SOFT),
        colour=grid(np.maximum(*colour), _COLOUR_SOFT),
        lacking=lacking,
        extra=extra,
    )


def _beyond_outline(look: Appearance, band: Band) -> tuple[Grid, Grid] | tuple[None, None]:
    if look.solid is None or band.low.solid is None or band.high.solid is None:
        return None, None
    kernel = np.ones((_SOLID_REACH, _SOLID_REACH), np.uint8)
    soft = (_SOLID_SOFT, _SOLID_SOFT)
    lacking = cv2.subtract(cv2.erode(band.low.solid, kernel), look.solid)
    extra = cv2.subtract(look.solid, cv2.dilate(band.high.solid, kernel))
    return (
        cv2.blur(lacking.astype(np.float32), soft).astype(np.float32),
        cv2.blur(extra.astype(np.float32), soft).astype(np.float32),
    )


def _outside(plane: Bytes, low: Bytes, high: Bytes, reach: int) -> Bytes:
    """How far new things lie outside the band near them, and the band outside what is near it."""
    kernel = np.ones((reach, reach), np.uint8)
    new = _gap(plane, plane, cv2.erode(low, kernel), cv2.dilate(high, kernel))
    gone = _gap(cv2.erode(plane, kernel), cv2.dilate(plane, kernel), low, high)
    return np.asarray(np.maximum(new, gone), np.uint8)


def _gap(
    low: cv2.typing.MatLike,
    high: cv2.typing.MatLike,
    other_low: cv2.typing.MatLike,
    other_high: cv2.typing.MatLike,
) -> cv2.typing.MatLike:
    """The distance between two intervals; subtraction of bytes stops at 0."""
    return np.maximum(cv2.subtract(other_low, high), cv2.subtract(low, other_high))

"""What a rectified side looks like, free of the light: four planes of bytes, 128 in the middle.

`detail`: print, tape edges and writing, as contrast against the neighbourhood (local mean and local
deviation of log luma). `tone`: the soft light and dark, against the anchor's with a plane of light
taken out. `colour`: Lab a and b against the anchor's. `solid`: where the carton is and the belt is
not, with a margin around the side. Bytes, so that a profile holds exactly what was compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 256
"""The square root of a rectified side's area."""
MARGIN = 0.15
"""Of `solid`, in shares of the side, on every edge."""
TONE_STEP, COLOUR_STEP, SOLID_STEP = 4, 2, 4
MIDDLE = 128
DETAIL_UNIT, TONE_UNIT, COLOUR_UNIT = 32.0, 100.0, 2.0
"""Bytes for one local deviation, for one of natural log luma, for one of Lab."""
_STEP_PX = 16
_DARK = 16.0
_FLOOR = 0.1
_LOG = (np.log(np.arange(256) + _DARK)).astype(np.float32)

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Appearance:
    """`detail` (h, w), `tone` (h/4, w/4), `colour` (h/2, w/2, 2), `solid` (about 1.3 h/4, 1.3 w/4)
    or None where no outline was found. All u8.
    """

    detail: Bytes
    tone: Bytes
    colour: Bytes
    solid: Bytes | None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The light and colour of the side's first good carton, what later ones are brought to:
    `tone` (h/4, w/4) log luma, `colour` (2,) median Lab a, b. float32.
    """

    tone: NDArray[np.float32]
    colour: NDArray[np.float32]


def canvas_size(width: float, height: float) -> tuple[int, int]:
    """(width, height) of a rectified side: its shape, 256 x 256 px in area."""
    scale = SIDE_PX / np.sqrt(max(width * height, 1.0))

    def side(length: float) -> int:
        return int(max(4 * _STEP_PX, round(length * scale / _STEP_PX) * _STEP_PX))

    return side(width), side(height)


def detail_of(grey: Bytes) -> Bytes:
    """Contrast against the neighbourhood of (h, w) luma."""
    light = _LOG[grey]
    fine = cv2.GaussianBlur(light, (0, 0), 0.8) - _wide(light, 5)
    spread = _wide(fine * fine, 4)
    local = fine / np.sqrt(np.maximum(spread, 0.0) + _FLOOR * _FLOOR)
    return _bytes(local, DETAIL_UNIT)


def _wide(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """A Gaussian of four times `sigma` px, computed on a quarter of the size."""
    height, width = plane.shape
    small = cv2.resize(plane, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def tone_of(grey: Bytes) -> NDArray[np.float32]:
    """(h/4, w/4) soft log luma of (h, w) luma."""
    height, width = grey.shape
    small = cv2.resize(
        _LOG[grey], (width // TONE_STEP, height // TONE_STEP), interpolation=cv2.INTER_AREA
    )
    return np.asarray(
        cv2.GaussianBlur(small, (0, 0), 2.0, borderType=cv2.BORDER_REPLICATE), np.float32
    )


def chroma_of(side: Bytes) -> NDArray[np.float32]:
    """(h/2, w/2, 2) soft Lab a, b of a (h, w, 3) BGR side."""
    height, width = side.shape[:2]
    small = cv2.resize(
        side, (width // COLOUR_STEP, height // COLOUR_STEP), interpolation=cv2.INTER_AREA
    )
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB)[:, :, 1:]
    return np.asarray(cv2.GaussianBlur(lab, (0, 0), 1.0), np.float32)


def anchor_of(side: Bytes) -> Anchor:
    """What later sides are brought to, from a (h, w, 3) BGR rectified side."""
    grey = np.asarray(cv2.cvtColor(side, cv2.COLOR_BGR2GRAY), np.uint8)
    return Anchor(tone_of(grey), np.median(chroma_of(side), axis=(0, 1)).astype(np.float32))


def look_at(side: Bytes, solid: Bytes | None, anchor: Anchor) -> Appearance:
    """`side` (h, w, 3) BGR rectified; `solid` (rows, columns) u8 or None."""
    grey = np.asarray(cv2.cvtColor(side, cv2.COLOR_BGR2GRAY), np.uint8)
    tone = tone_of(grey)
    chroma = chroma_of(side)
    offset = np.median(chroma, axis=(0, 1)).astype(np.float32) - anchor.colour
    return Appearance(
        detail=detail_of(grey),
        tone=_bytes(tone - light_plane(tone - anchor.tone) - anchor.tone.mean(), TONE_UNIT),
        colour=_bytes(chroma - MIDDLE - offset, COLOUR_UNIT),
        solid=solid,
    )


def light_plane(difference: NDArray[np.float32]) -> NDArray[np.float32]:
    """The plane through most of a (h, w) difference of log luma: another lamp, not a stain.

    Least squares, three times, each time without the points beyond twice the median deviation.
    """
    rows, columns = difference.shape
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    design = np.stack([np.ones_like(x), x, y], axis=2).reshape(-1, 3)
    values = difference.reshape(-1)
    kept = np.ones(len(values), dtype=bool)
    plane = np.zeros_like(values)
    for _ in range(3):
        used = design[kept]
        weights = np.linalg.solve(used.T @ used + 1e-3 * np.eye(3), used.T @ values[kept])
        plane = (design @ weights.astype(np.float32)).astype(np.float32)
        off = np.abs(values - plane)
        kept = off <= max(2.0 * float(np.median(off)), 1e-4)
    return np.asarray(plane.reshape(rows, columns), np.float32)


def _bytes(plane: NDArray[np.float32], unit: float) -> Bytes:
    return np.asarray(np.clip(np.rint(plane * unit) + MIDDLE, 0, 255), np.uint8)

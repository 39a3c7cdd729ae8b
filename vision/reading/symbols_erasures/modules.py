"""How dark each module is, how far that can be relied on, and where on the lattice a symbol lies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.reading.symbols_erasures import data_matrix, qr
from vision.reading.symbols_erasures.lattice import PATCH_PX, Lattice

Floats = NDArray[np.float64]

_WINDOW = 5
"""Modules around one, among which both dark and light ones stand if nothing covers them."""
_LEAST_RANGE = 0.4
_TINT = 28.0
"""Grey levels of colour beyond the paper's, from which on it is board or tape, not print."""
_PATCH = 4
_COVERED = 0.2
_QUIET = 0.5


@dataclass(frozen=True, slots=True)
class Modules:
    """`soft` (count, count) in -1..1: 1 is surely dark, 0 says nothing. `points` (count, count, 2)
    where they are in the patch, x and y.
    """

    soft: Floats
    points: Floats


@dataclass(frozen=True, slots=True)
class Placed:
    """A symbol of `kind` at the modules' own turn; `soft` (side, side), `points` (side, side, 2)
    likewise; `fit` in -1..1 is how well what never changes stands there.
    """

    kind: str
    soft: Floats
    points: Floats
    fit: float


def sample(patch: NDArray[np.uint8], lattice: Lattice, *, sharpen: float = 0.0) -> Modules:
    """Modules of a patch (PATCH_PX, PATCH_PX, 3) BGR. `sharpen` takes back that share of each
    neighbour, for pictures whose blur mixes modules.
    """
    count = min(72, int(np.ceil(PATCH_PX / lattice.pitch.min())) + 2)
    points = lattice.points(count)
    spread = 0.22 * float(lattice.pitch.mean())
    soft_patch = cv2.GaussianBlur(patch, (0, 0), max(0.5, spread))
    at = points.astype(np.float32)
    seen = cv2.remap(
        soft_patch, at[:, :, 0], at[:, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    level = seen @ np.array([0.114, 0.587, 0.299], np.float32)
    if sharpen:
        level += sharpen * (4 * level - cv2.filter2D(level, -1, _CROSS))
    tint = seen.max(axis=2) - seen.min(axis=2)
    near = np.ones((_WINDOW, _WINDOW), np.uint8)
    light = cv2.blur(cv2.dilate(level, near), (3, 3))
    dark = cv2.blur(cv2.erode(level, near), (3, 3))
    usual = float(np.percentile(light - dark, 75))
    half = np.maximum(light - dark, _LEAST_RANGE * usual) / 2
    soft = np.clip(((light + dark) / 2 - level) / np.maximum(half, 1.0), -1, 1)
    coloured = np.maximum(tint - float(np.median(tint)), 0) / _TINT
    soft *= np.exp(-(coloured**2))
    outside = (at < 0).any(axis=2) | (at >= PATCH_PX).any(axis=2)
    soft[outside] = 0
    return Modules(soft.astype(np.float64), points)


def place(modules: Modules, *, about: float, most: int) -> list[Placed]:
    """The places where a symbol of some size, about `about` modules a side, fits best; the best
    first.
    """
    seen = modules.soft.astype(np.float32)
    found: list[tuple[float, str, int, int, int, int]] = []
    for kind, side in _sizes(about):
        if side + 2 > len(seen):
            continue
        for turns in range(4):
            template, weight = _template(kind, side, turns)
            fits = cv2.matchTemplate(seen, template, cv2.TM_CCORR)
            _, fit, _, (x, y) = cv2.minMaxLoc(fits)
            found.append((fit / weight, kind, side, turns, y + 1, x + 1))
    found.sort(key=lambda each: -each[0])
    return [
        Placed(
            kind,
            np.rot90(_trusted(modules.soft[y : y + side, x : x + side]), -turns),
            np.rot90(modules.points[y : y + side, x : x + side], -turns),
            fit,
        )
        for fit, kind, side, turns, y, x in found[:most]
    ]


def _trusted(soft: Floats) -> Floats:
    """Less sure where a square of one shade is too large to be data: blots and bare patches."""
    square = np.ones((_PATCH, _PATCH), np.uint8)
    one, other = (soft > 0).astype(np.uint8), (soft <= 0).astype(np.uint8)
    covered = sum(cv2.morphologyEx(each, cv2.MORPH_OPEN, square) > 0 for each in (one, other))
    trusted: Floats = np.where(covered, _COVERED, 1.0) * soft
    return trusted


def _sizes(about: float) -> Iterator[tuple[str, int]]:
    sizes: Iterable[tuple[str, tuple[int, ...]]] = (
        ("QRCode", qr.SIDES),
        ("DataMatrix", data_matrix.SIDES),
    )
    for kind, sides in sizes:
        for side in sides:
            if 0.7 * about <= side <= 1.3 * about:
                yield kind, side


@cache
def _template(kind: str, side: int, turns: int) -> tuple[NDArray[np.float32], float]:
    """What never changes, with a quiet zone of one module, turned; and its weight."""
    fixed = qr.pattern(side) if kind == "QRCode" else data_matrix.pattern(side)
    whole = np.full((side + 2, side + 2), -_QUIET)
    whole[1:-1, 1:-1] = np.nan_to_num(fixed)
    weight = float(np.abs(whole).sum())
    return np.ascontiguousarray(np.rot90(whole, turns)).astype(np.float32), weight


_CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32)

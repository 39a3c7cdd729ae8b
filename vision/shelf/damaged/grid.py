"""Where the modules of a damaged linear code stand: width, beginning and bend of its grid.

Edges between bars and spaces lie on a lattice, so the module's width is a peak of their spectrum,
which does not mind that a part of the code is gone. Where in the lattice the code begins, and which
way round it is, is asked of its structure: guards, and digits that exist.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.shelf.damaged.symbology import DIGIT_MODULES, SETS, Symbology

Floats = NDArray[np.float64]

_FINE = 4
"""Samples a pixel in which edges are looked for."""
_NARROWEST_PX, _WIDEST_PX = 1.25, 10.0
_WIDTHS = 6
_SPECTRUM = 1 << 15
_HIDDEN_SHARE = 0.45
"""Of the code that may lie outside what shows bars."""
_MOST_MISFIT = 1.2
_QUIET_CHECKED = 3
_PASSES = 3
_NEAR = 0.3
_LOCAL_MODULES = 17
_LEAST_CONTRAST = 0.35
_LEAST_EDGES = 8


@dataclass(frozen=True, slots=True)
class Grid:
    """Module j's middle is at `begin + width * (j + 0.5) + bend * (j + 0.5) ** 2` strip pixels; a
    negative width means that the code is upside down. `score` is its structure's fit, the more the
    better.
    """

    begin: float
    width: float
    bend: float
    score: float

    def middles(self, modules: int) -> Floats:
        at = np.arange(modules) + 0.5
        return self.begin + self.width * at + self.bend * at**2


def find_grids(bands: Floats, symbology: Symbology, *, most: int) -> list[Grid]:
    """Up to `most` places for a code in `bands` (n, w), the likeliest first."""
    profile = np.median(bands, axis=0)
    fine = _upsampled(profile)
    edges = np.abs(np.diff(fine))
    first, last = _extent(edges)
    found: list[Grid] = []
    for width, phase in _lattices(edges, (last - first) / _FINE, symbology.modules):
        found += _placed(profile, width, phase, (first / _FINE, last / _FINE), symbology)
    found.sort(key=lambda each: -each.score)
    distinct: list[Grid] = []
    for each in found:
        if all(_apart(each, other, symbology.modules) for other in distinct):
            distinct.append(each)
        if len(distinct) == most:
            break
    refined = [_refined(bands, fine, each, symbology) for each in distinct]
    return sorted(refined, key=lambda each: -each.score)


def darkness(bands: Floats, middles: Floats, width: float) -> tuple[Floats, NDArray[np.bool_]]:
    """(n, modules) 0.0 space to 1.0 bar by the local contrast, and where there is contrast at all."""
    half = max(abs(width) * 0.25, 0.3)
    value = sum(_at(bands, middles + shift) for shift in (-half, 0.0, half)) / 3
    kernel = np.ones((1, _LOCAL_MODULES), np.uint8)
    flat = np.ascontiguousarray(value, dtype=np.float32)
    low = cv2.erode(flat, kernel, borderType=cv2.BORDER_REPLICATE).astype(np.float64)
    high = cv2.dilate(flat, kernel, borderType=cv2.BORDER_REPLICATE).astype(np.float64)
    usual = float(np.median(high - low))
    low, high = (
        np.asarray(cv2.blur(each, (_LOCAL_MODULES, 1), borderType=cv2.BORDER_REPLICATE), float)
        for each in (low, high)
    )
    spread = np.maximum(high - low, 1.0)
    return (high - value) / spread, high - low > _LEAST_CONTRAST * usual


def _upsampled(profile: Floats) -> Floats:
    row = profile[None, :].astype(np.float32)
    size = (len(profile) * _FINE, 1)
    fine = cv2.resize(row, size, interpolation=cv2.INTER_CUBIC)[0]
    return np.asarray(cv2.GaussianBlur(fine[None, :], (5, 1), 0)[0], dtype=np.float64)


def _extent(edges: Floats) -> tuple[int, int]:
    """Where there are edges, in fine samples: 2 % of them may lie outside on either side."""
    total = np.cumsum(edges)
    whole = max(float(total[-1]), 1e-9)
    return int(np.searchsorted(total, 0.02 * whole)), int(np.searchsorted(total, 0.98 * whole))


def _lattices(edges: Floats, extent_px: float, modules: int) -> list[tuple[float, float]]:
    """(width, phase) in pixels of the strongest lattices that a code of that extent may have."""
    spectrum = np.fft.rfft(edges - edges.mean(), _SPECTRUM)
    frequency = np.arange(len(spectrum)) / _SPECTRUM * _FINE
    widest = min(_WIDEST_PX, extent_px / (modules * (1 - _HIDDEN_SHARE)))
    narrowest = max(_NARROWEST_PX, 0.8 * extent_px / modules)
    inside = np.flatnonzero((frequency >= 1 / widest) & (frequency <= 1 / narrowest))
    if len(inside) == 0:
        return []
    power = np.abs(spectrum)
    apart = max(2, round(0.6 * _SPECTRUM / max(1.0, extent_px * _FINE)))
    left = power.copy()
    found = []
    for _ in range(_WIDTHS):
        k = int(inside[left[inside].argmax()])
        if left[k] <= 0:
            break
        width = 1 / frequency[k]
        # An edge lies half a fine sample behind its own index, and the centres of fine samples
        # half a pixel less half a sample before their pixel's.
        lag = -np.angle(spectrum[k]) / (2 * np.pi) * width
        found.append((float(width), float((lag + 1.0 / _FINE - 0.5) % width)))
        left[max(0, k - apart) : k + apart + 1] = 0
    return found


def _placed(
    profile: Floats,
    width: float,
    phase: float,
    extent: tuple[float, float],
    symbology: Symbology,
) -> list[Grid]:
    """The best beginnings of a code in one lattice, both ways round."""
    modules = symbology.modules
    hidden = _HIDDEN_SHARE * modules * width
    first = int(np.floor((extent[0] - hidden - phase) / width))
    last = int(np.ceil((extent[1] + hidden - phase) / width))
    count = last - first
    if count < modules:
        return []
    middles = np.asarray(phase + (first + np.arange(count) + 0.5) * width, dtype=np.float64)
    seen, clear = darkness(profile[None, :], middles, width)
    inside = (middles >= 0) & (middles < len(profile))
    found = []
    for way in (1, -1):
        dark, known = seen[0][::way], (clear[0] & inside)[::way]
        scores = _structure(dark, known, symbology)
        for k in np.argsort(-scores)[:2]:
            begin = phase + (first + k) * width if way > 0 else phase + (last - k) * width
            found.append(Grid(float(begin), way * width, 0.0, float(scores[k])))
    return found


def _structure(dark: Floats, known: NDArray[np.bool_], symbology: Symbology) -> Floats:
    """(offsets,) how well guards and digits stand when the code begins at each module."""
    offsets = len(dark) - symbology.modules + 1
    weight = known.astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(dark, DIGIT_MODULES)
    weights = np.lib.stride_tricks.sliding_window_view(weight, DIGIT_MODULES)
    patterns = SETS.reshape(-1, DIGIT_MODULES)
    miss = (
        (weights * windows**2).sum(axis=1)[:, None]
        - 2 * (weights * windows) @ patterns.T
        + weights @ (patterns**2).T
    )
    gain = np.maximum(_MOST_MISFIT - miss, 0.0) * weights.mean(axis=1)[:, None]
    left, right = gain[:, :20].max(axis=1), gain[:, 20:].max(axis=1)
    half = symbology.digits // 2
    score = np.zeros(offsets)
    for i, start in enumerate(symbology.starts):
        score += (left if i < half else right)[start : start + offsets]
    for j in np.flatnonzero(~np.isnan(symbology.fixed)):
        at = slice(j, j + offsets)
        score += weight[at] * (0.25 - np.minimum((dark[at] - symbology.fixed[j]) ** 2, 0.5))
    padded = np.pad(np.where(known, dark, 0.0), _QUIET_CHECKED)
    for j in (
        *range(_QUIET_CHECKED),
        *range(symbology.modules + _QUIET_CHECKED, symbology.modules + 2 * _QUIET_CHECKED),
    ):
        score -= 0.15 * np.clip(padded[j : j + offsets], 0.0, 1.0)
    return score


def _apart(one: Grid, other: Grid, modules: int) -> bool:
    ends = [
        abs(a.begin + at * a.width - (b.begin + at * b.width))
        for a, b in ((one, other),)
        for at in (0, modules)
    ]
    return max(ends) > 0.5 * abs(other.width) or one.width * other.width < 0


def _refined(bands: Floats, fine: Floats, grid: Grid, symbology: Symbology) -> Grid:
    """The grid drawn to the edges that lie near its lines, with a bend for a curved surface."""
    modules = symbology.modules
    edges = _edge_places(fine)
    begin, width, bend = grid.begin, grid.width, grid.bend
    for step in range(_PASSES):
        # Where each edge is on the grid, in modules; two steps of Newton undo the bend.
        at = (edges - begin) / width
        at = at - bend * at**2 / (width + 2 * bend * at)
        near = np.abs(at - np.round(at)) < _NEAR
        near &= (at > -_NEAR) & (at < modules + _NEAR)
        if near.sum() < _LEAST_EDGES:
            break
        lines = np.round(at[near])
        columns = [np.ones_like(lines), lines]
        if step:
            columns.append(lines**2)
        solved, *_ = np.linalg.lstsq(np.stack(columns, axis=1), edges[near], rcond=None)
        begin, width = float(solved[0]), float(solved[1])
        bend = float(solved[2]) if step else 0.0
        if abs(bend) * modules > 0.15 * abs(width):
            bend = 0.0
    better = Grid(begin, width, bend, grid.score)
    seen, clear = darkness(np.median(bands, axis=0)[None, :], better.middles(modules), width)
    score = float(_structure(seen[0], clear[0], symbology)[0])
    return Grid(begin, width, bend, score) if score >= 0.95 * grid.score else grid


def _edge_places(fine: Floats) -> Floats:
    """Where the brightness passes its local middle, in pixels."""
    row = fine[None, :].astype(np.float32)
    window = np.ones((1, 12 * _FINE + 1), np.uint8)
    middle = (cv2.erode(row, window)[0] + cv2.dilate(row, window)[0]) / 2
    over = fine - middle
    crosses = np.flatnonzero(over[:-1] * over[1:] < 0)
    share = over[crosses] / (over[crosses] - over[crosses + 1])
    return np.asarray((crosses + share + 0.5) / _FINE, dtype=np.float64)


def _at(bands: Floats, x: Floats) -> Floats:
    """(n, len(x)): brightness at places in pixels (a pixel's middle is its index + 0.5)."""
    place = np.clip(x - 0.5, 0, bands.shape[1] - 1.001)
    left = place.astype(np.intp)
    share = place - left
    return np.asarray(bands[:, left] * (1 - share) + bands[:, left + 1] * share)

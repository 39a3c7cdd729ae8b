"""Rows of dot-matrix print, found by their ink alone.

A text detector is trained on strokes; of dots that are blurred, dropped and half covered it finds
crumbs. But an ink-jet head prints straight rows: in the direction of the rows, the ink of a block
projects onto sharp bands. So: clusters of glyph-sized ink, the direction with the sharpest bands,
bands split at their valleys, and every row as long as its block, since what lies under a blot can
only be read where somebody looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.reading.ink import Ink

Boxes = NDArray[np.float64]
Floats = NDArray[np.float64]

_CELL_PX = 8
_MOST_POINTS = 1000
_EDGE = 6


@dataclass(frozen=True, slots=True)
class DotRowSettings:
    """Pixels are those of the ink map (long side 640), rows are measured in their own height.

    `most_glyph_px`: larger pieces of ink are edges, bars or blots. `density`: ink of a cell that
    belongs to a cluster. `most_clusters`: the largest are looked at. `dot_size`: median piece of
    ink in a dot-matrix block, at most. `gap`: blank between rows. `least_width`: of a block in its heights; symbols are square. `least_share`: of the
    block's width that ink of a row reaches. `least_valley`: how far the
    projection falls between two rows. `around`: ends and edges added to a row.
    """

    most_glyph_px: int = 80
    least_glyph_px: int = 3
    density: float = 0.05
    least_ink_px: int = 250
    most_clusters: int = 6
    dot_size: float = 0.6
    least_row_px: float = 8.0
    most_rows: int = 8
    least_aspect: float = 3.0
    least_width: float = 1.3
    least_share: float = 0.3
    gap: float = 0.2
    least_valley: float = 0.4
    around_ends: float = 0.6
    around_edges: float = 0.15


@dataclass(frozen=True, slots=True)
class DotBlock:
    """One block of dot-matrix print: its rows (n, 5) as vision.reading.detector has boxes, top to
    bottom, in frame pixels.
    """

    rows: Boxes


def find_dot_blocks(
    ink: Ink, tilts: Sequence[float], settings: DotRowSettings
) -> tuple[DotBlock, ...]:
    """The blocks that look like dot-matrix print. `tilts` are directions to try, in radians,
    besides the one in which each block is longest.
    """
    print_ = ink.print
    _, labels, stats, _ = cv2.connectedComponentsWithStats(print_, connectivity=8)
    sides = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    glyph = (sides <= settings.most_glyph_px) & (
        stats[:, cv2.CC_STAT_AREA] >= settings.least_glyph_px
    )
    glyph[0] = False
    glyphs = glyph[labels]
    found = []
    for top, left, cluster in _clusters(glyphs, settings):
        y, x = np.nonzero(cluster)
        inside = labels[top : top + cluster.shape[0], left : left + cluster.shape[1]][y, x]
        pieces = stats[np.unique(inside)][:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
        u, v = x.astype(np.float64) + left + 0.5, y.astype(np.float64) + top + 0.5
        rows = _rows(u, v, pieces.astype(np.float64), tilts, settings)
        if len(rows):
            found.append(DotBlock(rows / np.array([ink.scale] * 4 + [1.0])))
    return tuple(found)


def _clusters(
    glyphs: NDArray[np.bool_], settings: DotRowSettings
) -> list[tuple[int, int, NDArray[np.bool_]]]:
    """Where ink lies close together: top, left and the ink of each cluster, largest first."""
    height, width = glyphs.shape
    grid = (max(1, width // _CELL_PX), max(1, height // _CELL_PX))
    share = cv2.resize(glyphs.astype(np.float32), grid, interpolation=cv2.INTER_AREA)
    dense = np.asarray(cv2.blur(share, (5, 3)) > settings.density, dtype=np.uint8)
    dense = np.asarray(cv2.morphologyEx(dense, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)))
    count, cells, stats, _ = cv2.connectedComponentsWithStats(dense, connectivity=8)
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[: settings.most_clusters]
    found = []
    across, down = width / grid[0], height / grid[1]
    for number in order if count > 1 else ():
        x, y, w, h = (int(each) for each in stats[number, :4])
        # One cell more on each side: the closing rounds corners off.
        x, y, right, bottom = (
            max(0, x - 1),
            max(0, y - 1),
            min(grid[0], x + w + 1),
            min(grid[1], y + h + 1),
        )
        left, top = int(x * across), int(y * down)
        part = glyphs[top : int(bottom * down), left : int(right * across)]
        own = np.asarray(cells[y:bottom, x:right] == number, dtype=np.uint8)
        wide = cv2.dilate(own, np.ones((3, 3), np.uint8))
        wide = cv2.resize(wide, part.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        cluster = part & (wide > 0)
        if np.count_nonzero(cluster) >= settings.least_ink_px:
            found.append((top, left, cluster))
    return found


def _rows(
    x: Floats, y: Floats, pieces: Floats, tilts: Sequence[float], settings: DotRowSettings
) -> Boxes:
    """Rows of one cluster in map pixels, or none where it does not look like dot-matrix print."""
    none = np.empty((0, 5))
    spread = np.cov(np.stack([x, y]))
    longest = 0.5 * np.arctan2(2 * spread[0, 1], spread[0, 0] - spread[1, 1])
    tilt = _direction(x, y, [float(longest), *tilts])
    c, s = np.cos(tilt), np.sin(tilt)
    u, v = x * c + y * s, y * c - x * s
    first = np.floor(v.min())
    profile = np.bincount((v - first).astype(np.int64)).astype(np.float64)
    # How far each piece of ink reaches across the rows.
    tall = pieces @ np.abs([s, c])
    least = max(settings.least_row_px, 0.75 * _quantile(tall, 0.9))
    bands = _bands(profile, least, settings)
    if not bands:
        return none
    height = float(np.median([bottom - top for top, bottom in bands]))
    if float(np.median(tall)) > settings.dot_size * height:
        return none
    ends = [_ends(u[(v - first >= top) & (v - first < bottom)], height) for top, bottom in bands]
    left, right = min(each[0] for each in ends), max(each[1] for each in ends)
    least_length = settings.least_share * (right - left)
    bands = [
        band for band, each in zip(bands, ends, strict=True) if each[1] - each[0] > least_length
    ]
    across = bands[-1][1] - bands[0][0]
    if right - left < max(settings.least_aspect * height, settings.least_width * across):
        return none
    left, right = left - settings.around_ends * height, right + settings.around_ends * height
    rows = [
        (
            (left + right) / 2 * c - (first + (top + bottom) / 2) * s,
            (left + right) / 2 * s + (first + (top + bottom) / 2) * c,
            right - left,
            (bottom - top) * (1 + 2 * settings.around_edges),
            tilt,
        )
        for top, bottom in bands
    ]
    return np.array(rows, dtype=np.float64)


def _direction(x: Floats, y: Floats, tilts: Sequence[float]) -> float:
    """The direction near one of `tilts` in which the ink falls into the sharpest bands."""
    step = max(1, len(x) // _MOST_POINTS)
    x, y = x[::step], y[::step]
    ten, one = np.deg2rad(np.arange(-10, 10.1, 1.25)), np.deg2rad(np.arange(-1, 1.01, 0.25))
    best = _sharpest(x, y, np.concatenate([tilt + ten for tilt in tilts]))
    return _sharpest(x, y, best + one)


def _sharpest(x: Floats, y: Floats, tilts: Floats) -> float:
    v = np.outer(np.cos(tilts), y) - np.outer(np.sin(tilts), x)
    v -= v.min(axis=1, keepdims=True)
    # Room for the sums to run out on both sides.
    width = int(v.max()) + 1 + 3 * _EDGE
    at = v.astype(np.int64) + _EDGE + width * np.arange(len(tilts))[:, None]
    profiles = np.bincount(at.ravel(), minlength=width * len(tilts)).reshape(len(tilts), width)
    # Sums over _EDGE rows, one next to the other: dots within a row average out, its edges do not.
    sums = np.cumsum(profiles, axis=1)
    blocks = sums[:, _EDGE:] - sums[:, :-_EDGE]
    edges = np.square(blocks[:, _EDGE:] - blocks[:, :-_EDGE]).sum(axis=1)
    return float(tilts[int(np.argmax(edges))])


def _bands(profile: Floats, least: float, settings: DotRowSettings) -> list[tuple[float, float]]:
    """Top and bottom of each row in a projection of ink."""
    smooth = np.convolve(profile, np.array([1, 4, 6, 4, 1]) / 16, "same")
    usual = float(np.median(smooth[smooth > 0.15 * smooth.max()]))
    there = np.concatenate([[0], (smooth > 0.22 * usual).astype(np.int8), [0]])
    starts, stops = np.flatnonzero(np.diff(there) > 0), np.flatnonzero(np.diff(there) < 0)
    runs = [
        (int(start), int(stop))
        for start, stop in zip(starts, stops, strict=True)
        if stop - start >= least / 2
    ]
    if not runs:
        return []
    heights = np.array([stop - start for start, stop in runs], dtype=np.float64)
    mass = np.array([smooth[start:stop].sum() for start, stop in runs])
    whole = heights[(heights >= 1.2 * least) & (mass >= 0.25 * mass.max())]
    if len(whole) > 1:
        # Scratches fill a gap now and then: what is as high as several rows is several rows.
        height = float(whole.min())
        counts = [_count(run, height, settings) for run in heights]
        height = float(np.median(heights / counts))
        rows = []
        for (start, stop), count in zip(runs, counts, strict=True):
            if stop - start < 0.5 * height:
                continue
            # Of a row that is half gone, look at the whole.
            lost = max(0.0, height - (stop - start)) / 2
            rows += _even(start - lost, stop + lost, count, settings)
    else:
        rows = _split(smooth, *runs[int(np.argmax(mass))], least, settings)
    return rows if len(rows) <= settings.most_rows else []


def _count(run: float, height: float, settings: DotRowSettings) -> int:
    return max(1, round((run / height + settings.gap) / (1 + settings.gap)))


def _split(
    smooth: Floats, start: int, stop: int, least: float, settings: DotRowSettings
) -> list[tuple[float, float]]:
    """One band as the fewest rows between which the projection falls clearly."""
    falls = {}
    for count in range(2, settings.most_rows + 1):
        pitch = (stop - start) / (count - settings.gap / (1 + settings.gap))
        if pitch / (1 + settings.gap) < least:
            break
        depths = [_valley(smooth, start + k * pitch, pitch, settings) for k in range(1, count)]
        falls[count] = min(float(np.mean(depths)), 2 * min(depths))
    deepest = max(falls.values(), default=0.0)
    clear = [n for n, fall in falls.items() if fall > max(settings.least_valley, 0.8 * deepest)]
    return _even(start, stop, min(clear, default=1), settings)


def _valley(smooth: Floats, start: float, pitch: float, settings: DotRowSettings) -> float:
    """How far the projection falls just before the row that begins at `start`, 0..1."""
    middle = start - pitch * settings.gap / (1 + settings.gap) / 2
    reach = max(1.0, 0.16 * pitch)
    floor = smooth[round(middle - reach) : round(middle + reach) + 1].min()
    above = _quantile(smooth[int(middle - 0.8 * pitch) : int(middle) + 1], 0.6)
    below = _quantile(smooth[int(middle) : int(middle + 0.8 * pitch) + 1], 0.6)
    return float(1 - floor / max(min(above, below), 1e-6))


def _even(
    top: float, bottom: float, count: int, settings: DotRowSettings
) -> list[tuple[float, float]]:
    pitch = (bottom - top) / (count - settings.gap / (1 + settings.gap))
    height = pitch / (1 + settings.gap)
    return [(top + k * pitch, top + k * pitch + height) for k in range(count)]


def _ends(u: Floats, height: float) -> tuple[float, float]:
    """Where the ink of a row begins and ends; lone specks are no print."""
    if len(u) == 0:
        return np.inf, -np.inf
    first = np.floor(u.min())
    counts = np.bincount((u - first).astype(np.int64)).astype(np.float64)
    reach = max(3, int(height))
    sums = np.convolve(counts, np.ones(reach))[reach // 2 :][: len(counts)]
    dense = np.flatnonzero(sums > 0.12 * _quantile(sums, 0.8))
    inside = u[(u - first >= dense[0]) & (u - first <= dense[-1] + 1)]
    return float(inside.min()), float(inside.max())


def _quantile(values: Floats, share: float) -> float:
    """Without interpolation: numpy's own costs more than all the rest here."""
    at = int(share * (len(values) - 1) + 0.5)
    return float(np.partition(values, at)[at])

"""Where a line runs into a blot, a tear or tape, look under it: there may be more of the line.

A line that ends on clean paper is left alone. One whose end lies against something that is neither
paper nor blank is stretched over it, to where clean paper begins again and over what text follows
directly. What never ends (the board beside a label) is no blot.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.reading.detector import corners
from vision.reading.ink import Ink

Boxes = NDArray[np.float64]
Floats = NDArray[np.float64]

_ROWS = 8


@dataclass(frozen=True, slots=True)
class LineEndSettings:
    """Lengths in line heights. `reach`: farthest look. `blank`: so much clean paper ends a line.
    `foreign`: share of the line's own contrast from which a pixel is no paper; `share` of a
    column that must be foreign. `least_grey`: contrast below which nothing is told apart.
    """

    reach: float = 9.0
    blank: float = 0.9
    foreign: float = 0.4
    share: float = 0.3
    least_grey: float = 12.0
    least_stretch: float = 0.3
    spare: float = 0.3


def stretch_ends(lines: Boxes, ink: Ink, settings: LineEndSettings) -> Boxes:
    """`lines` (n, 5), frame pixels, with ends drawn over damage; none gets shorter."""
    done = lines.copy()
    for i, line in enumerate(lines):
        strip = _strip(line, ink, settings)
        if strip is None:
            continue
        foreign = _foreign(strip, settings)
        # Columns per line height, and where the line begins and ends in the strip.
        unit = float(_ROWS)
        reach = round(settings.reach * unit)
        before = _run(foreign[:reach][::-1], unit, settings)
        after = _run(foreign[len(foreign) - reach :], unit, settings)
        before = min(before, _room(line, lines, i, -1.0))
        after = min(after, _room(line, lines, i, 1.0))
        moved = (after - before) / 2 * line[3]
        done[i, 0] += moved * np.cos(line[4])
        done[i, 1] += moved * np.sin(line[4])
        done[i, 2] += (before + after) * line[3]
    return done


def _strip(line: Floats, ink: Ink, settings: LineEndSettings) -> Floats | None:
    """The line and what lies before and after it: (8, w) grey, eight columns a line height."""
    grown = line.copy()
    grown[2] += 2 * settings.reach * line[3]
    grown[3] *= 0.7
    width = round(grown[2] / line[3] * _ROWS)
    if not 0 < width < 100 * _ROWS:
        return None
    quad = corners(grown) * ink.scale
    target = np.array([[0, 0], [width, 0], [0, _ROWS]], dtype=np.float32)
    matrix = cv2.getAffineTransform(quad[[0, 1, 3]].astype(np.float32) - 0.5, target - 0.5)
    strip = cv2.warpAffine(
        ink.grey, matrix, (width, _ROWS), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(strip, dtype=np.float64)


def _foreign(strip: Floats, settings: LineEndSettings) -> NDArray[np.bool_]:
    """Which columns are not plain paper, seen from the line's own paper and print."""
    reach = round(settings.reach * _ROWS)
    own = strip[:, reach : strip.shape[1] - reach]
    levels = np.sort(own, axis=None)
    dark, paper = levels[int(0.08 * len(levels))], levels[int(0.75 * len(levels))]
    apart = max(settings.foreign * (paper - dark), settings.least_grey)
    foreign: NDArray[np.bool_] = np.mean(np.abs(strip - paper) > apart, axis=0) >= settings.share
    return foreign


def _run(foreign: NDArray[np.bool_], unit: float, settings: LineEndSettings) -> float:
    """How far foreign columns go on from the line's end, in line heights; 0 where they go on as
    far as one looks.
    """
    blank = round(settings.blank * unit)
    last = -1
    for k, each in enumerate(foreign):
        if each:
            last = k
        elif k - last > blank:
            break
    else:
        return 0.0
    far = (last + 1) / unit
    return far + settings.spare if far > settings.least_stretch else 0.0


def _room(line: Floats, lines: Boxes, own: int, way: float) -> float:
    """How far the line may be drawn out `way` (1 along it, -1 back) before it meets another."""
    c, s = np.cos(line[4]), np.sin(line[4])
    x, y = lines[:, 0] - line[0], lines[:, 1] - line[1]
    along, across = (x * c + y * s) * way, np.abs(y * c - x * s)
    gap = along - lines[:, 2] / 2 - line[2] / 2
    beside = (across < 0.5 * (lines[:, 3] + line[3]) * 0.9) & (along > 0)
    beside[own] = False
    met = gap[beside]
    return float(max(0.0, met.min() / line[3])) if len(met) else np.inf

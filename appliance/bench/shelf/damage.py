"""Labels with a part of their code destroyed, as a phone's camera sees them.

The code is zxing-cpp's own drawing with its digits below; damage runs over the whole height, so that
no row is left that reads, and over the digits in half of the labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KINDS = ("torn", "ink", "grey", "rubbed", "scribble")
_SCALE = 6
"""Samples a module of the drawing."""
_QUIET, _EAN13 = 11, 95
_BARS_SHARE = 0.85
"""Of the drawing's height; the digits stand below."""


@dataclass(frozen=True, slots=True)
class Shot:
    """`quad` (4, 2): about where the bars are in `picture` (h, w) grey, as a phone would tell it."""

    picture: NDArray[np.uint8]
    quad: Floats


def shoot(
    text: str, kind: str, random: np.random.Generator, *, share: float, module_px: float
) -> Shot:
    """An EAN-13 with `share` of its modules destroyed by `kind`, photographed at `module_px`."""
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.EAN13)
    label = np.asarray(drawn.to_image(scale=_SCALE, add_hrt=True, add_quiet_zones=True))
    return _photographed(damaged(label.astype(np.float32), kind, random, share), random, module_px)


def damaged(
    label: NDArray[np.float32], kind: str, random: np.random.Generator, share: float
) -> NDArray[np.float32]:
    """A copy of the drawing (h, w) with that share of the code's width destroyed."""
    spoilt = label.copy()
    high, wide = label.shape
    first, last = _QUIET * _SCALE, (_QUIET + _EAN13) * _SCALE
    span = share * (last - first)
    start = float(random.uniform(first, last - span))
    rows, columns = np.arange(high)[:, None], np.arange(wide)[None, :]
    ragged = 12 * np.convolve(random.normal(0, 1, high + 20), np.ones(9) / 9, "same")[:high]
    left = start + ragged[:, None] + random.uniform(-0.25, 0.25) * (rows - high / 2)
    zone = (columns >= left) & (columns < left + span)
    if random.random() < 0.5:  # noqa: PLR2004 -- every second one keeps its digits
        zone &= rows < _BARS_SHARE * high
    count = int(zone.sum())
    match kind:
        case "torn":
            spoilt[zone] = random.uniform(170, 255) + random.normal(0, 8, count)
        case "ink":
            spoilt[zone] = random.uniform(0, 60) + random.normal(0, 8, count)
        case "grey":
            spoilt[zone] = random.uniform(90, 150) + random.normal(0, 15, count)
        case "rubbed":
            coarse = random.uniform(0, 255, (high // 10 + 1, wide // 10 + 1)).astype(np.float32)
            texture = cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC)
            spoilt[zone] = np.clip(texture[zone], 0, 255)
        case "scribble":
            for _ in range(14 if span else 0):
                ends = [
                    (int(start + random.uniform(0, span)), int(random.uniform(0, high)))
                    for _ in range(2)
                ]
                cv2.line(spoilt, ends[0], ends[1], 20.0, int(random.integers(6, 18)))
        case _:
            raise ValueError(kind)
    return spoilt


def _photographed(
    label: NDArray[np.float32], random: np.random.Generator, module_px: float
) -> Shot:
    high, wide = label.shape
    scale, angle = module_px / _SCALE, float(random.uniform(-8, 8))
    size = (
        int(wide * scale * 1.25 + 30),
        int(high * scale + wide * scale * abs(np.sin(np.deg2rad(angle))) + 40),
    )
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), angle, scale)
    turn[:, 2] += (size[0] / 2 - wide / 2, size[1] / 2 - high / 2)
    soft = cv2.GaussianBlur(label, (0, 0), 0.45 / scale)
    seen = cv2.warpAffine(soft, turn, size, flags=cv2.INTER_LINEAR, borderValue=255)
    seen = cv2.GaussianBlur(seen, (0, 0), float(random.uniform(0.3, 0.25 * module_px)))
    light = np.linspace(random.uniform(0.7, 1), random.uniform(0.7, 1), size[0])[None, :]
    noisy = (seen * 0.75 + 25) * light + random.normal(0, 4, seen.shape)
    x0, x1, y1 = _QUIET * _SCALE, (_QUIET + _EAN13) * _SCALE, high * _BARS_SHARE
    corners = np.array([(x0, 0), (x1, 0), (x1, y1), (x0, y1)]) @ turn[:, :2].T + turn[:, 2]
    about = corners + random.normal(0, 3, corners.shape)
    return Shot(np.clip(noisy, 0, 255).astype(np.uint8), np.asarray(about, dtype=np.float64))

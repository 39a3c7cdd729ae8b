"""Decode the symbols of a frame with zxing-cpp: what is likely first, the rest only where needed.

One upright pass takes most; a second one, for linear codes that run down the frame and turned Data
Matrix codes, follows only where a carton is not yet known. Light-on-dark
codes are not tried: none was found on cartons, and looking for them costs a third more.

Formats with a weak check (`_WEAK`) are made up now and then from other print, mostly from the
add-on or a part of another code. They count only where a second look at their own place, at
another scale, says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from zxingcpp import BarcodeFormat as Format

_LINEAR = (
    Format.Code128, Format.EAN13, Format.UPCA, Format.EAN8, Format.UPCE, Format.ITF,
    Format.DataBar, Format.DataBarExp, Format.DataBarLtd, Format.Code39, Format.Code93,
    Format.Codabar,
)  # fmt: skip
_MATRIX = (
    Format.QRCode, Format.MicroQRCode, Format.DataMatrix, Format.PDF417, Format.Aztec,
    Format.MaxiCode,
)  # fmt: skip
_WEAK = frozenset({"UPCE", "EAN8", "ITF", "Codabar", "Code39", "Code93", "DataBarLimited"})
_SHORTEST_ITF = 6
_LARGE_PX = 1600
"""From this size on symbols may be too coarse for the frame's own resolution."""
_CONFIRMED_AT = (1.5, 2.0)
_SIDE_PX = 8

Quad = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scanned:
    """A decoded symbol. `quad` (4, 2) in frame pixels, clockwise from the symbol's top left;
    `raw` are its bytes as latin-1, with group separators.
    """

    kind: str
    text: str
    raw: str
    quad: Quad
    is_gs1: bool


def scan(
    grey: NDArray[np.uint8], *, enough: Callable[[list[Scanned]], bool]
) -> tuple[Scanned, ...]:
    """Symbols of a frame (h, w). Looks on, sideways, until `enough` says that what is found
    tells all there is to know about a carton.
    """
    found = _confirmed(grey, decode(grey, (*_LINEAR, *_MATRIX)))
    if not enough(found):
        turned = np.asarray(cv2.rotate(grey, cv2.ROTATE_90_CLOCKWISE), dtype=np.uint8)
        height = grey.shape[0]
        more = _confirmed(grey, decode(grey, (Format.DataMatrix,), turned=True))
        for each in _confirmed(turned, decode(turned, _LINEAR)):
            quad = np.stack([each.quad[:, 1], height - 1 - each.quad[:, 0]], axis=1)
            more.append(replace(each, quad=quad))
        found += [each for each in more if not any(_same(each, other) for other in found)]
    return tuple(found)


def decode(
    grey: NDArray[np.uint8], formats: Iterable[Format], *, turned: bool = False
) -> list[Scanned]:
    """What zxing-cpp reads in a picture (h, w); with `turned` it tries all quarter turns."""
    codes = zxingcpp.read_barcodes(
        grey,
        formats=zxingcpp.BarcodeFormats(list(formats)),
        try_rotate=turned,
        try_invert=False,
        try_downscale=max(grey.shape) > _LARGE_PX,
    )
    found = []
    for code in codes:
        at = code.position
        corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
        found.append(
            Scanned(
                str(code.format).replace(" ", "").replace("-", ""),
                code.text,
                bytes(code.bytes).decode("latin-1"),
                np.array([(point.x, point.y) for point in corners], dtype=np.float64),
                code.content_type == zxingcpp.ContentType.GS1,
            )
        )
    return found


def _confirmed(grey: NDArray[np.uint8], found: list[Scanned]) -> list[Scanned]:
    """Without empty texts, and without weak ones that a second look does not repeat."""
    return [
        each
        for each in found
        if each.text.strip()
        and (each.kind not in _WEAK or (_long_enough(each) and _repeats(grey, each)))
    ]


def _long_enough(each: Scanned) -> bool:
    return each.kind != "ITF" or len(each.text) >= _SHORTEST_ITF


def _repeats(grey: NDArray[np.uint8], each: Scanned) -> bool:
    wide = float(np.linalg.norm(each.quad[1] - each.quad[0]))
    margin = round(0.15 * wide) + _SIDE_PX
    low = np.maximum(each.quad.min(axis=0).astype(int) - margin, 0)
    high = each.quad.max(axis=0).astype(int) + margin
    crop = grey[low[1] : high[1], low[0] : high[0]]
    for scale in _CONFIRMED_AT:
        size = (round(crop.shape[1] * scale), round(crop.shape[0] * scale))
        larger = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
        if any(again.text == each.text for again in decode(larger, _LINEAR)):
            return True
    return False


def _same(one: Scanned, other: Scanned) -> bool:
    apart = np.linalg.norm(one.quad.mean(axis=0) - other.quad.mean(axis=0))
    return one.text == other.text and bool(apart < np.ptp(other.quad, axis=0).max())

"""zxing-cpp at the shelf: few formats, rows far apart, and no more of the frame than needed.

A linear code reads in any row, so every third one is enough, upright and sideways; matrix codes need
the whole frame. That is a third to a quarter of the time of zxing-cpp's own defaults. Light-on-dark
codes are not tried.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from zxingcpp import BarcodeFormat as Format

Grey = NDArray[np.uint8]
Floats = NDArray[np.float64]

LINEAR = zxingcpp.BarcodeFormats(
    [Format.EANUPC, Format.Code128, Format.ITF, Format.DataBar, Format.DataBarExp]
)
RETAIL = zxingcpp.BarcodeFormats([Format.EANUPC])
_SIDEWAYS = zxingcpp.BarcodeFormats([Format.EANUPC, Format.Code128, Format.ITF])
MATRIX = zxingcpp.BarcodeFormats([Format.QRCode, Format.DataMatrix])
ALL = zxingcpp.BarcodeFormats(
    [
        Format.EANUPC, Format.Code128, Format.ITF, Format.DataBar, Format.DataBarExp,
        Format.QRCode, Format.DataMatrix,
    ]
)  # fmt: skip
WEAK = frozenset({"EAN8", "UPCE", "ITF", "ITF14"})
"""Short or weakly checked: now and then read from a part of another code."""
_EVERY = 3
_COVER = 255
_STRIP_ROWS, _FARTHEST_ROWS = 6, 6
_MARGIN = 0.12
_SQUARE = 1.7
_TILTED = math.radians(6)
_GS1 = {"Code128": "GS1-128", "DataMatrix": "GS1DataMatrix", "QRCode": "GS1QRCode"}
_ITF14 = 14


@dataclass(frozen=True, slots=True)
class Decoded:
    """`quad` (4, 2) in pixels of the picture, from the code's top left on clockwise. `raw` holds the
    bytes as latin-1 with group separators; `gs1`: the symbol itself says that it is GS1's.
    """

    text: str
    format: str
    raw: str
    gs1: bool
    quad: Floats


def decode_frame(grey: Grey) -> list[Decoded]:
    """All codes of a frame (h, w), upright or turned by quarters."""
    found = decode(grey[::_EVERY], LINEAR, stretch=(1, _EVERY))
    turned = np.asarray(cv2.rotate(grey, cv2.ROTATE_90_CLOCKWISE), dtype=np.uint8)
    height = grey.shape[0]
    for each in decode(turned[::_EVERY], _SIDEWAYS, stretch=(1, _EVERY)):
        quad = np.stack([each.quad[:, 1], height - each.quad[:, 0]], axis=1)
        found.append(replace(each, quad=quad))
    return found + decode(_without(grey, found), MATRIX)


def _without(grey: Grey, found: Sequence[Decoded]) -> Grey:
    """The frame with what was read covered: the search for matrix codes stays long at every bar."""
    covered = grey.copy()
    for each in found:
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = each.quad.tolist()
        left, right = int(min(ax, bx, cx, dx)), int(max(ax, bx, cx, dx)) + 1
        top, bottom = int(min(ay, by, cy, dy)), int(max(ay, by, cy, dy)) + 1
        covered[max(0, top) : bottom, max(0, left) : right] = _COVER
    return covered


def decode_region(grey: Grey, quad: Floats) -> Decoded | None:
    """The code in a region (4, 2) of a frame (h, w), where it was before; None where none is read."""
    # Plain floats: arrays of four points cost more than the decoder's own work on a few rows.
    a, b, c, d = quad.tolist()
    wide, high = math.dist(a, b), math.dist(a, d)
    if min(wide, high) < 1:
        return None
    margin = _MARGIN * wide + 4
    left, top, right, bottom = (
        max(0, int(min(a[0], b[0], c[0], d[0]) - margin)),
        max(0, int(min(a[1], b[1], c[1], d[1]) - margin)),
        int(max(a[0], b[0], c[0], d[0]) + margin),
        int(max(a[1], b[1], c[1], d[1]) + margin),
    )
    if wide < _SQUARE * high:
        crop = grey[top:bottom, left:right]
        found = decode(crop, MATRIX) or decode(crop, LINEAR)
        return replace(found[0], quad=found[0].quad + np.array((left, top))) if found else None
    angle = math.atan2(b[1] - a[1], b[0] - a[0])
    if abs(angle) < _TILTED:
        # A few rows spread over it, and only if they give nothing, all of them.
        step = min(_FARTHEST_ROWS, max(1, int(0.8 * high) // _STRIP_ROWS))
        middle = int((a[1] + b[1] + c[1] + d[1]) / 4)
        first = max(0, middle - _STRIP_ROWS * step // 2)
        spread = slice(first, first + _STRIP_ROWS * step, step)
        looks = ((spread, RETAIL), (spread, LINEAR), (slice(top, bottom), LINEAR))
        for rows, formats in looks:
            codes = _read(grey[rows, left:right], formats)
            if codes:
                return _decoded(codes[0], quad)
        return None
    back, strip = _straight(grey, quad, wide, high, angle)
    found = decode(strip, LINEAR)
    if not found:
        return None
    return replace(found[0], quad=found[0].quad @ back[:, :2].T + back[:, 2])


def enlarged(grey: Grey, quad: Floats, *, times: int = 3) -> list[Decoded]:
    """What is read around `quad` when the picture is enlarged and sharpened: small modules come
    back, and so do phantoms with a valid check digit.
    """
    wide = float(np.hypot(*(quad[1] - quad[0])))
    low = np.maximum(np.floor(quad.min(axis=0) - _MARGIN * wide - 4), 0).astype(int)
    up = np.ceil(quad.max(axis=0) + _MARGIN * wide + 4).astype(int)
    crop = grey[low[1] : up[1], low[0] : up[0]]
    if crop.size == 0:
        return []
    large = cv2.resize(crop, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(large, (0, 0), 0.6 * times)
    sharp = np.asarray(cv2.addWeighted(large, 2.2, soft, -1.2, 0), dtype=np.uint8)
    found = decode(sharp[::_EVERY], LINEAR, stretch=(1, _EVERY)) or decode(sharp, MATRIX)
    return [replace(each, quad=each.quad / times + low) for each in found]


def decode(
    grey: Grey, formats: zxingcpp.BarcodeFormats, *, stretch: Sequence[float] = (1, 1)
) -> list[Decoded]:
    """What zxing-cpp reads, upright; its quads times `stretch` (x, y)."""
    return [_decoded(code, _quad(code) * stretch) for code in _read(grey, formats)]


def _read(grey: Grey, formats: zxingcpp.BarcodeFormats) -> list[zxingcpp.Barcode]:
    if min(grey.shape) < 2:  # noqa: PLR2004 -- a code needs two rows
        return []
    codes = zxingcpp.read_barcodes(
        grey,
        formats=formats,
        try_rotate=False,
        try_invert=False,
        try_downscale=False,
        text_mode=zxingcpp.TextMode.Plain,
    )
    return [code for code in codes if code.text.strip()]


def _quad(code: zxingcpp.Barcode) -> Floats:
    at = code.position
    a, b, c, d = at.top_left, at.top_right, at.bottom_right, at.bottom_left
    # The lines of a linear code are not always told from the top on.
    if (b.x - a.x) * (d.y - a.y) < (b.y - a.y) * (d.x - a.x):
        a, b, c, d = d, c, b, a
    return np.array([(point.x, point.y) for point in (a, b, c, d)], dtype=np.float64)


def _decoded(code: zxingcpp.Barcode, quad: Floats) -> Decoded:
    text, name = code.text, code.format.name
    gs1 = code.content_type == zxingcpp.ContentType.GS1
    if gs1:
        name = _GS1.get(name, name)
    elif name == "ITF" and len(text) == _ITF14:
        name = "ITF14"
    return Decoded(text, name, bytes(code.bytes).decode("latin-1"), gs1, quad)


def _straight(
    grey: Grey, quad: Floats, wide: float, high: float, angle: float
) -> tuple[Floats, Grey]:
    """The way back (2, 3) to the frame, and a low strip (rows, w) of the middle of a tilted code."""
    w = round(wide * (1 + 2 * _MARGIN) + 8)
    h = max(4, round(min(high * 0.7, 12)))
    c, s = np.cos(angle), np.sin(angle)
    middle = quad.mean(axis=0)
    back = np.array(
        [
            [c, -s, middle[0] - c * w / 2 + s * h / 2],
            [s, c, middle[1] - s * w / 2 - c * h / 2],
        ]
    )
    strip = cv2.warpAffine(
        grey, back, (w, h), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderValue=255
    )
    return back, np.asarray(strip, dtype=np.uint8)

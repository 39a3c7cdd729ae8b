"""Matrix codes that zxing-cpp cannot read, retried with the damage masked as erasures.

A corrected symbol is drawn clean and read by zxing-cpp, so that its text is that of any other.
It counts only where GS1's grammar and check digits hold as well: two proofs are better than one.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from zxingcpp import BarcodeFormat as Format

from vision.reading.symbols_erasures.lattice import PATCH_PX, find_lattice
from vision.reading.symbols_erasures.locate import Square, find_squares
from vision.reading.symbols_erasures.modules import Placed, place, sample
from vision.reading.symbols_erasures.retry import decode as corrected
from vision.reading.symbols_scan import Scanned, decode

_SQUARES = 2
_PLACES = 2
_LEAST_FIT = 0.45
_SHARPENED = (0.0, 0.15)
_FILLED = 0.78
"""The share of a patch's width that a symbol about fills."""
_QUIET_MODULES = 4
_MODULE_PX = 4


def scan_damaged(frame: NDArray[np.uint8], grey: NDArray[np.uint8]) -> list[Scanned]:
    """Damaged matrix codes of a frame (h, w, 3) BGR, `grey` the same (h, w)."""
    found = []
    for square in find_squares(grey, most=_SQUARES):
        one = _read(frame, square)
        if one is not None:
            found.append(one)
    return found


def _read(frame: NDArray[np.uint8], square: Square) -> Scanned | None:
    size = (PATCH_PX, PATCH_PX)
    patch = np.asarray(cv2.warpAffine(frame, square.matrix, size), dtype=np.uint8)
    grey = cv2.GaussianBlur(cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY), (3, 3), 0)
    lattice = find_lattice(grey.astype(np.float32))
    if lattice is None:
        return None
    about = _FILLED * PATCH_PX / float(lattice.pitch.mean())
    for sharpen in _SHARPENED:
        modules = sample(patch, lattice, sharpen=sharpen)
        for placed in place(modules, about=about, most=_PLACES):
            if placed.fit < _LEAST_FIT:
                break
            clean = corrected(placed)
            if clean is not None:
                read = decode(_drawn(clean), (Format.QRCode, Format.DataMatrix))
                if read:
                    return replace(read[0], quad=_quad(placed, square))
    return None


def _drawn(dark: NDArray[np.bool_]) -> NDArray[np.uint8]:
    framed = np.pad(dark, _QUIET_MODULES)
    large = np.kron(framed, np.ones((_MODULE_PX, _MODULE_PX), bool))
    return np.where(large, 0, 255).astype(np.uint8)


def _quad(placed: Placed, square: Square) -> NDArray[np.float64]:
    """The corners of a symbol in the frame, clockwise from its own top left."""
    at = placed.points
    corners = np.array([at[0, 0], at[0, -1], at[-1, -1], at[-1, 0]])
    back = cv2.invertAffineTransform(square.matrix)
    return np.asarray(corners @ back[:, :2].T + back[:, 2], dtype=np.float64)

"""A picture of a shelf in, its codes out.

What the decoder says is believed where the symbology proves it; a code that was read in an enlarged
picture, or in a format with a weak check, only where it is on the stock list (without any list, a
weak one whose check digit fits is told as no more than read); two texts in one place, neither (I7).
What is damaged is asked of the list (`damaged`), which says how sure it is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import BadFrameError
from contracts.geometry import Quad
from contracts.gs1 import has_valid_check_digit
from vision.reading.symbols import Elements, elements_of
from vision.shelf.damaged.reader import DamagedReader
from vision.shelf.decode import WEAK, Decoded, decode_frame, decode_region, enlarged
from vision.shelf.stock_list import ListedCode, StockList
from vision.shelf.types import CodeState, How, ReadCode, ShelfReading
from vision.shelf.unread import box_of, find_unread

_COLOURS, _GREY = 3, 2
_GS1_KINDS = {"GS1-128": "Code128", "GS1DataMatrix": "DataMatrix", "GS1QRCode": "QRCode"}
_ENLARGED_S = 0.02
"""So long a frame's unread codes are tried enlarged; what is left is tried in the next frame."""
_MOST_DAMAGED = 4
_SIZES = (3, 2)
_RETAIL_MODULES = {"EAN13": 95, "UPCA": 95, "EAN8": 67}
_LEAST_MODULE_PX = 1.55
"""Below it a misread EAN or UPC with a valid check digit was measured, at 1.6 pixels none."""


def read_shelf(
    frame: NDArray[np.uint8],
    known: StockList | None,
    regions: Sequence[Quad] | None = None,
    *,
    place: str = "",
    damaged: DamagedReader | None = None,
) -> ShelfReading:
    """Every code in `frame`, (h, w) grey or (h, w, 3) BGR, uint8.

    `known` is the stock list, None where there is none; `place` makes what stands there likelier.
    With `regions` (quads in frame pixels, from the frame before or from a tracker) only those are
    looked at, which is several times faster. `damaged` asks for what the bars and the print that are left of an unread
    code say against the list: about a tenth of a second a code, four codes at most.

    Raises BadFrameError for an array of another shape or type.
    """
    start = time.perf_counter()
    grey = grey_of(frame)
    if regions is None:
        found = _apart(decode_frame(grey))
        fine = [each for each in found if _too_fine(each)]
        found = [each for each in found if not _too_fine(each)]
        open_ = find_unread(grey, [each.quad for each in (*found, *fine)])
        codes = [_code(each, known) for each in found]
        # A code that no third row reads may read in all of them.
        more, open_ = _in_regions(grey, [_quad(quad) for quad in open_], known)
        codes += more
        open_ = [each.quad for each in fine] + open_
    else:
        codes, open_ = _in_regions(grey, regions, known)
    unread = [each for each in codes if each.state is CodeState.UNREAD]
    codes = [each for each in codes if each.state is not CodeState.UNREAD]
    for quad in open_:
        late = time.perf_counter() - start > _ENLARGED_S
        again = None if late and damaged is None else _enlarged(grey, quad, known)
        if again is not None:
            codes.append(again)
        elif damaged is not None and len(unread) < _MOST_DAMAGED:
            answered = damaged.read(frame, known or StockList(), quad=quad, place=place)
            if not any(_covers(_box(answered), _box(each)) for each in codes):
                (unread if answered.state is CodeState.UNREAD else codes).append(answered)
        else:
            unread.append(ReadCode(_quad(quad), CodeState.UNREAD))
    elapsed = round(1000 * (time.perf_counter() - start), 2)
    return ShelfReading(tuple(codes), tuple(unread), elapsed)


def grey_of(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w) of a frame. Raises BadFrameError for what is none."""
    if frame.dtype != np.uint8 or frame.size == 0:
        raise BadFrameError(
            f"A frame of type {frame.dtype} and shape {frame.shape}", mend="Give 8-bit pixels"
        )
    if frame.ndim == _GREY:
        return frame
    if frame.ndim == _COLOURS and frame.shape[2] == _COLOURS:
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    raise BadFrameError(
        f"A frame of shape {frame.shape}", mend="Give (height, width) or (height, width, 3) BGR"
    )


def code_of(each: Decoded, known: StockList | None, *, how: How = How.READ) -> ReadCode:
    """What a decoded code stands for on the list."""
    if each.format in _RETAIL_MODULES:
        elements = Elements(gtin=each.text.zfill(14))
    else:
        kind = _GS1_KINDS.get(each.format, each.format)
        elements = elements_of(kind, each.raw if each.gs1 else each.text, gs1=each.gs1)
    listed = known.get(elements.gtin) if known and elements.gtin else None
    state = _state(each, listed, known, how)
    if state is CodeState.UNREAD:
        return ReadCode(_quad(each.quad), state)
    return ReadCode(
        _quad(each.quad),
        state,
        each.text,
        each.format,
        elements.gtin or "",
        listed.product if listed else "",
        listed.units if listed else 0,
        elements.batch or "",
        elements.expiry.isoformat() if elements.expiry else "",
        how,
        1.0 if listed or each.format not in WEAK else 0.0,
    )


def _state(
    each: Decoded, listed: ListedCode | None, known: StockList | None, how: How
) -> CodeState:
    if listed is not None:
        return CodeState.CONFIRMED
    if how is not How.READ or (each.format in WEAK and known is not None):
        return CodeState.UNREAD
    if known is not None:
        return CodeState.OFF_LIST
    # The decoder checks the digit of EAN-8 and UPC-E itself; ITF of another length has none at all.
    fits = each.format != "ITF" and (each.format != "ITF14" or has_valid_check_digit(each.text))
    return CodeState.READ if fits else CodeState.UNREAD


def _code(each: Decoded, known: StockList | None) -> ReadCode:
    if not each.text:
        return ReadCode(_quad(each.quad), CodeState.UNREAD)
    return code_of(each, known)


def _too_fine(each: Decoded) -> bool:
    modules = _RETAIL_MODULES.get(each.format)
    wide = math.dist(each.quad[0].tolist(), each.quad[1].tolist())
    return modules is not None and wide < _LEAST_MODULE_PX * modules


def _in_regions(
    grey: NDArray[np.uint8], regions: Sequence[Quad], known: StockList | None
) -> tuple[list[ReadCode], list[NDArray[np.float64]]]:
    codes, open_ = [], []
    for region in regions:
        quad = np.array(region, dtype=np.float64)
        each = decode_region(grey, quad)
        code = None if each is None or _too_fine(each) else code_of(each, known)
        if code is None or code.state is CodeState.UNREAD:
            open_.append(quad)
        else:
            codes.append(code)
    return codes, open_


def _enlarged(
    grey: NDArray[np.uint8], quad: NDArray[np.float64], known: StockList | None
) -> ReadCode | None:
    """One listed code that reads the same at both sizes, and nothing that contradicts it."""
    looks = [enlarged(grey, quad, times=times) for times in _SIZES]
    if len({each.text for look in looks for each in look}) != 1 or not all(looks):
        return None
    code = code_of(looks[0][0], known, how=How.ENLARGED)
    return code if code.state is CodeState.CONFIRMED else None


def _apart(found: Sequence[Decoded]) -> list[Decoded]:
    """One code a place: the same text twice is one; of two texts a weak one gives way, otherwise
    neither is told (its text is emptied).
    """
    kept: list[Decoded] = []
    boxes: list[tuple[float, float, float, float]] = []
    for each in sorted(found, key=lambda one: one.format in WEAK):
        box = box_of(each.quad)
        at = next((k for k, other in enumerate(boxes) if _covers(other, box)), None)
        if at is None:
            kept.append(each)
            boxes.append(box)
        elif kept[at].text != each.text and each.format not in WEAK:
            kept[at] = replace(kept[at], text="")
    return kept


def _covers(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether the middle of either box (left, top, right, bottom) lies within the other."""
    for a, b in ((one, other), (other, one)):
        x, y = (b[0] + b[2]) / 2, (b[1] + b[3]) / 2
        if a[0] - 1 <= x <= a[2] + 1 and a[1] - 1 <= y <= a[3] + 1:
            return True
    return False


def _box(code: ReadCode) -> tuple[float, ...]:
    xs, ys = [x for x, _ in code.quad], [y for _, y in code.quad]
    return (min(xs), min(ys), max(xs), max(ys))


def _quad(quad: NDArray[np.float64]) -> Quad:
    a, b, c, d = ((x, y) for x, y in quad.tolist())
    return (a, b, c, d)

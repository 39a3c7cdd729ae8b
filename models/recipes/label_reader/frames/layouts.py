"""The ways to lay a label out: four of the calibration profile, five of the second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from models.recipes.label_reader.frames.goods import Lot
from models.recipes.label_reader.frames.sheet import Sheet, Size

FIELDS = ("gtin", "batch", "expiry", "mfg", "sku", "qty")


@dataclass(frozen=True, slots=True)
class Copy:
    """The words of one label: caption and value by field, as printed."""

    lot: Lot
    captions: Mapping[str, str]
    values: Mapping[str, str]
    separator: str
    element: str
    hri: str
    symbology: str
    chinese: bool

    def line(self, name: str) -> str:
        return f"{self.captions[name]}{self.separator}{self.values[name]}"


def _header(sheet: Sheet, copy: Copy, left: float, top: float) -> float:
    """Product names; gives the y below them."""
    y = top
    if copy.chinese:
        y += 38
        sheet.text("name_cn", copy.lot.product.name_cn, (left, y), 38)
    y += 34
    sheet.text("name_en", copy.lot.product.name_en, (left, y), 28, bold=True)
    return y + 14


def _symbol_size(copy: Copy, rng: np.random.Generator, most: float) -> Size:
    module = (
        float(rng.uniform(4.6, 7.0)) if copy.symbology == "QR" else float(rng.uniform(5.5, 8.5))
    )
    return Size(module, round(most), int(rng.integers(85, 135)), str(rng.choice(tuple("LMQH"))))


def _bottom_symbol(sheet: Sheet, copy: Copy, rng: np.random.Generator, y: float) -> None:
    """A linear symbol across the foot with its text below; a square one at the lower right."""
    size = _symbol_size(copy, rng, sheet.width * float(rng.uniform(0.72, 0.88)))
    if copy.symbology == "GS1-128":
        left = float(rng.uniform(30, sheet.width - size.width - 25))
        top = min(y, sheet.height - size.height - 46)
        box = sheet.symbol(copy.element, copy.symbology, (left, top), size)
        sheet.text("hri", copy.hri, (left, box[3] + 26), 21, widest=sheet.width - left - 20)
        return
    _corner_symbol(sheet, copy, rng, size)


def _corner_symbol(sheet: Sheet, copy: Copy, rng: np.random.Generator, size: Size) -> None:
    """A square symbol right of the lines, and the text at the foot."""
    side = size.module * (33 if copy.symbology == "QR" else 26)
    left = sheet.width - side - float(rng.uniform(28, 60))
    top = float(rng.uniform(130, max(131, sheet.height - side - 70)))
    sheet.symbol(copy.element, copy.symbology, (left, top), size)
    sheet.text("hri", copy.hri, (30, sheet.height - 22), 22, widest=sheet.width - 60)


def _body(rng: np.random.Generator) -> list[str]:
    """The fields in print order; what must be there and some of what may be."""
    names = [n for n in FIELDS if n in ("gtin", "batch", "expiry") or rng.random() < 0.8]
    if rng.random() < 0.5:
        rng.shuffle(names)
    return names


def _list(sheet: Sheet, copy: Copy, rng: np.random.Generator) -> None:
    y = _header(sheet, copy, 28, 8)
    sheet.rule((14, y), (sheet.width - 14, y))
    size = int(rng.integers(25, 31))
    for name in _body(rng):
        y += size + int(rng.integers(9, 13))
        sheet.text(name, copy.line(name), (28, y), size)
    _bottom_symbol(sheet, copy, rng, y + 18)
    sheet.frame((6, 6, sheet.width - 7, sheet.height - 7))


def _columns(sheet: Sheet, copy: Copy, rng: np.random.Generator) -> None:
    y = _header(sheet, copy, 34, 14)
    size = int(rng.integers(24, 28))
    top = y
    middle = sheet.width * 0.51
    for place, name in enumerate(_body(rng)):
        y = top + (place // 2 + 1) * (size + 20)
        x = 34 + (place % 2) * middle
        sheet.text(name, copy.line(name), (x, y), size, widest=middle - 50)
        if place % 2 == 0:
            sheet.rule((20, y + 12), (sheet.width - 20, y + 12), 1)
    y += 28
    size_of = _symbol_size(copy, rng, sheet.width * float(rng.uniform(0.74, 0.9)))
    if copy.symbology == "GS1-128":
        left = (sheet.width - size_of.width) / 2
        box = sheet.symbol(copy.element, copy.symbology, (left, y), size_of)
        sheet.text("hri", copy.hri, (left + 12, box[3] + 27), 22, widest=sheet.width - left - 30)
    else:
        box = sheet.symbol(copy.element, copy.symbology, (40, y), size_of)
        sheet.text("hri", copy.hri, (box[2] + 24, y + 40), 20, widest=sheet.width - box[2] - 44)


def _symbol_left(sheet: Sheet, copy: Copy, rng: np.random.Generator) -> None:
    y = _header(sheet, copy, 40, 10)
    sheet.rule((20, y), (sheet.width - 20, y), 3)
    size = int(rng.integers(24, 29))
    size_of = _symbol_size(copy, rng, sheet.width * float(rng.uniform(0.74, 0.9)))
    if copy.symbology == "GS1-128":
        box = sheet.symbol(copy.element, copy.symbology, (36, y + 16), size_of)
        sheet.text("hri", copy.hri, (40, box[3] + 27), 21, widest=sheet.width - 70)
        left, y = 40.0, box[3] + 44
    else:
        box = sheet.symbol(copy.element, copy.symbology, (36, y + 20), size_of)
        sheet.text("hri", copy.hri, (40, sheet.height - 24), 21, widest=sheet.width - 70)
        left = box[2] + 36
    for name in _body(rng):
        y += size + 9
        sheet.text(name, copy.line(name), (left, y), size, widest=sheet.width - left - 20)


def _footer(sheet: Sheet, copy: Copy, rng: np.random.Generator) -> None:
    size = int(rng.integers(26, 31))
    y = 18.0
    for name in _body(rng):
        y += size + 11
        sheet.text(name, copy.line(name), (36, y), size)
    if copy.symbology == "GS1-128":
        _bottom_symbol(sheet, copy, rng, y + 18)
        sheet.text("name_en", copy.lot.product.name_en, (sheet.width - 36, 58), 28, right=True)
    else:
        foot = _header(sheet, copy, 36, y + 20)
        sheet.rule((24, foot + 4), (sheet.width - 24, foot + 4))
        _corner_symbol(sheet, copy, rng, _symbol_size(copy, rng, 0))
    sheet.frame((10, 10, sheet.width - 11, sheet.height - 11), 4)


def _captions_above(sheet: Sheet, copy: Copy, rng: np.random.Generator) -> None:
    """Small captions over large values, in a grid of two."""
    y = _header(sheet, copy, 30, 10)
    size = int(rng.integers(27, 32))
    names = ["batch", "expiry", "gtin", *[n for n in ("mfg", "qty") if rng.random() < 0.8]]
    middle = sheet.width * 0.5
    for place, name in enumerate(names):
        x = 30 + (place % 2) * middle
        row = y + (place // 2) * (size + 36)
        sheet.text("caption", copy.captions[name], (x, row + 24), 18)
        sheet.text(
            name, copy.values[name], (x, row + 30 + size), size, bold=True, widest=middle - 44
        )
    y += (len(names) + 1) // 2 * (size + 36) + 22
    size_of = _symbol_size(copy, rng, sheet.width * float(rng.uniform(0.74, 0.88)))
    if copy.symbology == "GS1-128":
        box = sheet.symbol(copy.element, copy.symbology, (34, min(y, sheet.height - 150)), size_of)
        sheet.text("hri", copy.hri, (38, box[3] + 27), 22, widest=sheet.width - 60)
    else:
        at = (sheet.width - size_of.module * 36 - 30, y - 20)
        sheet.symbol(copy.element, copy.symbology, at, size_of)
        sheet.text("hri", copy.hri, (30, sheet.height - 20), 22, widest=sheet.width - 60)


def _table(sheet: Sheet, copy: Copy, rng: np.random.Generator) -> None:
    """Ruled rows, caption and value in cells of their own."""
    linear = copy.symbology == "GS1-128"
    right = sheet.width - 20.0 if linear else sheet.width * 0.66
    size = int(rng.integers(24, 28))
    top, split = 18.0, 20 + (right - 20) * 0.36
    y = top
    names = ["name_en", *_body(rng)]
    for name in names:
        sheet.rule((20, y), (right, y))
        base = y + size + 8
        if name == "name_en":
            words = copy.lot.product.name_cn if copy.chinese else copy.lot.product.name_en
            which = "name_cn" if copy.chinese else name
            sheet.text(which, words, (32, base), size + 2, bold=True)
        else:
            sheet.text("caption", copy.captions[name], (32, base), size - 3, widest=split - 40)
            sheet.text(name, copy.values[name], (split + 14, base), size, widest=right - split - 24)
        y += size + 20
    sheet.frame((20, top, right, y))
    sheet.rule((split, top + size + 20), (split, y))
    size_of = _symbol_size(copy, rng, sheet.width * float(rng.uniform(0.74, 0.9)))
    if linear:
        box = sheet.symbol(
            copy.element, copy.symbology, (24, min(y + 16, sheet.height - 140)), size_of
        )
        sheet.text("hri", copy.hri, (28, box[3] + 26), 21, widest=sheet.width - 50)
    else:
        sheet.symbol(copy.element, copy.symbology, (right + 24, top + 20), size_of)
        sheet.text("hri", copy.hri, (24, sheet.height - 20), 22, widest=sheet.width - 50)


def _right_aligned(sheet: Sheet, copy: Copy, rng: np.random.Generator) -> None:
    edge = sheet.width - 34.0
    size = int(rng.integers(25, 30))
    y = 20.0 + size
    sheet.text("name_en", copy.lot.product.name_en, (edge, y), size + 4, right=True, bold=True)
    for name in _body(rng):
        y += size + 12
        sheet.text(name, copy.line(name), (edge, y), size, right=True)
    size_of = _symbol_size(copy, rng, sheet.width * float(rng.uniform(0.72, 0.86)))
    if copy.symbology == "GS1-128":
        left = edge - size_of.width
        box = sheet.symbol(
            copy.element, copy.symbology, (left, min(y + 18, sheet.height - 140)), size_of
        )
        sheet.text("hri", copy.hri, (edge, box[3] + 26), 21, right=True)
    else:
        sheet.symbol(copy.element, copy.symbology, (36, 40), size_of)
        sheet.text("hri", copy.hri, (edge, sheet.height - 22), 22, right=True)


def _two_column(sheet: Sheet, copy: Copy, rng: np.random.Generator) -> None:
    """Captions under each other, values under each other, without rules."""
    y = _header(sheet, copy, 44, 12)
    size = int(rng.integers(25, 30))
    names = _body(rng)
    split = 44 + max(sheet.face.box(copy.captions[n], size)[2] for n in names) + 34
    for name in names:
        y += size + 11
        sheet.text("caption", copy.captions[name], (44, y), size)
        sheet.text(name, copy.values[name], (split, y), size, bold=name in ("batch", "expiry"))
    _bottom_symbol(sheet, copy, rng, y + 20)


def _pallet(sheet: Sheet, copy: Copy, rng: np.random.Generator) -> None:
    """Like a logistic label: name, ruled blocks of captions over values, the symbol at the foot."""
    y = _header(sheet, copy, 26, 6)
    size = int(rng.integers(26, 31))
    third = (sheet.width - 40) / 2
    for left_name, right_name in (("gtin", "qty"), ("batch", "expiry")):
        sheet.rule((16, y), (sheet.width - 16, y), 3)
        for x, name in ((26.0, left_name), (26 + third, right_name)):
            sheet.text("caption", copy.captions[name].upper(), (x, y + 24), 17)
            sheet.text(name, copy.values[name], (x, y + 32 + size), size, widest=third - 30)
        y += size + 46
    sheet.rule((16, y), (sheet.width - 16, y), 3)
    size_of = _symbol_size(copy, rng, sheet.width * float(rng.uniform(0.76, 0.9)))
    if copy.symbology == "GS1-128":
        left = (sheet.width - size_of.width) / 2
        box = sheet.symbol(copy.element, copy.symbology, (left, y + 16), size_of)
        sheet.text("hri", copy.hri, (left + 8, box[3] + 27), 22, widest=sheet.width - left - 24)
    else:
        box = sheet.symbol(copy.element, copy.symbology, (36, y + 14), size_of)
        sheet.text(
            "hri", copy.hri, (box[2] + 24, box[1] + 60), 20, widest=sheet.width - box[2] - 40
        )


LAYOUTS: Mapping[str, Callable[[Sheet, Copy, np.random.Generator], None]] = MappingProxyType(
    {
        "list": _list,
        "columns": _columns,
        "symbol_left": _symbol_left,
        "footer": _footer,
        "captions_above": _captions_above,
        "table": _table,
        "right_aligned": _right_aligned,
        "two_column": _two_column,
        "pallet": _pallet,
    }
)

"""A flat print: the ink on it, and what each piece of it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.recipes.label_reader.frames.faces import Face

Ink = NDArray[np.uint8]
Box = tuple[float, float, float, float]
CODES = ("gtin", "batch", "expiry", "barcode", "hri")
"""Names of the items that make up the code area: what a reader needs to identify the goods."""
_FORMATS = {
    "GS1-128": zxingcpp.BarcodeFormat.Code128,
    "DataMatrix": zxingcpp.BarcodeFormat.DataMatrix,
    "QR": zxingcpp.BarcodeFormat.QRCode,
}
PADDING = 3
SMALLEST = 17


@dataclass(frozen=True, slots=True)
class Item:
    """One line of text or one symbol; `box` is left, top, right, bottom in the print's pixels."""

    kind: Literal["text", "barcode"]
    name: str
    text: str
    box: Box


@dataclass(slots=True)
class Sheet:
    """A label while it is being laid out. Sizes are heights of capitals divided by 0.72."""

    width: int
    height: int
    face: Face
    items: list[Item] = field(default_factory=list)
    cramped: bool = False
    """Something had to be written too small to be read."""
    image: Image.Image = field(init=False)
    pen: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        self.image = Image.new("L", (self.width, self.height), 0)
        self.pen = ImageDraw.Draw(self.image)

    def text(
        self,
        name: str,
        text: str,
        at: tuple[float, float],
        size: int,
        *,
        bold: bool = False,
        right: bool = False,
        widest: float | None = None,
    ) -> Box:
        """Write `text` with its baseline at `at` (its right end there, if `right`), smaller where
        it would be wider than `widest`; gives the box of the ink.
        """
        box = self.face.box(text, size, bold=bold)
        while widest and box[2] > widest and size > SMALLEST:
            size -= 1
            box = self.face.box(text, size, bold=bold)
        self.cramped |= bool(widest) and box[2] > (widest or 0.0)
        x, y = at[0] - (box[2] if right else 0.0), at[1]
        self.face.draw(self.pen, text, (x, y), size, bold=bold)
        placed = (x + box[0], y + box[1], x + box[2], y + box[3])
        self.items.append(Item("text", name, text, _padded(placed)))
        return placed

    def symbol(self, element: str, symbology: str, at: tuple[float, float], size: Size) -> Box:
        """The symbol with its upper left corner at `at`."""
        drawn = symbol_ink(element, symbology, size)
        height, width = drawn.shape
        self.image.paste(Image.fromarray(drawn), (round(at[0]), round(at[1])))
        box = (at[0], at[1], at[0] + width, at[1] + height)
        self.items.append(Item("barcode", "barcode", element, box))
        return box

    def rule(self, start: tuple[float, float], end: tuple[float, float], width: int = 2) -> None:
        self.pen.line((start, end), fill=255, width=width)

    def frame(self, box: Box, width: int = 2) -> None:
        self.pen.rectangle(box, outline=255, width=width)

    def ink(self) -> Ink:
        return np.array(self.image)


@dataclass(frozen=True, slots=True)
class Size:
    """Of symbols: pixels a module for square ones; width and height for linear ones. `ec_level`
    is the share of error correction of QR codes: L, M, Q or H.
    """

    module: float
    width: int
    height: int
    ec_level: str = "M"


def symbol_ink(element: str, symbology: str, size: Size) -> Ink:
    """The symbol's dark modules as ink, without quiet zones."""
    more = {"ec_level": size.ec_level} if symbology == "QR" else {}
    code = zxingcpp.create_barcode(
        element, _FORMATS[symbology], gs1=True, force_square=symbology == "DataMatrix", **more
    )
    modules = 255 - np.array(code.to_image(scale=1, add_quiet_zones=False), dtype=np.uint8)
    if symbology == "GS1-128":
        fine = np.repeat(modules[:1], 4, axis=1)
        line = cv2.resize(fine, (size.width, 1), interpolation=cv2.INTER_AREA)
        return np.repeat(line, size.height, axis=0).astype(np.uint8)
    fine = np.repeat(np.repeat(modules, 4, axis=0), 4, axis=1)
    across = (round(modules.shape[1] * size.module), round(modules.shape[0] * size.module))
    return cv2.resize(fine, across, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _padded(box: Box) -> Box:
    return box[0] - PADDING, box[1] - PADDING, box[2] + PADDING, box[3] + PADDING

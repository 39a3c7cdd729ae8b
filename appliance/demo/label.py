"""The carton's label, flat, as a thermal printer prints it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from appliance.demo.story import SampleCarton

WIDTH: Final = 1320
HEIGHT: Final = 860
INK: Final = (28, 26, 26)
_FORMATS = {
    "GS1-128": zxingcpp.BarcodeFormat.Code128,
    "DataMatrix": zxingcpp.BarcodeFormat.DataMatrix,
    "QR": zxingcpp.BarcodeFormat.QRCode,
}
_DATES = ("%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d")


@dataclass(frozen=True, slots=True, eq=False)
class FlatLabel:
    """`image` (h, w, 3) uint8; `code_area` (h, w) bool is where the codes and dates stand."""

    image: NDArray[np.uint8]
    code_area: NDArray[np.bool_]


def element_string(carton: SampleCarton) -> str:
    """The GS1 element string with its application identifiers in brackets, as people read it."""
    return f"(01){carton.product.gtin}(17){carton.expiry:%y%m%d}(10){carton.batch}"


def symbol(carton: SampleCarton, scale: int) -> NDArray[np.uint8]:
    """The symbol (h, w) uint8 without quiet zones, `scale` pixels a module."""
    code = zxingcpp.create_barcode(element_string(carton), _FORMATS[carton.printing], gs1=True)
    return np.array(code.to_image(scale=scale, add_quiet_zones=False), dtype=np.uint8)


def made_on(carton: SampleCarton) -> date:
    return carton.expiry - timedelta(days=carton.product.shelf_life_days)


def draw_label(carton: SampleCarton, style: int) -> FlatLabel:
    """The label of `carton`; `style` picks date format, language and face."""
    image = np.full((HEIGHT, WIDTH, 3), 250, dtype=np.uint8)
    area = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    cv2.rectangle(image, (14, 14), (WIDTH - 15, HEIGHT - 15), INK, 3)
    cv2.line(image, (14, 176), (WIDTH - 15, 176), INK, 3)
    product = carton.product
    _text(image, product.name_zh, (46, 86), 60)
    _text(image, product.name_en, (46, 150), 44, face="sans", weight=600)
    _text(image, "旭日食品", (WIDTH - 330, 80), 46)
    _text(image, "SUNRISE FOODS", (WIDTH - 330, 140), 30, face="sans", weight=500)

    written = _DATES[style % len(_DATES)]
    chinese = style % 2 == 1
    rows = (
        f"GTIN {product.gtin}",
        f"{'批号' if chinese else 'LOT'}: {carton.batch}",
        f"{'生产日期' if chinese else 'MFG'}: {made_on(carton):{written}}",
        f"{'有效期至' if chinese else 'EXP'}: {carton.expiry:{written}}",
    )
    for index, row in enumerate(rows):
        baseline = 246 + index * 66
        _text(image, row, (46, baseline), 44)
        cv2.rectangle(area, (40, baseline - 44), (660, baseline + 12), 255, -1)
    _text(image, f"SKU {product.sku}", (760, 246), 36)
    _text(image, "数量 QTY: 1 CTN", (760, 306), 36)
    _symbol(image, area, carton)
    return FlatLabel(image, area > 0)


def _symbol(image: NDArray[np.uint8], area: NDArray[np.uint8], carton: SampleCarton) -> None:
    linear = carton.printing == "GS1-128"
    drawn = symbol(carton, 4 if linear else (11 if carton.printing == "DataMatrix" else 10))
    if linear:
        drawn = np.repeat(drawn[:1], 220, axis=0)
    height, width = drawn.shape
    top, left = (510, (WIDTH - width) // 2) if linear else (370, WIDTH - width - 90)
    image[top : top + height, left : left + width] = np.maximum(drawn, INK[0])[:, :, None]
    cv2.rectangle(area, (left, top), (left + width, top + height), 255, -1)
    below = (left + 20, top + height + 48) if linear else (46, HEIGHT - 62)
    _text(image, element_string(carton), below, 34)
    cv2.rectangle(area, (below[0], below[1] - 34), (below[0] + 640, below[1] + 8), 255, -1)


def _text(
    image: NDArray[np.uint8],
    text: str,
    at: tuple[int, int],
    size: int,
    *,
    face: str = "uni",
    weight: int = 400,
) -> None:
    """`at` is the baseline's left end. Faces come inside OpenCV 5, so no font file is needed."""
    cv2.putText(image, text, at, INK, cv2.FontFace(face), size, weight)
    if face == "uni":
        # This face has one, thin weight; print heads lay down broader strokes.
        cv2.putText(image, text, (at[0] + 1, at[1]), INK, cv2.FontFace(face), size, weight)

"""Labels with real symbols, drawn for the tests: zxing-cpp writes the codes, nothing is damaged."""

from __future__ import annotations

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

PAPER = 228
CARDBOARD = (118, 158, 190)
GTIN, BATCH, EXPIRY = "08804045943238", "L342836", "2028-12-03"
TEXT = f"(01){GTIN}(17)281203(10){BATCH}"


def symbol(kind: str, text: str, *, module: int = 8, **options: object) -> NDArray[np.uint8]:
    """The code of `text` as a grey picture with quiet zone, `module` pixels to a module."""
    code = zxingcpp.create_barcode(
        text, zxingcpp.barcode_format_from_str(kind), **options
    ).to_image(scale=module, add_quiet_zones=True)
    return np.ascontiguousarray(np.array(code, dtype=np.uint8))


def page(
    picture: NDArray[np.uint8],
    *,
    at: tuple[int, int] = (300, 200),
    size: tuple[int, int] = (1280, 960),
) -> NDArray[np.uint8]:
    """A grey code as ink on a sheet of paper, in colour, its top left corner `at` (x, y)."""
    width, height = size
    frame = np.full((height, width, 3), PAPER, np.uint8)
    ink = 30 + picture.astype(np.float32) / 255 * (PAPER - 30)
    x, y = at
    frame[y : y + picture.shape[0], x : x + picture.shape[1]] = ink[:, :, None].astype(np.uint8)
    return frame


def write(
    frame: NDArray[np.uint8], rows: tuple[str, ...], *, at: tuple[int, int], size: float = 1.0
) -> None:
    """Print `rows` of text under each other, the first one's base line `at`."""
    for i, text in enumerate(rows):
        where = (at[0], round(at[1] + 55 * size * i))
        cv2.putText(
            frame, text, where, cv2.FONT_HERSHEY_SIMPLEX, size, (40, 40, 40), 2, cv2.LINE_AA
        )

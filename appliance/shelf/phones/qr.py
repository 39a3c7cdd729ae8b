"""QR codes of links, for a page and for a terminal (ISO/IEC 18004, error correction level M)."""

from __future__ import annotations

import numpy as np
import zxingcpp
from numpy.typing import NDArray

_QUIET = 4
_BLOCKS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


def qr_svg(text: str) -> str:
    """An SVG picture that scales, black on white with its quiet zone, without any style of its own.
    `text`: up to about 2,000 characters.
    """
    dark = _modules(text)
    height, width = dark.shape
    squares = "".join(f"M{x} {y}h1v1h-1z" for y, x in np.argwhere(dark))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'shape-rendering="crispEdges"><path d="M0 0h{width}v{height}h-{width}z" fill="#fff"/>'
        f'<path d="{squares}" fill="#000"/></svg>'
    )


def qr_terminal(text: str) -> str:
    """Lines of half blocks, two modules high each. What is light is drawn and what is dark left out,
    so that it reads on a dark terminal; most readers take the inverse of a light one too.
    """
    light = ~_modules(text)
    if light.shape[0] % 2:
        light = np.vstack([light, np.ones((1, light.shape[1]), dtype=bool)])
    return "\n".join(
        "".join(_BLOCKS[bool(upper), bool(lower)] for upper, lower in zip(*rows, strict=True))
        for rows in zip(light[::2], light[1::2], strict=True)
    )


def _modules(text: str) -> NDArray[np.bool_]:
    """(rows, columns); True is dark. The quiet zone is part of it."""
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    dark: NDArray[np.bool_] = np.asarray(made.to_image(scale=1)) < 128  # noqa: PLR2004 -- black on white
    rows, columns = np.nonzero(dark)
    return np.pad(dark[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1], _QUIET)

"""Real codes as zxing-cpp draws them, one sample a module, and goods that are easily mistaken.

The encoder is zxing-cpp's: nothing here knows a symbology by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

import numpy as np
import zxingcpp
from numpy.typing import NDArray

Modules = NDArray[np.uint8]
"""(rows, columns), 0 a dark module and 255 a light one; one row where the code is linear."""

LINEAR = frozenset({"EAN13", "EAN8", "UPCA", "UPCE", "ITF14", "Code128", "DataBar"})
_QUIET = {"EAN13": 11, "EAN8": 7, "UPCA": 9, "UPCE": 9, "QRCode": 4, "DataMatrix": 2, "DataBar": 1}
_QUIET_ELSE = 10
_ADAPTED = {"ITF14": "ITF"}


@dataclass(frozen=True, slots=True)
class Code:
    """What a label says. `gtin` is the product that it stands for, 14 digits, empty for none."""

    text: str
    format: str = "EAN13"
    gtin: str = ""

    @property
    def linear(self) -> bool:
        return self.format in LINEAR

    @property
    def quiet(self) -> int:
        """Modules that stay light beside it (GS1 General Specifications 5.2.1.3 and following)."""
        return _QUIET.get(self.format, _QUIET_ELSE)


@cache
def modules(code: Code) -> Modules:
    """The code without its quiet zones. Raises ValueError for a text that the format cannot hold."""
    kind = getattr(zxingcpp.BarcodeFormat, _ADAPTED.get(code.format, code.format))
    how = {"gs1": True} if code.text.startswith("(") and code.format != "DataBar" else {}
    drawn = zxingcpp.create_barcode(code.text, kind, **how)
    picture = np.asarray(drawn.to_image(scale=1, add_hrt=False, add_quiet_zones=False))
    if not code.linear:
        return np.ascontiguousarray(picture)
    return np.ascontiguousarray(picture[picture.shape[0] // 3][None, :])


def check_digit(digits: str) -> str:
    """Of a GTIN without it (GS1 General Specifications 7.9.1)."""
    weighted = sum(int(each) * (3 - 2 * (at % 2)) for at, each in enumerate(reversed(digits)))
    return str(-weighted % 10)


def ean13(body: str) -> Code:
    """An EAN-13 of 12 digits and their check digit."""
    text = body + check_digit(body)
    return Code(text, gtin=text.zfill(14))


def goods(count: int, *, seed: int) -> list[Code]:
    """So many products by EAN-13, all different."""
    random = Random(seed)  # noqa: S311 -- a film is drawn again from its seed
    bodies: dict[str, None] = {}
    while len(bodies) < count:
        bodies[f"69{random.randrange(10**10):010}"] = None
    return [ean13(body) for body in bodies]


def neighbours(code: Code, count: int, *, seed: int) -> list[Code]:
    """Products whose number differs in one or two digits and is valid too: what a misreading would
    turn a code into.
    """
    random = Random(f"{seed} {code.text}")  # noqa: S311 -- as above
    found: dict[str, None] = {}
    while len(found) < count:
        body = list(code.gtin[1:13])
        for _ in range(random.choice((1, 1, 2))):
            body[random.randrange(2, 12)] = str(random.randrange(10))
        text = "".join(body)
        if text != code.gtin[1:13]:
            found[text] = None
    return [ean13(body) for body in found]

"""Bar codes and matrix codes in a frame, and what GS1 says they mean.

Decoding is zxing-cpp's, element strings are biip's; check digits are verified again by us, since
a phantom EAN has a valid one in ten cases out of ten tries at other lengths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import biip
import cv2
import numpy as np
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementStrings
from biip.gs1_messages import GS1Message
from numpy.typing import NDArray

from contracts.gs1 import has_valid_check_digit, is_lot
from contracts.reading import Symbol
from vision.reading.symbols_damaged import scan_damaged
from vision.reading.symbols_scan import Scanned, scan

_RETAIL = frozenset({"EAN13", "EAN8", "UPCA", "UPCE", "ITF14", "ITF"})
_BRACKETED = re.compile(r"\(\d{2,4}\)")
_LINK = re.compile(r"https?://\S+/01/\d{8,14}.*", re.IGNORECASE)
_UNMARKED = re.compile(r"01(?P<gtin>\d{14})(?:1[1357]\d{6})*(?:10(?P<lot>[!-z]{1,20}))?")
"""An element string whose printer left out FNC1: common in QR codes."""
_LOT_THEN_DATE = re.compile(r".+1[1357]\d{6}")
GROUP_SEPARATOR = "\x1d"


@dataclass(frozen=True, slots=True)
class Elements:
    """The GS1 facts that a carton is known by; None where absent or not well formed."""

    gtin: str | None = None
    batch: str | None = None
    expiry: date | None = None

    def __bool__(self) -> bool:
        return not (self.gtin is None and self.batch is None and self.expiry is None)


@dataclass(frozen=True, slots=True)
class SeenSymbol:
    symbol: Symbol
    elements: Elements


def read_symbols(image: NDArray[np.uint8]) -> tuple[SeenSymbol, ...]:
    """Every symbol in a frame (h, w, 3) BGR that decodes, or the damaged ones that can be mended."""
    return read_whole_symbols(image) or mend_symbols(image)


def read_whole_symbols(image: NDArray[np.uint8]) -> tuple[SeenSymbol, ...]:
    """The symbols in a frame (h, w, 3) BGR that decode as they are."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    return tuple(_seen(each) for each in scan(grey, enough=_enough))


def mend_symbols(image: NDArray[np.uint8]) -> tuple[SeenSymbol, ...]:
    """Damaged matrix codes in a frame (h, w, 3) BGR, read with the damage masked. They count only
    with GS1 facts in them (I7).
    """
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    corrected = (_seen(each) for each in scan_damaged(image, grey))
    return tuple(each for each in corrected if each.elements)


def _seen(each: Scanned) -> SeenSymbol:
    a, b, c, d = ((float(x), float(y)) for x, y in each.quad)
    text = each.raw if each.is_gs1 else each.text
    elements = elements_of(each.kind, text, gs1=each.is_gs1)
    return SeenSymbol(Symbol(each.kind, each.text, (a, b, c, d)), elements)


def _enough(found: list[Scanned]) -> bool:
    """Product, batch and expiry are known: nothing more is asked of a symbol."""
    return any(
        e.gtin is not None and e.batch is not None and e.expiry is not None
        for e in (_seen(each).elements for each in found)
    )


def elements_of(kind: str, text: str, *, gs1: bool) -> Elements:
    """The GS1 facts in a symbol's text: element strings with FNC1 or brackets, or without any where
    they can be meant in one way only, a GS1 Digital Link, or the bare GTIN of a retail or ITF-14
    symbol. Anything else gives no facts.
    """
    if kind in _RETAIL:
        lengths = {8, 12, 13, 14}
        known = len(text) in lengths and has_valid_check_digit(text)
        return Elements(gtin=text.zfill(14)) if known else Elements()
    try:
        if _LINK.fullmatch(text):
            return _facts(GS1DigitalLinkURI.parse(text).element_strings)
        if _BRACKETED.match(text):
            return _facts(GS1Message.parse_hri(text).element_strings)
        if gs1 or GROUP_SEPARATOR in text or _is_unmarked(text):
            return _facts(GS1Message.parse(text.strip(GROUP_SEPARATOR)).element_strings)
    except biip.ParseError:
        # A symbol that breaks GS1's rules is still shown; it only proves nothing.
        return Elements()
    return Elements()


def _is_unmarked(text: str) -> bool:
    """GTIN with its check digit, then dates, then at most a lot that ends the text. A lot that may
    swallow a date after it is not guessed at.
    """
    said = _UNMARKED.fullmatch(text)
    if said is None or len(text) == len("01") + 14 or not has_valid_check_digit(said["gtin"]):
        return False
    return said["lot"] is None or _LOT_THEN_DATE.fullmatch(said["lot"]) is None


def _facts(strings: GS1ElementStrings) -> Elements:
    gtin = batch = expiry = None
    for each in strings:
        match each.ai.ai:
            case "01" | "02" if has_valid_check_digit(each.value):
                gtin = each.value.zfill(14)
            case "10" if is_lot(each.value):
                batch = each.value
            case "17":
                expiry = each.date
            case "15" if expiry is None:
                expiry = each.date
            case _:
                pass
    return Elements(gtin, batch, expiry)

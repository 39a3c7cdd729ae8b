"""What is printed on a line: captions with values, bare values, the human-readable line of a
symbol, and other things that stand on cartons and must not be taken for them.
"""

from __future__ import annotations

import datetime as dt
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

from contracts.gs1 import check_digit

BATCH_CAPTIONS = (
    "LOT", "LOT:", "LOT NO.", "LOT NO:", "LOT NO", "L:", "BATCH", "BATCH:", "BATCH NO.", "BATCH NO:",
    "B/N", "B/N:", "BN:", "BATCH CODE", "CODE", "批号", "批号:", "生产批号", "生产批号:", "批次", "批次:",
    "批次号:", "产品批号:",
)  # fmt: skip
EXPIRY_CAPTIONS = (
    "EXP", "EXP:", "EXP.", "EXPIRY", "EXPIRY:", "EXP DATE", "EXP DATE:", "EXPIRES", "BBE", "BBE:",
    "BBD", "BB", "BEST BEFORE", "BEST BEFORE:", "BEST BY", "USE BY", "USE BY:", "USE BEFORE", "E:",
    "有效期至", "有效期至:", "有效期:", "保质期至", "保质期至:", "失效日期:", "到期日:", "限用日期:",
    "请于此日期前使用:",
)  # fmt: skip
MADE_CAPTIONS = (
    "MFG", "MFG:", "MFD", "MFD:", "MFG DATE", "MFG DATE:", "PROD", "PROD:", "PROD DATE:", "PRD", "PD:",
    "PKD", "PACKED", "PACKED ON", "MADE ON", "PRODUCED", "M:", "P:", "生产日期", "生产日期:", "制造日期:",
    "包装日期:", "出厂日期:", "生产日期/批号:",
)  # fmt: skip
GTIN_CAPTIONS = (
    "GTIN",
    "GTIN:",
    "EAN",
    "EAN:",
    "UPC",
    "UPC:",
    "ITEM",
    "条码:",
    "商品条码:",
    "BARCODE",
)
OTHER = (
    "SKU", "SKU:", "QTY:", "QTY", "数量:", "箱数:", "净含量:", "N.W.", "G.W.", "NET WEIGHT", "毛重:", "净重:",
    "PO NO.", "ORDER", "CARTON NO.", "件数", "规格:", "型号:", "MODEL", "REF", "ART. NO.", "COLOR", "SIZE",
    "MADE IN", "C/NO.", "DEST.", "SHIP TO", "SHELF LIFE", "保质期:", "STORE AT", "CTN", "PCS",
)  # fmt: skip
MARKS = (
    "FRAGILE", "THIS SIDE UP", "KEEP DRY", "HANDLE WITH CARE", "UP", "小心轻放", "易碎", "向上", "防潮",
    "请勿倒置", "怕湿", "合格", "合格证", "检验", "轻放", "此面向上",
)  # fmt: skip
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_VOWELS, _CONSONANTS = "AEIOU", "BCDFGHKLMNPRSTVWYZ"


_KINDS = {"9": string.digits, "A": string.ascii_uppercase, "?": "-/. "}
_TWO_LETTERS = (("A", 1, 1), ("9", 2, 2), ("A", 1, 1), ("9", 2, 2))
_HYPHEN = (("9", 3, 6), ("-", 1, 1), ("9", 2, 4))
_LETTER_FIRST = (("A", 1, 1), ("9", 4, 8))
# How makers write batches: kind, least and most of it; an empty one is anything.
_BATCHES = (
    _TWO_LETTERS, _TWO_LETTERS, _HYPHEN, _HYPHEN, _LETTER_FIRST, _LETTER_FIRST,
    (("9", 5, 10),), (("A", 2, 2), ("9", 3, 7)), (("9", 2, 6), ("A", 1, 1), ("9", 0, 3)),
    (("A", 1, 1), ("9", 1, 4), ("?", 1, 1), ("9", 2, 5)), (), (),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """`text` as printed. `coder`: a date coder on a carton prints such lines."""

    text: str
    coder: bool


def batch(rng: random.Random) -> str:
    """A batch or lot number as makers write them."""
    pattern = rng.choice(_BATCHES)
    if not pattern:
        alphabet = string.digits * 3 + string.ascii_uppercase
        return "".join(rng.choices(alphabet, k=rng.randint(4, 12)))
    out = []
    for kind, least, most in pattern:
        characters = _KINDS.get(kind, kind)
        out += rng.choices(characters, k=rng.randint(least, most))
    return "".join(out)


def day(rng: random.Random) -> dt.date:
    return dt.date(2022, 1, 1) + dt.timedelta(days=rng.randrange(3650))


def date(rng: random.Random, value: dt.date) -> str:
    """A date in one of the ways of writing it."""
    y, m, d = f"{value:%Y}", f"{value:%m}", f"{value:%d}"
    month = _MONTHS[value.month - 1]
    return rng.choices(
        (
            f"{y}-{m}-{d}", f"{y}/{m}/{d}", f"{y}.{m}.{d}", f"{y}{m}{d}", f"{y}年{m}月{d}日",
            f"{d}.{m}.{y}", f"{d}/{m}/{y}", f"{d}-{m}-{y}", f"{m}/{d}/{y}", f"{d} {month} {y}",
            f"{d}{month}{y[2:]}", f"{month} {y}", f"{y} {m} {d}", f"{y[2:]}{m}{d}", f"{d}.{m}.{y[2:]}",
            f"{m}/{y}", f"{y}-{month}-{d}", f"{month} {d} {y}",
        ),
        (10, 10, 10, 10, 3, 3, 3, 2, 1, 2, 2, 1, 1, 2, 1, 1, 1, 1),
    )[0]  # fmt: skip


def gtin(rng: random.Random) -> str:
    """Fourteen digits with their check digit, often of a thirteen-digit number."""
    body = rng.choice(("069", "088", "050", "040", "030", "1", "2", "00", "45", "94", "0"))
    body += "".join(rng.choices(string.digits, k=13 - len(body)))
    return body + check_digit(body)


def word(rng: random.Random) -> str:
    return "".join(rng.choice(_VOWELS if i % 2 else _CONSONANTS) for i in range(rng.randint(3, 8)))


def _captioned(rng: random.Random, captions: tuple[str, ...], value: str) -> str:
    gap = rng.choices(("", " ", "  "), (2, 6, 1))[0]
    caption = rng.choice(captions)
    # Case is folded by the reader, so it must have seen both.
    caption = rng.choices((caption, caption.title(), caption.lower()), (14, 4, 1))[0]
    if rng.random() < 0.04:
        value = value.lower()
    return f"{caption}{gap}{value}"


def line(rng: random.Random) -> Line:
    """A line of a carton or its label."""
    kind = rng.choices(tuple(_SHARES), tuple(_SHARES.values()))[0]
    made = _MAKERS[kind](rng)
    return Line(made, coder=kind in _BY_CODER)


def _gtin_line(rng: random.Random) -> str:
    number = gtin(rng)
    if number[0] == "0" and rng.random() < 0.3:  # as EAN-13 prints it
        number = number[1:]
    if rng.random() < 0.15:  # in groups
        number = f"{number[0]} {number[1:7]} {number[7:]}"
    bare = rng.random() < 0.55  # without caption, as coders do
    return number if bare else _captioned(rng, GTIN_CAPTIONS, number)


def _element_strings(rng: random.Random) -> str:
    parts = [f"(17){day(rng):%y%m%d}", f"(10){batch(rng).replace(' ', '')}"]
    if rng.random() < 0.3:
        parts.reverse()
    return f"(01){gtin(rng)}" + "".join(parts[: rng.choice((0, 1, 2, 2, 2, 2))])


def _two(rng: random.Random) -> str:
    mark = rng.choice(("  ", " / ", " "))
    return f"{_captioned(rng, BATCH_CAPTIONS, batch(rng))}{mark}{date(rng, day(rng))}"


def _other(rng: random.Random) -> str:
    value = rng.choice((batch(rng), str(rng.randint(1, 999)), f"{word(rng)}-{batch(rng)}"))
    return _captioned(rng, OTHER, value)


_SHARES = {
    "batch": 24, "expiry": 24, "made": 13, "gtin": 12, "hri": 6, "two": 2, "other": 6, "bare": 9,
    "mark": 2, "words": 2,
}  # fmt: skip
_BY_CODER = {"batch", "expiry", "made", "gtin", "two", "bare"}
_MAKERS: dict[str, Callable[[random.Random], str]] = {
    "batch": lambda rng: _captioned(rng, BATCH_CAPTIONS, batch(rng)),
    "expiry": lambda rng: _captioned(rng, EXPIRY_CAPTIONS, date(rng, day(rng))),
    "made": lambda rng: _captioned(rng, MADE_CAPTIONS, date(rng, day(rng))),
    "gtin": _gtin_line,
    "hri": _element_strings,
    "two": _two,
    "other": _other,
    "bare": lambda rng: rng.choice((batch(rng), date(rng, day(rng)))),
    "mark": lambda rng: rng.choice(MARKS),
    "words": lambda rng: " ".join(word(rng) for _ in range(rng.randint(1, 3))),
}

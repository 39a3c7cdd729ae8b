"""What the sample delivery tells: which goods come, what is wrong with some, what the verdict is.

Pure: a date and nothing else in. GTINs use GS1 prefix 952, kept for demonstrations and examples.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from contracts.asn import Asn, AsnLine
from contracts.gs1 import check_digit
from contracts.verdict import Decision


class Goods(StrEnum):
    """What the inspect camera looks at; each has its own rendering."""

    BISCUITS = "biscuits"
    BOTTLES = "bottles"


class Damage(StrEnum):
    NONE = "none"
    TEAR = "tear"
    SMEAR = "smear"
    SCRATCH = "scratch"


class Defect(StrEnum):
    NONE = "none"
    CRACK = "crack"
    BROKEN = "broken"
    MISSING_CAP = "missing_cap"
    DENT = "dent"


@dataclass(frozen=True, slots=True)
class Product:
    gtin: str
    sku: str
    name_zh: str
    name_en: str
    goods: Goods
    shelf_life_days: int

    @property
    def description(self) -> str:
        return f"{self.name_zh} {self.name_en}"


def _gtin(item: int) -> str:
    body = f"0952{item:09d}"
    return body + check_digit(body)


COOKIES = Product(_gtin(110_041), "TM-2041", "黄油曲奇", "Butter Cookies 16", Goods.BISCUITS, 300)
WATER = Product(_gtin(110_317), "TM-0317", "矿泉水", "Mineral Water 12x", Goods.BOTTLES, 540)
PRODUCTS = (COOKIES, WATER)

SUPPLIER = "旭日食品 Sunrise Foods"
ORDER = "PO-2608-117"


@dataclass(frozen=True, slots=True)
class SampleCarton:
    """One carton of the delivery with its truth.

    `damage_share` is the part of the label's code area to destroy (0..1). `expected` holds every
    verdict that is right: where a label is badly torn, review is as right as accept (I7).
    `line` counts the notice's data lines from 1, None for a carton that is not on it.
    `printing` is GS1-128, DataMatrix, QR or dots (an ink-jet coder, no label and no symbol).
    """

    stem: str
    product: Product
    batch: str
    expiry: date
    line: int | None
    expected: frozenset[Decision]
    tells: str
    printing: str = "GS1-128"
    damage: Damage = Damage.NONE
    damage_share: float = 0.0
    defect: Defect = Defect.NONE
    freezes: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    asn: Asn
    cartons: tuple[SampleCarton, ...]


_ACCEPT = frozenset({Decision.ACCEPT})
_HOLD = frozenset({Decision.HOLD})
_REVIEW = frozenset({Decision.REVIEW})
_UNSURE = frozenset({Decision.ACCEPT, Decision.REVIEW})


def tell(today: date) -> Story:
    """The delivery of `today`: expiry dates follow it, everything else is fixed."""
    lines = _lines(today)
    return Story(
        asn=Asn(number=f"DESADV-{today:%y%m%d}-01", supplier=SUPPLIER, lines=lines),
        cartons=_cartons(lines),
    )


def _lines(today: date) -> tuple[AsnLine, ...]:
    announced = (
        (COOKIES, "L4827-B3", 240, 4),
        (COOKIES, "L4827-B8", 236, 2),
        (WATER, "W2609A17", 480, 4),
        (WATER, "W2609A71", 477, 2),
        (COOKIES, "L5310-C1", 262, 4),
        (COOKIES, "L3906-A5", -9, 1),
        (WATER, "W2611D04", 512, 6),
        (COOKIES, "L5344-C6", 281, 8),
    )
    return tuple(
        AsnLine(
            number=number,
            gtin=product.gtin,
            batch=batch,
            expiry=today + timedelta(days=days),
            quantity=quantity,
            unit="carton",
            sku=product.sku,
            description=product.description,
            supplier=SUPPLIER,
            order=ORDER,
        )
        for number, (product, batch, days, quantity) in enumerate(announced, start=1)
    )


def _cartons(lines: tuple[AsnLine, ...]) -> tuple[SampleCarton, ...]:
    product_of = {product.gtin: product for product in PRODUCTS}

    def on(number: int, stem: str, expected: frozenset[Decision], tells: str) -> SampleCarton:
        line = lines[number - 1]
        product = product_of[line.gtin]
        return SampleCarton(stem, product, line.batch, line.expiry, line.number, expected, tells)

    return tuple(
        _with(carton, **what)
        for carton, what in (
            (on(1, "carton-01", _ACCEPT, "sound"), {}),
            (on(3, "carton-02", _ACCEPT, "sound"), {"printing": "DataMatrix"}),
            (
                on(1, "carton-03", _UNSURE, "label torn"),
                {"damage": Damage.TEAR, "damage_share": 0.25},
            ),
            (on(3, "carton-04", _UNSURE, "ink-jet print, no symbol"), {"printing": "dots"}),
            (
                on(2, "carton-05", _REVIEW, "not on the list, its neighbour is"),
                {"batch": "L4827-B6", "line": None},
            ),
            (
                on(4, "carton-06", _UNSURE, "label smeared"),
                {"printing": "QR", "damage": Damage.SMEAR, "damage_share": 0.35},
            ),
            (on(6, "carton-07", _HOLD, "expired"), {}),
            (
                on(5, "carton-08", _HOLD, "biscuit cracked: held by itself"),
                {"defect": Defect.CRACK, "printing": "DataMatrix"},
            ),
            (
                on(5, "carton-09", _HOLD, "biscuit broken, two of two: the batch is frozen"),
                {"defect": Defect.BROKEN, "freezes": True},
            ),
            (on(5, "carton-10", _HOLD, "sound, of the frozen batch"), {}),
            (
                on(3, "carton-11", _UNSURE, "label scratched"),
                {"damage": Damage.SCRATCH, "damage_share": 0.2},
            ),
            (on(1, "carton-12", _ACCEPT, "sound"), {"printing": "QR"}),
        )
    )


def _with(carton: SampleCarton, **changes: object) -> SampleCarton:
    return dataclasses.replace(carton, **changes)  # type: ignore[arg-type]

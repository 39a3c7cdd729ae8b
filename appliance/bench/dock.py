"""Cartons to measure with: each of its own batch, every goods picture cracked, so that each verdict
must become a hold of its own. Rendered like the sample delivery, with a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import cv2
import numpy as np

from appliance.demo.goods import goods_frame
from appliance.demo.scene import label_frame, scenery
from appliance.demo.story import COOKIES, Damage, Defect, Goods, SampleCarton
from contracts.asn import Asn, AsnLine
from contracts.verdict import Decision

SUPPLIER = "Bench supplier"
_JPEG_QUALITY = 92


@dataclass(frozen=True, slots=True)
class BenchCarton:
    """JPEG bytes of both pictures."""

    lot: str
    label: bytes
    goods: bytes


def bench_asn(count: int, today: date, *, number: str) -> Asn:
    """`count` lines of one product, a batch each."""
    lines = tuple(
        AsnLine(
            number=index + 1,
            gtin=COOKIES.gtin,
            batch=_lot(index),
            expiry=today + timedelta(days=200 + index),
            quantity=2,
            description=COOKIES.description,
            supplier=SUPPLIER,
        )
        for index in range(count)
    )
    return Asn(number, SUPPLIER, lines)


def bench_cartons(asn: Asn, *, seed: int) -> list[BenchCarton]:
    """One cracked carton a line, half of the labels torn or smeared at 20 %."""
    rng = np.random.default_rng(seed)
    around = scenery(rng)
    damages = (Damage.NONE, Damage.TEAR, Damage.NONE, Damage.SMEAR)
    cartons = []
    for index, line in enumerate(asn.lines):
        damage = damages[index % len(damages)]
        carton = SampleCarton(
            stem=line.batch,
            product=COOKIES,
            batch=line.batch,
            expiry=line.expiry,
            line=line.number,
            expected=frozenset({Decision.HOLD}),
            tells="bench",
            damage=damage,
            damage_share=0.2 if damage is not Damage.NONE else 0.0,
            defect=Defect.CRACK,
            freezes=True,
        )
        picture, _ = label_frame(carton, rng, around)
        goods = goods_frame(Goods.BISCUITS, rng, Defect.CRACK)
        cartons.append(BenchCarton(line.batch, _jpeg(picture), _jpeg(goods)))
    return cartons


def good_pictures(count: int, *, seed: int) -> list[np.ndarray]:
    """Good pictures of the product, (512, 512, 3) uint8 BGR, to enrol from."""
    rng = np.random.default_rng(seed)
    return [goods_frame(Goods.BISCUITS, rng) for _ in range(count)]


def _lot(index: int) -> str:
    # Neighbours differ in several characters: this measures time, not reading.
    return f"B{(index * 7919 + 1009) % 100_000:05d}-{index % 97:02d}"


def _jpeg(picture: np.ndarray) -> bytes:
    ok, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not ok:
        raise RuntimeError("a rendered picture did not encode as JPEG")
    return data.tobytes()

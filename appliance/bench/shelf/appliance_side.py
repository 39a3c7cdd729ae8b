"""The appliance's side of the shelf, measured: `measure()` gives one object of figures.

Time is this process's own processor time (one thread), so a busy machine tells the same as an idle
one, nearly; the peer is zxing-cpp as its documentation calls it (`read_barcodes(picture)`), in the
same run on the same pictures. Quality is of codes with two fifths destroyed (damage.py), against a
list of 2,000 products of few makers, half of the strangers one or two digits beside a listed one.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, TypeVar

import cv2
import numpy as np
import zxingcpp

from appliance.bench.shelf.damage import KINDS, Shot, shoot
from appliance.bench.shelf.film.codes import Code, ean13, goods, neighbours
from appliance.bench.shelf.film.film import Film, Plan
from vision.shelf import CodeState, DamagedReader, ListedCode, ReadCode, StockList, read_shelf

T = TypeVar("T")
_CODES, _COLUMNS, _ROWS = 40, 5, 8
_MODULE_PX = 1.6
_FRAMES = 12
_PRODUCTS = 2000
_SHARE = 0.4
_HERE = 60


@dataclass
class Answers:
    """Of so many codes: told as sure and right, wrong; the right one among those to tap."""

    codes: int = 0
    sure: int = 0
    wrong: int = 0
    tap: int = 0
    peer_read: int = 0
    cpu_ms: list[float] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        return {
            "codes": self.codes,
            "sure": self.sure,
            "to_tap": self.tap,
            "wrong": self.wrong,
            "peer_read": self.peer_read,
            "cpu_ms_p50": round(statistics.median(self.cpu_ms), 1) if self.cpu_ms else 0.0,
        }


def measure(*, seed: int = 1, damaged: int = 60, strangers: int = 60) -> dict[str, Any]:
    """All figures of the appliance's side."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return {**_speed(seed), **_damaged(seed, damaged, strangers)}
    finally:
        cv2.setNumThreads(threads)


def _speed(seed: int) -> dict[str, Any]:
    """40 codes at 1.6 pixels a module in 1280x720, still and moving a little."""
    codes = tuple(goods(_CODES, seed=seed))
    film = Film(Plan((codes,), columns=_COLUMNS, rows=_ROWS, module_px=_MODULE_PX, seed=seed))
    known = _listed(codes)
    pictures = [film.picture(number) for number in range(_FRAMES)]
    regions = [each.quad for each in read_shelf(pictures[0], known).codes]
    whole = [_timed(partial(read_shelf, picture, known)) for picture in pictures]
    again = [_timed(partial(read_shelf, picture, known, regions)) for picture in pictures]
    peer = [_timed(partial(zxingcpp.read_barcodes, picture)) for picture in pictures]
    truth = {each.text for each in codes}
    return {
        "codes": _CODES,
        "frame_cpu_ms_p50": _median(whole),
        "frame_codes_p50": statistics.median(len(found.codes) for _, found in whole),
        "regions_cpu_ms_p50": _median(again),
        "regions_codes_p50": statistics.median(len(found.codes) for _, found in again),
        "wrong_texts": sum(
            each.text not in truth for _, found in (*whole, *again) for each in found.codes
        ),
        "peer_cpu_ms_p50": _median(peer),
        "peer_codes_p50": statistics.median(len(found) for _, found in peer),
    }


def _damaged(seed: int, damaged: int, strangers: int) -> dict[str, Any]:
    from appliance.cli.read import open_reader

    listed = catalogue(_PRODUCTS, seed=seed)
    here = {each.gtin for each in Random(seed).sample(listed, _HERE)}  # noqa: S311 -- a bench
    known = StockList(
        ListedCode(each.gtin, each.gtin, 1, ("A",) if each.gtin in here else ()) for each in listed
    )
    reader = DamagedReader(open_reader(None, 1))
    bars = DamagedReader()
    random = np.random.default_rng(seed)
    at_place = [each for each in listed if each.gtin in here]

    def asked(codes: Sequence[Code], count: int, by: DamagedReader, place: str) -> Answers:
        found = Answers()
        for k in range(count):
            code = codes[int(random.integers(len(codes)))]
            shot = shoot(code.text, KINDS[k % len(KINDS)], random, share=_SHARE, module_px=2.5)
            _ask(found, code, shot, by, known, place)
        return found

    known_gtins = {each.gtin for each in listed}
    beside = [
        other
        for each in Random(seed).sample(listed, 50)  # noqa: S311 -- a bench
        for other in neighbours(each, 3, seed=seed)
        if other.gtin not in known_gtins
    ]
    return {
        "damaged": asked(listed, damaged, reader, "").told(),
        "damaged_at_place": asked(at_place, damaged, reader, "A").told(),
        "damaged_bars_alone": asked(listed, damaged, bars, "").told(),
        "strangers": asked(beside, strangers, reader, "").told(),
    }


def _ask(
    found: Answers, code: Code, shot: Shot, by: DamagedReader, known: StockList, place: str
) -> None:
    def answered() -> ReadCode:
        return by.read(shot.picture, known, quad=shot.quad, place=place)

    took_ms, one = _timed(answered)
    sure = one.state is CodeState.CONFIRMED
    found.codes += 1
    found.sure += sure and one.text == code.text
    found.wrong += sure and one.text != code.text
    found.tap += any(each.text == code.text for each in one.candidates)
    found.peer_read += any(each.text == code.text for each in zxingcpp.read_barcodes(shot.picture))
    found.cpu_ms.append(took_ms)


def catalogue(count: int, *, seed: int) -> list[Code]:
    """Products of few makers, half of them numbered one after the other: what a list is like."""
    random = Random(seed)  # noqa: S311 -- made again from its seed
    digits = "0123456789"
    makers = [
        "69" + "".join(random.choice(digits) for _ in range(random.choice((5, 6, 7))))
        for _ in range(max(1, count // 40))
    ]
    made: dict[str, Code] = {}
    while len(made) < count:
        maker = random.choice(makers)
        left = 12 - len(maker)
        item = str(random.randrange(300)) if random.random() < 0.5 else ""  # noqa: PLR2004 -- half
        item = item.zfill(left) if item else "".join(random.choice(digits) for _ in range(left))
        code = ean13(maker + item)
        made[code.text] = code
    return list(made.values())


def _listed(codes: Sequence[Code]) -> StockList:
    return StockList(ListedCode(each.gtin, each.gtin) for each in codes)


def _timed(call: Callable[[], T]) -> tuple[float, T]:
    start = time.process_time()
    given = call()
    return 1000 * (time.process_time() - start), given


def _median(timed: Sequence[tuple[float, Any]]) -> float:
    return round(statistics.median(took for took, _ in timed), 2)

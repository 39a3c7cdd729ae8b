"""The reader of damaged codes: a crop and the stock list in, an answer with its certainty out (I7).

Told as sure is only what a calibrated share of the whole probability says, with no digit that reads
as another one; everything else stays unread, with candidates to tap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.geometry import Quad
from vision.shelf.damaged.answer import Answered, Numbers, answer
from vision.shelf.damaged.digits_below import PrintReader, digits_below
from vision.shelf.damaged.grid import Floats, Grid, find_grids
from vision.shelf.damaged.strip import Strip, strip_of
from vision.shelf.damaged.symbology import Symbology, ean8, ean13
from vision.shelf.damaged.weigh import Evidence, weigh
from vision.shelf.stock_list import StockList
from vision.shelf.types import CodeState, How, Maybe, ReadCode

SURE = 0.9995
"""Set by `tallyman bench shelf` (ADR 0041)."""
_GRIDS = 4
_SHORTLIST = 64
MOST_CANDIDATES = 3
_LEAST_SHARE = 0.02
_LEAST_SEEN = 3.0
"""Digits whose bars must be clear before anything is said: fewer fit anything."""


@dataclass(frozen=True, slots=True)
class _Found:
    answered: Answered
    symbology: Symbology
    numbers: Numbers
    grid: Grid
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class DamagedReader:
    """Without `print_reader` only bars are weighed. Safe to call from several threads."""

    print_reader: PrintReader | None = None

    def read(
        self,
        frame: NDArray[np.uint8],
        known: StockList,
        *,
        quad: Floats | None = None,
        place: str = "",
    ) -> ReadCode:
        """The one damaged code in a crop (h, w) or (h, w, 3) BGR, around `quad` (4, 2) where that is
        known. Takes the processor for about a tenth of a second.
        """
        from vision.shelf.reading import grey_of

        grey = grey_of(frame)
        whole = _box(grey) if quad is None else quad
        strip = strip_of(grey, quad)
        if strip is None:
            return ReadCode(_quad(whole), CodeState.UNREAD)
        best = self._best(strip, known, place)
        if best is None or best.evidence.seen.sum() < _LEAST_SEEN:
            return ReadCode(_quad(whole), CodeState.UNREAD)
        answered = best.answered
        if self.print_reader is not None:
            answered = self._with_print(strip, best, known, place)
        return _told(answered, best, strip, known)

    def _best(self, strip: Strip, known: StockList, place: str) -> _Found | None:
        best: _Found | None = None
        for symbology in (ean13(), ean8()):
            numbers = known.numbers(symbology)
            if not numbers.gtins:
                continue
            prior = known.prior(symbology, place)
            for grid in find_grids(strip.bands, symbology, most=_GRIDS):
                evidence = weigh(strip.bands, grid, symbology)
                one = answer(evidence.table, None, prior, numbers, symbology)
                if best is None or one.evidence > best.answered.evidence:
                    best = _Found(one, symbology, numbers, grid, evidence)
        return best

    def _with_print(self, strip: Strip, best: _Found, known: StockList, place: str) -> Answered:
        assert self.print_reader is not None  # noqa: S101 -- the caller asked
        length = best.symbology.length
        order = np.argsort(-best.answered.shares)[:_SHORTLIST]
        likely = [best.numbers.gtins[i][-length:] for i in order]
        printed = digits_below(strip, best.grid, best.symbology.modules, self.print_reader, likely)
        if printed is None:
            return best.answered
        prior = known.prior(best.symbology, place)
        return answer(best.evidence.table, printed, prior, best.numbers, best.symbology)


def _told(answered: Answered, best: _Found, strip: Strip, known: StockList) -> ReadCode:
    quad = _quad_of(best.grid, best.symbology, strip)
    order = np.argsort(-answered.shares)[:MOST_CANDIDATES]
    first = int(order[0])
    share = float(answered.shares[first])
    length = best.symbology.length
    gtin = best.numbers.gtins[first]
    if share >= SURE and not answered.contradicted[first]:
        listed = known.get(gtin)
        assert listed is not None  # noqa: S101 -- the numbers are the list's
        return ReadCode(
            quad,
            CodeState.CONFIRMED,
            gtin[-length:],
            best.symbology.name,
            gtin,
            listed.product,
            listed.units,
            how=How.LIST,
            confidence=round(share, 5),
        )
    maybe = tuple(
        Maybe(best.numbers.gtins[i], best.numbers.gtins[i][-length:], round(float(share), 3))
        for i in order
        if (share := answered.shares[i]) >= _LEAST_SHARE
    )
    return ReadCode(quad, CodeState.UNREAD, format=best.symbology.name, candidates=maybe)


def _quad_of(grid: Grid, symbology: Symbology, strip: Strip) -> Quad:
    ends = (grid.begin, grid.begin + grid.width * symbology.modules)
    top, bottom = (strip.top, strip.bottom) if grid.width > 0 else (strip.bottom, strip.top)
    corners = np.array([(ends[0], top), (ends[1], top), (ends[1], bottom), (ends[0], bottom)])
    return _quad(corners @ strip.back[:, :2].T + strip.back[:, 2])


def _box(grey: NDArray[np.uint8]) -> Floats:
    h, w = grey.shape
    return np.array([(0, 0), (w, 0), (w, h), (0, h)], dtype=np.float64)


def _quad(quad: Floats) -> Quad:
    a, b, c, d = ((round(float(x), 1), round(float(y), 1)) for x, y in quad)
    return (a, b, c, d)

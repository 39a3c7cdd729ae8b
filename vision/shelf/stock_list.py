"""The stock list as a reader needs it: which codes may stand here, and how likely each is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.shelf import ShelfProduct
from vision.shelf.damaged.answer import Numbers
from vision.shelf.damaged.symbology import Symbology, fits, numbers_of

_HERE = 0.9
"""Share of the codes at a place that stand for what the list knows to stand there, assumed."""


@dataclass(frozen=True, slots=True)
class ListedCode:
    """A code on the list: 14 digits, the product's own 14 digits, base units in what carries it,
    and the places where its product stands or should stand.
    """

    gtin: str
    product: str
    units: int = 1
    places: tuple[str, ...] = ()


class StockList:
    """Built once for a list and used for many frames. Safe to use from several threads."""

    def __init__(self, codes: Iterable[ListedCode] = ()) -> None:
        self._by_gtin = {each.gtin: each for each in codes}
        self.codes: tuple[ListedCode, ...] = tuple(self._by_gtin.values())
        self._numbers: dict[str, Numbers] = {}
        self._priors: dict[tuple[str, str], NDArray[np.float64]] = {}

    @classmethod
    def of(cls, products: Sequence[ShelfProduct]) -> StockList:
        """Every code of every product, at its places by planogram and by stock."""
        return cls(
            ListedCode(code.gtin, product.gtin, code.units, _places(product))
            for product in products
            for code in product.codes
        )

    def get(self, gtin: str) -> ListedCode | None:
        """By the 14 digits of a code."""
        return self._by_gtin.get(gtin)

    def numbers(self, symbology: Symbology) -> Numbers:
        """The listed codes that `symbology` can write, laid out for weighing."""
        known = self._numbers.get(symbology.name)
        if known is None:
            gtins = [each.gtin for each in self.codes if fits(each.gtin, symbology)]
            digits = numbers_of(gtins, symbology)
            known = Numbers(tuple(gtins), digits, symbology.sets_of(digits))
            self._numbers[symbology.name] = known
        return known

    def prior(self, symbology: Symbology, place: str) -> NDArray[np.float64]:
        """(n,) how likely each of `numbers` is at `place` before anything is seen; sums to 1."""
        key = (symbology.name, place)
        known = self._priors.get(key)
        if known is None:
            gtins = self.numbers(symbology).gtins
            here = np.array([place in self._by_gtin[each].places for each in gtins], dtype=bool)
            known = np.full(len(gtins), 1.0 / max(1, len(gtins)))
            if place and here.any() and not here.all():
                known = np.where(here, _HERE / here.sum(), (1 - _HERE) / (~here).sum())
            self._priors[key] = known
        return known


def _places(product: ShelfProduct) -> tuple[str, ...]:
    stands = (cell.location for batch in product.batches for cell in batch.cells)
    return tuple(dict.fromkeys((*product.places, *stands)))

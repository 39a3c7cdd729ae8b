"""The list for the reader's process, from the snapshot that phones carry too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from contracts.shelf import ShelfProduct
from vision.shelf.stock_list import ListedCode, StockList

_ROLES = ("viewer",)
"""Codes and places are told to everybody: the smallest cut is enough."""


class Told(Protocol):
    """What is needed of appliance.shelf.stock.book.Answer."""

    @property
    def tag(self) -> str: ...

    @property
    def body(self) -> bytes | None: ...


class Book(Protocol):
    """What is needed of appliance.shelf.stock.book.StockBook."""

    def answer(self, roles: Sequence[str], *, has: str = "") -> Told: ...


class _Products(msgspec.Struct):
    products: tuple[ShelfProduct, ...] = ()


class BookStock:
    """Implements StockSource."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._tag = ""

    def changed(self) -> Sequence[ListedCode] | None:
        """As StockSource has it. Raises UnavailableError where the core cannot be read."""
        told = self._book.answer(_ROLES, has=self._tag)
        if told.body is None:
            return None
        products = msgspec.json.decode(told.body, type=_Products).products
        self._tag = told.tag
        return StockList.of(products).codes

    def forget(self) -> None:
        self._tag = ""

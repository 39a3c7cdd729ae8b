"""Codes at the shelf: `read_shelf(frame, known)`, and `overlay` to look at what it said."""

from vision.shelf.damaged.reader import DamagedReader
from vision.shelf.overlay import overlay
from vision.shelf.reading import read_shelf
from vision.shelf.stock_list import ListedCode, StockList
from vision.shelf.types import CodeState, How, Maybe, ReadCode, ShelfReading

__all__ = [
    "CodeState",
    "DamagedReader",
    "How",
    "ListedCode",
    "Maybe",
    "ReadCode",
    "ShelfReading",
    "StockList",
    "overlay",
    "read_shelf",
]

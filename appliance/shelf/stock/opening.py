"""The stock's part of the shelf, put together from the hub's."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance.config import Config
from appliance.evidence import EvidenceStore
from appliance.shelf.stock.api import Stock
from appliance.shelf.stock.book import Site, StockBook
from appliance.shelf.stock.hints import HintBook
from appliance.words import words
from contracts.clock import Clock
from erp_link.service.care.reorder import Reorder
from erp_link.service.core import Core
from erp_link.service.shelf.desk import ShelfDesk
from erp_link.service.shelf.lists import ShelfLists


@dataclass(frozen=True, slots=True)
class OpenStock:
    """`hints.watch` is to run beside."""

    stock: Stock
    hints: HintBook


def open_stock(
    config: Config, core: Core, reorder: Reorder, evidence: EvidenceStore, clock: Clock
) -> OpenStock:
    """Nothing is read before somebody asks."""
    hints = HintBook(reorder)
    site = Site(
        config.site.name,
        ZoneInfo(config.site.time_zone),
        config.site.time_zone,
        frozenset(config.shelf.price_roles),
    )
    book = StockBook(core, site, hints, words=words(config.site.language), clock=clock)
    return OpenStock(Stock(book, ShelfDesk(core), ShelfLists(core), evidence), hints)

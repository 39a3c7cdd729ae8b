"""A house with water and juice on its shelves, as a phone would carry it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from contracts.clock import FixedClock
from contracts.reason import Reason
from contracts.shelf import ShelfBatch, ShelfProduct, Snapshot
from contracts.stock import BatchKey, HoldKind
from erp_link.adapters import database
from erp_link.service.core import Core
from erp_link.service.shelf.desk import ShelfDesk
from erp_link.service.shelf.gathering import House as Told
from erp_link.service.shelf.gathering import Reading, gather
from erp_link.service.shelf.lists import ShelfLists
from tests.erp_link.story import JUICE, WATER

SHELF, OTHER = "A-01-1", "A-01-2"
EXPIRY = date(2027, 6, 30)
SITE = Told("Dock", ZoneInfo("Asia/Shanghai"), "Asia/Shanghai")


@dataclass
class House:
    core: Core
    clock: FixedClock

    @property
    def lists(self) -> ShelfLists:
        return ShelfLists(self.core)

    @property
    def desk(self) -> ShelfDesk:
        return ShelfDesk(self.core)

    def holds(
        self, kind: HoldKind, note: str, *, batch: BatchKey | None = None, **where: str
    ) -> str:
        """Quality holds goods; the hold's id."""
        reason = Reason("held_by_hand", {"note": note})
        return self.core.add_hold(kind, reason=reason, by="mara", batch=batch, **where).hold_id

    def reading(self) -> Reading:
        with database.snapshot(self.core.engine) as connection:
            return gather(connection, SITE, at=self.clock.now())

    def carried(self) -> Snapshot:
        return self.reading().snapshot

    def product(self, gtin: str = WATER.gtin) -> ShelfProduct:
        return next(each for each in self.carried().products if each.gtin == gtin)

    def batch(self, key: BatchKey = WATER) -> ShelfBatch:
        return next(
            each
            for each in self.product(key.gtin).batches
            if (each.supplier, each.lot) == (key.supplier, key.lot)
        )


@pytest.fixture
def house(core: Core, clock: FixedClock) -> House:
    core.receive(WATER, 10, location=SHELF, expiry=EXPIRY, by="op")
    core.receive(JUICE, 6, location=OTHER, by="op")
    return House(core, clock)

"""The law of the outbox: whatever happened here, in whatever order, and however often the hub was
killed over it, the ERP's books come to say the same as ours.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.clock import FixedClock
from contracts.errors import TallymanError
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, StockStatus, UsageDecision
from erp_link.connectors.names import NameKind
from erp_link.domain.erp.delivery import State
from erp_link.service.core import Core
from tests.erp_link.story import JUICE, WATER, Station
from tests.support.deciding import decided
from tests.support.erp import House, KilledError
from tests.support.odoo import Odoo

BATCHES = (WATER, JUICE)
KILLS = ("", "stock.picking/create", "stock.move.line/create", "stock.picking/button_validate",
         "stock.picking/do_unreserve")  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["receive", "apart", "hold", "supplier", "release", "ship", "judge", "close", "tell"]
        ),
        st.sampled_from(BATCHES),
        st.integers(1, 4),
        st.sampled_from(KILLS),
    ),
    min_size=5,
    max_size=14,
)


class Site:
    """One house with two batches, and whatever may happen to them."""

    def __init__(self, folder: str, template: Path) -> None:
        shutil.copy(template, Path(folder) / "core.db")
        self.clock = FixedClock(datetime(2026, 11, 21, 8, tzinfo=UTC))
        self.core = Core(f"sqlite:///{Path(folder) / 'core.db'}", clock=self.clock)
        self.house = House(self.core, self.clock, Odoo())
        for batch in BATCHES:
            self.house.erp.product(batch.gtin, batch.gtin)
        for partner in ("ACME", "Shop"):
            self.house.erp.partner(partner)
        self.house.desk.give_name(NameKind.CUSTOMER, "*", "Shop", by="ops")
        self.station = Station(self.core, self.clock)
        self.station.receives(water=9, juice=9)
        self.count = 0

    def does(self, what: str, batch: BatchKey, units: int, kill: str) -> None:
        self.count += 1
        with suppress(TallymanError):
            getattr(self, what)(batch, units, kill)

    def receive(self, batch: BatchKey, units: int, _kill: str) -> None:
        self.core.receive(batch, units, location="A-01-1", by="op")

    def apart(self, batch: BatchKey, units: int, _kill: str) -> None:
        self.core.move(batch, units, source="A-01-1", target="QUARANTINE", by="op")

    def hold(self, batch: BatchKey, _units: int, _kill: str) -> None:
        self.core.add_hold(HoldKind.BATCH, batch=batch, reason=Reason("held_by_hand"), by="q")

    def supplier(self, batch: BatchKey, _units: int, _kill: str) -> None:
        reason = Reason("held_by_hand")
        self.core.add_hold(HoldKind.SUPPLIER, supplier=batch.supplier, reason=reason, by="q")

    def release(self, _batch: BatchKey, units: int, _kill: str) -> None:
        waiting = [ticket for ticket in self.core.tickets() if ticket.decision is None]
        ticket = waiting[units % len(waiting)].ticket_id if waiting else ""
        decided(self.core, ticket, UsageDecision.RELEASE, by="q", role="quality", reason="sampled")

    def ship(self, batch: BatchKey, units: int, _kill: str) -> None:
        order = f"SO-{self.count}"
        for made in self.core.reserve(order, batch, units, by="op"):
            self.core.pick(made.reservation_id, by="op")
            self.core.ship(made.reservation_id, by="op")

    def judge(self, batch: BatchKey, units: int, _kill: str) -> None:
        carton = f"carton-{self.count}"
        if units == 1:
            self.station.finds_defect(carton, batch)
        else:
            self.station.accepts(carton, batch)

    def close(self, _batch: BatchKey, _units: int, _kill: str) -> None:
        assert self.station.session is not None
        self.core.close_session(self.station.session, by="op")

    def tell(self, _batch: BatchKey, _units: int, kill: str) -> None:
        self.clock.at += timedelta(minutes=10)
        self.house.kill_after = kill
        with suppress(KilledError):
            self.house.tells()
        self.house.kill_after = ""

    def ours(self, batch: BatchKey) -> tuple[int, int]:
        """Free and set apart, by our books."""
        rows = [row for row in self.core.stock_by_location() if row.batch == batch]
        free = {StockStatus.UNRESTRICTED, StockStatus.IN_TRANSIT}
        return (
            sum(row.quantity for row in rows if row.status in free),
            sum(row.quantity for row in rows if row.status not in free),
        )

    def theirs(self, batch: BatchKey) -> tuple[int, int]:
        known = [row["name"] for row in self.house.erp.rows("stock.lot")]
        if batch.lot not in known:
            return (0, 0)
        return self.house.erp.on_hand(batch.lot), self.house.erp.on_hand(batch.lot, 2)


@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
def test_the_erp_s_books_come_to_say_the_same_as_ours(
    sqlite_template: Path, steps: list[tuple[str, BatchKey, int, str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = Site(folder, sqlite_template)
        for step in steps:
            site.does(*step)
        site.does("close", WATER, 1, "")
        site.does("tell", WATER, 1, "")
        try:
            troubles = [
                (each.message.reference, each.trouble)
                for each in site.house.desk.letters()
                if each.state is not State.DONE
            ]
            assert troubles == []
            for batch in BATCHES:
                assert site.theirs(batch) == site.ours(batch)
        finally:
            site.core.close()

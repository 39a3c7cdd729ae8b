"""A core with water and juice on a shelf, phones that are enrolled, and a desk for their logs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from contracts.clock import FixedClock
from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus
from erp_link.adapters import tables as t
from erp_link.domain.tickets import TicketKind
from erp_link.service.commands import guards_of_batch
from erp_link.service.core import Core
from erp_link.service.merge.desk import OfflineLogs
from erp_link.service.merge.reading import first_name, micros
from erp_link.service.orders import quotas
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work
from tests.erp_link.merge.logs import Phone
from tests.erp_link.story import JUICE, WATER

SHELF = "A-01-1"


@dataclass
class House:
    """What is in the house, as a test asks for it."""

    core: Core
    desk: OfflineLogs
    clock: FixedClock

    def phone(self, name: str, *roles: str, by: str = "Mei") -> Phone:
        phone = Phone(name, by=by)
        self.desk.enrol(name, phone.public_key, roles=roles or ("operator",), by=by)
        return phone

    def stands(self, batch: BatchKey, location: str = SHELF) -> dict[StockStatus, int]:
        return {
            line.status: line.quantity
            for line in self.core.stock_by_location()
            if line.batch == batch and line.location == location
        }

    def kinds(self) -> list[str]:
        return sorted(dispute.kind.value for dispute in self.desk.disputes())

    def grant(self, device: str, batch: BatchKey, quantity: int, *, name: str = "Q-1") -> str:
        """A quota that ends tomorrow; its id."""
        expires_at = self.clock.now() + timedelta(days=1)
        self.core.write(
            lambda work: self._granted(work, name, device, batch, quantity, expires_at), by="op"
        )
        return name

    def _granted(
        self,
        work: Work,
        name: str,
        device: str,
        batch: BatchKey,
        quantity: int,
        expires_at: datetime,
    ) -> None:
        work.take(guards_of_batch(work.connection, batch))
        quotas.grant(work, name, device, batch, quantity, expires_at)

    def end_quotas(self) -> None:
        for name in self.core.read(lambda c: quotas.over_time(c, self.clock.now())):
            self.core.write(lambda work, quota=name: quotas.end(work, quota), by="hub")

    def now_us(self) -> int:
        return micros(self.clock.now())

    def account(self, batch: BatchKey, location: str) -> dict[StockStatus, int]:
        """What the books say of an account outside the house."""
        line = t.move_line
        query = (
            select(line.c.status, func.sum(line.c.quantity).label("n"))
            .join(t.batch, t.batch.c.id == line.c.batch_id)
            .where(line.c.location == location, t.batch.c.lot == batch.lot)
            .group_by(line.c.status)
        )
        rows = self.core.read(lambda c: c.execute(query).all())
        return {StockStatus(row.status): int(row.n) for row in rows if row.n}

    def add_finding(self, hold_id: str) -> None:
        """A finding of a station that names a hold."""

        def act(work: Work) -> None:
            open_ticket(
                work,
                "QC-finding",
                Reason("defect_seen"),
                kind=TicketKind.FINDING,
                hold_ids=[hold_id],
            )

        self.core.write(act, by="dock-1")

    def open_holds_by_first_name(self) -> set[str]:
        """Those put back after a void release under the name of the first."""
        return {first_name(name) for name in self.open_holds()}

    def open_holds(self) -> set[str]:
        return {hold.hold_id for hold in self.core.holds()}


def stocked(core: Core) -> None:
    core.receive(WATER, 10, location=SHELF, by="op")
    core.receive(JUICE, 6, location=SHELF, by="op")


@pytest.fixture
def house(core: Core, clock: FixedClock) -> House:
    stocked(core)
    return House(core, OfflineLogs(core), clock)

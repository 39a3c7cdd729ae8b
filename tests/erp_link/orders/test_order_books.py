"""Any order of orders, holds, dates and quotas keeps the books right (I1), by chance and in a race."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select

from contracts.clock import FixedClock
from contracts.errors import (
    ConflictError,
    HeldError,
    InsufficientStockError,
    NotFoundError,
    TallymanError,
)
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, UsageDecision
from erp_link.adapters import tables as t
from erp_link.domain.orders import NewLine, NewOrder
from erp_link.service.core import Core
from erp_link.service.orders.desk import Orders
from tests.support.deciding import decided

GTIN = "06933132577789"
START = datetime(2026, 11, 21, 8, tzinfo=UTC)
LOTS = [BatchKey("ACME", GTIN, f"L{n}") for n in range(3)]
BATCHES = st.sampled_from(LOTS)
NAMES = st.sampled_from(["SO-1", "SO-2", "SO-3"])
EXAMPLES = int(os.environ.get("TALLYMAN_STORIES", "5"))
STEPS = int(os.environ.get("TALLYMAN_STORY_STEPS", "15"))
REFUSALS = (HeldError, InsufficientStockError, ConflictError, NotFoundError)
pytestmark = pytest.mark.timeout(90 + EXAMPLES * STEPS // 2)


def stocked(core: Core) -> None:
    for number, key in enumerate(LOTS):
        expiry = date(2026, 12, 1) + timedelta(days=10 * number)
        core.receive(key, 6, location=f"A-01-{number + 1}", expiry=expiry, by="op")


def the_books_are_right(core: Core, orders: Orders) -> None:
    """What is reserved is there, what is picked stands in staging, no line has more than it asks."""
    reservation, stock = t.reservation, t.stock
    with core.engine.connect() as connection:
        rows = connection.execute(
            select(
                reservation.c.batch_id,
                reservation.c.location,
                reservation.c.state,
                func.sum(reservation.c.quantity).label("units"),
            ).group_by(reservation.c.batch_id, reservation.c.location, reservation.c.state)
        ).all()
        reserved = {(r.batch_id, r.location): r.units for r in rows if r.state == "reserved"}
        picked: dict[int, int] = {}
        for row in rows:
            if row.state == "picked":
                picked[row.batch_id] = picked.get(row.batch_id, 0) + row.units
        places = connection.execute(select(stock).where(stock.c.quantity > 0)).all()
        there = {(r.batch_id, r.location): r.reserved for r in places if r.reserved}
        staged = {r.batch_id: r.quantity for r in places if r.location == "STAGING"}
        held = set(
            connection.execute(
                select(t.hold.c.batch_id).where(
                    t.hold.c.kind == HoldKind.BATCH.value, t.hold.c.released_at.is_(None)
                )
            ).scalars()
        )
    assert there == reserved
    assert staged == picked
    assert all(r.reserved <= r.quantity for r in places)
    assert not held.intersection(r.batch_id for r in places if r.status == "unrestricted")
    for row in orders.orders():
        for line in orders.order(row.order).lines:
            count = line.count
            assert count.reserved + count.picked + count.shipped <= count.ordered


@cache
def empty_database() -> Path:
    """A migrated database to copy: the migrations run once."""
    folder = Path(tempfile.mkdtemp(prefix="tallyman-orders-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Core(f"sqlite:///{folder / 'core.db'}", clock=FixedClock(START)).close()
    return folder / "core.db"


class OrderBook(RuleBasedStateMachine):
    @initialize()
    def opens(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tallyman-orders-"))
        self.clock = FixedClock(START)
        shutil.copy(empty_database(), self.folder / "core.db")
        self.core = Core(f"sqlite:///{self.folder / 'core.db'}", clock=self.clock)
        self.orders = Orders(self.core)
        stocked(self.core)

    def teardown(self) -> None:
        if hasattr(self, "core"):
            self.core.close()
            shutil.rmtree(self.folder)

    @rule(name=NAMES, quantity=st.integers(1, 9), days=st.sampled_from([0, 0, 15]))
    def places(self, name: str, quantity: int, days: int) -> None:
        line = NewLine(GTIN, quantity, least_days=days)
        self.attempt(lambda: self.orders.place(NewOrder(name, (line,)), by="erp"))

    @rule(name=NAMES, step=st.sampled_from(["plan", "pick", "pack", "ship", "bring_back"]))
    def handles(self, name: str, step: str) -> None:
        more = {"partly": True} if step == "ship" else {}
        self.attempt(lambda: getattr(self.orders, step)(name, by="op", **more))

    @rule(name=NAMES)
    def cancels(self, name: str) -> None:
        self.attempt(lambda: self.orders.cancel(name, reason="rang", by="op"))

    @rule(batch=BATCHES, quantity=st.integers(0, 4))
    def holds(self, batch: BatchKey, quantity: int) -> None:
        kind = HoldKind.QUANTITY if quantity else HoldKind.BATCH
        dent = Reason("defect_seen")
        self.core.add_hold(kind, batch=batch, quantity=quantity, reason=dent, by="q")

    @rule(at=st.integers(0, 100))
    def releases(self, at: int) -> None:
        waiting = [x for x in self.core.tickets() if x.decision is None and x.hold_ids]
        if waiting:
            ticket = waiting[at % len(waiting)].ticket_id
            said = UsageDecision.RELEASE
            decided(self.core, ticket, said, by="q", role="quality", reason="seen")

    @rule(batch=BATCHES, quantity=st.integers(1, 4))
    def grants(self, batch: BatchKey, quantity: int) -> None:
        until = self.clock.at + timedelta(hours=1)
        self.attempt(lambda: self.orders.grant_quota("phone", batch, quantity, until, by="ops"))

    @rule(days=st.sampled_from([0, 0, 0, 8]))
    def time_goes_by(self, days: int) -> None:
        self.clock.at += timedelta(days=days, hours=2)
        self.orders.tidy()
        assert self.orders.tidy() == [], "what was planned again waits no more"
        assert self.orders.quotas() == []

    @invariant()
    def right(self) -> None:
        if hasattr(self, "core"):
            the_books_are_right(self.core, self.orders)

    @staticmethod
    def attempt(act: Callable[[], object]) -> None:
        with contextlib.suppress(*REFUSALS):
            act()


TestOrderBook = OrderBook.TestCase
TestOrderBook.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def racers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(5) as pool:
        yield pool


def test_orders_race_with_holds(core: Core, racers: ThreadPoolExecutor) -> None:
    orders = Orders(core)
    stocked(core)
    start = threading.Barrier(5)

    def handles(name: str) -> None:
        start.wait()
        for step in (
            lambda: orders.place(NewOrder(name, (NewLine(GTIN, 5),)), by="erp"),
            lambda: orders.pick(name, by="op"),
            lambda: orders.pack(name, by="op"),
            lambda: orders.ship(name, partly=True, by="op"),
        ):
            with contextlib.suppress(TallymanError):
                step()

    def shipped() -> int:
        line = t.move_line.c
        first = select(t.batch.c.id).where(t.batch.c.lot == "L0").scalar_subquery()
        gone = select(func.coalesce(func.sum(line.quantity), 0)).where(
            line.location == "@customer", line.batch_id == first
        )
        with core.engine.connect() as connection:
            return int(connection.execute(gone).scalar_one())

    def holds() -> int:
        start.wait()
        core.add_hold(HoldKind.BATCH, batch=LOTS[0], reason=Reason("defect_seen"), by="q")
        return shipped()

    jobs = [racers.submit(handles, f"SO-{number}") for number in range(4)]
    when_held = racers.submit(holds).result()
    for job in jobs:
        job.result()
    assert shipped() == when_held, "nothing of the batch left after its hold"
    orders.tidy()
    the_books_are_right(core, orders)

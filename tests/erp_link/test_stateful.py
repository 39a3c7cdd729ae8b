"""Any order of deliveries, commands, holds and vehicles keeps the books right (I1, I2)."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select

from contracts.clock import FixedClock
from contracts.errors import ConflictError, HeldError, InsufficientStockError, NotFoundError
from contracts.reason import Reason
from contracts.stock import HoldKind, TransportProgress, TransportState, UsageDecision
from contracts.verdict import Decision
from erp_link.adapters import tables as t
from erp_link.domain.places import is_account
from erp_link.service.core import Core
from tests.erp_link.story import JUICE, WATER, Station
from tests.support.deciding import decided

BATCHES = st.sampled_from([WATER, JUICE])
CARTONS = st.sampled_from([f"C{n}" for n in range(8)])
STEPS = st.sampled_from(
    [TransportState.SENT, TransportState.PICKED, TransportState.DROPPED, TransportState.FAILED]
)
EXAMPLES = int(os.environ.get("TALLYMAN_STORIES", "12"))
STEPS_EACH = int(os.environ.get("TALLYMAN_STORY_STEPS", "20"))
"""A campaign sets more of both; 80 stories of 40 steps take a few minutes."""
pytestmark = pytest.mark.timeout(60 + EXAMPLES * STEPS_EACH // 2)
REFUSALS = (HeldError, InsufficientStockError, ConflictError)


@cache
def empty_database() -> Path:
    """A migrated database to copy: the migrations run once."""
    folder = Path(tempfile.mkdtemp(prefix="tallyman-core-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "core.db"
    clock = FixedClock(datetime(2026, 11, 21, 8, tzinfo=UTC))
    Core(f"sqlite:///{path}", clock=clock).close()
    return path


class Books(RuleBasedStateMachine):
    @initialize()
    def opens(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tallyman-core-"))
        self.clock = FixedClock(datetime(2026, 11, 21, 8, tzinfo=UTC))
        self.core = self.open("core.db")
        self.station = Station(self.core, self.clock)
        self.station.receives()
        self.reservations: list[int] = []
        self.commands_done = 0

    def open(self, name: str) -> Core:
        shutil.copy(empty_database(), self.folder / name)
        return Core(f"sqlite:///{self.folder / name}", clock=self.clock)

    def teardown(self) -> None:
        if hasattr(self, "core"):
            self.core.close()
            shutil.rmtree(self.folder)

    @rule(carton=CARTONS, batch=BATCHES, decision=st.sampled_from(list(Decision)))
    def judges(self, carton, batch, decision) -> None:
        line = 1 if batch == WATER else 2
        freezes = batch if decision is Decision.HOLD else None
        self.station.judges(carton, decision, batch, line=line, freezes=freezes)

    @rule(carton=CARTONS, batch=BATCHES, how=st.sampled_from(["candidate", "keyed", "refused"]))
    def settles(self, carton, batch, how) -> None:
        self.station.settles(carton, how, batch, line=1 if batch == WATER else 2)

    @rule(at=st.integers(0, 1000))
    def comes_again(self, at) -> None:
        if self.station.log:
            before = self.state(self.core)
            assert self.core.apply(*self.station.log[at % len(self.station.log)]).duplicate
            assert self.state(self.core) == before

    @rule(batch=BATCHES, quantity=st.integers(1, 3))
    def reserves(self, batch, quantity) -> None:
        held = self.held(batch)
        made = self.attempt(lambda: self.core.reserve("SO", batch, quantity, by="op"))
        if made is not None:
            assert not held
            self.reservations += [r.reservation_id for r in made]

    @rule(at=st.integers(0, 1000), what=st.sampled_from(["pick", "ship", "return_picked"]))
    def handles(self, at, what) -> None:
        if not self.reservations:
            return
        number = self.reservations[at % len(self.reservations)]
        with self.core.engine.connect() as connection:
            batch = connection.execute(
                select(t.batch)
                .join(t.reservation, t.reservation.c.batch_id == t.batch.c.id)
                .where(t.reservation.c.id == number)
            ).one()
        held = any(h.batch is not None and h.batch.lot == batch.lot for h in self.core.holds())
        done = self.attempt(lambda: getattr(self.core, what)(number, by="op") or True)
        assert not (done and held and what != "return_picked")

    @rule(batch=BATCHES)
    def holds(self, batch) -> None:
        self.core.add_hold(HoldKind.BATCH, batch=batch, reason=Reason("defect_seen"), by="q")

    @rule(carton=CARTONS)
    def holds_by_name(self, carton) -> None:
        reason = Reason("defect_seen")
        with contextlib.suppress(NotFoundError):
            self.core.add_hold(HoldKind.CARTONS, cartons=[carton], reason=reason, by="q")

    @rule(place=st.sampled_from(["DOCK/dock-1", "A-01-1", "STAGING"]))
    def holds_a_place(self, place) -> None:
        self.core.add_hold(HoldKind.LOCATION, location=place, reason=Reason("flood"), by="q")

    @rule(batch=BATCHES, source=st.sampled_from(["DOCK/dock-1", "A-01-1"]))
    def sets_apart(self, batch, source) -> None:
        self.attempt(lambda: self.core.move(batch, 1, source=source, target="QUARANTINE", by="op"))

    @rule(at=st.integers(0, 1000), decision=st.sampled_from(list(UsageDecision)))
    def decides(self, at, decision) -> None:
        tickets = [x for x in self.core.tickets() if x.decision is None]
        if tickets:
            ticket = tickets[at % len(tickets)].ticket_id
            decided(self.core, ticket, decision, by="q", role="quality", reason="seen")

    @rule(at=st.integers(0, 1000), step=STEPS, elsewhere=st.booleans())
    def drives(self, at, step, elsewhere) -> None:
        orders = [o.order_id for o in self.core.pending_transport()]
        orders += [o.order.order_id for o in self.core.open_transport()]
        if not orders:
            return
        place = "AISLE" if elsewhere and step is TransportState.DROPPED else ""
        progress = TransportProgress(
            orders[at % len(orders)], step, "agv", self.clock.now(), location=place
        )
        if step is TransportState.SENT:
            self.attempt(lambda: self.core.transport_progress(progress))
        else:
            self.core.transport_progress(progress)

    @invariant()
    def the_books_are_right(self) -> None:
        if not hasattr(self, "core"):
            return
        with self.core.engine.connect() as connection:
            sums = connection.execute(
                select(func.sum(t.move_line.c.quantity)).group_by(t.move_line.c.event_id)
            ).scalars()
            assert set(sums) <= {0}
            lines = select(
                t.move_line.c.batch_id,
                t.move_line.c.location,
                t.move_line.c.status,
                func.sum(t.move_line.c.quantity),
            ).group_by(t.move_line.c.batch_id, t.move_line.c.location, t.move_line.c.status)
            booked = {
                (b, place, status): quantity
                for b, place, status, quantity in connection.execute(lines)
                if quantity and not is_account(place)
            }
            stock = {
                (r.batch_id, r.location, r.status): r.quantity
                for r in connection.execute(select(t.stock).where(t.stock.c.quantity > 0))
            }
            assert booked == stock
            cartons = connection.execute(
                select(t.carton.c.batch_id, t.carton.c.location, t.carton.c.status, func.count())
                .where(t.carton.c.status != "", ~t.carton.c.location.startswith("@"))
                .group_by(t.carton.c.batch_id, t.carton.c.location, t.carton.c.status)
            )
            assert {(b, place, s): n for b, place, s, n in cartons} == stock
            named = {name for h in self.core.holds() for name in h.cartons}
            undecided = {
                x.carton_id
                for x in self.core.tickets()
                if x.decision is not UsageDecision.RELEASE
                and x.carton_id
                and x.reason.code not in ("transport_failed", "load_mismatch", "strange_vehicle")
            }
            free = connection.execute(
                select(t.carton.c.carton_id).where(
                    t.carton.c.status == "unrestricted",
                    t.carton.c.carton_id.in_(sorted(named | undecided)),
                )
            ).scalars()
            assert list(free) == []
            set_aside_there = connection.execute(
                select(t.stock.c.quantity).where(
                    t.stock.c.location == "QUARANTINE", t.stock.c.reserved > 0
                )
            ).scalars()
            assert list(set_aside_there) == []
        for summary in self.core.batches():
            assert 0 <= summary.reserved <= summary.unrestricted
            if self.held(summary.key):
                assert summary.unrestricted == 0
                assert not summary.may_leave

    @rule(extra=st.lists(st.integers(0, 1000), max_size=6))
    def replayed_elsewhere_gives_the_same(self, extra) -> None:
        """The device's log alone, with entries repeated, on two fresh cores."""
        once, again = self.open("once.db"), self.open("again.db")
        for core in (once, again):
            Station(core, self.clock).receives()
        for number, (entry, body) in enumerate(self.station.log):
            once.apply(entry, body)
            again.apply(entry, body)
            for at in extra:
                again.apply(*self.station.log[at % (number + 1)])
        assert self.state(once) == self.state(again)
        once.close()
        again.close()

    def held(self, batch) -> bool:
        return any(h.kind is HoldKind.BATCH and h.batch == batch for h in self.core.holds())

    @staticmethod
    def state(core: Core) -> tuple[object, ...]:
        return (
            core.batches(),
            core.stock_by_location(),
            core.holds(open_only=False),
            core.tickets(),
            core.pending_transport(),
            core.sessions(),
            core.expectations(),
        )

    @staticmethod
    def attempt(act: Callable[[], object]):
        with contextlib.suppress(*REFUSALS):
            return act()
        return None


TestBooks = Books.TestCase
TestBooks.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS_EACH,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

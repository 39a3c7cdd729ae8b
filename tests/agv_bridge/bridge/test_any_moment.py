"""Holds, calls of persons, lost vehicles, kills and a bad radio at any moment: nothing held is ever
sent outward (I1), the books follow the floor, and nothing stays stuck. The real core and bridge.
"""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from contracts.errors import ConflictError, InsufficientStockError, NotFoundError
from contracts.reason import Reason
from contracts.stock import (
    BatchKey,
    HoldKind,
    TransportKind,
    TransportProgress,
    TransportState,
    UsageDecision,
)
from erp_link.domain.places import QUARANTINE
from erp_link.service.missions.desk import Missions
from tests.agv_bridge.floor import Floor
from tests.erp_link.story import JUICE, WATER
from tests.support.deciding import decided

STORIES = int(os.environ.get("TALLYMAN_STORIES", "8"))
STEPS_EACH = int(os.environ.get("TALLYMAN_STORY_STEPS", "25"))
"""A campaign sets more of both."""
pytestmark = pytest.mark.timeout(60 + STORIES * STEPS_EACH // 2)
BATCHES = st.sampled_from([WATER, JUICE])
TRUCKS = st.integers(0, 1)
T = TransportState


class AnyMoment(RuleBasedStateMachine):
    @initialize()
    def opens(self) -> None:
        self.floor = Floor()
        self.floor.station.receives(water=8, juice=8)
        self.frozen: set[BatchKey] = set()
        self.cartons: dict[str, BatchKey] = {}
        self.desk = Missions(self.floor.core)
        book = self.floor.moves.transport_progress

        async def watched(progress: TransportProgress) -> None:
            await book(progress)
            if progress.state is T.SENT:
                self.nothing_held_goes_outward(progress)

        self.floor.moves.transport_progress = watched

    def nothing_held_goes_outward(self, sent: TransportProgress) -> None:
        order = self.floor.core.find_transport(sent.order_id).order
        if order.target != QUARANTINE:
            assert order.batch not in self.frozen
            assert order.kind is not TransportKind.RECALL

    @precondition(lambda self: len(self.cartons) < 6)
    @rule(batch=BATCHES)
    def accepts(self, batch) -> None:
        name = f"C{len(self.cartons)}"
        self.cartons[name] = batch
        self.floor.accepts(name, batch)

    @rule(steps=st.integers(1, 9))
    def goes_on(self, steps) -> None:
        for _ in range(steps):
            self.floor.step()

    @rule(seconds=st.sampled_from([20.0, 61.0, 95.0]))
    def time_passes(self, seconds) -> None:
        self.floor.step(seconds=seconds)

    @rule(batch=BATCHES)
    def freezes(self, batch) -> None:
        if any(key == batch for key in self.cartons.values()):
            reason = Reason("said_by_quality")
            self.floor.core.add_hold(HoldKind.BATCH, reason=reason, by="q", batch=batch)
            self.frozen.add(batch)

    @rule(batch=BATCHES)
    def frees(self, batch) -> None:
        holds = [h for h in self.floor.core.holds() if h.batch == batch]
        for hold in holds:
            if hold.ticket_id is not None:
                self.decides(hold.ticket_id)
        if not any(h.batch == batch for h in self.floor.core.holds()):
            self.frozen.discard(batch)

    @rule(batch=BATCHES)
    def recalls(self, batch) -> None:
        with contextlib.suppress(NotFoundError):
            self.desk.recall(batch, by="q")

    @rule(batch=BATCHES, slot=st.sampled_from(["A-1", "B-1", "B-2"]))
    def replenishes(self, batch, slot) -> None:
        with contextlib.suppress(InsufficientStockError, ConflictError):
            self.desk.replenish(batch.gtin, slot, 1, by="op")

    @rule(number=st.integers(0, 20))
    def calls_off(self, number) -> None:
        orders = [o.order.order_id for o in self.floor.core.transports()]
        if orders:
            with contextlib.suppress(ConflictError):
                self.desk.cancel(orders[number % len(orders)], reason="in the way", by="op")

    @rule(number=st.integers(0, 5))
    def asks_again(self, number) -> None:
        with contextlib.suppress(ConflictError, NotFoundError):
            self.desk.ask(f"C{number}", by="op")

    @rule(which=TRUCKS)
    def loses_or_finds(self, which) -> None:
        truck = self.floor.trucks[which]
        if truck.online:
            self.floor.lose(truck)
        else:
            self.floor.find(truck)

    @rule(which=TRUCKS, steps=st.integers(1, 8), freezes=st.none() | BATCHES)
    def works_out_of_earshot(self, which, steps, freezes) -> None:
        """It is given up for lost, goes on all the same, and comes back when all has changed."""
        truck = self.floor.trucks[which]
        if truck.online:
            self.floor.lose(truck)
        for _ in range(steps):
            self.floor.step(seconds=12.0)
        if freezes is not None:
            self.freezes(freezes)
        self.floor.step(seconds=40.0)
        self.floor.find(truck)

    @rule(which=TRUCKS)
    def reboots(self, which) -> None:
        self.floor.trucks[which].reboot()

    @rule(
        which=TRUCKS,
        fault=st.sampled_from(
            ["reject_orders", "too_late_to_cancel", "loads_unknown", "fail_action", "load_alias"]
        ),
    )
    def does_wrong(self, which, fault) -> None:
        faults = self.floor.trucks[which].faults
        worse = {"fail_action": "drop", "load_alias": "RFID-7"}.get(fault, True)
        setattr(faults, fault, type(worse)() if getattr(faults, fault) else worse)

    @rule(percent=st.sampled_from([0, 20, 50]))
    def radio(self, percent) -> None:
        self.floor.radio.percent = percent

    @rule()
    def bridge_is_killed(self) -> None:
        self.floor.begin()

    def teardown(self) -> None:
        if not hasattr(self, "floor"):
            return
        try:
            self.all_is_well_again()
            self.nothing_is_stuck()
            self.books_follow_the_floor()
        finally:
            self.floor.close()

    def all_is_well_again(self) -> None:
        self.floor.radio.percent = 0
        for truck in self.floor.trucks:
            truck.faults.__init__()
            if not truck.online:
                self.floor.find(truck)

    def nothing_is_stuck(self) -> None:
        """Every order ends: goods arrived, order withdrawn, or a task for a person, who takes the
        load off a vehicle that stands with it and decides the task.
        """
        for number in range(400):
            self.floor.step(seconds=20.0 if number > 60 else 1.0)
            waits = {o.state for o in self.floor.core.open_transport()} - {T.FAILED}
            if not waits and not self.floor.core.pending_transport():
                return
            if not waits:
                self.a_person_takes_loads_off()
        raise AssertionError(
            f"stuck: {self.floor.core.pending_transport()} {self.floor.core.open_transport()}"
        )

    def a_person_takes_loads_off(self) -> None:
        due = {order.on_board for order in self.floor.core.pending_transport()}
        for truck in self.floor.trucks:
            at_work = truck.job is not None and truck.job.at_work
            if truck.body.loads and not at_work and truck.name not in due:
                truck.body.loads.clear()
                for load, place in self.floor.goods.items():
                    if place == truck.name:
                        self.floor.goods[load] = "by hand"

    def books_follow_the_floor(self) -> None:
        failed = {o.order.load_id for o in self.floor.core.transports() if o.state is T.FAILED}
        stock = self.floor.stock()
        for batch in self.frozen:
            assert (batch.lot, "unrestricted") not in stock
        with self.floor.core.engine.connect() as connection:
            from sqlalchemy import select

            from erp_link.adapters import tables as t

            books = dict(
                connection.execute(select(t.carton.c.carton_id, t.carton.c.location)).all()
            )
        for name in self.cartons.keys() - failed:
            assert books[name] == self.floor.goods[name], name

    def decides(self, ticket_id: str) -> None:
        with contextlib.suppress(ConflictError):
            decided(
                self.floor.core,
                ticket_id,
                UsageDecision.RELEASE,
                by="q",
                role="quality",
                reason="it was the label",
            )


TestAnyMoment = AnyMoment.TestCase
TestAnyMoment.settings = settings(
    max_examples=STORIES,
    stateful_step_count=STEPS_EACH,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

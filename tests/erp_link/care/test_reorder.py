"""Replenishment: what runs out is ordered in time, with reasons, from what the books say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import insert

from contracts.clock import FixedClock
from contracts.errors import BadInputError, ConflictError, NotFoundError
from contracts.reason import Reason
from contracts.stock import HoldKind
from erp_link.adapters.care_tables import stock_day
from erp_link.domain.orders import NewLine, NewOrder
from erp_link.domain.reorder.policy import ReorderPolicy
from erp_link.domain.reorder.suggest import Urgency
from erp_link.service.care import daily
from erp_link.service.care.reorder import Reorder
from erp_link.service.core import Core
from erp_link.service.orders.desk import Orders
from erp_link.service.work import Work, ensure_batch
from tests.erp_link.story import JUICE, LATER, WATER, delivery

DAYS = 32


def sells(core: Core, clock: FixedClock, *, days: int = DAYS, a_day: int = 4) -> None:
    """The same number of cartons of water leaves every day, at noon."""
    for _ in range(days):
        made = core.reserve(f"SO-{clock.at:%m%d}", WATER, a_day, by="op")
        for one in made:
            core.pick(one.reservation_id, by="op")
            core.ship(one.reservation_id, by="op")
        clock.at += timedelta(days=1)


def sold(core: Core, clock: FixedClock, *, a_day: int = 4) -> None:
    """As `sells`, in the days before today and all used up, written where the feed would write it."""

    def act(work: Work) -> None:
        batch_id = ensure_batch(work.connection, WATER)
        today = clock.at.date().toordinal()
        rows = [
            {"day": today - ago, "shipped": a_day, "received": 0, "net": -a_day, "net_free": -a_day}
            for ago in range(1, DAYS)
        ]
        units = a_day * len(rows)
        first = {"day": today - DAYS, "shipped": 0, "received": units}
        rows.append({**first, "net": units, "net_free": units})
        work.connection.execute(insert(stock_day), [{"batch_id": batch_id, **row} for row in rows])

    core.write(act, by="stock care")


@pytest.fixture
def desk(core: Core) -> Reorder:
    return Reorder(core)


def codes(reasons: tuple[Reason, ...]) -> list[str]:
    return [reason.code for reason in reasons]


def test_what_runs_out_before_the_next_delivery_is_ordered_with_its_reasons(
    core: Core, clock: FixedClock, desk: Reorder
) -> None:
    core.receive(WATER, DAYS * 4 + 20, location="A-01-1", expiry=LATER, by="op")
    sells(core, clock)
    desk.set_policy(WATER.gtin, ReorderPolicy(lead_days=7, cycle_days=14, pack=12), by="ops")
    line = desk.line(WATER.gtin)
    said = line.suggestion
    assert line.demand.a_day == pytest.approx(4, rel=0.05)
    assert said.urgency is Urgency.NOW
    assert said.lasts_days in {4, 5}
    assert said.reorder_point >= 8 * 4
    assert said.quantity % 12 == 0
    assert said.quantity >= said.order_up_to - 20
    assert codes(said.reasons)[:2] == ["reorder_below", "reorder_demand"]
    hint = desk.hint(WATER.gtin)
    assert (hint.quantity, hint.reason.code) == (said.quantity, "reorder_below")

    # The announced delivery counts as coming, and the need is gone.
    core.import_asn(delivery("DESP-9", water=200, juice=0), by="ops")
    later = desk.line(WATER.gtin).suggestion
    assert (later.quantity, later.position) == (0, 220)
    assert later.urgency is Urgency.ENOUGH


def test_held_goods_do_not_count_and_days_without_stock_say_nothing(
    core: Core, clock: FixedClock, desk: Reorder
) -> None:
    core.receive(WATER, 100, location="A-01-1", expiry=LATER, by="op")
    sold(core, clock)
    before = desk.line(WATER.gtin)
    core.add_hold(HoldKind.BATCH, reason=Reason("held_by_hand"), by="q", batch=WATER)
    clock.at += timedelta(days=10)
    after = desk.line(WATER.gtin)
    assert after.position.blocked == 100
    assert after.suggestion.urgency is Urgency.OUT
    assert "reorder_blocked" in codes(after.suggestion.reasons)
    assert after.demand.without_stock_days == 9, "the day of the hold itself still counts"
    assert after.demand.a_day == pytest.approx(before.demand.a_day, rel=0.1)


def test_what_expires_before_it_is_sold_does_not_count(
    core: Core, clock: FixedClock, desk: Reorder
) -> None:
    core.receive(WATER, 60, location="A-01-1", expiry=LATER, by="op")
    sold(core, clock)
    soon = replace(WATER, lot="SHORT")
    core.receive(soon, 50, location="A-01-1", expiry=clock.at.date() + timedelta(days=2), by="op")
    said = desk.line(WATER.gtin).suggestion
    assert said.expires_unsold in range(36, 40)
    assert "reorder_expires" in codes(said.reasons)


def test_too_short_a_history_is_said_and_not_guessed(core: Core, desk: Reorder) -> None:
    core.receive(JUICE, 10, location="A-01-1", expiry=LATER, by="op")
    said = desk.line(JUICE.gtin).suggestion
    assert (said.urgency, said.quantity) == (Urgency.UNKNOWN, 0)
    assert codes(said.reasons) == ["reorder_short_history", "reorder_set_minimum"]
    with pytest.raises(NotFoundError):
        desk.line("04006381333931")
    with pytest.raises(BadInputError):
        desk.hint("4006381333930")


def test_how_a_product_is_replenished_is_set_once_for_each_key(core: Core, desk: Reorder) -> None:
    weekly = ReorderPolicy(lead_days=3, review_days=7)
    desk.set_policy(WATER.gtin, weekly, by="ops", key="k1")
    desk.set_policy(WATER.gtin, weekly, by="ops", key="k1")
    assert desk.policy(WATER.gtin[1:]) == weekly
    with pytest.raises(ConflictError):
        desk.set_policy(WATER.gtin, ReorderPolicy(), by="ops", key="k1")
    desk.set_policy(WATER.gtin, None, by="ops")
    assert desk.policy(WATER.gtin) == ReorderPolicy()
    with pytest.raises(BadInputError, match="lead_days"):
        ReorderPolicy(lead_days=-1)


def test_the_past_of_a_product_is_told_day_by_day(
    core: Core, clock: FixedClock, desk: Reorder
) -> None:
    core.receive(WATER, 30, location="A-01-1", expiry=LATER, by="op")
    sells(core, clock, days=3, a_day=5)
    series = desk.series(WATER.gtin)
    assert series.until == clock.at.date()
    assert series.shipped[-4:] == (0, 5, 5, 5)
    assert series.on_hand[-4:] == (0, 25, 20, 15)
    assert series.observed[-4:] == (False, True, True, True)
    assert isinstance(series.until, date)


def test_what_customers_ordered_and_did_not_get_is_owed(
    core: Core, clock: FixedClock, desk: Reorder
) -> None:
    core.receive(WATER, 15, location="A-01-1", expiry=LATER, by="op")
    sold(core, clock)
    orders = Orders(core)
    orders.place(NewOrder("SO-1", (NewLine(WATER.gtin, 20),), customer="Shop"), by="erp")
    line = desk.line(WATER.gtin)
    assert (line.position.free, line.position.owed) == (0, 5)
    assert line.suggestion.position == -5
    assert line.suggestion.quantity >= line.suggestion.order_up_to + 5
    assert "reorder_owed" in codes(line.suggestion.reasons)
    orders.cancel("SO-1", reason="closed", by="erp")
    assert desk.line(WATER.gtin).position.owed == 0


def test_a_long_history_is_counted_in_parts_and_each_event_once(
    core: Core, clock: FixedClock, desk: Reorder
) -> None:
    for _ in range(5):
        core.receive(WATER, 1, location="A-01-1", expiry=LATER, by="op")
    assert [daily.catch_up(core, most=1, at_once=2) for _ in range(4)] == [
        False,
        False,
        True,
        True,
    ]
    assert not desk.plan().behind
    clock.at += timedelta(days=1)
    assert desk.series(WATER.gtin).on_hand[-1] == 5

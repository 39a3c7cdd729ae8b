"""Stock health: arithmetic with laws, and the report from the books."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from contracts.clock import FixedClock
from contracts.stock import BatchKey
from erp_link.adapters.care_tables import stock_day
from erp_link.domain.health import measures
from erp_link.domain.health.measures import Importance, Turnover
from erp_link.service.care.health import StockHealth
from erp_link.service.core import Core
from erp_link.service.work import Work, find_batch
from tests.erp_link.story import JUICE, LATER, WATER

UNITS = st.integers(0, 10_000)
RECEIPTS = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 500)), max_size=20)


@given(on_hand=UNITS, receipts=RECEIPTS)
def test_every_unit_has_one_age_and_the_youngest_goods_stay(
    on_hand: int, receipts: list[tuple[int, int]]
) -> None:
    layers = measures.ages(on_hand, receipts)
    assert sum(units for _, units in layers) == on_hand
    assert sum(measures.grouped(layers)) == on_hand
    known = {age for age, _ in receipts} | {0}
    assert {age for age, _ in layers} <= known
    assert [age for age, _ in layers] == sorted(age for age, _ in layers)


@given(shipped=st.dictionaries(st.text(min_size=1, max_size=4), UNITS, max_size=30))
def test_no_product_of_a_lower_class_ships_more(shipped: dict[str, int]) -> None:
    found = measures.importance(shipped)
    order = list(Importance)
    by_units = sorted(found, key=lambda name: (-shipped[name], name))
    ranks = [order.index(found[name]) for name in by_units]
    assert ranks == sorted(ranks)
    assert all((found[name] is Importance.NONE) == (shipped[name] == 0) for name in found)
    if any(shipped.values()):
        assert found[by_units[0]] is Importance.A


def test_turnover_is_said_only_where_something_is_known() -> None:
    assert measures.turnover(90, 30, 90) == Turnover(pytest.approx(12.17, abs=0.01), 30)
    assert measures.turnover(0, 30, 90) == Turnover(0.0, None)
    assert measures.turnover(5, 30, 3) == Turnover(None, None)
    assert measures.turnover(5, 0, 90) == Turnover(None, None)
    assert measures.pareto([]) == []
    assert measures.pareto([1, 3])[1:] == [(0.5, 0.75), (1.0, 1.0)]


def test_what_is_old_what_expires_and_what_matters_is_told_from_the_books(
    core: Core, clock: FixedClock
) -> None:
    today = clock.at.date()
    old = BatchKey("ACME", JUICE.gtin, "OLD")
    bare = BatchKey("ACME", JUICE.gtin, "BARE")
    core.receive(WATER, 60, location="A-01-1", expiry=LATER, by="op")
    core.receive(old, 7, location="A-01-1", expiry=today + timedelta(days=10), by="op")
    core.receive(bare, 2, location="A-01-1", by="op")

    def past(work: Work) -> None:
        water, juice = (find_batch(work.connection, key).id for key in (WATER, old))
        first = {"shipped": 0, "received": 7, "net": 7, "net_free": 7}
        rows = [{"batch_id": juice, "day": today.toordinal() - 120, **first}]
        for ago in range(1, 60):
            sums = {"shipped": 2, "received": 2, "net": 0, "net_free": 0}
            rows.append({"batch_id": water, "day": today.toordinal() - ago, **sums})
        rows.append(
            {"batch_id": water, "day": today.toordinal() - 60, "shipped": 0, "received": 30}
            | {"net": 30, "net_free": 30}
        )
        # What came by hand just now came then: the books hold it once.
        taken = {"shipped": 0, "received": 0, "net": -7, "net_free": -7}
        rows.append({"batch_id": juice, "day": today.toordinal() - 119, **taken})
        work.connection.execute(insert(stock_day), rows)

    core.write(past, by="stock care")
    report = StockHealth(core).report()
    of = {each.card.gtin: each for each in report.products}
    assert of[WATER.gtin].importance is Importance.A
    assert of[WATER.gtin].turnover.turns == pytest.approx(118 / 30 * 365 / 60, rel=0.05)
    assert of[JUICE.gtin].dead
    assert report.on_hand == 69
    rungs = {each.key.lot: each.rung for each in report.batches}
    assert rungs == {WATER.lot: "fresh", "OLD": "freeze", "BARE": "undated"}
    assert report.rung("freeze") == (7, 1)
    assert [each.key.lot for each in report.batches] == ["OLD", WATER.lot, "BARE"]
    assert sum(report.ages) == 69
    assert of[WATER.gtin].ages[0] == 60
    assert isinstance(report.today, date)


def test_an_empty_house_is_told_as_empty(core: Core) -> None:
    report = StockHealth(core).report()
    assert (report.products, report.on_hand, report.ages[0]) == ((), 0, 0)

"""Thirty days before the date people are warned, at fifteen it is frozen, at seven it comes off the
shelf; by the site's calendar, once for each stage.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.clock import FixedClock
from contracts.errors import BadInputError, HeldError
from contracts.stock import BatchKey, StockStatus, UsageDecision
from erp_link.adapters import clock_floor
from erp_link.domain.expiry import ExpiryPolicy, Stage, stage_of
from erp_link.domain.places import QUARANTINE
from erp_link.domain.products import Product
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from erp_link.service.goods.shelf import Shelf
from tests.erp_link.story import WATER, Station
from tests.support.deciding import decided

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 12, 31)


@pytest.fixture
def shanghai(database_url: str, clock: FixedClock) -> Iterator[Core]:
    made = Core(database_url, clock=clock, zone=SHANGHAI)
    yield made
    made.close()


def days_before(days: int) -> datetime:
    """Noon in Shanghai, so many days before the date."""
    noon = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=SHANGHAI)
    return (noon - timedelta(days=days)).astimezone(UTC)


@pytest.mark.parametrize(
    ("days", "colour"),
    [
        (31, "green"),
        (30, "yellow"),
        (16, "yellow"),
        (15, "orange"),
        (8, "orange"),
        (7, "red"),
        (0, "red"),
        (-1, "red"),
    ],
)
def test_four_colours(days: int, colour: str) -> None:
    stage = stage_of(DAY, ExpiryPolicy(), now=days_before(days), zone=SHANGHAI)
    assert stage.colour == colour


def test_midnight_in_shanghai_is_not_midnight_in_greenwich() -> None:
    last = datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC)
    assert stage_of(DAY, ExpiryPolicy(), now=last, zone=SHANGHAI) is Stage.PULL
    next_second = last + timedelta(seconds=1)
    assert stage_of(DAY, ExpiryPolicy(), now=next_second, zone=SHANGHAI) is Stage.EXPIRED
    assert stage_of(DAY, ExpiryPolicy(), now=next_second, zone=UTC) is Stage.PULL


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(-5, 70))
def test_a_later_day_is_never_an_earlier_stage(a: int, b: int, c: int, days: int) -> None:
    warn, freeze, pull = sorted((a, b, c), reverse=True)
    policy = ExpiryPolicy(warn, freeze, pull)
    today, tomorrow = (
        stage_of(DAY, policy, now=days_before(n), zone=SHANGHAI) for n in (days, days - 1)
    )
    assert tomorrow.rank >= today.rank


@pytest.mark.parametrize("days", [(7, 15, 30), (30, 7, 15), (-1, 0, 0), (30, 15, -7)])
def test_a_policy_in_the_wrong_order_is_refused(days: tuple[int, int, int]) -> None:
    with pytest.raises(BadInputError, match="expiry policy"):
        ExpiryPolicy(*days)


def stages(core: Core) -> list[str]:
    return [stage.value for _, stage in Shelf(core).sweep(by="hub").raised]


def test_a_batch_is_warned_frozen_taken_away_and_blocked_once_each(
    shanghai: Core, clock: FixedClock
) -> None:
    core = shanghai
    clock.at = days_before(40)
    core.receive(WATER, 5, location="A-01-1", by="op", expiry=DAY)
    assert stages(core) == []
    clock.at = days_before(30)
    assert stages(core) == ["warn"]
    assert stages(core) == []
    assert core.holds() == []
    core.reserve("SO-1", WATER, 1, by="op")
    clock.at = days_before(15)
    assert stages(core) == ["freeze"]
    assert stages(core) == []
    (hold,) = core.holds()
    assert (hold.batch, hold.reason.code) == (WATER, "expiry_freeze")
    with pytest.raises(HeldError):
        core.reserve("SO-2", WATER, 1, by="op")
    clock.at = days_before(7)
    assert stages(core) == ["pull"]
    assert len(core.holds()) == 1
    assert [t.reason.code for t in core.tickets()] == ["expiry_pull", "expiry_freeze"]
    clock.at = days_before(-1)
    assert stages(core) == ["expired"]
    assert stages(core) == []
    assert {line.status for line in core.stock_by_location() if line.quantity} == {
        StockStatus.BLOCKED
    }


def test_quality_may_release_an_early_freeze_and_is_asked_again_at_the_shelf(
    shanghai: Core, clock: FixedClock
) -> None:
    core = shanghai
    clock.at = days_before(15)
    core.receive(WATER, 5, location="A-01-1", by="op", expiry=DAY)
    assert stages(core) == ["freeze"]
    (ticket,) = core.tickets()
    decided(
        core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="staff sale"
    )
    assert stages(core) == []
    core.reserve("SO-1", WATER, 1, by="op")
    clock.at = days_before(7)
    assert stages(core) == ["pull"]
    assert len(core.holds()) == 1
    with pytest.raises(HeldError):
        core.reserve("SO-2", WATER, 1, by="op")


def test_the_policy_is_the_products_own(shanghai: Core, clock: FixedClock) -> None:
    core = shanghai
    Products(core).describe(Product(WATER.gtin, expiry=ExpiryPolicy(5, 0, 2)), by="mei")
    clock.at = days_before(6)
    core.receive(WATER, 5, location="A-01-1", by="op", expiry=DAY)
    assert [row.stage for row in Shelf(core).ladder()] == [Stage.FRESH]
    clock.at = days_before(3)
    assert stages(core) == ["warn"]
    clock.at = days_before(2)
    assert stages(core) == ["pull"]


def test_expired_and_held_goods_always_move_to_quarantine_and_never_out(
    shanghai: Core, clock: FixedClock
) -> None:
    core = shanghai
    clock.at = days_before(20)
    core.receive(WATER, 5, location="A-01-1", by="op", expiry=DAY)
    (reservation,) = core.reserve("SO-1", WATER, 1, by="op")
    core.pick(reservation.reservation_id, by="op")
    clock.at = days_before(-1)
    Shelf(core).sweep(by="hub")
    with pytest.raises(HeldError):
        core.ship(reservation.reservation_id, by="op")
    blocked = {"status": StockStatus.BLOCKED, "by": "op"}
    with pytest.raises(HeldError):
        core.move(WATER, 2, source="A-01-1", target="B-01-1", **blocked)
    core.move(WATER, 4, source="A-01-1", target=QUARANTINE, **blocked)
    core.return_picked(reservation.reservation_id, by="op")
    (row,) = Shelf(core).ladder()
    assert (row.on_hand, row.on_shelf, row.stage) == (5, 0, Stage.EXPIRED)


def test_with_the_clock_set_back_nothing_is_raised(shanghai: Core, clock: FixedClock) -> None:
    core = shanghai
    clock.at = days_before(40)
    core.receive(WATER, 5, location="A-01-1", by="op", expiry=DAY)
    Shelf(core).sweep(by="hub")
    clock.at = days_before(400)
    swept = Shelf(core).sweep(by="hub")
    assert not swept.clock_is_sure
    assert swept.raised == ()


def test_with_the_clock_set_back_goods_past_their_date_still_do_not_leave(
    shanghai: Core, clock: FixedClock
) -> None:
    core = shanghai
    clock.at = days_before(20)
    core.receive(WATER, 5, location="A-01-1", by="op", expiry=DAY)
    (reservation,) = core.reserve("SO-1", WATER, 2, by="op")
    core.pick(reservation.reservation_id, by="op")
    clock.at = days_before(-1)
    core.write(lambda work: clock_floor.raise_to(work.connection, work.now), by="hub")
    clock.at = days_before(20)
    with pytest.raises(HeldError):
        core.ship(reservation.reservation_id, by="op")
    with pytest.raises(HeldError):
        core.reserve("SO-2", WATER, 1, by="op")
    assert not core.batch(WATER).may_leave
    assert [row.stage for row in Shelf(core).ladder()] == [Stage.EXPIRED]


def test_cartons_that_come_off_the_shelf_are_asked_for(shanghai: Core, clock: FixedClock) -> None:
    station = Station(shanghai, clock)
    clock.at = days_before(8)
    station.receives(water=1, juice=0)
    station.accepts("C-1", expiry=DAY.isoformat())
    clock.at = days_before(7)
    Shelf(shanghai).sweep(by="hub")
    assert [order.target for order in shanghai.pending_transport()] == [QUARANTINE]


def test_batches_of_two_suppliers_with_one_number_keep_their_own_dates(
    shanghai: Core, clock: FixedClock
) -> None:
    clock.at = days_before(20)
    other = BatchKey("OTHER", WATER.gtin, WATER.lot)
    shanghai.receive(WATER, 1, location="A-01-1", by="op", expiry=DAY)
    shanghai.receive(other, 1, location="A-01-2", by="op", expiry=DAY + timedelta(days=90))
    assert stages(shanghai) == ["warn"]
    assert [row.batch for row in Shelf(shanghai).ladder()] == [WATER, other]

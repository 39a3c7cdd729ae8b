"""Offline quotas: issued beforehand, used with no network, counted when they end (I1, I6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from contracts.clock import FixedClock
from contracts.errors import BadInputError, HeldError, InsufficientStockError, NotFoundError
from contracts.reason import Reason
from contracts.stock import AtRisk, HoldKind, StockStatus, UsageDecision
from erp_link.adapters import order_tables as o
from erp_link.domain.moves import Place
from erp_link.service.core import Core
from erp_link.service.orders.desk import Orders
from erp_link.service.orders.quotas import Quota, account_of
from erp_link.service.work import Work, find_batch
from tests.erp_link.story import LATER, WATER, Station
from tests.support.deciding import decided

DENT = Reason("defect_seen")


@pytest.fixture
def orders(core: Core) -> Orders:
    core.receive(WATER, 10, location="A-01-1", expiry=LATER, by="op")
    return Orders(core)


def ships(core: Core, quota: Quota, quantity: int) -> None:
    """So many units of a quota have left, as a device's log would book them."""

    def act(work: Work) -> None:
        batch_id = find_batch(work.connection, WATER).id
        event_id = work.event("shipped", Reason("story_shipped"), batch_id=batch_id)
        gone = Place("@customer", StockStatus.IN_TRANSIT)
        work.move(event_id, batch_id, quantity, account_of(quota.device), gone)
        used = update(o.quota).where(o.quota.c.quota_id == quota.quota_id)
        work.connection.execute(used.values(used=o.quota.c.used + quantity))

    core.write(act, by=quota.device)


def amounts(core: Core) -> tuple[int, int]:
    row = next(b for b in core.batches() if b.key == WATER)
    return row.unrestricted, row.blocked


def codes(core: Core) -> list[str]:
    return sorted(ticket.reason.code for ticket in core.tickets())


def test_goods_on_a_quota_are_issued_and_used_offline(
    core: Core, orders: Orders, clock: FixedClock
) -> None:
    until = clock.at + timedelta(hours=8)
    quota = orders.grant_quota("phone-1", WATER, 4, until, by="ops", key="quota-key-1")
    assert orders.grant_quota("phone-1", WATER, 4, until, by="ops", key="quota-key-1") == quota
    assert (quota.left, amounts(core)) == (4, (6, 0))
    with pytest.raises(InsufficientStockError):
        core.reserve("SO", WATER, 7, by="op")
    ships(core, quota, 3)
    (left,) = orders.quotas(device="phone-1")
    assert (left.used, left.left) == (3, 1)
    assert orders.quotas(device="phone-2") == []
    assert codes(core) == []


def test_what_is_left_comes_back_to_be_counted(
    core: Core, orders: Orders, clock: FixedClock
) -> None:
    quota = orders.grant_quota("phone-1", WATER, 4, clock.at + timedelta(hours=8), by="ops")
    ships(core, quota, 1)
    clock.at += timedelta(hours=9)
    orders.tidy()
    (quota,) = orders.quotas(open_only=False)
    assert (quota.left, quota.returned, quota.used) == (0, 3, 1)
    assert amounts(core) == (6, 3)
    (ticket,) = core.tickets()
    assert ticket.reason.code == "quota_to_count"
    orders.tidy()
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="counted")
    assert amounts(core) == (9, 0)


def test_a_quota_is_ended_before_its_time(core: Core, orders: Orders, clock: FixedClock) -> None:
    quota = orders.grant_quota("phone-1", WATER, 4, clock.at + timedelta(hours=8), by="ops")
    assert orders.end_quota(quota.quota_id, by="ops") == 4
    assert amounts(core) == (6, 4)
    assert orders.end_quota(quota.quota_id, by="ops") == 0, "once is enough"
    (hold,) = core.holds()
    assert (hold.kind, hold.quantity) == (HoldKind.QUANTITY, 4)


def test_a_hold_lists_quotas_and_calls_them_back(
    core: Core, orders: Orders, clock: FixedClock
) -> None:
    until = clock.at + timedelta(hours=8)
    quota = orders.grant_quota("phone-1", WATER, 4, until, by="ops")
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="q")
    assert hold.at_risk == (AtRisk("quota", quota.quota_id, 4),)
    place = core.add_hold(HoldKind.LOCATION, location="A-01-1", reason=DENT, by="q")
    assert place.at_risk == hold.at_risk
    with pytest.raises(HeldError):
        orders.grant_quota("phone-1", WATER, 1, until, by="ops")
    assert codes(core) == ["defect_seen", "defect_seen", "recall_quota", "recall_quota"]


def test_cartons_go_with_the_quota(core: Core, station: Station, clock: FixedClock) -> None:
    station.receives()
    for carton in ("C1", "C2", "C3"):
        station.accepts(carton)
    orders = Orders(core)
    orders.grant_quota("phone-1", WATER, 2, clock.at + timedelta(hours=1), by="ops")
    named = core.add_hold(HoldKind.CARTONS, cartons=["C2"], reason=DENT, by="q")
    assert [risk.what for risk in named.at_risk] == ["quota"]
    clock.at += timedelta(hours=2)
    orders.tidy()
    assert amounts(core) == (1, 2)
    stood = {(s.location, s.status, s.quantity) for s in core.stock_by_location()}
    assert ("DOCK/dock-1", StockStatus.BLOCKED, 2) in stood


def test_a_quota_without_goods_or_end_is_refused(orders: Orders, clock: FixedClock) -> None:
    for quantity, hours in ((0, 8), (-1, 8), (2, 0), (2, -1), (2, 24 * 8)):
        until = clock.at + timedelta(hours=hours)
        with pytest.raises(BadInputError):
            orders.grant_quota("phone-1", WATER, quantity, until, by="ops")
    with pytest.raises(NotFoundError):
        orders.end_quota("Q-9", by="ops")

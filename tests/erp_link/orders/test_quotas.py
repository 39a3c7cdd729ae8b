"""Offline quotas: issued beforehand, used with no network, counted when they end (I1, I6)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from contracts.clock import FixedClock
from contracts.errors import BadInputError, HeldError, InsufficientStockError, NotFoundError
from contracts.reason import Reason
from contracts.stock import AtRisk, HoldKind, StockStatus, UsageDecision
from erp_link.domain.quotas import Consumed
from erp_link.service.core import Core
from erp_link.service.orders import quota_use
from erp_link.service.orders.desk import Orders
from erp_link.service.work import find_batch
from tests.erp_link.story import LATER, WATER, Station

DENT = Reason("defect_seen")


@pytest.fixture
def orders(core: Core) -> Orders:
    core.receive(WATER, 10, location="A-01-1", expiry=LATER, by="op")
    return Orders(core)


def ships(core: Core, quantity: int, at: datetime, reference: str = "E-1") -> Consumed:
    """The phone's log is taken in."""

    def act(work):
        batch_id = find_batch(work.connection, WATER).id
        work.take(quota_use.guards_of_use(work.connection, batch_id))
        return quota_use.use(
            work, "phone-1", batch_id, quantity, shipped_at=at, reference=reference
        )

    return core.write(act, by="phone-1")


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
    assert ships(core, 3, clock.at) == Consumed(within=3)
    (left,) = orders.quotas(device="phone-1")
    assert (left.used, left.left) == (3, 1)
    assert orders.quotas(device="phone-2") == []
    assert codes(core) == []


def test_what_is_left_comes_back_to_be_counted(
    core: Core, orders: Orders, clock: FixedClock
) -> None:
    orders.grant_quota("phone-1", WATER, 4, clock.at + timedelta(hours=8), by="ops")
    ships(core, 1, clock.at)
    clock.at += timedelta(hours=9)
    orders.tidy()
    (quota,) = orders.quotas(open_only=False)
    assert (quota.left, quota.returned, quota.used) == (0, 3, 1)
    assert amounts(core) == (6, 3)
    (ticket,) = core.tickets()
    assert ticket.reason.code == "quota_to_count"
    orders.tidy()
    core.decide_ticket(
        ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="counted"
    )
    assert amounts(core) == (9, 0)


def test_news_of_a_shipment_may_come_after_the_quotas_end(
    core: Core, orders: Orders, clock: FixedClock
) -> None:
    shipped_at = clock.at + timedelta(hours=1)
    quota = orders.grant_quota("phone-1", WATER, 4, clock.at + timedelta(hours=8), by="ops")
    orders.end_quota(quota.quota_id, by="ops")
    assert amounts(core) == (6, 4)
    assert ships(core, 3, shipped_at) == Consumed(late=3)
    assert amounts(core) == (6, 1)
    (hold,) = core.holds()
    assert hold.quantity == 1
    assert codes(core) == ["quota_to_count"], "nothing was wrong with that shipment"


def test_what_no_quota_covers_left_all_the_same(
    core: Core, orders: Orders, clock: FixedClock
) -> None:
    orders.grant_quota("phone-1", WATER, 2, clock.at + timedelta(hours=8), by="ops")
    assert ships(core, 5, clock.at) == Consumed(within=2, beyond=3)
    assert amounts(core) == (5, 0)
    assert codes(core) == ["quota_exceeded"]
    after = clock.at + timedelta(hours=9)
    assert ships(core, 7, after, "E-2") == Consumed(beyond=7), "shipped after its time"
    assert amounts(core) == (0, 0)


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
    ships(core, 1, clock.at)
    assert codes(core) == [
        "defect_seen",
        "defect_seen",
        "quota_shipped_held",
        "recall_quota",
        "recall_quota",
    ]


def test_cartons_go_with_the_quota(core: Core, station: Station, clock: FixedClock) -> None:
    station.receives()
    for carton in ("C1", "C2", "C3"):
        station.accepts(carton)
    orders = Orders(core)
    orders.grant_quota("phone-1", WATER, 2, clock.at + timedelta(hours=1), by="ops")
    ships(core, 1, clock.at)
    named = core.add_hold(HoldKind.CARTONS, cartons=["C2"], reason=DENT, by="q")
    assert [risk.what for risk in named.at_risk] == ["quota"]
    clock.at += timedelta(hours=2)
    orders.tidy()
    assert amounts(core) == (1, 1)
    stood = {(s.location, s.status, s.quantity) for s in core.stock_by_location()}
    assert ("DOCK/dock-1", StockStatus.BLOCKED, 1) in stood


@pytest.mark.parametrize(("quantity", "hours"), [(0, 8), (-1, 8), (2, 0), (2, -1), (2, 24 * 8)])
def test_a_quota_without_goods_or_end_is_refused(
    orders: Orders, clock: FixedClock, quantity: int, hours: int
) -> None:
    with pytest.raises(BadInputError):
        orders.grant_quota("phone-1", WATER, quantity, clock.at + timedelta(hours=hours), by="ops")
    with pytest.raises(NotFoundError):
        orders.end_quota("Q-9", by="ops")

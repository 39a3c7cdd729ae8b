"""Customer orders: planned, picked, packed, shipped; what a hold does to them. On both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from contracts.clock import FixedClock
from contracts.errors import BadInputError, ConflictError, HeldError, NotFoundError
from contracts.reason import Reason
from contracts.stock import AtRisk, BatchKey, HoldKind, TicketState, UsageDecision
from erp_link.domain.allocation import Rotation
from erp_link.domain.orders import NewLine, NewOrder, OrderState
from erp_link.domain.products import Product
from erp_link.domain.shelf_life import LifeRule
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from erp_link.service.orders.desk import Orders
from erp_link.service.orders.shapes import OrderView
from tests.support.deciding import decided

GTIN = "06933132577789"
JUICE = "08809609245438"
EARLY = BatchKey("ACME", GTIN, "EARLY")
LATE = BatchKey("ACME", GTIN, "LATE")
FIRST, SECOND = date(2027, 3, 31), date(2027, 6, 30)
DENT = Reason("defect_seen")


@pytest.fixture
def orders(core: Core) -> Orders:
    core.receive(EARLY, 5, location="A-01-2", expiry=FIRST, by="op")
    core.receive(LATE, 10, location="A-01-1", expiry=SECOND, by="op")
    return Orders(core)


def ordered(quantity: int, name: str = "SO-1", *, days: int = 0) -> NewOrder:
    line = NewLine(GTIN, quantity, least_days=days)
    return NewOrder(name, (line,), customer="Corner shop", due_on=date(2026, 12, 1))


def goods(view: OrderView, *states: str) -> list[tuple[str, str, int]]:
    wanted = states or ("reserved", "picked", "packed", "shipped")
    return [(g.batch.lot, g.state, g.quantity) for g in view.goods if g.state in wanted]


def codes(view: OrderView, lot: str) -> list[str]:
    result = view.lines[0].plans[-1].result
    return [r.code for choice in result.choices if choice.batch.lot == lot for r in choice.reasons]


def lift(core: Core, hold_id: str) -> None:
    ticket = next(x for x in core.tickets() if hold_id in x.hold_ids)
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="sound")


def test_what_was_picked_for_another_order_is_called_so(core: Core, orders: Orders) -> None:
    orders.place(ordered(5), by="erp")
    orders.pick("SO-1", by="op")
    view = orders.place(ordered(2, "SO-2"), by="erp")
    assert codes(view, "EARLY") == ["stock_picked"]


def test_what_lies_in_no_parcel_does_not_leave_by_its_reservation_either(
    core: Core, orders: Orders
) -> None:
    orders.place(ordered(3), by="erp")
    (part,) = orders.pick("SO-1", by="op").goods
    with pytest.raises(ConflictError, match="not packed"):
        core.ship(part.reservation_id, by="op")
    orders.pack("SO-1", by="op")
    core.ship(part.reservation_id, by="op")
    assert goods(orders.order("SO-1")) == [("EARLY", "shipped", 3)]


def test_an_order_goes_from_paper_to_the_truck(core: Core, orders: Orders) -> None:
    view = orders.place(ordered(7), by="erp")
    assert view.summary.state is OrderState.ALLOCATED
    assert goods(view) == [("EARLY", "reserved", 5), ("LATE", "reserved", 2)], "first expired first"
    assert codes(view, "EARLY") == ["taken_fefo"]
    assert codes(view, "LATE") == ["taken_fefo", "taken_split", "some_left"]
    first = view.goods[0].reservation_id
    assert orders.pick("SO-1", only=[first], by="op").summary.state is OrderState.PICKING
    assert orders.pick("SO-1", by="op").summary.state is OrderState.PICKED
    with pytest.raises(ConflictError):
        orders.ship("SO-1", by="op")
    view = orders.pack("SO-1", by="op")
    assert (view.summary.state, view.goods[0].label) == (OrderState.PACKED, "SO-1/1")
    view = orders.ship("SO-1", by="op")
    assert view.summary.state is OrderState.SHIPPED
    assert orders.orders(open_only=True) == []
    assert [x.order for x in orders.orders()] == ["SO-1"]
    assert {s.batch.lot: s.quantity for s in core.stock_by_location()} == {"LATE": 8}
    told = [note.what for note in view.history]
    assert told == [
        "order_placed",
        "order_planned",
        "order_picked",
        "order_picked",
        "order_packed",
        "order_shipped",
    ]


def test_what_does_not_suffice_is_short_and_says_why(core: Core, orders: Orders) -> None:
    hold = core.add_hold(HoldKind.BATCH, batch=EARLY, reason=DENT, by="q")
    orders.place(ordered(4, "SO-0"), by="erp")
    view = orders.place(ordered(8), by="erp")
    assert (view.summary.state, view.summary.short) == (OrderState.SHORT, 2)
    assert codes(view, "EARLY") == ["stock_held", "stock_blocked"]
    assert codes(view, "LATE") == ["taken_fefo", "partly_reserved"]
    view = orders.place(ordered(1, "SO-2"), by="erp")
    assert (view.summary.state, codes(view, "LATE")) == (OrderState.OPEN, ["all_reserved"])
    before = len(orders.order("SO-1").history)
    assert orders.serve_short() == []
    assert len(orders.order("SO-1").history) == before, "what finds nothing leaves no trace"
    lift(core, hold.hold_id)
    planned = orders.plan("SO-1", by="op")
    assert (planned.taken, planned.short) == (2, 0)
    (served,) = orders.serve_short()
    assert (served.order, served.taken) == ("SO-2", 1), "what came free goes to who waits"
    assert orders.serve_short() == []


def test_a_customer_who_needs_time_gets_the_later_batch(orders: Orders) -> None:
    view = orders.place(ordered(3, days=180), by="erp")
    assert goods(view) == [("LATE", "reserved", 3)]
    assert codes(view, "EARLY") == ["stock_too_short"]
    view = orders.place(ordered(3, "SO-2", days=400), by="erp")
    assert view.summary.state is OrderState.OPEN


def test_a_customers_own_rule_counts_and_a_case_is_so_many_bottles(
    core: Core, orders: Orders
) -> None:
    products = Products(core)
    products.set_life_rule("Corner shop", GTIN, LifeRule(least_days=180), by="ops")
    assert goods(orders.place(ordered(3), by="erp")) == [("LATE", "reserved", 3)]
    juice = BatchKey("ACME", JUICE, "J1")
    products.describe(
        Product(JUICE, "Juice", base_unit="bottle", units={"case": 12}, rotation=Rotation.FIFO),
        by="ops",
    )
    core.receive(juice, 30, location="A-02-1", expiry=SECOND, by="op")
    view = orders.place(NewOrder("SO-2", (NewLine(JUICE, 2, "case"),)), by="erp")
    assert (view.summary.ordered, goods(view)) == (24, [("J1", "reserved", 24)])
    assert (view.lines[0].ordered, view.lines[0].description) == (2, "Juice")
    assert codes(view, "J1") == ["taken_fifo", "some_left"]
    with pytest.raises(BadInputError):
        orders.place(NewOrder("SO-3", (NewLine(JUICE, 2, "pallet"),)), by="erp")


def test_a_hold_overtakes_what_is_not_picked_and_the_order_is_planned_again(
    core: Core, orders: Orders
) -> None:
    orders.place(ordered(4), by="erp")
    core.add_hold(HoldKind.BATCH, batch=EARLY, reason=DENT, by="q")
    assert orders.order("SO-1").summary.state is OrderState.OPEN
    (again,) = orders.tidy()
    assert (again.order, again.taken, again.short) == ("SO-1", 4, 0)
    view = orders.order("SO-1")
    assert goods(view) == [("LATE", "reserved", 4)]
    assert "order_planned_again" in [note.what for note in view.history]
    assert orders.tidy() == [], "once is enough"


def test_a_hold_after_the_pick_calls_the_goods_back(core: Core, orders: Orders) -> None:
    orders.place(ordered(4), by="erp")
    orders.pick("SO-1", by="op")
    orders.pack("SO-1", by="op")
    hold = core.add_hold(HoldKind.BATCH, batch=EARLY, reason=DENT, by="q")
    assert hold.at_risk == (AtRisk("picked", "SO-1", 4),)
    view = orders.order("SO-1")
    (recall,) = view.recalls
    assert (recall.hold_id, recall.quantity, view.summary.recalls) == (hold.hold_id, 4, 1)
    for step in (orders.ship, orders.pack):
        with pytest.raises((HeldError, ConflictError)):
            step("SO-1", by="op")
    orders.bring_back("SO-1", by="op")
    assert core.ticket(recall.ticket_id).state is TicketState.CONTAINED
    (again,) = orders.tidy()
    assert (again.taken, goods(orders.order("SO-1"))) == (4, [("LATE", "reserved", 4)])
    lift(core, hold.hold_id)
    assert core.ticket(recall.ticket_id).state is TicketState.CLOSED


def test_goods_past_their_date_are_planned_again(
    core: Core, orders: Orders, clock: FixedClock
) -> None:
    orders.place(ordered(2), by="erp")
    clock.at += timedelta(days=(FIRST - clock.at.date()).days + 1)
    with pytest.raises(HeldError):
        orders.pick("SO-1", by="op")
    (again,) = orders.tidy()
    assert (again.taken, goods(orders.order("SO-1"))) == (2, [("LATE", "reserved", 2)])
    assert codes(orders.order("SO-1"), "EARLY") == ["stock_expired"]


def test_an_order_may_leave_in_parts(core: Core, orders: Orders) -> None:
    view = orders.place(ordered(7), by="erp")
    first = view.goods[0].reservation_id
    orders.pick("SO-1", only=[first], by="op")
    orders.pack("SO-1", by="op")
    with pytest.raises(ConflictError) as caught:
        orders.ship("SO-1", by="op")
    assert caught.value.data["missing"] == 2
    view = orders.ship("SO-1", partly=True, by="op")
    assert (view.summary.shipped, view.summary.state) == (5, OrderState.PICKING)
    orders.pick("SO-1", by="op")
    orders.pack("SO-1", by="op")
    assert orders.ship("SO-1", by="op").summary.state is OrderState.SHIPPED
    with pytest.raises(ConflictError):
        orders.cancel("SO-1", reason="too late", by="op")


def test_a_cancelled_order_gives_its_goods_back(core: Core, orders: Orders) -> None:
    view = orders.place(ordered(7), by="erp")
    orders.pick("SO-1", only=[view.goods[0].reservation_id], by="op")
    view = orders.cancel("SO-1", reason="customer rang", by="op")
    assert (view.summary.state, view.cancel_reason) == (OrderState.CANCELLED, "customer rang")
    assert all(s.reserved == 0 for s in core.stock_by_location())
    assert ("QUARANTINE", 5) in {(s.location, s.quantity) for s in core.stock_by_location()}
    assert orders.tidy() == []
    with pytest.raises(ConflictError):
        orders.plan("SO-1", by="op")


def test_the_same_order_twice_is_one_order(orders: Orders) -> None:
    first = orders.place(ordered(3), by="erp", key="order-key-1")
    assert orders.place(ordered(3), by="erp", key="order-key-1") == first
    assert orders.place(ordered(3), by="erp") == first
    with pytest.raises(ConflictError):
        orders.place(ordered(4), by="erp")
    with pytest.raises(NotFoundError):
        orders.order("SO-9")


def test_an_order_that_makes_no_sense_is_refused_whole(orders: Orders) -> None:
    for wrong in (
        NewOrder("SO-1", ()),
        NewOrder(" SO-1", (NewLine(GTIN, 1),)),
        NewOrder("", (NewLine(GTIN, 1),)),
        NewOrder("SO-1", (NewLine(GTIN, 0),)),
        NewOrder("SO-1", (NewLine(GTIN, -2),)),
        NewOrder("SO-1", (NewLine("123", 1),)),
        NewOrder("SO-1", (NewLine("06933132577780", 1),)),
        NewOrder("SO-1", (NewLine(GTIN, 1, unit="barrel"),)),
        NewOrder("SO-1", (NewLine(GTIN, 1, least_days=-1),)),
    ):
        with pytest.raises(BadInputError) as caught:
            orders.place(wrong, by="erp")
        assert caught.value.mend
    assert orders.orders() == []


def test_parcels_have_labels_that_nobody_else_has(orders: Orders) -> None:
    for name in ("SO-1", "SO-2"):
        orders.place(ordered(2, name), by="erp")
        orders.pick(name, by="op")
    with pytest.raises(BadInputError):
        orders.pack("SO-1", label="340123450000000001", by="op")
    orders.pack("SO-1", label="340123450000000000", by="op")
    with pytest.raises(ConflictError):
        orders.pack("SO-2", label="340123450000000000", by="op")
    with pytest.raises(ConflictError):
        orders.pack("SO-1", by="op")

"""Ways by which held goods might leave after all, each closed (I1), on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from contracts.errors import BadInputError, HeldError, InsufficientStockError
from contracts.reason import Reason
from contracts.stock import (
    AtRisk,
    BatchKey,
    HoldKind,
    StockStatus,
    Ticket,
    TicketState,
    TransportProgress,
    TransportState,
    UsageDecision,
)
from contracts.verdict import Decision
from erp_link.adapters import tables as t
from erp_link.service.core import Core
from tests.erp_link.story import LATER, WATER, Station
from tests.support.deciding import decided

DENT = Reason("defect_seen")
FLOOD = Reason("flood")


def summary(core: Core, key=WATER):
    return next(b for b in core.batches() if b.key == key)


def ticket_about(core: Core, code: str) -> Ticket:
    return next(ticket for ticket in core.tickets() if ticket.reason.code == code)


def release(core: Core, ticket_id: str) -> None:
    decided(core, ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="sound")


def picked(core: Core, quantity: int = 1, order: str = "SO") -> int:
    (reservation,) = core.reserve(order, WATER, quantity, by="op")
    core.pick(reservation.reservation_id, by="op")
    return reservation.reservation_id


def drive(station: Station, order: str, *states: TransportState, **more: str) -> None:
    for state in states:
        station.core.transport_progress(
            TransportProgress(order, state, "agv-1", station.clock.now(), **more)
        )


def used(core: Core, code: str) -> int:
    with core.engine.connect() as connection:
        room = select(t.location.c.used).where(t.location.c.code == code)
        return int(connection.execute(room).scalar_one())


def test_a_carton_held_by_name_is_not_shipped_from_staging(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    reservation = picked(core)
    hold = core.add_hold(HoldKind.CARTONS, cartons=["C1"], reason=DENT, by="q")
    assert hold.at_risk == (AtRisk("picked", "SO", 1),)
    with pytest.raises(HeldError) as caught:
        core.ship(reservation, by="op")
    assert caught.value.data["hold_ids"] == [hold.hold_id]
    core.return_picked(reservation, by="op")
    (line,) = core.stock_by_location()
    assert (line.location, line.status) == ("QUARANTINE", StockStatus.BLOCKED)
    recall, ticket = core.tickets()
    assert recall.state is TicketState.CONTAINED, "what was to be fetched is in quarantine"
    release(core, ticket.ticket_id)
    assert core.ticket(recall.ticket_id).state is TicketState.CLOSED
    assert summary(core).unrestricted == 1


def test_what_can_be_served_without_the_named_carton_is_shipped(
    core: Core, station: Station
) -> None:
    station.receives()
    for carton in ("C1", "C2", "C3"):
        station.accepts(carton)
    first, second = picked(core, 2), picked(core, 1, "SO-2")
    hold = core.add_hold(HoldKind.CARTONS, cartons=["C1"], reason=DENT, by="q")
    assert hold.at_risk == (AtRisk("picked", "SO", 1), AtRisk("picked", "SO-2", 1))
    core.ship(first, by="op")
    with pytest.raises(HeldError):
        core.ship(second, by="op")
    core.return_picked(second, by="op")
    assert summary(core).blocked == 1
    codes = [x.reason.code for x in core.tickets()]
    assert codes == ["recall_picked", "recall_picked", "defect_seen"], (
        "the hold's own ticket leads to a decision"
    )


def test_a_hold_by_name_leaves_reviews_and_findings_as_they_are(
    core: Core, station: Station
) -> None:
    station.receives()
    station.judges("C1", Decision.HOLD)
    station.judges("C2", Decision.REVIEW)
    (finding,) = core.tickets()
    core.add_hold(HoldKind.CARTONS, cartons=["C1", "C2"], reason=DENT, by="q")
    release(core, core.tickets()[0].ticket_id)
    assert core.holds() == []
    water = summary(core)
    assert (water.unrestricted, water.inspection, water.blocked) == (0, 1, 1)
    release(core, finding.ticket_id)
    assert summary(core).unrestricted == 1


def test_a_release_about_a_vehicle_says_nothing_about_the_goods(
    core: Core, station: Station
) -> None:
    station.receives()
    station.judges("C1", Decision.HOLD)
    (finding,) = core.tickets()
    (order,) = core.pending_transport()
    drive(station, order.order_id, TransportState.SENT, TransportState.FAILED, reason="stuck")
    failure = next(x for x in core.tickets() if x.ticket_id != finding.ticket_id)
    release(core, failure.ticket_id)
    assert (summary(core).unrestricted, summary(core).blocked) == (0, 1)
    (again,) = core.pending_transport()
    assert (again.load_id, again.target) == ("C1", "QUARANTINE")
    release(core, finding.ticket_id)
    assert summary(core).unrestricted == 1


def test_two_findings_on_a_carton_need_two_releases(core: Core, station: Station) -> None:
    station.receives()
    station.finds_defect("C1")
    station.finds_defect("C1")
    second, first = core.tickets()
    release(core, first.ticket_id)
    assert summary(core).blocked == 1
    decided(core, second.ticket_id, UsageDecision.SCRAP, by="q", role="quality", reason="leaks")
    assert core.holds() == []
    assert (summary(core).unrestricted, summary(core).blocked) == (0, 1)


def test_what_goes_to_quarantine_is_blocked_until_quality_decides(core: Core) -> None:
    core.receive(WATER, 2, location="A-01-1", expiry=LATER, by="op")
    core.add_hold(HoldKind.LOCATION, location="A-01-1", reason=FLOOD, by="q")
    core.move(WATER, 2, source="A-01-1", target="QUARANTINE", by="op")
    assert (summary(core).unrestricted, summary(core).blocked) == (0, 2)
    with pytest.raises(InsufficientStockError):
        core.reserve("SO", WATER, 1, by="op")
    moved, flooded = ticket_about(core, "moved_to_quarantine"), ticket_about(core, "flood")
    release(core, flooded.ticket_id)
    assert summary(core).blocked == 2, "the place is dry, the goods are not looked at yet"
    release(core, moved.ticket_id)
    with pytest.raises(InsufficientStockError):
        core.reserve("SO", WATER, 2, by="op")
    core.move(WATER, 2, source="QUARANTINE", target="A-01-2", by="op")
    core.reserve("SO", WATER, 2, by="op")


def test_a_release_of_the_batch_leaves_what_was_set_apart(core: Core) -> None:
    core.receive(WATER, 5, location="A-01-1", expiry=LATER, by="op")
    core.move(WATER, 2, source="A-01-1", target="QUARANTINE", by="op")
    (apart,) = core.tickets()
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="q")
    release(core, ticket_about(core, "defect_seen").ticket_id)
    assert (summary(core).unrestricted, summary(core).blocked) == (3, 2)
    release(core, apart.ticket_id)
    assert summary(core).unrestricted == 5


def test_a_hold_on_a_place_reaches_what_was_picked_there(core: Core) -> None:
    core.receive(WATER, 2, location="A-01-1", expiry=LATER, by="op")
    reservation = picked(core, 2)
    hold = core.add_hold(HoldKind.LOCATION, location="A-01-1", reason=FLOOD, by="q")
    assert hold.at_risk == (AtRisk("picked", "SO", 2),)
    with pytest.raises(HeldError) as caught:
        core.ship(reservation, by="op")
    assert caught.value.data["hold_ids"] == [hold.hold_id]
    release(core, ticket_about(core, "flood").ticket_id)
    assert ticket_about(core, "recall_picked").state is TicketState.CLOSED
    core.ship(reservation, by="op")


def test_what_a_vehicle_brings_from_a_held_place_is_recalled(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    drive(station, order.order_id, TransportState.SENT)
    hold = core.add_hold(HoldKind.LOCATION, location="DOCK/dock-1", reason=FLOOD, by="q")
    assert hold.at_risk == (AtRisk("in_transit", order.order_id, 1),)
    drive(station, order.order_id, TransportState.PICKED, TransportState.DROPPED)
    assert (summary(core).unrestricted, summary(core).blocked) == (0, 1)
    with pytest.raises(InsufficientStockError):
        core.reserve("SO", WATER, 1, by="op")
    recall, flooded = ticket_about(core, "recalled"), ticket_about(core, "flood")
    assert recall.carton_id == "C1"
    (back,) = core.pending_transport()
    assert (back.source, back.target) == ("A-01-1", "QUARANTINE")
    release(core, flooded.ticket_id)
    assert summary(core).unrestricted == 0
    release(core, recall.ticket_id)
    assert summary(core).unrestricted == 1
    assert core.pending_transport() == [], "it stands in its slot"


def test_a_place_set_free_asks_for_its_put_aways_again(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    core.add_hold(HoldKind.LOCATION, location="DOCK/dock-1", reason=FLOOD, by="q")
    assert core.pending_transport() == []
    release(core, core.tickets()[0].ticket_id)
    (order,) = core.pending_transport()
    assert (order.load_id, order.target) == ("C1", "A-01-1")
    assert used(core, "A-01-1") == 1


def test_a_failed_order_that_arrives_after_all_keeps_its_slot(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    drive(station, order.order_id, TransportState.SENT, TransportState.FAILED, reason="silent")
    assert used(core, "A-01-1") == 0
    release(core, core.tickets()[0].ticket_id)
    (second,) = core.pending_transport()
    drive(station, order.order_id, TransportState.DROPPED)
    assert core.pending_transport() == []
    assert used(core, second.target) == 1
    assert [s.location for s in core.stock_by_location()] == ["A-01-1"]


def test_a_load_name_of_the_vehicles_own_books_what_was_ordered(
    core: Core, station: Station
) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    drive(station, order.order_id, TransportState.SENT)
    drive(station, order.order_id, TransportState.DROPPED, load_id="PALLET-7")
    assert [s.location for s in core.stock_by_location()] == ["A-01-1"]
    (ticket,) = core.tickets()
    assert (ticket.reason.code, ticket.carton_id) == ("load_mismatch", "C1")


def test_returned_goods_have_a_ticket(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    core.receive(WATER, 2, location="DOCK/dock-1", by="op")
    reservation = picked(core, 3)
    core.return_picked(reservation, by="op")
    (ticket,) = core.tickets()
    assert ticket.reason.code == "returned_from_order"
    release(core, ticket.ticket_id)
    assert (summary(core).unrestricted, summary(core).blocked) == (3, 0)


def test_picked_goods_are_not_moved_by_hand(core: Core) -> None:
    core.receive(WATER, 3, location="A-01-1", expiry=LATER, by="op")
    reservation = picked(core)
    with pytest.raises(BadInputError):
        core.move(
            WATER, 1, source="STAGING", target="A-01-2", status=StockStatus.IN_TRANSIT, by="op"
        )
    core.ship(reservation, by="op")


NAMELESS = BatchKey("", WATER.gtin, WATER.lot)


def test_a_lot_of_no_known_supplier_does_not_evade_the_hold(core: Core, station: Station) -> None:
    core.receive(NAMELESS, 2, location="A-01-2", expiry=LATER, by="op")
    core.receive(WATER, 3, location="A-01-1", expiry=LATER, by="op")
    (waiting,) = core.reserve("SO", NAMELESS, 1, by="op")
    core.pick(waiting.reservation_id, by="op")
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="q")
    assert hold.at_risk == (AtRisk("picked", "SO", 1),)
    station.judges("C9", Decision.REVIEW, NAMELESS, line=None, off_list=True)
    station.settles("C9", "keyed", WATER, line=None)
    for act in (
        lambda: core.reserve("SO", NAMELESS, 1, by="op"),
        lambda: core.ship(waiting.reservation_id, by="op"),
    ):
        with pytest.raises(HeldError) as caught:
            act()
        assert caught.value.data["hold_ids"] == [hold.hold_id]
    nameless = summary(core, NAMELESS)
    assert (nameless.unrestricted, nameless.blocked, nameless.may_leave) == (0, 2, False)
    assert core.expectations().held == (NAMELESS, WATER)
    release(core, ticket_about(core, "defect_seen").ticket_id)
    assert summary(core, NAMELESS).unrestricted == 2
    core.ship(waiting.reservation_id, by="op")


def test_a_hold_on_a_supplier_covers_its_lots_under_no_name(core: Core) -> None:
    core.receive(WATER, 1, location="A-01-1", expiry=LATER, by="op")
    core.add_hold(HoldKind.SUPPLIER, supplier="ACME", reason=DENT, by="q")
    assert core.receive(NAMELESS, 2, location="A-01-2", by="op") is StockStatus.BLOCKED
    with pytest.raises(HeldError):
        core.reserve("SO", NAMELESS, 1, by="op")
    release(core, core.tickets()[0].ticket_id)
    core.reserve("SO", NAMELESS, 2, by="op")


def test_a_hold_on_a_lot_without_a_name_stops_at_that(core: Core) -> None:
    core.receive(NAMELESS, 1, location="A-01-2", expiry=LATER, by="op")
    core.receive(WATER, 1, location="A-01-1", expiry=LATER, by="op")
    core.add_hold(HoldKind.BATCH, batch=NAMELESS, reason=DENT, by="q")
    core.reserve("SO", WATER, 1, by="op")

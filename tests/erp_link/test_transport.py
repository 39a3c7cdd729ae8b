"""What vehicles do with cartons, booked where it was seen, on both databases."""

from __future__ import annotations

import pytest

from contracts.errors import ConflictError, NotFoundError
from contracts.stock import TicketState, TransportProgress, TransportState, UsageDecision
from contracts.verdict import Decision
from erp_link.domain.places import SiteLayout, Slot
from erp_link.service.core import Core
from tests.erp_link.story import JUICE, WATER, Station
from tests.support.deciding import decided

SENT, ACCEPTED, PICKED, DROPPED, FAILED, REQUESTED = (
    TransportState.SENT,
    TransportState.ACCEPTED,
    TransportState.PICKED,
    TransportState.DROPPED,
    TransportState.FAILED,
    TransportState.REQUESTED,
)


def drive(station: Station, order: str, *states: TransportState, **more: str) -> None:
    for state in states:
        station.core.transport_progress(
            TransportProgress(order, state, "agv-1", station.clock.now(), **more)
        )


def where(core: Core) -> dict[str, int]:
    return {line.location: line.quantity for line in core.stock_by_location()}


def test_a_drop_is_a_stock_move_and_counts_once(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    drive(station, order.order_id, SENT)
    (under_way,) = core.open_transport()
    assert (under_way.order, under_way.vehicle, under_way.state) == (order, "agv-1", SENT)
    drive(station, order.order_id, ACCEPTED, PICKED, DROPPED, DROPPED, PICKED)
    assert where(core) == {"A-01-1": 1}
    assert core.pending_transport() == []
    assert core.open_transport() == []
    assert [e.what for e in core.batch_story(WATER)].count("moved") == 1


def test_an_order_goes_out_once(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    drive(station, order.order_id, SENT, SENT)
    other = TransportProgress(order.order_id, SENT, "agv-2", station.clock.now())
    with pytest.raises(ConflictError):
        core.transport_progress(other)
    drive(station, order.order_id, REQUESTED)
    assert core.pending_transport() == [order]
    core.transport_progress(other)
    assert core.open_transport()[0].vehicle == "agv-2"


def test_a_hold_refuses_the_order_that_the_bridge_still_has(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    station.finds_defect("C2")
    with pytest.raises(ConflictError):
        drive(station, order.order_id, SENT)
    assert {(o.load_id, o.target) for o in core.pending_transport()} == {
        ("C1", "QUARANTINE"),
        ("C2", "QUARANTINE"),
    }
    with pytest.raises(NotFoundError):
        drive(station, "unknown", SENT)


def test_held_on_the_way_is_booked_and_fetched_back(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    drive(station, order.order_id, SENT, PICKED)
    station.finds_defect("C2")
    (hold,) = core.holds()
    assert [(r.what, r.reference) for r in hold.at_risk] == [("in_transit", order.order_id)]
    drive(station, order.order_id, DROPPED)
    (back,) = [o for o in core.pending_transport() if o.load_id == "C1"]
    assert (back.source, back.target) == ("A-01-1", "QUARANTINE")
    drive(station, back.order_id, SENT, DROPPED)
    assert where(core)["QUARANTINE"] == 1


def test_quarantine_contains_the_ticket_and_a_release_brings_the_carton_back(
    core: Core, station: Station
) -> None:
    station.receives()
    station.finds_defect("C1")
    (order,) = core.pending_transport()
    drive(station, order.order_id, SENT, DROPPED)
    (ticket,) = core.tickets()
    assert ticket.state is TicketState.CONTAINED
    decided(
        core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="label only"
    )
    (order,) = core.pending_transport()
    assert (order.source, order.target) == ("QUARANTINE", "A-01-1")


def test_another_load_than_ordered_opens_a_ticket(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    station.accepts("C2", JUICE)
    order = core.pending_transport()[0]
    drive(station, order.order_id, SENT)
    drive(station, order.order_id, DROPPED, load_id="C2")
    (ticket,) = core.tickets()
    assert ticket.reason.code == "load_mismatch"
    places = {(line.batch, line.location) for line in core.stock_by_location()}
    assert places == {(WATER, "DOCK/dock-1"), (JUICE, "A-01-1")}


def test_a_drop_elsewhere_is_booked_there(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    drive(station, order.order_id, SENT)
    drive(station, order.order_id, DROPPED, location="AISLE-7")
    assert where(core) == {"AISLE-7": 1}


def test_a_failed_order_waits_for_a_person(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    drive(station, order.order_id, SENT)
    drive(station, order.order_id, FAILED, reason="blocked path")
    (ticket,) = core.tickets()
    assert ticket.reason.code == "transport_failed"
    assert core.open_transport()[0].state is FAILED
    decided(
        core,
        ticket.ticket_id,
        UsageDecision.RELEASE,
        by="q",
        role="quality",
        reason="path is clear",
    )
    assert core.open_transport() == []
    assert [o.load_id for o in core.pending_transport()] == ["C1"]


def test_unknown_orders_are_noted_and_move_nothing(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    drive(station, "somebody-elses", DROPPED, load_id="C1", location="OUT")
    assert where(core) == {"DOCK/dock-1": 1}


def test_slots_fill_by_batch_and_a_full_house_waits(database_url: str, clock) -> None:
    core = Core(database_url, clock=clock, layout=SiteLayout((Slot("S-1", 2), Slot("S-2", 1))))
    station = Station(core, clock)
    station.receives()
    for carton, batch in (("C1", WATER), ("C2", JUICE), ("C3", WATER), ("C4", WATER)):
        station.accepts(carton, batch)
    targets = {o.load_id: o.target for o in core.pending_transport()}
    assert targets == {"C1": "S-1", "C2": "S-2", "C3": "S-1"}
    assert "no_slot" in {e.what for e in core.batch_story(WATER)}
    (reservation, *_) = core.reserve("SO", JUICE, 1, by="op")
    drive(station, next(o.order_id for o in core.pending_transport() if o.load_id == "C2"), SENT)
    drive(station, core.open_transport()[0].order.order_id, DROPPED)
    core.pick(reservation.reservation_id, by="op")
    core.close()


def test_reservations_travel_with_the_goods(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    station.accepts("C2")
    core.reserve("SO", WATER, 2, by="op")
    first, second = core.pending_transport()
    drive(station, first.order_id, SENT, DROPPED)
    lines = {line.location: (line.quantity, line.reserved) for line in core.stock_by_location()}
    assert lines == {"A-01-1": (1, 1), "DOCK/dock-1": (1, 1)}
    drive(station, second.order_id, SENT, DROPPED)
    lines = {line.location: (line.quantity, line.reserved) for line in core.stock_by_location()}
    assert lines == {"A-01-1": (2, 2)}


def test_a_refused_carton_goes_to_quarantine(core: Core, station: Station) -> None:
    station.receives()
    station.judges("C1", Decision.REVIEW)
    station.settles("C1", "refused")
    (order,) = core.pending_transport()
    drive(station, order.order_id, SENT, DROPPED)
    assert where(core) == {"QUARANTINE": 1}

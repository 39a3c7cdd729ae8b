"""A journey as the core's record tells it: who had it, each step, what concerns its goods."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.errors import NotFoundError
from contracts.reason import Reason
from contracts.stock import HoldKind, TransportKind, TransportProgress, TransportState
from erp_link.service.core import Core
from erp_link.service.missions.journeys import Journeys
from tests.erp_link.story import WATER, Station

S = TransportState


def step(station: Station, order: str, state: TransportState, vehicle: str, **more: str) -> None:
    station.clock.at += timedelta(seconds=1)
    progress = TransportProgress(order, state, vehicle, station.clock.now(), **more)
    station.core.transport_progress(progress)


def test_a_journey_names_every_vehicle_that_had_it_and_each_step_once(
    core: Core, station: Station
) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    for state, vehicle in (
        (S.SENT, "acme/1"),
        (S.ACCEPTED, "acme/1"),
        (S.REQUESTED, "acme/1"),
        (S.SENT, "acme/2"),
        (S.ACCEPTED, "acme/2"),
        (S.PICKED, "acme/2"),
        (S.PICKED, "acme/2"),
        (S.DROPPED, "acme/2"),
    ):
        step(station, order.order_id, state, vehicle)
    facts = Journeys(core).one(order.order_id)
    assert [(each.state, each.vehicle) for each in facts.told] == [
        (S.SENT, "acme/1"),
        (S.ACCEPTED, "acme/1"),
        (S.REQUESTED, "acme/1"),
        (S.SENT, "acme/2"),
        (S.ACCEPTED, "acme/2"),
        (S.PICKED, "acme/2"),
        (S.DROPPED, "acme/2"),
    ]
    assert (facts.line.state, facts.line.vehicle) == (S.DROPPED, "acme/2")
    assert facts.line.order.kind is TransportKind.PUT_AWAY
    assert [note.what for note in facts.notes][-1] == "moved"
    assert (facts.tickets, facts.holds, facts.excursions, facts.stop) == ((), (), (), None)


def test_a_failed_journey_shows_its_ticket_and_the_holds_of_its_goods(
    core: Core, station: Station
) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    step(station, order.order_id, S.SENT, "acme/1")
    step(station, order.order_id, S.FAILED, "acme/1", reason="agv_lost_with_load")
    reason = Reason("manual", {"note": "smells"})
    core.add_hold(HoldKind.BATCH, reason=reason, by="mara", batch=WATER)
    facts = Journeys(core).one(order.order_id)
    assert [ticket.ticket_id for ticket in facts.tickets][-1] == f"QC-{order.order_id}-failed"
    assert [hold.batch for hold in facts.holds] == [WATER]


def test_journeys_are_found_by_load_place_vehicle_and_state(core: Core, station: Station) -> None:
    station.receives()
    for carton in ("C1", "C2", "C3"):
        station.accepts(carton)
    first, *_ = core.pending_transport()
    step(station, first.order_id, S.SENT, "acme/1")
    desk = Journeys(core)
    everything = desk.listed("", states=(), skip=0, most=2)
    assert (len(everything.rows), everything.found, everything.total) == (2, 3, 3)
    assert [row.order.load_id for row in everything.rows] == ["C3", "C2"]
    assert [row.order for row in desk.listed("ACME c1", states=(), skip=0, most=9).rows] == [first]
    sent = desk.listed("", states=[S.SENT], skip=0, most=9)
    assert [row.order.order_id for row in sent.rows] == [first.order_id]
    assert desk.listed("nothing_like%this", states=(), skip=0, most=9).found == 0


def test_an_unknown_journey_is_named(core: Core) -> None:
    with pytest.raises(NotFoundError, match="TO-none"):
        Journeys(core).one("TO-none")

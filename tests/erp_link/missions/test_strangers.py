"""A vehicle that claims another's order moves nothing, and a person hears of it; on both databases."""

from __future__ import annotations

import pytest

from contracts.stock import TransportProgress, TransportState
from erp_link.service.core import Core
from tests.erp_link.story import Station

SENT, ACCEPTED, PICKED, DROPPED, REQUESTED = (
    TransportState.SENT,
    TransportState.ACCEPTED,
    TransportState.PICKED,
    TransportState.DROPPED,
    TransportState.REQUESTED,
)


def drive(station: Station, order: str, *states: TransportState, vehicle: str = "maker/A") -> None:
    for state in states:
        station.core.transport_progress(
            TransportProgress(order, state, vehicle, station.clock.now(), action_id=state.value)
            if state in (PICKED, DROPPED)
            else TransportProgress(order, state, vehicle, station.clock.now())
        )


def where(core: Core) -> dict[str, int]:
    return {line.location: line.quantity for line in core.stock_by_location() if line.quantity}


@pytest.fixture
def order(station: Station):
    station.receives()
    station.accepts("C1")
    (made,) = station.core.pending_transport()
    return made


def test_a_claim_of_anothers_order_moves_nothing_and_opens_one_ticket(
    core: Core, station: Station, order
) -> None:
    drive(station, order.order_id, SENT, ACCEPTED)
    before = where(core)
    drive(station, order.order_id, ACCEPTED, PICKED, DROPPED, vehicle="maker/B")
    assert where(core) == before
    going = core.find_transport(order.order_id)
    assert going is not None
    assert (going.vehicle, going.state) == ("maker/A", ACCEPTED)
    (ticket,) = [one for one in core.tickets() if one.reason.code == "strange_vehicle"]
    assert ticket.reason.params["vehicle"] == "maker/B"
    # And the one that has it goes on as if nothing had been said.
    drive(station, order.order_id, PICKED, DROPPED)
    assert where(core) == {order.target: sum(before.values())}


def test_a_claim_before_anybody_was_sent_moves_nothing(core: Core, station: Station, order) -> None:
    before = where(core)
    drive(station, order.order_id, PICKED, DROPPED, vehicle="maker/B")
    assert where(core) == before
    assert [one.order_id for one in core.pending_transport()] == [order.order_id]


def test_one_that_had_the_order_and_lost_it_is_believed(
    core: Core, station: Station, order
) -> None:
    """It was away, the order went to another, and it comes back with the goods brought."""
    drive(station, order.order_id, SENT)
    drive(station, order.order_id, REQUESTED)
    drive(station, order.order_id, SENT, vehicle="maker/B")
    drive(station, order.order_id, PICKED, DROPPED)
    assert list(where(core)) == [order.target]
    assert not [one for one in core.tickets() if one.reason.code == "strange_vehicle"]

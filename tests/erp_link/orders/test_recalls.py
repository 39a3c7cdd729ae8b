"""What a hold came too late for is a task until it is in quarantine; vehicles ask the one predicate."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.clock import FixedClock
from contracts.errors import HeldError
from contracts.reason import Reason
from contracts.stock import HoldKind, TicketState, TransportProgress, TransportState, UsageDecision
from erp_link.service.core import Core
from tests.erp_link.story import LATER, WATER, Station
from tests.support.deciding import decided

DENT = Reason("defect_seen")


def drive(station: Station, order: str, *states: TransportState) -> None:
    for state in states:
        station.core.transport_progress(
            TransportProgress(order, state, "agv-1", station.clock.now())
        )


def test_a_load_on_its_way_is_a_task_until_it_is_in_quarantine(
    core: Core, station: Station
) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    drive(station, order.order_id, TransportState.SENT)
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="q")
    recall = next(x for x in core.tickets() if x.reason.code == "recall_in_transit")
    assert (recall.state, recall.hold_ids) == (TicketState.OPEN, ())
    drive(station, order.order_id, TransportState.PICKED, TransportState.DROPPED)
    assert core.ticket(recall.ticket_id).state is TicketState.OPEN, "it stands in its slot"
    (back,) = core.pending_transport()
    assert back.target == "QUARANTINE"
    drive(station, back.order_id, TransportState.SENT, TransportState.DROPPED)
    assert core.ticket(recall.ticket_id).state is TicketState.CONTAINED
    own = next(x for x in core.tickets() if hold.hold_id in x.hold_ids)
    decided(core, own.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="ok")
    assert core.ticket(recall.ticket_id).state is TicketState.CLOSED


def test_what_is_past_its_date_is_not_sent_to_a_slot(
    core: Core, station: Station, clock: FixedClock
) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    clock.at += timedelta(days=(LATER - clock.at.date()).days + 1)
    assert core.pending_transport() == []
    with pytest.raises(HeldError) as caught:
        drive(station, order.order_id, TransportState.SENT)
    assert caught.value.data["reasons"] == ["stock_expired"]

"""A hold or a person stops what vehicles have already, on both databases (I1)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.errors import BadInputError, ConflictError, HeldError, NotFoundError
from contracts.reason import Reason
from contracts.stock import (
    HoldKind,
    OpenTransport,
    TransportKind,
    TransportOrder,
    TransportProgress,
    TransportState,
)
from erp_link.service.core import Core
from erp_link.service.missions.desk import Missions
from tests.erp_link.story import WATER, Station

SENT, ACCEPTED, PICKED, DROPPED, FAILED, REQUESTED, CANCELLED = (
    TransportState.SENT,
    TransportState.ACCEPTED,
    TransportState.PICKED,
    TransportState.DROPPED,
    TransportState.FAILED,
    TransportState.REQUESTED,
    TransportState.CANCELLED,
)
DOCK = "DOCK/dock-1"


def drive(
    station: Station, order: str, *states: TransportState, vehicle: str = "agv-1", **more: str
) -> None:
    for state in states:
        station.core.transport_progress(
            TransportProgress(order, state, vehicle, station.clock.now(), **more)
        )


def where(core: Core) -> dict[str, int]:
    return {line.location: line.quantity for line in core.stock_by_location()}


def put_away(station: Station, carton: str = "C1") -> TransportOrder:
    station.receives()
    station.accepts(carton)
    (order,) = station.core.pending_transport()
    return order


def freeze(core: Core) -> str:
    reason = Reason("said_by_quality")
    return core.add_hold(HoldKind.BATCH, reason=reason, by="q", batch=WATER).hold_id


def carried(core: Core, order_id: str) -> OpenTransport:
    found = core.find_transport(order_id)
    assert found is not None
    return found


def test_a_put_away_says_what_it_is_for(core: Core, station: Station) -> None:
    order = put_away(station)
    assert (order.kind, order.on_board) == (TransportKind.PUT_AWAY, "")
    assert order.requested_at is not None
    assert core.find_transport("somebody-elses") is None


def test_a_hold_stops_an_order_before_the_pick(core: Core, station: Station) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, ACCEPTED)
    freeze(core)
    (going,) = core.open_transport()
    assert going.stop is not None
    assert going.stop.code == "transport_held"
    drive(station, order.order_id, CANCELLED)
    (recall,) = core.pending_transport()
    assert (recall.source, recall.target) == (DOCK, "QUARANTINE")
    assert (recall.kind, recall.on_board) == (TransportKind.RECALL, "")
    assert carried(core, order.order_id).state is CANCELLED


def test_what_is_on_board_goes_to_quarantine_with_the_vehicle_that_has_it(
    core: Core, station: Station
) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, PICKED)
    freeze(core)
    drive(station, order.order_id, CANCELLED, CANCELLED)
    (recall,) = core.pending_transport()
    assert (recall.kind, recall.on_board, recall.target) == (
        TransportKind.RECALL,
        "agv-1",
        "QUARANTINE",
    )
    with pytest.raises(ConflictError):
        drive(station, recall.order_id, SENT, vehicle="agv-2")
    drive(station, recall.order_id, SENT, DROPPED)
    assert where(core) == {"QUARANTINE": 1}
    assert core.open_transport() == core.pending_transport() == []
    assert all(ticket.state.value == "contained" for ticket in core.tickets() if ticket.carton_id)


def test_a_late_stop_is_a_drop_that_is_fetched_back(core: Core, station: Station) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, PICKED)
    freeze(core)
    drive(station, order.order_id, DROPPED)
    (back,) = core.pending_transport()
    assert (back.source, back.target, back.on_board) == ("A-01-1", "QUARANTINE", "")


def test_a_stopped_order_is_not_asked_for_again_as_it_was(core: Core, station: Station) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT)
    freeze(core)
    drive(station, order.order_id, REQUESTED, reason="agv_lost_before_pick")
    assert {o.target for o in core.pending_transport()} == {"QUARANTINE"}
    assert carried(core, order.order_id).state is CANCELLED


def test_a_hold_on_the_place_sends_its_goods_on_board_to_quarantine(
    core: Core, station: Station
) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, PICKED)
    core.add_hold(HoldKind.LOCATION, reason=Reason("leak"), by="q", location=DOCK)
    drive(station, order.order_id, CANCELLED)
    (recall,) = core.pending_transport()
    drive(station, recall.order_id, SENT, DROPPED)
    (line,) = core.stock_by_location()
    assert (line.location, line.status.value) == ("QUARANTINE", "blocked")


def test_a_hold_lifted_before_the_vehicle_stopped_brings_the_goods_to_a_slot(
    core: Core, station: Station
) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, PICKED)
    core.add_hold(HoldKind.LOCATION, reason=Reason("leak"), by="q", location=DOCK)
    (hold,) = core.holds()
    core.write(lambda work: _lift(work, hold.hold_id), by="q")
    drive(station, order.order_id, CANCELLED)
    (again,) = core.pending_transport()
    assert (again.kind, again.on_board, again.target) == (
        TransportKind.PUT_AWAY,
        "agv-1",
        "A-01-1",
    )
    drive(station, again.order_id, SENT, DROPPED)
    assert where(core) == {"A-01-1": 1}


def _lift(work, hold_id: str) -> None:
    from erp_link.adapters.guards import Guard
    from erp_link.service import holding

    work.take((), [Guard("location", DOCK)])
    holding.lift(work, hold_id, reason="dry")


def test_a_lost_vehicle_that_returns_with_goods_of_a_withdrawn_order_is_stopped(
    core: Core, station: Station
) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, REQUESTED)
    freeze(core)
    (recall,) = core.pending_transport()
    drive(station, recall.order_id, SENT, vehicle="agv-2")
    drive(station, order.order_id, PICKED)
    going = {o.order.order_id: o.stop and o.stop.code for o in core.open_transport()}
    assert going == {
        order.order_id: "transport_withdrawn",
        recall.order_id: "transport_elsewhere",
    }
    drive(station, recall.order_id, CANCELLED, vehicle="agv-2")
    drive(station, order.order_id, CANCELLED, action_id="drop")
    on_board = [o for o in core.pending_transport() if o.on_board == "agv-1"]
    assert [o.target for o in on_board] == ["QUARANTINE"]


def test_a_vehicle_on_its_way_to_goods_that_another_brought_is_stopped(
    core: Core, station: Station
) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, REQUESTED)
    freeze(core)
    (recall,) = core.pending_transport()
    drive(station, recall.order_id, SENT, vehicle="agv-2")
    drive(station, order.order_id, DROPPED)
    (going,) = core.open_transport()
    assert going.order == recall
    assert going.stop is not None
    assert going.stop.code == "transport_elsewhere"
    drive(station, recall.order_id, CANCELLED, vehicle="agv-2")
    (again,) = core.pending_transport()
    assert (again.source, again.target) == ("A-01-1", "QUARANTINE")


def test_a_person_calls_off_what_no_vehicle_has(core: Core, station: Station) -> None:
    order = put_away(station)
    desk = Missions(core)
    done = desk.cancel(order.order_id, reason="the aisle is wet", by="op", key="key-0001")
    assert done.state is CANCELLED
    assert desk.cancel(order.order_id, reason="the aisle is wet", by="op", key="key-0001") == done
    assert core.pending_transport() == []
    asked = desk.ask("C1", by="op")
    assert (asked.order.target, asked.state) == (order.target, REQUESTED)
    with pytest.raises(ConflictError):
        desk.ask("C1", by="op")


def test_a_person_calls_off_what_a_vehicle_carries_and_it_comes_back(
    core: Core, station: Station
) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, PICKED)
    desk = Missions(core)
    stopped = desk.cancel(order.order_id, reason="wrong slot", by="op")
    assert stopped.stop == Reason(
        "transport_called_off",
        {
            "order": order.order_id,
            "carton": "C1",
            "vehicle": "agv-1",
            "by": "op",
            "reason": "wrong slot",
        },
    )
    drive(station, order.order_id, CANCELLED)
    (back,) = core.pending_transport()
    assert (back.kind, back.target, back.on_board) == (TransportKind.RETURN, DOCK, "agv-1")
    with pytest.raises(ConflictError, match="must be set down"):
        desk.cancel(back.order_id, reason="no", by="op")
    drive(station, back.order_id, SENT, DROPPED)
    assert where(core) == {DOCK: 1}
    assert core.pending_transport() == []
    assert desk.ask("C1", by="op").order.target == order.target


def test_a_hold_on_goods_that_come_back_sends_them_to_quarantine(
    core: Core, station: Station
) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, PICKED)
    Missions(core).cancel(order.order_id, reason="wrong slot", by="op")
    drive(station, order.order_id, CANCELLED)
    (back,) = core.pending_transport()
    freeze(core)
    (recall,) = core.pending_transport()
    assert (recall.on_board, recall.target) == ("agv-1", "QUARANTINE")
    with pytest.raises(ConflictError):
        drive(station, back.order_id, SENT)
    drive(station, recall.order_id, SENT, DROPPED)
    assert where(core) == {"QUARANTINE": 1}


@pytest.mark.parametrize("news", [REQUESTED, CANCELLED])
def test_goods_on_board_stay_there_while_their_vehicle_does_not_take_the_order(
    core: Core, station: Station, news: TransportState
) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, PICKED)
    Missions(core).cancel(order.order_id, reason="wrong slot", by="op")
    drive(station, order.order_id, CANCELLED)
    (back,) = core.pending_transport()
    drive(station, back.order_id, SENT)
    freeze(core)
    drive(station, back.order_id, news)
    (recall,) = core.pending_transport()
    assert (recall.on_board, recall.target) == ("agv-1", "QUARANTINE")


def test_goods_that_expired_on_board_go_to_quarantine(core: Core, station: Station) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, PICKED)
    Missions(core).cancel(order.order_id, reason="wrong slot", by="op")
    station.clock.at += timedelta(days=400)
    drive(station, order.order_id, CANCELLED)
    (recall,) = core.pending_transport()
    assert (recall.on_board, recall.target) == ("agv-1", "QUARANTINE")


def test_a_recall_that_a_person_calls_off_leaves_blocked_goods_where_they_are(
    core: Core, station: Station
) -> None:
    put_away(station)
    freeze(core)
    (recall,) = core.pending_transport()
    drive(station, recall.order_id, SENT)
    Missions(core).cancel(recall.order_id, reason="no room there", by="op")
    drive(station, recall.order_id, CANCELLED)
    assert core.pending_transport() == []
    assert Missions(core).recall(WATER, by="op") == ["TO-C1-3"]
    assert Missions(core).recall(WATER, by="op") == []


def test_what_cannot_be_called_off_says_so(core: Core, station: Station) -> None:
    order = put_away(station)
    desk = Missions(core)
    with pytest.raises(BadInputError):
        desk.cancel(order.order_id, reason=" ", by="op")
    with pytest.raises(NotFoundError):
        desk.cancel("TO-9", reason="why not", by="op")
    with pytest.raises(NotFoundError):
        desk.ask("C9", by="op")
    drive(station, order.order_id, SENT, DROPPED)
    with pytest.raises(ConflictError):
        desk.cancel(order.order_id, reason="too late", by="op")


def test_a_slot_holds_what_came_back_to_it_once(core: Core, station: Station) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, DROPPED)
    desk = Missions(core)
    (moved,) = desk.replenish(WATER.gtin, "B-01-1", 1, by="op")
    drive(station, moved, SENT, PICKED)
    desk.cancel(moved, reason="not now", by="op")
    drive(station, moved, CANCELLED)
    (back,) = core.pending_transport()
    drive(station, back.order_id, SENT, DROPPED)
    assert where(core) == {"A-01-1": 1}
    assert _used(core) == {"A-01-1": 1}


def _used(core: Core) -> dict[str, int]:
    from erp_link.service.goods.places import Places

    return {place.code: place.used for place in Places(core).places() if place.used}


def test_a_slot_is_replenished_first_expired_first_out(core: Core, station: Station) -> None:
    station.receives()
    for carton in ("C1", "C2", "C3"):
        station.accepts(carton)
    for order in core.pending_transport():
        drive(station, order.order_id, SENT, DROPPED)
    desk = Missions(core)
    made = desk.replenish(WATER.gtin, "B-01-1", 2, by="op", key="key-0001")
    assert desk.replenish(WATER.gtin, "B-01-1", 2, by="op", key="key-0001") == made
    orders = core.pending_transport()
    assert {(o.kind, o.source, o.target) for o in orders} == {
        (TransportKind.REPLENISHMENT, "A-01-1", "B-01-1")
    }
    for order in orders:
        drive(station, order.order_id, SENT, DROPPED)
    assert where(core) == {"A-01-1": 1, "B-01-1": 2}
    assert _used(core) == {"A-01-1": 1, "B-01-1": 2}


def test_a_replenishment_that_cannot_be_says_why(core: Core, station: Station) -> None:
    from contracts.errors import InsufficientStockError

    order = put_away(station)
    drive(station, order.order_id, SENT, DROPPED)
    desk = Missions(core)
    with pytest.raises(BadInputError):
        desk.replenish(WATER.gtin, "DOCK/dock-1", 1, by="op")
    with pytest.raises(BadInputError):
        desk.replenish(WATER.gtin, "B-01-1", 0, by="op")
    with pytest.raises(InsufficientStockError):
        desk.replenish(WATER.gtin, "B-01-1", 2, by="op")
    core.add_hold(HoldKind.LOCATION, reason=Reason("leak"), by="q", location="B-01-1")
    with pytest.raises(HeldError):
        desk.replenish(WATER.gtin, "B-01-1", 1, by="op")
    freeze(core)
    with pytest.raises(InsufficientStockError):
        desk.replenish(WATER.gtin, "B-01-2", 1, by="op")


def test_a_hold_stops_a_replenishment(core: Core, station: Station) -> None:
    order = put_away(station)
    drive(station, order.order_id, SENT, DROPPED)
    (moved,) = Missions(core).replenish(WATER.gtin, "B-01-1", 1, by="op")
    freeze(core)
    with pytest.raises(ConflictError):
        drive(station, moved, SENT)
    (recall,) = core.pending_transport()
    assert (recall.source, recall.target) == ("A-01-1", "QUARANTINE")
    assert _used(core) == {"A-01-1": 1}

"""A batch is frozen while vehicles have its cartons: whatever they are doing, it ends in quarantine,
and nothing held is sent outward (I1). The real core, the real bridge, both versions.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contracts.reason import Reason
from contracts.stock import HoldKind, TransportKind, TransportState, UsageDecision
from erp_link.service.missions.desk import Missions
from tests.agv_bridge.floor import Floor
from tests.erp_link.story import JUICE, WATER
from tests.support.deciding import decided

T = TransportState
VERSIONS = ["2.1.0", "3.0.0"]


@pytest.fixture(params=VERSIONS)
def floor(request: pytest.FixtureRequest) -> Iterator[Floor]:
    made = Floor(trucks=(request.param,))
    made.station.receives()
    made.accepts("C1")
    yield made
    made.close()


def freeze(floor: Floor) -> None:
    floor.core.add_hold(HoldKind.BATCH, reason=Reason("said_by_quality"), by="q", batch=WATER)


def sent_outward_while_held(floor: Floor, since: int) -> list[str]:
    kinds = {o.order.order_id: o.order.target for o in floor.core.transports()}
    return [
        p.order_id
        for p in floor.moves.told[since:]
        if p.state is T.SENT and kinds[p.order_id] != "QUARANTINE"
    ]


@pytest.mark.parametrize("moment", range(14))
def test_whenever_the_hold_comes_the_carton_ends_in_quarantine(moment: int) -> None:
    floor = Floor(trucks=("2.1.0", "3.0.0"))
    try:
        floor.station.receives()
        floor.accepts("C1")
        for _ in range(moment):
            floor.step()
        freeze(floor)
        before = len(floor.moves.told)
        if any(p.state is T.DROPPED for p in floor.moves.told):
            # It stands in its slot, blocked; quality has the batch brought away.
            assert Missions(floor.core).recall(WATER, by="q") == ["TO-C1-2"]
        floor.until_quiet()
        assert floor.stock() == {(WATER.lot, "blocked"): {"QUARANTINE": 1}}
        assert sent_outward_while_held(floor, before) == []
        assert not any(t.reason.code == "transport_failed" for t in floor.core.tickets())
    finally:
        floor.close()


def test_before_the_pick_the_vehicle_is_stopped_and_the_recall_starts_at_the_dock(floor: Floor):
    floor.until(lambda: any(p.state is T.ACCEPTED for p in floor.moves.told))
    freeze(floor)
    floor.until_quiet()
    assert [p.state for p in floor.moves.told] == [
        T.SENT,
        T.ACCEPTED,
        T.CANCELLED,
        T.SENT,
        T.ACCEPTED,
        T.PICKED,
        T.DROPPED,
    ]
    assert floor.trucks[0].body.executed == ["TO-C1-2.pick", "TO-C1-2.drop"]


def test_with_the_goods_on_board_the_vehicle_brings_them_to_quarantine_itself(floor: Floor):
    floor.until(lambda: any(p.state is T.PICKED for p in floor.moves.told))
    freeze(floor)
    floor.until(lambda: len(floor.core.transports()) > 1)
    recall = floor.core.transports()[0].order
    assert (recall.kind, recall.on_board) == (TransportKind.RECALL, floor.trucks[0].name)
    floor.until_quiet()
    assert floor.trucks[0].body.executed == ["TO-C1-1.pick", "TO-C1-2.drop"]
    assert floor.stock() == {(WATER.lot, "blocked"): {"QUARANTINE": 1}}


def test_a_vehicle_that_cannot_tell_its_load_is_believed_about_it(floor: Floor):
    floor.trucks[0].faults.loads_unknown = True
    floor.until(lambda: any(p.state is T.PICKED for p in floor.moves.told))
    freeze(floor)
    floor.until_quiet()
    assert floor.stock() == {(WATER.lot, "blocked"): {"QUARANTINE": 1}}


def test_a_vehicle_that_does_not_stop_is_followed_by_a_recall_from_where_it_dropped(floor: Floor):
    floor.trucks[0].faults.too_late_to_cancel = True
    floor.until(lambda: any(p.state is T.PICKED for p in floor.moves.told))
    freeze(floor)
    floor.until_quiet()
    assert floor.trucks[0].body.executed == [
        "TO-C1-1.pick",
        "TO-C1-1.drop",
        "TO-C1-2.pick",
        "TO-C1-2.drop",
    ]
    assert floor.stock() == {(WATER.lot, "blocked"): {"QUARANTINE": 1}}


def test_a_vehicle_lost_with_held_goods_is_a_task_for_a_person(floor: Floor):
    floor.until(lambda: any(p.state is T.PICKED for p in floor.moves.told))
    floor.lose(floor.trucks[0])
    freeze(floor)
    floor.until(
        lambda: any(
            t.reason.params.get("why") == "agv_lost_with_load" for t in floor.core.tickets()
        )
    )
    (mission,) = floor.bridge.missions()
    assert (mission.step, mission.trouble and mission.trouble.code) == (
        T.FAILED,
        "agv_lost_with_load",
    )


def test_a_vehicle_lost_on_its_way_to_quarantine_is_a_task_too(floor: Floor):
    floor.until(lambda: any(p.state is T.PICKED for p in floor.moves.told))
    freeze(floor)
    floor.until(lambda: any(p.state is T.CANCELLED for p in floor.moves.told))
    floor.lose(floor.trucks[0])
    floor.until(
        lambda: any(
            t.reason.params.get("why") == "agv_lost_with_load" for t in floor.core.tickets()
        )
    )


def test_a_vehicle_whose_goods_were_taken_off_by_hand_is_a_task(floor: Floor):
    floor.until(lambda: any(p.state is T.PICKED for p in floor.moves.told))
    freeze(floor)
    floor.trucks[0].faults.reject_orders = True
    floor.until(lambda: any(p.state is T.CANCELLED for p in floor.moves.told))
    floor.trucks[0].body.loads.clear()
    floor.until(
        lambda: any(
            t.reason.params.get("why") in {"agv_forgot_load", "agv_refused_by_all"}
            for t in floor.core.tickets()
        )
    )


def test_a_bridge_killed_while_it_stops_a_vehicle_goes_on_stopping_it(floor: Floor):
    floor.until(lambda: any(p.state is T.PICKED for p in floor.moves.told))
    freeze(floor)
    floor.step()
    floor.begin()
    floor.until_quiet()
    assert floor.stock() == {(WATER.lot, "blocked"): {"QUARANTINE": 1}}


def test_another_vehicle_fetches_what_a_lost_one_had_not_picked():
    floor = Floor()
    try:
        floor.station.receives()
        floor.accepts("C1")
        floor.until(lambda: bool(floor.core.open_transport()))
        lost = next(t for t in floor.trucks if t.name == floor.core.open_transport()[0].vehicle)
        floor.lose(lost)
        lost.reboot()
        freeze(floor)
        floor.until_quiet()
        assert floor.stock() == {(WATER.lot, "blocked"): {"QUARANTINE": 1}}
        assert lost.body.executed == []
    finally:
        floor.close()


def test_a_lost_vehicle_that_comes_back_with_withdrawn_goods_brings_them_to_quarantine():
    """It picked while nobody heard it; meanwhile the order went back and was withdrawn."""
    floor = Floor(trucks=("2.1.0",))
    try:
        floor.station.receives()
        floor.accepts("C1")
        (truck,) = floor.trucks
        floor.until(lambda: any(p.state is T.ACCEPTED for p in floor.moves.told))
        floor.lose(truck)
        while not truck.body.loads:
            truck.step()
        freeze(floor)
        for _ in range(40):
            _pass_without(floor, truck)
        assert floor.core.find_transport("TO-C1-1").state is T.CANCELLED
        floor.find(truck)
        floor.until_quiet()
        assert floor.stock() == {(WATER.lot, "blocked"): {"QUARANTINE": 1}}
        assert truck.body.executed == ["TO-C1-1.pick", "TO-C1-3.drop"]
    finally:
        floor.close()


def _pass_without(floor: Floor, truck) -> None:
    """Time passes, and the vehicle stands still."""
    floor.trucks.remove(truck)
    floor.step()
    floor.trucks.append(truck)


def test_a_person_calls_a_mission_off_and_the_goods_come_back(floor: Floor):
    floor.until(lambda: any(p.state is T.PICKED for p in floor.moves.told))
    Missions(floor.core).cancel("TO-C1-1", reason="the aisle is blocked", by="op")
    (mission,) = floor.bridge.missions()
    floor.step()
    (mission,) = floor.bridge.missions()
    assert mission.trouble is not None
    assert mission.trouble.code == "transport_called_off"
    floor.until_quiet()
    assert floor.stock() == {(WATER.lot, "unrestricted"): {"DOCK/dock-1": 1}}
    Missions(floor.core).ask("C1", by="op")
    floor.until_quiet()
    assert floor.stock() == {(WATER.lot, "unrestricted"): {"A-1": 1}}


def test_a_slot_is_replenished(floor: Floor):
    floor.until_quiet()
    (order,) = Missions(floor.core).replenish(WATER.gtin, "B-1", 1, by="op")
    floor.step()
    assert [m.kind for m in floor.bridge.missions()] == [TransportKind.REPLENISHMENT]
    floor.until_quiet()
    assert floor.stock() == {(WATER.lot, "unrestricted"): {"B-1": 1}}
    assert floor.core.find_transport(order).state is T.DROPPED


def test_a_release_before_the_vehicle_stands_brings_the_goods_to_a_slot(floor: Floor):
    floor.until(lambda: any(p.state is T.PICKED for p in floor.moves.told))
    freeze(floor)
    floor.step()
    ticket = next(t for t in floor.core.tickets() if t.hold_ids)
    decided(
        floor.core,
        ticket.ticket_id,
        UsageDecision.RELEASE,
        by="q",
        role="quality",
        reason="labels only",
    )
    floor.until_quiet()
    assert floor.stock() == {(WATER.lot, "unrestricted"): {"A-1": 1}}


def test_a_hold_stops_nobody_else(floor: Floor):
    floor.accepts("J1", JUICE)
    floor.until(lambda: any(p.state is T.PICKED for p in floor.moves.told))
    freeze(floor)
    floor.until_quiet()
    stock = floor.stock()
    assert stock[WATER.lot, "blocked"] == {"QUARANTINE": 1}
    assert sum(stock[JUICE.lot, "unrestricted"].values()) == 1
    assert all(place.startswith(("A-", "B-")) for place in stock[JUICE.lot, "unrestricted"])

"""What is known of a vehicle, and whether it may be given an order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agv_bridge.missions.dispatch import assign
from agv_bridge.missions.vehicles import (
    Vehicle,
    hear_connection,
    hear_state,
    may_take_orders,
    snapshot,
)
from agv_bridge.vda5050.messages import (
    Connection,
    Load,
    NodeState,
    Power,
    Safety,
    State,
    VehicleError,
)
from agv_bridge.vda5050.topics import VehicleAddress
from contracts.stock import TransportOrder

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SILENT = timedelta(seconds=90)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def vehicle(serial: str = "a1", **state: object) -> Vehicle:
    fresh = Vehicle(VehicleAddress("uagv", "v2", "tallyman", serial))
    return hear_state(fresh, State(timestamp=START, **state), at=START)


def free(one: Vehicle, seconds: float = 1) -> bool:
    return may_take_orders(one, now=at(seconds), silent_after=SILENT)


def said(one: Vehicle, state: str, seconds: float = 1) -> Vehicle:
    return hear_connection(one, Connection(connection_state=state), at=at(seconds))


@pytest.mark.parametrize(
    "state",
    [
        {"loads": (Load(load_id="x"),)},
        {"node_states": (NodeState(node_id="n"),)},
        {"operating_mode": "MANUAL"},
        {"errors": (VehicleError(error_type="e", error_level="FATAL"),)},
        {"errors": (VehicleError(error_type="e", error_level="CRITICAL"),)},
        {"safety": Safety(emergency_stop="AUTOACK")},
        {"power": Power(charge_percent=5.0)},
        {"paused": True},
    ],
)
def test_a_vehicle_that_cannot_work_gets_no_order(state: dict[str, object]):
    assert not free(vehicle(**state))


def test_an_idle_vehicle_gets_one_also_with_a_warning_and_unknown_load():
    warning = VehicleError(error_type="e", error_level="WARNING")
    assert free(vehicle(errors=(warning,), loads=None))


def test_a_vehicle_not_heard_of_gets_none():
    assert not free(vehicle(), 91)
    assert not free(Vehicle(VehicleAddress("uagv", "v2", "tallyman", "a1")))


@pytest.mark.parametrize("word", ["OFFLINE", "CONNECTION_BROKEN", "HIBERNATING"])
def test_a_vehicle_that_is_away_gets_none(word: str):
    assert not free(said(vehicle(), word))


def test_a_will_of_an_earlier_connection_is_healed_by_the_next_state():
    late_will = said(said(vehicle(), "ONLINE"), "CONNECTION_BROKEN", 2)
    assert late_will.is_lost
    back = hear_state(late_will, State(timestamp=at(3)), at=at(3))
    assert (back.connection, back.is_lost) == ("ONLINE", False)


def test_an_orderly_goodbye_is_not_undone_by_a_late_state():
    gone = said(vehicle(), "OFFLINE", 2)
    assert hear_state(gone, State(timestamp=at(1)), at=at(3)).is_lost


def test_a_late_state_does_not_undo_a_newer_one():
    now = hear_state(vehicle(), State(timestamp=at(5), last_node_id="new"), at=at(5))
    late = hear_state(now, State(timestamp=at(2), last_node_id="old"), at=at(6))
    assert late.state is not None
    assert late.state.last_node_id == "new"
    assert late.heard_at == at(6)


def test_a_clock_set_back_is_believed_after_a_while():
    now = hear_state(vehicle(), State(timestamp=at(3600)), at=at(5))
    back = hear_state(now, State(timestamp=at(70), last_node_id="here"), at=at(70))
    assert back.state is not None
    assert back.state.last_node_id == "here"


def test_the_page_says_what_is_unknown():
    row = snapshot(vehicle(loads=(Load(),)), now=at(1), silent_after=SILENT)
    assert (row.loads, row.x, row.battery_percent) == (("?",), None, None)
    assert row.online


def orders(*numbers: int) -> list[TransportOrder]:
    return [TransportOrder(f"T{n}", f"c{n}", "station-1", f"slot-{n}") for n in numbers]


def given(pending: list[TransportOrder], fleet: list[Vehicle], **more: object):
    settings: dict = {"busy": (), "excluded": {}} | more
    chosen = assign(pending, fleet, now=at(1), silent_after=SILENT, **settings)
    return [(one.order.order_id, one.vehicle.rpartition("/")[2]) for one in chosen]


def test_the_oldest_order_and_the_nearest_vehicle_come_first():
    fleet = [vehicle("a1", power=Power(charge_percent=99.0)), vehicle("a2")]
    near = replace(fleet[1], state=State(timestamp=START, last_node_id="station-1"))
    assert given(orders(1, 2, 3), [fleet[0], near]) == [("T1", "a2"), ("T2", "a1")]


def test_the_fuller_battery_breaks_the_tie():
    low, full = (vehicle(s, power=Power(charge_percent=p)) for s, p in (("a1", 30.0), ("a2", 80.0)))
    assert given(orders(1), [low, full]) == [("T1", "a2")]


def test_nobody_gets_two_orders_or_one_it_had_before():
    fleet = [vehicle("a1"), vehicle("a2"), vehicle("a3", order_id="T1")]
    assert given(orders(1, 2), fleet, busy={"tallyman/a2"}) == [("T1", "a1"), ("T2", "a3")]
    assert given(orders(1), fleet, excluded={"T1": {"tallyman/a1", "tallyman/a2"}}) == []

"""The fleet's rows: one word for each vehicle, its complaints, where it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agv_bridge.fleet.board import FleetBoard
from agv_bridge.fleet.condition import Condition
from agv_bridge.missions.vehicles import Vehicle, hear_state, snapshot
from agv_bridge.vda5050.messages import (
    Load,
    NodeState,
    Position,
    Power,
    Safety,
    State,
    VehicleError,
    Velocity,
)
from agv_bridge.vda5050.topics import VehicleAddress

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SILENT = timedelta(seconds=90)
FULL = Power(charge_percent=80.0)
BLOCKED = VehicleError(error_type="obstacle", error_level="FATAL", error_description="pallet")


def fleet_row(state: State | None, *, connection: str = "ONLINE", after_s: float = 1.0):
    """The row of one vehicle, some time after its state."""
    board = FleetBoard()
    vehicle = replace(Vehicle(VehicleAddress("uagv", "v2", "acme", "7")), connection=connection)
    if connection != "ONLINE":
        vehicle = replace(vehicle, lost_at=START)
    if state is not None:
        vehicle = hear_state(vehicle, state, at=START)
        board.hear(vehicle.name, state, at=START)
    now = START + timedelta(seconds=after_s)
    return board.rows([snapshot(vehicle, now=now, silent_after=SILENT)])[0]


@pytest.mark.parametrize(
    ("state", "condition"),
    [
        (State(power=FULL), Condition.IDLE),
        (State(power=FULL, node_states=(NodeState(node_id="A"),)), Condition.WORKING),
        (State(power=Power(charge_percent=50, charging=True)), Condition.CHARGING),
        (State(power=Power(charge_percent=9)), Condition.LOW),
        (State(paused=True), Condition.PAUSED),
        (State(operating_mode="MANUAL"), Condition.MANUAL),
        (State(errors=(VehicleError(error_type="scanner dirty"),)), Condition.WARNED),
        (State(errors=(BLOCKED,), node_states=(NodeState(node_id="A"),)), Condition.STOPPED),
        (State(safety=Safety(emergency_stop="MANUAL")), Condition.STOPPED),
        (None, Condition.NEW),
    ],
)
def test_one_word_says_what_a_vehicle_does(state, condition):
    assert fleet_row(state).condition is condition


def test_a_vehicle_that_left_is_lost_and_one_that_says_nothing_is_silent():
    state = State(power=FULL, errors=(BLOCKED,))
    assert fleet_row(state, connection="OFFLINE").condition is Condition.LOST
    assert fleet_row(state, connection="HIBERNATING").condition is Condition.ASLEEP
    assert fleet_row(State(power=FULL), after_s=91).condition is Condition.SILENT


def test_complaints_are_whole_and_what_stops_the_vehicle_comes_first():
    error = VehicleError(error_type="orderError", error_hint="send it again")
    row = fleet_row(State(errors=(error, BLOCKED), safety=Safety(field_violation=True)))
    assert [each.kind for each in row.problems] == ["obstacle", "orderError", "fieldViolation"]
    assert row.problems[0].text == "pallet"
    assert row.problems[1].hint == "send it again"


def test_where_it_is_how_fast_and_with_what():
    state = State(
        position=Position(x=3.0, y=4.0, theta=1.5, map_id="hall"),
        driving=True,
        loads=(Load(load_id="SSCC-1"),),
        velocity=Velocity(vx=0.6, vy=0.8),
    )
    row = fleet_row(state)
    assert (row.x, row.y, row.theta, row.map_id) == (3.0, 4.0, 1.5, "hall")
    assert row.speed_m_s == pytest.approx(1.0)
    assert row.vehicle.loads == ("SSCC-1",)
    assert fleet_row(State(position=state.position)).speed_m_s == 0.0


def test_strangers_under_ever_new_names_keep_nobody_off_the_map(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agv_bridge.fleet.board.MOST_VEHICLES", 3)
    board = FleetBoard()
    for number in range(3):
        board.hear(f"stranger/{number}", State(last_node_id="n"), at=START)
    board.hear("stranger/0", State(last_node_id="m"), at=START)
    board.hear("tallyman/a1", State(last_node_id="here"), at=START)
    assert board.state("tallyman/a1") is not None
    assert board.state("stranger/0") is not None
    assert board.state("stranger/1") is None

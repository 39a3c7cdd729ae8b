"""What states mean for an order, whatever the radio did to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agv_bridge.missions.following import Fail, Limits, Requeue, Resend, Wait, follow
from agv_bridge.missions.mission import Mission, note_newest, observe, restore
from agv_bridge.missions.orders import Leg
from agv_bridge.missions.vehicles import Vehicle
from agv_bridge.vda5050.messages import (
    ActionState,
    ErrorReference,
    Load,
    NodeState,
    State,
    VehicleError,
)
from agv_bridge.vda5050.topics import VehicleAddress
from contracts.stock import OpenTransport, TransportOrder, TransportState

T = TransportState
START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ORDER = TransportOrder("T1", "sscc-1", "station-1", "slot-1")
LEG = Leg.of(ORDER)
MISSION = Mission(LEG, "tallyman/a1", assigned=True, watched_since=START)
ADDRESS = VehicleAddress("uagv", "v2", "tallyman", "a1")
LIMITS = Limits()


def snapshot(number: int, pick: str, drop: str, loads: tuple[str, ...] | None) -> State:
    return State(
        header_id=number,
        timestamp=START + timedelta(seconds=number),
        order_id="T1",
        node_states=() if drop == "FINISHED" else (NodeState(node_id="slot-1"),),
        action_states=(
            ActionState(action_id="T1.pick", action_status=pick),
            ActionState(action_id="T1.drop", action_status=drop),
        ),
        loads=None if loads is None else tuple(Load(load_id=load) for load in loads),
    )


def journey(*, load: str = "sscc-1", knows: bool = True) -> list[State]:
    """A clean stream: what a vehicle says from acceptance to the empty fork."""
    full, empty = ((load,), ()) if knows else (None, None)
    steps = [
        ("WAITING", "WAITING", empty),
        ("INITIALIZING", "WAITING", empty),
        ("RUNNING", "WAITING", empty),
        ("RUNNING", "WAITING", full),
        # The action is done a moment before the fork's sensor says so.
        ("FINISHED", "WAITING", empty),
        ("FINISHED", "WAITING", full),
        ("FINISHED", "RUNNING", full),
        ("FINISHED", "FINISHED", full),
        ("FINISHED", "FINISHED", empty),
    ]
    return [snapshot(number, *step) for number, step in enumerate(steps, start=1)]


def told(states: list[State], mission: Mission = MISSION) -> list[tuple[str, str, str]]:
    lines = []
    for state in states:
        mission, steps = observe(mission, state, at=START)
        lines += [(step.state.value, step.action_id, step.location) for step in steps]
    return lines


CLEAN = [
    ("accepted", "", ""),
    ("picked", "T1.pick", "station-1"),
    ("dropped", "T1.drop", "slot-1"),
]


@pytest.mark.parametrize("knows", [True, False])
def test_a_clean_journey_is_told_in_three_steps(*, knows: bool):
    assert told(journey(knows=knows)) == CLEAN


@settings(max_examples=1000)
@given(
    heard=st.lists(st.integers(0, 8), max_size=40),
    knows=st.booleans(),
    load=st.sampled_from(["sscc-1", "rfid-9"]),
)
@example(heard=[], knows=True, load="sscc-1")
@example(heard=[8, 5, 0, 8], knows=True, load="rfid-9")
def test_lost_doubled_and_late_states_give_the_same_steps(
    heard: list[int], load: str, *, knows: bool
):
    """Any selection in any order, then the last state, which every vehicle repeats each 30 s."""
    stream = journey(load=load, knows=knows)
    lines = told([stream[number] for number in heard] + [stream[-1]])
    moves = [line for index, line in enumerate(lines) if line not in lines[:index]]
    assert moves == CLEAN


@settings(max_examples=300)
@given(heard=st.lists(st.integers(0, 8), min_size=1, max_size=30), cut=st.integers(0, 30))
def test_a_bridge_that_was_killed_in_between_tells_the_rest_and_nothing_before(
    heard: list[int], cut: int
):
    stream = journey()
    before, after = heard[:cut], heard[cut:]
    mission, first = MISSION, []
    for number in before:
        mission, steps = observe(mission, stream[number], at=START)
        first += [step.state for step in steps]
    known = OpenTransport(ORDER, MISSION.vehicle, mission.reached, START)
    again = restore(known, now=START)
    rest = told([stream[number] for number in after] + [stream[-1]], again)
    assert [state.value for state in first] + [line[0] for line in rest] == [
        "accepted",
        "picked",
        "dropped",
    ]


@pytest.mark.parametrize(
    ("pick", "drop", "loads", "reached"),
    [
        ("FINISHED", "WAITING", (), T.ACCEPTED),
        ("FINISHED", "WAITING", None, T.PICKED),
        ("FINISHED", "FINISHED", ("sscc-1",), T.PICKED),
        ("FINISHED", "FINISHED", (), T.DROPPED),
        ("RUNNING", "WAITING", ("sscc-1",), T.ACCEPTED),
        ("FAILED", "FINISHED", (), T.ACCEPTED),
    ],
)
def test_a_move_counts_when_action_and_load_agree(
    pick: str, drop: str, loads: tuple[str, ...] | None, reached: TransportState
):
    mission, _ = observe(MISSION, snapshot(1, pick, drop, loads), at=START)
    assert mission.reached is reached


def test_a_load_read_late_is_told_after_the_pick():
    first, second = snapshot(1, "FINISHED", "WAITING", None), journey(load="rfid-9")[5]
    mission, steps = observe(MISSION, first, at=START)
    assert [(s.state, s.load_id) for s in steps][-1] == (T.PICKED, None)
    mission, steps = observe(mission, second, at=START)
    assert [(s.state, s.load_id, s.reason) for s in steps] == [
        (T.PICKED, "rfid-9", "agv_load_mismatch")
    ]
    assert observe(mission, second, at=START)[1] == ()


def vehicle(state: State | None = None, **changes: object) -> Vehicle:
    heard = START if state is not None else None
    known = Vehicle(ADDRESS, state=state, newest_at=heard, heard_at=heard)
    return replace(known, **changes)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


ACCEPTED = replace(MISSION, reached=T.ACCEPTED)
PICKED = replace(MISSION, reached=T.PICKED)
REJECTION = State(
    errors=(
        VehicleError(
            error_type="noRouteError",
            error_references=(ErrorReference(reference_key="orderId", reference_value="T1"),),
        ),
    )
)


@pytest.mark.parametrize(
    ("mission", "known", "seconds", "decision"),
    [
        (MISSION, vehicle(), 1, Wait()),
        (MISSION, vehicle(), 6, Resend()),
        (MISSION, vehicle(REJECTION), 1, Requeue("agv_rejected")),
        (MISSION, vehicle(), 31, Requeue("agv_no_answer")),
        (MISSION, vehicle(lost_at=START), 31, Requeue("agv_lost_before_pick")),
        (ACCEPTED, vehicle(REJECTION), 1, Wait()),
        (ACCEPTED, vehicle(lost_at=START), 29, Wait()),
        (ACCEPTED, vehicle(lost_at=START), 31, Requeue("agv_lost_before_pick")),
        (PICKED, vehicle(lost_at=START), 31, Fail("agv_lost_with_load")),
        (PICKED, vehicle(), 91, Fail("agv_silent")),
        (ACCEPTED, vehicle(), 91, Fail("agv_silent")),
        (ACCEPTED, vehicle(State(), heard_at=after(1790)), 1801, Fail("agv_overdue")),
        (replace(PICKED, missing_since=START), vehicle(), 61, Fail("agv_forgot_load")),
        (replace(ACCEPTED, missing_since=START), vehicle(), 61, Requeue("agv_forgot_order")),
        (replace(PICKED, disputed_since=START), vehicle(), 61, Fail("agv_load_remains")),
        (replace(ACCEPTED, disputed_since=START), vehicle(), 61, Fail("agv_load_missing")),
    ],
)
def test_no_mission_stays_stuck(mission: Mission, known: Vehicle, seconds: float, decision: object):
    assert follow(mission, known, now=after(seconds), limits=LIMITS) == decision


def test_a_vehicle_that_rebooted_has_forgotten_the_order():
    mission = note_newest(ACCEPTED, State(), at=START)
    assert mission.missing_since == START
    assert note_newest(mission, journey()[0], at=after(5)).missing_since is None


def test_finished_with_the_load_still_on_board_is_disputed():
    assert note_newest(PICKED, journey()[7], at=START).disputed_since == START
    assert note_newest(PICKED, journey()[6], at=START).disputed_since is None

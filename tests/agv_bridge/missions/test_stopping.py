"""What the bridge does about an order that must not go on, and about goods that are on board already."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agv_bridge.missions import following, reasons
from agv_bridge.missions.board import Board
from agv_bridge.missions.dispatch import assign, refused_by_all
from agv_bridge.missions.following import (
    Cancel,
    Fail,
    Limits,
    Requeue,
    Wait,
    Withdraw,
    follow,
)
from agv_bridge.missions.mission import Mission, observe, step
from agv_bridge.missions.orders import Leg, build_order
from agv_bridge.missions.vehicles import Vehicle
from agv_bridge.vda5050.messages import (
    ActionState,
    ErrorReference,
    Header,
    Load,
    NodeState,
    State,
    VehicleError,
)
from agv_bridge.vda5050.topics import VehicleAddress
from contracts.reason import Reason
from contracts.stock import OpenTransport, TransportOrder, TransportState

T = TransportState
START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ORDER = TransportOrder("T1", "sscc-1", "dock", "A-1")
ON_BOARD = TransportOrder("T2", "sscc-1", "dock", "QUARANTINE", on_board="m/a1")
MISSION = Mission(Leg.of(ORDER), "m/a1", assigned=True, watched_since=START)
LIMITS = Limits()


def after(**span: float) -> datetime:
    return START + timedelta(**span)


def says(pick: str, drop: str, *, loads: tuple[str, ...] = (), order: str = "T1") -> State:
    working = {pick, drop} - {"FINISHED", "FAILED"}
    return State(
        order_id=order,
        node_states=(NodeState(node_id="A-1"),) if working else (),
        action_states=(
            ActionState(action_id=f"{order}.pick", action_status=pick),
            ActionState(action_id=f"{order}.drop", action_status=drop),
        ),
        loads=tuple(Load(load_id=load) for load in loads),
    )


def vehicle(state: State | None, name: str = "a1", **more: object) -> Vehicle:
    known = Vehicle(VehicleAddress("uagv", "v2", "m", name), state=state, heard_at=START)
    return replace(known, **more)


def stopping(mission: Mission, state: State | None, *, now: datetime = START) -> object:
    return follow(mission, vehicle(state), now=now, limits=LIMITS, stop=True)


def test_a_vehicle_under_way_is_cancelled_and_not_again_at_once():
    going = replace(MISSION, reached=T.ACCEPTED)
    assert stopping(going, says("WAITING", "WAITING")) == Cancel()
    told = replace(going, cancelled_at=START)
    assert stopping(told, says("WAITING", "WAITING"), now=after(seconds=4)) == Wait()
    assert stopping(told, says("WAITING", "WAITING"), now=after(seconds=5)) == Cancel()


def test_what_failed_by_our_cancel_needs_no_person():
    going = replace(MISSION, reached=T.ACCEPTED, cancelled_at=START)
    stood, steps = observe(going, says("FAILED", "FAILED"), at=START, stopping=True)
    assert (stood.failed, steps) == ("", ())
    assert stopping(stood, says("FAILED", "FAILED")) == Withdraw()
    failed, steps = observe(going, says("FAILED", "FAILED"), at=START)
    assert (failed.failed, steps[-1].state) == (reasons.PICK_FAILED, T.FAILED)


def test_goods_on_board_are_withdrawn_with_another_line_than_goods_that_were_not_picked():
    carrying = replace(MISSION, reached=T.PICKED)
    assert stopping(carrying, says("FINISHED", "FAILED", loads=("sscc-1",))) == Withdraw()
    assert step(carrying, T.CANCELLED, at=START).action_id == "T1.drop"
    assert step(MISSION, T.CANCELLED, at=START).action_id == ""


def test_a_vehicle_that_says_finished_while_its_load_says_otherwise_is_not_withdrawn_yet():
    disputed = replace(MISSION, reached=T.ACCEPTED, disputed_since=START)
    assert stopping(disputed, says("FINISHED", "FAILED")) == Wait()
    late = replace(disputed, watched_since=START)
    far = after(seconds=61)
    known = vehicle(says("FINISHED", "FAILED"), heard_at=far)
    assert follow(late, known, now=far, limits=LIMITS, stop=True) == Fail(reasons.LOAD_MISSING)


def test_an_order_that_the_vehicle_never_had_is_withdrawn_when_it_answers_the_cancel():
    told = replace(MISSION, cancelled_at=START)
    idle = State(order_id="T0")
    assert stopping(MISSION, idle) == Cancel()
    assert stopping(told, idle, now=after(seconds=1)) == Wait()
    answer = ActionState(action_id="T1.cancel", action_status="FAILED")
    assert stopping(told, State(order_id="T0", action_states=(answer,))) == Withdraw()
    assert stopping(told, State(order_id="T0", instant_action_states=(answer,))) == Withdraw()
    assert stopping(told, idle, now=after(seconds=31)) == Requeue(reasons.NO_ANSWER)


def test_an_order_that_is_rejected_while_it_is_stopped_is_withdrawn():
    about = ErrorReference(reference_key="orderId", reference_value="T1")
    error = VehicleError(error_type="validationError", error_references=(about,))
    assert stopping(MISSION, State(errors=(error,))) == Withdraw()


def test_a_lost_vehicle_cannot_be_stopped():
    carrying = replace(MISSION, reached=T.PICKED)
    lost = vehicle(says("FINISHED", "WAITING"), lost_at=START)
    now = after(seconds=31)
    decided = follow(carrying, lost, now=now, limits=LIMITS, stop=True)
    assert decided == Fail(reasons.LOST_WITH_LOAD)
    going = replace(MISSION, reached=T.ACCEPTED)
    decided = follow(going, lost, now=now, limits=LIMITS, stop=True)
    assert decided == Requeue(reasons.LOST_BEFORE_PICK)


def test_an_order_for_goods_on_board_has_only_a_drop_and_begins_where_the_vehicle_stands():
    header = Header(
        header_id=1, timestamp=START, version="2.1.0", manufacturer="m", serial_number="a1"
    )
    order = build_order(Leg.of(ON_BOARD), header, start="aisle-7")
    assert [(n.node_id, n.sequence_id, [a.action_id for a in n.actions]) for n in order.nodes] == [
        ("aisle-7", 0, []),
        ("QUARANTINE", 2, ["T2.drop"]),
    ]
    assert [(e.start_node_id, e.end_node_id) for e in order.edges] == [("aisle-7", "QUARANTINE")]
    there = build_order(Leg.of(ON_BOARD), header, start="QUARANTINE")
    assert [n.node_id for n in there.nodes] == ["QUARANTINE"]
    assert there.edges == ()
    whole = build_order(Leg.of(ORDER), header, start="home")
    assert [n.node_id for n in whole.nodes] == ["home", "dock", "A-1"]
    assert len({e.edge_id for e in whole.edges}) == 2


def test_goods_on_board_count_as_picked_once_the_vehicle_has_the_order():
    mission = Mission(Leg.of(ON_BOARD), "m/a1", assigned=True, watched_since=START)
    waiting = ActionState(action_id="T2.drop", action_status="WAITING")
    taken = State(order_id="T2", action_states=(waiting,), loads=(Load(load_id="sscc-1"),))
    carrying, steps = observe(mission, taken, at=START)
    assert [p.state for p in steps] == [T.ACCEPTED, T.PICKED]
    done = ActionState(action_id="T2.drop", action_status="FINISHED")
    _, steps = observe(carrying, State(order_id="T2", action_states=(done,), loads=()), at=START)
    assert [(p.state, p.action_id, p.location) for p in steps] == [
        (T.DROPPED, "T2.drop", "QUARANTINE")
    ]


def test_goods_on_board_go_on_with_the_vehicle_that_has_them():
    loaded = vehicle(State(loads=(Load(load_id="sscc-1"),)))
    blind = vehicle(State(loads=None))
    empty = vehicle(State(loads=()))
    other = vehicle(State(loads=()), "a2")

    def taken(*fleet: Vehicle) -> list[tuple[str, str]]:
        chosen = assign(
            [ORDER, ON_BOARD],
            fleet,
            busy=(),
            excluded={},
            now=START,
            silent_after=LIMITS.silent,
        )
        return [(one.order.order_id, one.vehicle) for one in chosen]

    assert taken(loaded, other) == [("T2", "m/a1"), ("T1", "m/a2")]
    assert taken(blind) == [("T2", "m/a1")]
    assert taken(empty) == [("T1", "m/a1")]
    assert taken(other) == [("T1", "m/a2")]
    chosen = assign(
        [ORDER, ON_BOARD],
        [blind],
        busy=(),
        excluded={"T2": {"m/a1"}},
        now=START,
        silent_after=LIMITS.silent,
    )
    assert chosen == (), "it cannot tell, and the core says that it carries something"
    assert refused_by_all(ON_BOARD, [loaded, other], refused={"m/a1"})
    assert not refused_by_all(ORDER, [loaded, other], refused={"m/a1"})


@pytest.mark.parametrize(
    ("known", "seconds", "reason"),
    [
        (None, 91, reasons.LOST_WITH_LOAD),
        (vehicle(State(loads=(Load(),)), lost_at=START), 31, reasons.LOST_WITH_LOAD),
        (vehicle(State(loads=(Load(),))), 91, reasons.SILENT),
        (vehicle(State(loads=()), heard_at=after(seconds=61)), 61, reasons.FORGOT_LOAD),
        (vehicle(State(loads=(Load(),)), heard_at=after(hours=1)), 1801, reasons.OVERDUE),
        (vehicle(State(loads=(Load(),))), 10, ""),
    ],
)
def test_goods_on_board_do_not_wait_for_ever_for_their_vehicle(known, seconds, reason):
    given = following.why_give_up(known, since=START, now=after(seconds=seconds), limits=LIMITS)
    assert given == reason


@pytest.mark.parametrize("ended", [{"stopped": True}, {"failed": reasons.DROP_FAILED}])
def test_a_vehicle_that_stands_with_goods_gets_no_others(ended: dict):
    board = Board()
    board.take_in([], [OpenTransport(ORDER, "m/a1", T.PICKED, START)], now=START)
    board.put(replace(MISSION, reached=T.PICKED, **ended))
    assert (board.busy(), board.carrying()) == (set(), {"m/a1"})
    other = TransportOrder("T3", "sscc-3", "dock", "A-2")

    def given(loads: tuple[Load, ...] | None) -> int:
        fleet = [vehicle(State(loads=loads))]
        chosen = assign(
            [other],
            fleet,
            busy=(),
            excluded={},
            now=START,
            silent_after=LIMITS.silent,
            carrying=board.carrying(),
        )
        return len(chosen)

    assert (given(None), given((Load(),)), given(())) == (0, 0, 1)
    board.take_in([ON_BOARD], [], now=START)
    assert board.carrying() == set()


def test_a_vehicle_that_refused_is_asked_again_after_a_while():
    board = Board()
    board.take_in([ORDER], [], now=START)
    board.refuse(MISSION, at=START)
    assert board.refusing(now=after(minutes=4), again=LIMITS.again) == {"T1": {"m/a1"}}
    assert board.refusing(now=after(minutes=5), again=LIMITS.again) == {}


def test_an_order_that_left_the_core_is_still_known_when_a_vehicle_speaks_of_it():
    board = Board()
    board.take_in([ORDER], [], now=START)
    board.take_in([], [], now=START)
    assert board.known_in(says("FINISHED", "WAITING")) == [ORDER]
    assert board.is_stopping("T1")
    again = Board()
    assert again.unknown_in(says("FINISHED", "WAITING")) == ["T1"]
    again.settle("T1", OpenTransport(ORDER, "m/a1", T.CANCELLED, START))
    assert again.known_in(says("FINISHED", "WAITING")) == [ORDER]
    again.settle("T1", OpenTransport(ORDER, "m/a1", T.DROPPED, START))
    assert again.known_in(says("FINISHED", "WAITING")) == []
    assert again.unknown_in(says("FINISHED", "WAITING")) == []


def test_who_has_the_goods_has_the_order():
    board = Board()
    board.take_in([], [OpenTransport(ORDER, "m/a2", T.SENT, START)], now=START)
    came_back, _ = observe(
        replace(MISSION, assigned=False), says("FINISHED", "WAITING", loads=("x",)), at=START
    )
    board.put(came_back)
    board.taken_over(came_back)
    assert board.carrier("T1") == came_back
    assert board.busy() == {"m/a1"}


def test_instant_actions_are_no_orders():
    told = State(action_states=(ActionState(action_id="state.2026.7", action_status="FINISHED"),))
    assert Board().unknown_in(told) == []


def test_an_order_shows_why_it_is_stopped():
    board = Board()
    why = Reason("transport_held")
    board.take_in([], [OpenTransport(ORDER, "m/a1", T.SENT, START, stop=why)], now=START)
    assert board.stops == {"T1": why}
    assert board.shown("T1") is not None

"""Trails, ways and places: what the map draws, from what vehicles say."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agv_bridge.fleet.board import FINEST, FleetBoard
from agv_bridge.fleet.curves import line_of
from agv_bridge.fleet.places import DOUBTS, PlaceAt, Source, learn
from agv_bridge.fleet.trail import KEPT, MOST_POINTS, Crumb, Trail, go_on
from agv_bridge.fleet.way import Way
from agv_bridge.missions.vehicles import Vehicle, snapshot
from agv_bridge.vda5050.messages import (
    ActionState,
    ControlPoint,
    EdgeState,
    IntermediatePath,
    NodePosition,
    NodeState,
    Position,
    State,
    Trajectory,
    VehicleError,
    Visualization,
    Waypoint,
)
from agv_bridge.vda5050.topics import VehicleAddress

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def driven(*spots: tuple[float, float], every_s: float = 1.0, map_id: str = "hall") -> Trail:
    trail = Trail()
    for number, (x, y) in enumerate(spots):
        trail = go_on(trail, Crumb(x, y, at(number * every_s)), map_id=map_id)
    return trail


def points(trail: Trail) -> list[tuple[float, float]]:
    return [(each.x, each.y) for each in trail.crumbs]


def standing(x: float, y: float, node: str, seconds: float = 0.0, **more: object) -> State:
    where = Position(x=x, y=y, map_id="hall")
    return State(timestamp=at(seconds), last_node_id=node, position=where, **more)


# Trails


def test_a_straight_drive_is_two_points_and_a_corner_is_kept():
    trail = driven(*[(float(x), 0.0) for x in range(10)], *[(9.0, float(y)) for y in range(1, 6)])
    assert points(trail) == [(0.0, 0.0), (9.0, 0.0), (9.0, 5.0)]


def test_a_vehicle_that_stands_and_trembles_leaves_one_point():
    assert len(driven(*[(0.01 * (n % 3), 0.0) for n in range(50)]).crumbs) == 1


def test_another_map_or_a_jump_begins_anew():
    trail = driven((0.0, 0.0), (1.0, 0.0))
    lifted = go_on(trail, Crumb(1.0, 0.0, at(60)), map_id="upper floor")
    assert (lifted.map_id, points(lifted)) == ("upper floor", [(1.0, 0.0)])
    assert points(go_on(trail, Crumb(80.0, 40.0, at(2)), map_id="hall")) == [(80.0, 40.0)]
    slowly = go_on(trail, Crumb(30.0, 0.0, at(31)), map_id="hall")
    assert points(slowly)[-1] == (30.0, 0.0)


def test_a_vehicle_that_comes_back_to_where_it_was_leaves_its_way_there():
    assert points(driven((0.0, 0.0), (1.0, 0.0), (1e-200, 0.0))) == [
        (0.0, 0.0), (1.0, 0.0), (1e-200, 0.0),
    ]  # fmt: skip


def test_a_late_position_and_old_ones_are_left_out():
    trail = driven((0.0, 0.0), (3.0, 3.0), (6.0, 0.0))
    assert go_on(trail, Crumb(9.0, 9.0, at(1)), map_id="hall") is trail
    later = go_on(trail, Crumb(9.0, 3.0, at(KEPT.total_seconds() + 1.5)), map_id="hall")
    assert points(later) == [(3.0, 3.0), (6.0, 0.0), (9.0, 3.0)]


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=1, max_size=200))
def test_a_trail_is_short_and_ends_where_the_vehicle_is(spots):
    trail = driven(*spots, every_s=20.0)
    assert 1 <= len(trail.crumbs) <= MOST_POINTS
    last = trail.crumbs[-1]
    assert math.hypot(last.x - spots[-1][0], last.y - spots[-1][1]) < 0.2


# Places


def test_a_place_is_where_vehicles_stand_that_say_so():
    board = FleetBoard()
    for n, x in enumerate((10.0, 10.2, 9.8)):
        board.hear("acme/1", standing(x, 4.0, "A-01-1", n), at=at(n))
    place = board.places()["hall", "A-01-1"]
    assert (round(place.x, 3), place.y, place.source, place.stops) == (10.0, 4.0, Source.SEEN, 3)
    assert board.take_changed() == (place,)
    assert board.take_changed() == ()


@pytest.mark.parametrize(
    "state",
    [
        standing(1, 1, "A-01-1", driving=True),
        standing(1, 1, "A-01-1", paused=True),
        standing(1, 1, "A-01-1", errors=(VehicleError(error_type="blocked"),)),
        standing(1, 1, "A-01-1", edge_states=(EdgeState(edge_id="e"),)),
        standing(1, 1, "A-01-1", distance_since_last_node=3.0),
        standing(1, 1, ""),
        State(last_node_id="A-01-1"),
        State(last_node_id="A-01-1", position=Position(x=1, y=1, localized=False)),
    ],
)
def test_a_vehicle_that_is_not_surely_there_teaches_nothing(state):
    board = FleetBoard()
    board.hear("acme/1", state, at=START)
    assert board.places() == {}


def test_while_it_handles_goods_it_is_at_its_node():
    board = FleetBoard()
    handling = ActionState(action_id="TO-1.pick", action_status="RUNNING")
    state = standing(2, 3, "DOCK", edge_states=(EdgeState(edge_id="e"),), action_states=(handling,))
    board.hear("acme/1", state, at=START)
    assert ("hall", "DOCK") in board.places()


def test_a_moved_place_is_believed_after_some_stops_and_one_that_the_site_gave_stays():
    old = PlaceAt("hall", "A-01-1", 1.0, 1.0, stops=5)
    moved = PlaceAt("hall", "A-01-1", 20.0, 1.0)
    known = old
    for _ in range(DOUBTS - 1):
        known = learn(known, moved)
        assert (known.x, known.y) == (1.0, 1.0)
    assert learn(known, moved) == moved
    given_by_site = PlaceAt("hall", "A-01-1", 5.0, 5.0, Source.GIVEN)
    assert learn(old, given_by_site) == given_by_site
    assert learn(given_by_site, moved) is given_by_site
    assert learn(given_by_site, PlaceAt("hall", "A-01-1", 9, 9, Source.TOLD)) is given_by_site


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=40))
def test_a_learned_place_lies_among_its_stops(stops):
    known = None
    for x, y in stops:
        known = learn(known, PlaceAt("hall", "A", x, y))
    assert known is not None
    assert min(x for x, _ in stops) - 1e-9 <= known.x <= max(x for x, _ in stops) + 1e-9
    assert min(y for _, y in stops) - 1e-9 <= known.y <= max(y for _, y in stops) + 1e-9


# Ways


def way_on(board: FleetBoard) -> Way:
    """The way of acme/1, as its row shows it."""
    vehicle = Vehicle(VehicleAddress("uagv", "v2", "acme", "1"))
    (row,) = board.rows([snapshot(vehicle, now=START, silent_after=timedelta(seconds=90))])
    return row.way


def test_the_ordered_way_goes_through_known_places_and_names_the_unknown():
    board = FleetBoard([PlaceAt("hall", "A", 5, 0), PlaceAt("hall", "C", 5, 9)])
    nodes = (
        NodeState(node_id="C", sequence_id=4),
        NodeState(node_id="A", sequence_id=0),
        NodeState(node_id="B", sequence_id=2),
    )
    board.hear("acme/1", standing(0, 0, "", node_states=nodes, driving=True), at=START)
    way = way_on(board)
    assert way.nodes == ("A", "B", "C")
    assert way.line == ((0.0, 0.0), (5.0, 0.0), (5.0, 9.0))
    assert way.unplaced == ("B",)


def test_a_vehicle_that_tells_where_its_nodes_are_is_believed():
    board = FleetBoard()
    node = NodeState(node_id="A", node_position=NodePosition(x=7, y=8, map_id="hall"))
    board.hear("acme/1", standing(0, 0, "", node_states=(node,), driving=True), at=START)
    assert board.places()["hall", "A"].source is Source.TOLD


def test_a_full_circle_of_nine_control_points_is_round():
    half = math.sqrt(2) / 2
    control = [(1, 0, 1), (1, 1, half), (0, 1, 1), (-1, 1, half), (-1, 0, 1), (-1, -1, half),
               (0, -1, 1), (1, -1, half), (1, 0, 1)]  # fmt: skip
    curve = line_of(
        Trajectory(
            degree=2,
            knot_vector=(0, 0, 0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1, 1, 1),
            control_points=tuple(ControlPoint(x=x, y=y, weight=w) for x, y, w in control),
        )
    )
    assert len(curve) == 25
    assert all(math.hypot(x, y) == pytest.approx(1.0) for x, y in curve)
    assert curve[0] == pytest.approx(curve[-1])


def test_knots_that_make_no_curve_leave_the_control_points():
    bend = (ControlPoint(x=0, y=0), ControlPoint(x=1, y=1), ControlPoint(x=2, y=0))
    broken = Trajectory(degree=2, knot_vector=(0.9, 0.5, 0.1), control_points=bend)
    assert line_of(broken) == ((0, 0), (1, 1), (2, 0))
    assert line_of(Trajectory(control_points=bend[:2])) == ((0, 0), (1, 1))
    assert line_of(Trajectory(control_points=(ControlPoint(x=math.inf, y=0),))) == ()
    assert line_of(None) == line_of(Trajectory()) == ()


@given(
    st.integers(-1, 12) | st.none(),
    st.lists(st.floats(), max_size=12) | st.none(),
    st.lists(st.tuples(st.floats(), st.floats(), st.floats() | st.none()), max_size=8),
)
def test_nonsense_is_no_line_and_no_error(degree, knots, control):
    trajectory = Trajectory(
        degree=degree,
        knot_vector=tuple(knots) if knots is not None else None,
        control_points=tuple(ControlPoint(x=x, y=y, weight=w) for x, y, w in control),
    )
    assert all(math.isfinite(x) and math.isfinite(y) for x, y in line_of(trajectory))


def test_what_the_vehicle_plans_itself_is_its_way():
    path = IntermediatePath(polyline=(Waypoint(x=1, y=0), Waypoint(x=1, y=5)))
    board = FleetBoard()
    node = NodeState(node_id="A")
    state = standing(0, 0, "", node_states=(node,), driving=True, intermediate_path=path)
    board.hear("acme/1", state, at=START)
    assert way_on(board).line == ((0, 0), (1, 0), (1, 5))
    seen = Visualization(
        position=Position(x=1, y=1, map_id="hall"),
        intermediate_path=IntermediatePath(polyline=(Waypoint(x=1, y=5),)),
    )
    board.hear("acme/1", seen, at=at(1))
    assert way_on(board).line == ((1, 1), (1, 5))


def test_positions_that_come_too_fast_need_not_be_read():
    board = FleetBoard()
    assert not board.too_soon("acme/1", at=START)
    board.hear("acme/1", standing(0, 0, ""), at=START)
    assert board.too_soon("acme/1", at=START + FINEST / 2)
    assert not board.too_soon("acme/1", at=START + FINEST)

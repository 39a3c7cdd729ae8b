"""Ways back that must not lead forward, and what a box may conclude from its edge's word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.ota import Assignment, BoxStep
from contracts.reason import Reason
from ota.agent.agent import AgentSettings
from ota.agent.handover import Active, LaneActive, LaneRunning, Running
from ota.agent.sets.shelf import Shelf
from ota.agent.steps.deciding import Rest, Switch, View, decide
from ota.agent.steps.probation import Outcome, Probation, judge, watch
from ota.agent.steps.state import Seen
from tests.support.box import INSTALLED_DIGESTS, Box
from tests.support.image_plane import set_files

READER = INSTALLED_DIGESTS["read"]
OLD, BAD, NEXT = (f"sha256:{number:064x}" for number in (1, 2, 3))
STOP = Assignment(
    device="d", cell="c", epoch=1, sequence=2, least_snapshot=1, not_after_us=1000,
    run={"read": NEXT}, rollout="r1", stop=True,
)  # fmt: skip
READY = View(
    assignment=STOP,
    active=Active(change=3, lanes={"read": LaneActive(BAD, OLD, change=3, rollout="r1")}),
    installed={"read": READER},
    held={OLD, BAD, NEXT},
    proven={OLD, BAD, NEXT},
    refused={},
    named={("read", NEXT)},
    stale={},
    clock=None,
    at_us=500,
)
NIGHT_US = 8 * 3_600_000_000


@pytest.fixture
def box() -> Box:
    made = Box()
    made.run(10)
    return made


def publish(box: Box, version: str = "2.0.0") -> str:
    return box.repository.publish("read", set_files("read", version))


def test_a_stop_may_name_a_set_that_is_ready_here(box: Box):
    step = decide(READY)
    assert isinstance(step, Switch)
    assert step.to == {"read": NEXT}


@pytest.mark.parametrize(
    "view",
    [
        replace(READY, proven={OLD, BAD}),
        replace(READY, named=frozenset()),
        replace(READY, stale={"read": Reason("ota_metadata_expired")}),
        replace(READY, clock=Reason("ota_clock_behind")),
        replace(READY, at_us=1001),
        replace(READY, held={OLD, BAD}),
    ],
    ids=["not proven", "one plane only", "expired files", "clock", "assignment expired", "away"],
)
def test_under_a_stop_nothing_begins_that_might_not_begin_otherwise(view: View):
    """What the stop names may not run: the box goes back to what it ran before the rollout."""
    step = decide(view)
    assert isinstance(step, Switch)
    assert step.to == {"read": OLD}
    other = LaneActive(BAD, OLD, change=3, rollout="r0")
    assert isinstance(decide(replace(view, active=Active(change=3, lanes={"read": other}))), Rest)


def test_a_set_on_probation_is_not_settled_by_a_clock_that_is_set_right(box: Box):
    box.settings = AgentSettings(
        poll_s=60,
        probation_cartons=10_000,
        probation_s=30,
        longest_probation_s=86_400,
        reserve_mb=1,
    )
    box.start()
    digest = publish(box)
    box.hub.assign(stage={"read": digest})
    box.run(100)
    box.hub.assign(run={"read": digest})
    box.run(100)
    box.time.at = box.time.at.replace(day=box.time.at.day + 3)
    box.run(100)
    assert box.said.step is BoxStep.PROBATION
    box.edge.raises.add(digest)
    box.run(100)
    assert box.running["read"] == READER


def test_time_on_probation_is_what_passed_here_whatever_the_edges_clock_did():
    lanes = {"read": LaneActive(BAD, OLD, change=3)}

    def word(at_us: int) -> Running:
        running = {"read": LaneRunning(BAD, "cpu", since_us=1000)}
        return Running(at_us, boot="b", change=3, lanes=running)

    seen = watch({}, lanes, word(5_001_000), passed_s=6)
    assert seen["read"]["b"].ran_us == 5_000_000
    seen = watch(seen, lanes, word(NIGHT_US), passed_s=5)
    assert seen["read"]["b"].ran_us == 10_000_000
    seen = watch(seen, lanes, word(0), passed_s=5)
    assert seen["read"]["b"].ran_us == 10_000_000


def verdict(running: Running, seen: dict[str, Seen]) -> Outcome:
    lanes = {"read": LaneActive(BAD, OLD, change=3)}
    return judge(lanes, {"read": seen}, running, Probation(), silent_s=1, waited_s=1)


def test_an_edge_that_is_switched_off_each_night_speaks_against_no_set():
    nights = {f"b{number}": Seen(cartons=5, ran_us=NIGHT_US // 4) for number in range(6)}
    assert verdict(Running(1, boot="b5", change=3), nights).waiting == {"read"}
    falls = {f"b{number}": Seen(ran_us=20_000_000) for number in range(4)}
    reason = verdict(Running(1, boot="b3", change=3), falls).bad["read"]
    assert (reason.code, reason.params["starts"]) == ("ota_edge_restarts", 4)


def test_how_long_the_edge_ran_outlives_a_night_without_power(box: Box):
    digest = publish(box)
    box.settings = AgentSettings(
        poll_s=60, probation_cartons=10**6, probation_s=30, longest_probation_s=10**6, reserve_mb=1
    )
    box.start()
    box.hub.assign(stage={"read": digest})
    box.run(100)
    box.hub.assign(run={"read": digest})
    for _ in range(5):
        box.run(90)
        box.after_power_cut(box.disk.after_power_cut())
    box.run(100)
    assert box.running["read"] == digest
    assert box.said.step is BoxStep.PROBATION


def test_what_the_edge_refused_before_a_change_says_nothing_of_the_next_try():
    """It is still at the change before: its word is about the last time somebody asked."""
    refused = {BAD: Reason("set_refused")}
    assert verdict(Running(1, boot="b", change=2, refused=refused), {}).bad == {}
    assert verdict(Running(1, boot="b", change=3, refused=refused), {}).bad


def test_a_pointer_that_somebody_spoilt_is_written_anew_under_a_number_that_the_edge_does_not_know(
    box: Box,
):
    digest = publish(box)
    box.hub.assign(stage={"read": digest})
    box.run(100)
    box.hub.assign(run={"read": digest})
    box.run(70)
    followed = box.edge.running.change
    box.disk.truncate("active.json")
    box.start()
    box.edge.off = True
    for _ in range(20):
        box.agent.step()
    assert box.agent.active.digest("read") == digest
    assert box.agent.active.change > followed


def test_what_is_no_set_on_the_shelf_stops_nobody(box: Box):
    box.disk.make_folder(f"held/{'x' * 64}")
    box.start()
    digest = publish(box)
    box.hub.assign(stage={"read": digest})
    box.run(100)
    assert box.said.held == (digest,)


def test_a_set_goes_from_the_shelf_although_its_like_lies_in_the_trash(box: Box):
    digest = publish(box)
    box.hub.assign(stage={"read": digest})
    box.run(100)
    box.disk.make_folder(f"trash/{digest[7:]}")
    box.disk.append(f"trash/{digest[7:]}/model.onnx", b"left there")
    shelf = Shelf(box.disk, {})
    shelf.discard(digest)
    assert shelf.held() == []
    assert box.disk.names("trash") == []

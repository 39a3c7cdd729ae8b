"""The console over the real desk: what people see of a rollout from its draft to its end and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.identity.admission.records import Deed as MembershipDeed
from appliance.ota.console.curves import Curves
from appliance.ota.console.fleet import FleetConsole
from appliance.ota.console.rollouts import RolloutConsole
from appliance.web.ota.board import Condition, condition
from contracts.errors import BadInputError, ConflictError, ForbiddenError
from contracts.ota import BoxStep
from ota.rollout.plan import Plan, Wave
from tests.support.pages import NOW
from tests.support.rollouts import NEW, OLD, Dock
from tests.support.updates import FakeDevices, FakeSets

PLAN = Plan("inspect", NEW, why="sees foil", waves=(Wave(25.0), Wave(100.0)), soak_s=60, seed=7)
BOXES = [f"box-{n}" for n in range(8)]


class Seen:
    """A dock, and the console beside it."""

    def __init__(self, dock: Dock, curves: Curves) -> None:
        self.dock = dock
        devices = FakeDevices(states={})
        self.fleet = FleetConsole(dock.desk, FakeSets([]), devices, clock=dock.clock)
        self.rollouts = RolloutConsole(dock.desk, curves, clock=dock.clock, second_person=True)

    def conditions(self) -> dict[str, Condition]:
        return {box.device: condition(box) for box in self.fleet.boxes()}


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[Seen]:
    curves = Curves(tmp_path / "curves.db")
    yield Seen(Dock(BOXES, second_person=True), curves)
    curves.close()


def test_from_draft_to_the_last_box_the_console_says_how_far_it_is(seen: Seen) -> None:
    dock, rollouts = seen.dock, seen.rollouts
    dock.poll()
    preview = rollouts.preview(PLAN)
    assert [len(wave.boxes) for wave in preview.waves] == [2, 6]
    name = rollouts.create(PLAN, by="ida")
    draft = rollouts.one(name)
    assert draft.may == ("approve", "cancel")
    assert {box.device for box in draft.boxes if box.wave == 1} == set(preview.waves[0].boxes)
    with pytest.raises(ForbiddenError):
        rollouts.act(name, "approve", by="ida", why="")
    rollouts.act(name, "approve", by="mara", why="figures hold")
    dock.poll(3)

    page = rollouts.one(name)
    assert (page.row.state, page.row.wave, page.row.waves) == ("shadow", 1, 2)
    assert [wave.state for wave in page.waves] == ["now", "ahead"]
    assert {box.state for box in page.boxes if box.wave == 1} == {"shadow"}
    assert {box.device for box in page.boxes if box.wave == 1} == set(preview.waves[0].boxes)
    assert set(seen.conditions().values()) == {Condition.AS_DESIRED}, "staged only is no drift"

    before = rollouts.version()
    for _ in range(2):
        dock.judge(15)
        dock.desk.tick()
        rollouts.look()
    assert rollouts.version() != before
    signals = {row.signal: row for row in rollouts.one(name).signals}
    assert signals["harm"].counts.frames == 60
    dock.judge(400)
    dock.poll(8)
    points = rollouts.points(name, gate=0)
    assert [point.frames for point in points] == [30, 60, 860], (
        "the last one is the gate's own word"
    )
    assert points[-1].good > points[0].good > 1 > points[-1].against
    dock.judge(400)
    dock.poll(8)
    done = rollouts.one(name)
    assert (done.row.state, done.row.done, done.may) == ("done", 8, ("rollback",))
    assert [wave.state for wave in done.waves] == ["passed", "passed"]
    assert rollouts.listed()[0].done == 8
    assert {lane.running for box in seen.fleet.boxes() for lane in box.lanes} == {NEW}
    story = [line.what for line in reversed(done.history)]
    assert story[:3] == ["drafted", "approved", "started"]
    assert story[-1] == "finished"
    assert seen.fleet.ran_at(dock.clock.now())["box-0"] == {"inspect": NEW}

    rollouts.act(name, "rollback", by="mara", why="misses dents")
    dock.poll(4)
    assert rollouts.one(name).row.state == "returned"
    assert {lane.running for box in seen.fleet.boxes() for lane in box.lanes} == {OLD}
    spans = seen.fleet.box("box-0").spans
    assert [(span.digest, span.until is None) for span in spans][:2] == [(OLD, True), (NEW, False)]


def test_chance_draws_before_the_yes_and_not_after_it(seen: Seen) -> None:
    seen.dock.poll()
    name = seen.rollouts.create(replace(PLAN, seed=0), by="ida")
    asked = {box.device: box.wave for box in seen.rollouts.one(name).boxes}
    assert sorted(asked.values()) == [1, 1, 2, 2, 2, 2, 2, 2]
    seen.rollouts.act(name, "approve", by="mara", why="these two may begin")
    seen.dock.poll(3)
    assert {box.device: box.wave for box in seen.rollouts.one(name).boxes} == asked


class AtTheDoor(FakeDevices):
    """One box asked to come back after a long time away."""

    def story(self, device: str = "") -> list[MembershipDeed]:
        told = [MembershipDeed(NOW, "box-99", "asked:recovery", why="0f1e2d3c4b5a6978")]
        return [each for each in told if device in ("", each.device)]


def test_a_box_that_asks_to_come_in_is_told_without_its_kind(seen: Seen) -> None:
    desk, clock = seen.dock.desk, seen.dock.clock
    fleet = FleetConsole(desk, FakeSets([]), AtTheDoor(states={}), clock=clock)
    assert "box_asked" in {each.what for each in fleet.audit()}


def test_a_box_that_refuses_is_red_is_retried_alone_or_left_out(seen: Seen) -> None:
    dock, rollouts = seen.dock, seen.rollouts
    dock.poll()
    wave = set(rollouts.preview(PLAN).waves[0].boxes)
    bad = min(wave)
    dock.boxes[bad].refuses.add(NEW)
    name = rollouts.create(
        Plan("inspect", NEW, why="x", waves=PLAN.waves, seed=7, most_failed_percent=80), by="ida"
    )
    assert rollouts.one(name).second_person
    rollouts.act(name, "approve", by="mara", why="")
    dock.poll(3)
    page = rollouts.one(name)
    (failed,) = [box for box in page.boxes if box.state == "failed"]
    assert (failed.device, failed.trouble and failed.trouble.code) == (bad, "ota_golden_differs")
    assert {"retry", "skip"} <= set(page.may)
    assert seen.conditions()[bad] is Condition.FAILED
    with pytest.raises(BadInputError):
        rollouts.act(name, "skip", by="mara", why="")
    dock.boxes[bad].refuses.clear()
    rollouts.act(name, "retry", by="mara", why="")
    dock.poll(3)
    assert "retry" not in rollouts.one(name).may
    assert seen.conditions()[bad] is Condition.AS_DESIRED


def test_the_emergency_stop_says_who_and_why_until_it_is_lifted(seen: Seen) -> None:
    dock, rollouts = seen.dock, seen.rollouts
    dock.poll()
    name = rollouts.create(PLAN, by="ida")
    rollouts.act(name, "approve", by="mara", why="")
    dock.poll(3)
    seen.fleet.stop(by="mara", why="misreads")
    stop = seen.fleet.stopped()
    assert stop is not None
    assert (stop.by, stop.why) == ("mara", "misreads")
    dock.poll(3)
    assert rollouts.one(name).row.state == "stopped"
    assert [line.what for line in rollouts.one(name).history].count("stopped") == 1
    seen.fleet.clear_stop(by="ida", why="mended")
    assert seen.fleet.stopped() is None
    with pytest.raises(ConflictError):
        rollouts.act(name, "explode", by="mara", why="")


def test_a_box_that_is_away_is_said_to_be_offline_and_not_to_drift(seen: Seen) -> None:
    dock = seen.dock
    dock.poll()
    dock.away.add("box-3")
    dock.poll(12)
    assert seen.conditions()["box-3"] is Condition.OFFLINE
    row = next(box for box in seen.fleet.boxes() if box.device == "box-3")
    assert row.step is BoxStep.IDLE

"""What people do with rollouts: hold them, end them, take them back, and stop everything."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.errors import BadInputError, ConflictError, ForbiddenError
from ota.rollout.plan import Plan, Wave, Window
from ota.rollout.state import Phase
from tests.support.rollouts import BOXES, CELLS, NEW, NEWER, OLD, Dock, phase, plan


def test_a_pause_holds_what_comes_next_and_keeps_what_is() -> None:
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan())
    dock.poll(2)
    dock.desk.pause(name, by="ops", why="the auditors are here")
    dock.judge(400)
    dock.poll(5)
    assert set(dock.running().values()) == {OLD}
    assert [w.word for w in dock.desk.waiting(name)] == ["resume"]
    dock.desk.resume(name, by="ops")
    dock.poll(3)
    assert list(dock.running().values()).count(NEW) == 2


def test_harm_ends_it_also_while_it_is_paused() -> None:
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan())
    dock.poll(2)
    dock.desk.pause(name, by="ops")
    dock.judge(100, bad=dict.fromkeys(BOXES, 40))
    dock.poll(2)
    assert phase(dock, name) is Phase.RETURNED


def test_an_emergency_stop_brings_every_box_back_at_once_and_nothing_begins_until_it_is_lifted() -> (
    None
):
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan(waves=(Wave(100.0),), shadow=False))
    dock.poll(3)
    assert set(dock.running().values()) == {NEW}
    dock.desk.stop_everything(by="ops", why="cartons pile up at dock 2")
    dock.desk.tick()
    assignment = dock.desk.box("box-00").assignment
    assert assignment is not None
    assert assignment.stop
    dock.poll(2)
    assert set(dock.running().values()) == {OLD}
    assert phase(dock, name) is Phase.RETURNED

    later = dock.roll(plan(waves=(Wave(100.0),), shadow=False))
    dock.poll(3)
    assert phase(dock, later) is Phase.APPROVED
    assert "cartons pile up" in dock.desk.stopped()
    dock.desk.lift(by="quality", why="it was a jammed belt")
    dock.poll(3)
    assert dock.desk.rollout(later).under_way
    told = [(each.who, each.what) for each in dock.desk.deeds() if each.what != "placed"]
    assert told == [("ops", "stopped"), ("quality", "lifted")]


def test_what_was_done_is_taken_back_and_batches_get_another_judge() -> None:
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan(waves=(Wave(100.0),), shadow=False))
    dock.poll(3)
    dock.judge(400)
    dock.poll(6)
    assert phase(dock, name) is Phase.DONE
    dock.away = {"box-07"}
    dock.desk.roll_back(name, by="quality", why="complaints about dents")
    dock.poll(8)
    assert phase(dock, name) is Phase.RETURNED
    assert all(runs == OLD for box, runs in dock.running().items() if box != "box-07")
    assert dock.reopened[0] == {NEW: OLD}
    asked = len(dock.reopened)
    dock.away = set()
    dock.poll(2)
    assert dock.running()["box-07"] == OLD
    assert len(dock.reopened) == asked + 1, "what it began while it was away is judged again too"


def test_a_box_that_came_with_the_bad_set_goes_back_to_what_the_fleet_had_before() -> None:
    dock = Dock(BOXES, cells=CELLS)
    quick = {"waves": (Wave(100.0, certify=False),), "shadow": False}
    dock.roll(plan(**quick))
    dock.poll(6)
    second = dock.roll(Plan("inspect", NEWER, soak_s=60, **quick))
    dock.poll(6)
    dock.boxes["box-90"] = type(dock.boxes["box-00"])("box-90", {"inspect": OLD})
    dock.poll(4)
    assert dock.running()["box-90"] == NEWER
    dock.desk.roll_back(second, by="ops", why="slow")
    dock.poll(5)
    assert set(dock.running().values()) == {NEW}
    assert phase(dock, second) is Phase.RETURNED


def test_only_the_newest_rollout_of_a_lane_is_taken_back() -> None:
    dock = Dock(BOXES, cells=CELLS)
    first = dock.roll(plan(waves=(Wave(100.0, certify=False),), shadow=False))
    dock.poll(6)
    second = dock.roll(
        Plan("inspect", NEWER, waves=(Wave(100.0, certify=False),), shadow=False, soak_s=60)
    )
    dock.poll(6)
    assert phase(dock, second) is Phase.DONE
    with pytest.raises(ConflictError, match="later rollout"):
        dock.desk.roll_back(first, by="ops", why="no")
    dock.desk.roll_back(second, by="ops", why="slow")
    dock.poll(3)
    assert set(dock.running().values()) == {NEW}


def test_two_rollouts_of_one_lane_do_not_run_at_once() -> None:
    dock = Dock(BOXES, cells=CELLS)
    first = dock.roll(plan())
    second = dock.desk.draft(Plan("inspect", NEWER), by="ops").rollout
    dock.desk.approve(second, by="quality")
    dock.poll(3)
    assert dock.desk.rollout(first).under_way
    assert phase(dock, second) is Phase.APPROVED
    assert [w.word for w in dock.desk.waiting(second)] == ["another"]


def test_a_window_holds_the_switch_but_not_the_shadow_nor_the_way_back() -> None:
    dock = Dock(BOXES, cells=CELLS)
    windows = (Window(14 * 60, 16 * 60),)
    dock.clock.at = dock.clock.at.replace(hour=14)
    name = dock.roll(plan(windows=windows, waves=(Wave(100.0),)))
    dock.poll()
    dock.clock.at = dock.clock.at.replace(hour=17)
    dock.poll(2)
    dock.judge(400)
    dock.poll(2)
    assert phase(dock, name) is Phase.RUNNING
    assert set(dock.running().values()) == {OLD}
    assert {w.word for w in dock.desk.waiting(name)} == {"window"}
    dock.clock.at = dock.clock.at.replace(hour=14) + timedelta(days=1)
    dock.poll(3)
    assert set(dock.running().values()) == {NEW}
    dock.clock.at = dock.clock.at.replace(hour=17)
    dock.desk.abort(name, by="ops", why="wrong day")
    dock.poll(2)
    assert set(dock.running().values()) == {OLD}


def test_the_second_person_is_another_one() -> None:
    dock = Dock(BOXES, second_person=True)
    name = dock.desk.draft(plan(), by="ops").rollout
    with pytest.raises(ForbiddenError):
        dock.desk.approve(name, by="ops")
    dock.desk.approve(name, by="quality", note="figures of Monday")
    with pytest.raises(ConflictError):
        dock.desk.approve(name, by="quality")


def test_a_reason_is_asked_for_where_something_is_taken_from_people() -> None:
    dock = Dock(BOXES)
    name = dock.roll(plan())
    with pytest.raises(BadInputError, match="reason"):
        dock.desk.abort(name, by="ops", why="  ")
    with pytest.raises(BadInputError, match="did not fail"):
        dock.desk.retry(name, ["box-00"], by="ops")


def test_a_set_that_is_withdrawn_ends_its_rollout_and_comes_to_nobody_else() -> None:
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan())
    waiting = dock.desk.draft(plan(), by="ops").rollout
    dock.desk.approve(waiting, by="quality")
    dock.poll(2)
    dock.withdrawn = {NEW}
    dock.poll(3)
    state = dock.desk.rollout(name)
    assert (state.phase, state.why.code if state.why else "") == (Phase.RETURNED, "ota_withdrawn")
    assert phase(dock, waiting) is Phase.CANCELLED


def test_a_withdrawn_set_goes_on_where_it_runs_and_reaches_no_new_box() -> None:
    dock = Dock(BOXES, cells=CELLS)
    dock.roll(plan(waves=(Wave(100.0, certify=False),), shadow=False))
    dock.poll(6)
    dock.withdrawn = {NEW}
    dock.boxes["box-90"] = type(dock.boxes["box-00"])("box-90", {"inspect": OLD})
    dock.poll(4)
    assert dock.running()["box-90"] == OLD
    assert dock.running()["box-00"] == NEW, "a batch keeps its judge"


def test_a_box_that_was_shut_out_is_drawn_into_no_wave() -> None:
    dock = Dock(BOXES, cells=CELLS)
    dock.poll(1)
    lost = dock.boxes.pop("box-03")
    drawn = {member.device for member in dock.desk.preview(plan())}
    assert drawn == set(BOXES) - {"box-03"}
    name = dock.roll(plan(waves=(Wave(100.0),), shadow=False))
    dock.poll(3)
    assert "box-03" not in dock.desk.rollout(name).members
    dock.boxes["box-03"] = lost
    dock.poll(2)
    assert "box-03" in dock.desk.rollout(name).members, "let in again it comes late"


def test_a_wave_that_names_nobody_is_a_slip_of_the_keyboard() -> None:
    dock = Dock(BOXES, cells=CELLS)
    dock.poll(1)
    for wave, told in (
        (Wave(cells=("dok-1",)), "dock-1, dock-2"),
        (Wave(sites=("her",)), "here"),
        (Wave(boxes=("box-99",)), "box-00"),
    ):
        with pytest.raises(BadInputError) as refused:
            dock.desk.draft(plan(waves=(wave, Wave(100.0))), by="ops")
        assert told in refused.value.mend
        with pytest.raises(BadInputError):
            dock.desk.preview(plan(waves=(wave, Wave(100.0))))
    assert dock.desk.rollouts() == []

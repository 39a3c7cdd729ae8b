"""Rollouts from the first wave to the last box, and back: the desk, its boxes, and signed words
between them.
"""

from __future__ import annotations

from contracts.ota import BoxStep
from ota.rollout import events as e
from ota.rollout.boxes import Box
from ota.rollout.plan import Plan, Wave
from ota.rollout.state import Phase
from tests.support.rollouts import BOXES, CELLS, NEW, OLD, Dock, happened, phase, plan


def test_a_candidate_comes_to_every_box_wave_by_wave_behind_its_gates() -> None:
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan())
    first = {member.device for member in dock.desk.rollout(name).of_wave(0)}
    assert len(first) == 2

    dock.poll(2)
    assert phase(dock, name) is Phase.SHADOW
    assert dock.shadowed() == first
    assert set(dock.running().values()) == {OLD}, "nobody runs it before the gate"

    dock.judge(400)
    dock.poll(2)
    assert {box for box, runs in dock.running().items() if runs == NEW} == first
    assert dock.shadowed() == first, "the set before watches beside it"

    dock.poll(4)
    assert dock.desk.rollout(name).wave == 1
    dock.judge(400)
    dock.poll(8)
    assert phase(dock, name) is Phase.DONE
    assert set(dock.running().values()) == {NEW}
    assert dock.shadowed() == set()
    assert happened(dock, name).count("WaveDone") == 2


def test_a_harmful_candidate_is_stopped_in_shadow_and_nobody_ever_ran_it() -> None:
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan())
    dock.poll(2)
    dock.judge(100, bad=dict.fromkeys(BOXES, 30))
    dock.poll(3)
    state = dock.desk.rollout(name)
    assert state.phase is Phase.RETURNED
    assert state.why is not None
    assert state.why.code in ("ota_gate_harm", "ota_gate_harm_box")
    assert state.why.params["signal"] == "harm"
    assert set(dock.running().values()) == {OLD}
    assert dock.reopened == [], "no batch can have been judged by it"


def test_a_harmful_candidate_that_runs_is_stopped_by_the_set_beside_it_and_the_wave_returns() -> (
    None
):
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan(shadow=False))
    dock.poll(3)
    wave = {member.device for member in dock.desk.rollout(name).of_wave(0)}
    assert {box for box, runs in dock.running().items() if runs == NEW} == wave
    assert dock.shadowed() == wave
    dock.judge(60, bad=dict.fromkeys(wave, 20))
    dock.poll(3)
    assert phase(dock, name) is Phase.RETURNED
    assert set(dock.running().values()) == {OLD}
    assert dock.reopened[0] == {NEW: OLD}, "its batches get another judge"
    assert len(dock.reopened) == 2, "and once more when the last box has let go of it"
    assert dock.desk.rollout(name).reopened == 1


def test_one_bad_box_in_the_wave_is_enough_to_stop_it() -> None:
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan(waves=(Wave(100.0),)))
    dock.poll(2)
    dock.judge(60, bad={"box-03": 20})
    dock.poll(2)
    state = dock.desk.rollout(name)
    assert state.phase is Phase.RETURNED
    assert state.why is not None
    assert state.why.code == "ota_gate_harm_box"
    assert state.why.params["box"] == "box-03"


def test_nobody_in_a_cell_runs_it_before_every_live_box_there_holds_it() -> None:
    dock = Dock(BOXES, cells=CELLS)
    dock.boxes["box-00"].refuses = {NEW}
    name = dock.roll(plan(waves=(Wave(100.0),), shadow=False, most_failed_percent=50.0))
    dock.poll(4)
    assert all(dock.running()[box] == OLD for box in BOXES[:4]), "dock 1 waits for box-00"
    assert all(dock.running()[box] == NEW for box in BOXES[4:]), "dock 2 has nothing to wait for"
    waits = dock.desk.waiting(name)
    assert [(w.word, w.cell, w.boxes) for w in waits] == [("barrier", "dock-1", ("box-00",))]

    dock.boxes["box-00"].refuses = set()
    dock.desk.retry(name, by="ops")
    dock.poll(4)
    assert set(dock.running().values()) == {NEW}


def begun(dock: Dock, what: Plan) -> str:
    """A rollout that has just begun: no box has heard of it."""
    dock.poll()
    name = dock.desk.draft(what, by="ops").rollout
    dock.desk.approve(name, by="quality")
    dock.desk.tick()
    assert {each.cell for each in dock.desk.rollout(name).members.values()} == set(CELLS.values())
    return name


def test_boxes_that_are_moved_while_their_cell_fetches_it_hold_nobody_up() -> None:
    dock = Dock(BOXES, cells=CELLS)
    name = begun(dock, plan(waves=(Wave(100.0),), shadow=False))
    for box in BOXES[:4]:
        dock.desk.place(Box(box, "dock-3", "here"), by="ops")
    dock.poll(5)
    assert set(dock.running().values()) == {NEW}
    assert "barrier" not in {each.word for each in dock.desk.waiting(name)}


def test_a_box_that_is_moved_is_waited_for_where_it_stood_and_where_it_stands() -> None:
    dock = Dock(BOXES, cells=CELLS)
    dock.boxes["box-00"].refuses = {NEW}
    name = begun(dock, plan(waves=(Wave(100.0),), shadow=False, most_failed_percent=50.0))
    dock.desk.place(Box("box-00", "dock-2", "here"), by="ops")
    dock.poll(4)
    assert set(dock.running().values()) == {OLD}
    assert {(w.word, w.cell) for w in dock.desk.waiting(name)} == {
        ("barrier", "dock-1"),
        ("barrier", "dock-2"),
    }


def test_a_rollout_begins_with_where_boxes_stand_though_another_process_said_so_just_before() -> (
    None
):
    dock = Dock(BOXES)
    hub, command_line = dock.desk, dock.start()
    dock.desk = hub
    dock.poll()
    for box, cell in CELLS.items():
        command_line.place(Box(box, cell, "here"), by="ops")
    name = command_line.draft(plan(), by="ops").rollout
    command_line.approve(name, by="quality")
    hub.tick()
    cells = {each.device: each.cell for each in hub.rollout(name).members.values()}
    assert cells == CELLS


def test_a_person_may_go_on_without_a_box() -> None:
    dock = Dock(BOXES, cells=CELLS)
    dock.boxes["box-00"].refuses = {NEW}
    name = dock.roll(plan(waves=(Wave(100.0),), shadow=False, most_failed_percent=50.0))
    dock.poll(3)
    dock.desk.skip(name, ["box-00"], by="ops", why="its camera is away for repair")
    dock.poll(3)
    assert dock.running()["box-01"] == NEW
    assert dock.running()["box-00"] == OLD


def test_too_many_boxes_that_refuse_it_end_it() -> None:
    dock = Dock(BOXES, cells=CELLS)
    for box in BOXES[:3]:
        dock.boxes[box].refuses = {NEW}
    name = dock.roll(plan(waves=(Wave(100.0),)))
    dock.poll(3)
    state = dock.desk.rollout(name)
    assert state.phase is Phase.RETURNED
    assert state.why is not None
    assert state.why.code == "ota_too_many_failed"
    assert state.why.params["failed"] == 3


def test_boxes_that_go_back_by_themselves_count_as_failures() -> None:
    dock = Dock(BOXES, cells=CELLS)
    for box in BOXES[4:]:
        dock.boxes[box].falls_back = {NEW}
    name = dock.roll(plan(waves=(Wave(100.0),), shadow=False))
    dock.poll(5)
    state = dock.desk.rollout(name)
    assert state.phase is Phase.RETURNED
    assert set(dock.running().values()) == {OLD}
    failed = [x.event for x in dock.desk.history(name) if isinstance(x.event, e.BoxFailed)]
    assert failed
    assert all(each.returned for each in failed)


def test_a_box_that_is_away_keeps_nobody_waiting_and_follows_when_it_is_back() -> None:
    dock = Dock(BOXES, cells=CELLS)
    dock.poll()
    dock.away = {"box-05"}
    dock.poll(7)
    name = dock.roll(plan(waves=(Wave(100.0),)))
    dock.poll(2)
    dock.judge(400)
    dock.poll(8)
    assert phase(dock, name) is Phase.DONE
    assert dock.running()["box-05"] == OLD
    dock.away = set()
    dock.poll(3)
    assert dock.running()["box-05"] == NEW


def test_a_box_that_falls_silent_in_shadow_keeps_nobody_waiting() -> None:
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan(waves=(Wave(100.0),)))
    dock.poll(2)
    dock.away = {"box-05"}
    dock.boxes["box-05"].assignment = None
    dock.judge(400)
    dock.poll(2)
    assert phase(dock, name) is Phase.SHADOW, "so long as it may still be heard"
    dock.poll(9)
    assert phase(dock, name) is Phase.DONE


def test_a_new_box_gets_what_the_fleet_runs() -> None:
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan(waves=(Wave(100.0),), shadow=False))
    dock.poll(3)
    dock.judge(400)
    dock.poll(6)
    assert phase(dock, name) is Phase.DONE
    dock.boxes["box-90"] = type(dock.boxes["box-00"])("box-90", {"inspect": OLD})
    dock.poll(4)
    assert dock.running()["box-90"] == NEW


def test_a_hub_that_starts_again_goes_on_where_it_was() -> None:
    dock = Dock(BOXES, cells=CELLS)
    name = dock.roll(plan())
    dock.poll(2)
    before = {box: dock.desk.envelope(box) for box in BOXES}
    dock.start()
    assert {box: dock.desk.envelope(box) for box in BOXES} == before
    dock.judge(400)
    dock.poll(3)
    assert list(dock.running().values()).count(NEW) == 2
    assert [each.number for each in dock.desk.history(name)] == list(
        range(1, len(dock.desk.history(name)) + 1)
    )


def test_after_a_restart_a_barrier_waits_for_boxes_that_had_no_time_to_poll_yet() -> None:
    dock = Dock(BOXES, cells=CELLS)
    dock.boxes["box-01"].refuses = {NEW}
    name = dock.roll(plan(waves=(Wave(100.0),), shadow=False, most_failed_percent=50.0))
    dock.poll(2)
    assert dock.running()["box-00"] == OLD
    dock.start()
    dock.away = {"box-01"}
    dock.poll()
    assert dock.running()["box-00"] == OLD
    assert any("box-01" in w.boxes for w in dock.desk.waiting(name))


def test_the_story_of_a_box_says_what_ran_when() -> None:
    dock = Dock(BOXES, cells=CELLS)
    dock.roll(plan(waves=(Wave(100.0, certify=False),), shadow=False))
    dock.poll(4)
    ran = dock.desk.ran("box-02")
    assert [each.model_set for each in ran] == [OLD, NEW]
    assert ran[0].until_us == ran[1].since_us
    assert ran[1].until_us is None
    assert dock.boxes["box-02"].step is BoxStep.IDLE


def test_boxes_hear_of_a_newer_registry_and_of_pins_without_a_rollout() -> None:
    dock = Dock(BOXES, cells=CELLS)
    dock.roll(plan(waves=(Wave(100.0, certify=False),), shadow=False))
    dock.poll(6)
    sequence = dock.boxes["box-00"].floors.sequence
    dock.snapshot = 4
    dock.poll(2)
    assert dock.boxes["box-00"].floors.snapshot == 4
    dock.pinned = {OLD}
    dock.poll(2)
    assignment = dock.boxes["box-00"].assignment
    assert assignment is not None
    assert assignment.keep == (OLD,)
    assert dock.boxes["box-00"].floors.sequence == sequence + 2
    dock.poll(5)
    assert dock.boxes["box-00"].floors.sequence == sequence + 2, "nothing new, nothing made"

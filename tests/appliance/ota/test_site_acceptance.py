"""Site acceptance: a set runs silently beside the old one until its figures stand, and goes live by a
person's word.
"""

from __future__ import annotations

from ota.rollout import events as e
from ota.rollout.plan import Plan, Wave
from ota.rollout.state import Phase
from tests.support.rollouts import NEW, OLD, Dock

PLAN = Plan("inspect", NEW, waves=(Wave(50.0), Wave(100.0)), soak_s=60, seed=3, decide=True)


def in_shadow() -> tuple[Dock, str]:
    dock = Dock(["box-1", "box-2"])
    name = dock.roll(PLAN)
    dock.poll(2)
    assert dock.desk.rollout(name).phase is Phase.SHADOW
    return dock, name


def test_good_figures_alone_let_no_box_run_it_until_a_person_decides() -> None:
    dock, name = in_shadow()
    dock.judge(400)
    dock.poll(4)
    state = dock.desk.rollout(name)
    assert (state.phase, state.paused, state.asks) == (Phase.SHADOW, True, True)
    assert [each.word for each in dock.desk.waiting(name)] == ["decision"]
    assert set(dock.running().values()) == {OLD}
    assert dock.shadowed(), "it goes on judging beside the old set meanwhile"

    dock.desk.resume(name, by="quality", why="figures stand")
    dock.poll(3)
    assert NEW in dock.running().values()
    # One decision is enough: the next wave's gate asks nobody again.
    dock.poll(4)
    dock.judge(400)
    dock.poll(6)
    assert dock.desk.rollout(name).phase is Phase.DONE


def test_a_pause_of_a_person_is_no_question_and_its_end_no_decision() -> None:
    dock, name = in_shadow()
    dock.desk.pause(name, by="ops", why="stocktaking")
    dock.desk.resume(name, by="ops")
    dock.judge(400)
    dock.poll(2)
    assert dock.desk.rollout(name).asks


def test_harm_ends_it_while_it_waits_for_a_decision() -> None:
    dock, name = in_shadow()
    dock.judge(400)
    dock.poll(2)
    assert dock.desk.rollout(name).asks
    dock.judge(400, bad={"box-1": 200, "box-2": 200})
    dock.poll(3)
    assert dock.desk.rollout(name).phase is Phase.RETURNED
    assert not any(isinstance(each.event, e.CellRuns) for each in dock.desk.history(name))


def test_who_decides_against_it_sends_it_back() -> None:
    dock, name = in_shadow()
    dock.judge(400)
    dock.poll(2)
    dock.desk.abort(name, by="quality", why="too many reviews on foil")
    dock.poll(2)
    assert dock.desk.rollout(name).phase is Phase.RETURNED
    assert set(dock.running().values()) == {OLD}

"""When boxes may begin, how the chance of a false alarm is shared, what counts as shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import ShadowJudged
from contracts.ota import Tally
from ota.gates.evidence import Counts
from ota.gates.gate import GateState, Signal
from ota.rollout import events as e
from ota.rollout.evidence import BoxTally, MemoryEvidence, overrides, shown_by
from ota.rollout.gating import counts_of, look, policy_of
from ota.rollout.plan import Plan, Wave, Window
from ota.rollout.state import Gate, Phase, Rollout

OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "a" * 64


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)  # the 23rd is a Monday


def test_a_window_holds_from_its_first_minute_to_before_its_last() -> None:
    window = Window(22 * 60, 23 * 60, (0, 1, 2, 3, 4))
    assert window.holds(at(23, 22))
    assert window.holds(at(23, 22, 59))
    assert not window.holds(at(23, 23))
    assert not window.holds(at(22, 22)), "Sunday"


def test_a_window_over_midnight_belongs_to_the_day_it_begins() -> None:
    window = Window(22 * 60, 5 * 60, (4,))
    assert window.holds(at(27, 23)), "Friday night"
    assert window.holds(at(28, 4)), "still that night"
    assert not window.holds(at(27, 4)), "Thursday's night is not in it"
    assert not window.holds(at(28, 23))


def test_windows_are_the_sites_time() -> None:
    plan = Plan("read", NEW, windows=(Window(9 * 60, 10 * 60),), zone="Asia/Shanghai")
    assert plan.may_run(at(23, 1, 30))
    assert not plan.may_run(at(23, 9, 30))


@given(waves=st.integers(1, 12), shadow=st.booleans(), abort_at=st.floats(2, 10_000))
def test_all_gates_together_stop_a_sound_candidate_no_more_often_than_one(
    *, waves: int, shadow: bool, abort_at: float
) -> None:
    plan = Plan("read", NEW, waves=(Wave(100),) * waves, shadow=shadow)
    chances = [1 / plan.gate(number).abort_at for number in range(plan.gates)]
    assert sum(chances) == pytest.approx(1 / plan.policy.abort_at)
    assert chances == sorted(chances, reverse=True), "the first gate sees the most harm"


def state(role: e.Role = e.Role.SHADOW, boxes: tuple[str, ...] = ("a", "b")) -> Rollout:
    return Rollout(
        "r",
        Plan("read", NEW, waves=(Wave(100),)),
        phase=Phase.SHADOW,
        members={box: e.Member(box, "", 0, OLD) for box in boxes},
        gate=Gate(0, role, boxes, 0),
    )


def judged(carton: str, **facts: object) -> ShadowJudged:
    said = {"said": "pass", "stood": "pass", "harmful": False, "late": False, **facts}
    shadow = said.pop("model_set", NEW)
    return ShadowJudged("dock-1", carton, "r", "read", shadow, OLD, **said)


def clean(boxes: tuple[str, ...], frames: int) -> e.Role:
    return {e.Role.SHADOW: {b: {s: Counts(frames, 0) for s in Signal} for b in boxes}}


def test_clean_frames_of_every_box_let_the_candidate_go_on() -> None:
    decision = look(state(), clean(("a", "b"), 100))
    assert decision is not None
    assert decision.state is GateState.PROMOTE


def test_a_silent_box_is_waited_for_unless_it_is_gone() -> None:
    shown = clean(("a",), 300)
    waits = look(state(), shown)
    gone = look(state(), shown, gone=("b",))
    assert waits is not None
    assert gone is not None
    assert waits.state is GateState.WAIT
    assert gone.state is GateState.PROMOTE


def test_failures_of_a_box_are_errors_of_the_candidate() -> None:
    failed = replace(state(), counted_failed={"a": 2})
    assert failed.gate is not None
    counts = counts_of(failed, failed.gate, clean(("a", "b"), 10))
    assert counts["a"][Signal.ERROR] == Counts(12, 2)


def test_the_time_of_the_set_beside_it_says_nothing_about_a_running_candidate() -> None:
    watching = state(e.Role.WATCH)
    assert watching.gate is not None
    assert Signal.LATENCY not in policy_of(watching, watching.gate).limits
    tally = {"harm": Tally(9, 1), "latency": Tally(9, 9), "error": Tally(9, 9)}
    shown = shown_by(watching, [BoxTally("a", OLD, tally)])[e.Role.WATCH]["a"]
    assert shown[Signal.HARM] == Counts(9, 1)
    assert shown[Signal.ERROR] == Counts(9, 0), "the other set's mistakes"
    assert Signal.LATENCY not in shown


def test_whatever_stood_beside_the_candidate_on_a_box_counts_together() -> None:
    one = {"harm": Tally(10, 2), "latency": Tally(10, 9)}
    watching = state(e.Role.WATCH)
    tallies = [BoxTally("a", OLD, one), BoxTally("a", "sha256:" + "1" * 64, one)]
    shown = shown_by(watching, tallies)[e.Role.WATCH]["a"]
    assert shown[Signal.HARM] == Counts(20, 4)


def test_an_entry_counts_once() -> None:
    evidence = MemoryEvidence()
    assert evidence.judged("a", 1, judged("c-1", harmful=True))
    assert not evidence.judged("a", 1, judged("c-1", harmful=True))
    shown = evidence.shown(state())[e.Role.SHADOW]["a"]
    assert shown[Signal.HARM] == Counts(1, 1)
    assert shown[Signal.OVERRIDE] == Counts(1, 0)


def test_a_person_who_contradicts_the_candidate_overrides_it_once() -> None:
    evidence = MemoryEvidence()
    evidence.judged("a", 1, judged("c-1", said="pass"))
    evidence.judged("a", 2, judged("c-2", said="review"))
    for carton in ("c-1", "c-1", "c-2", "c-3"):
        evidence.answered(carton, "refused")
    assert evidence.shown(state())[e.Role.SHADOW]["a"][Signal.OVERRIDE] == Counts(2, 1)


def test_where_the_candidate_runs_its_word_is_the_one_that_stood() -> None:
    evidence = MemoryEvidence()
    evidence.judged("a", 1, judged("c-1", model_set=OLD, said="defect", stood="pass"))
    evidence.answered("c-1", "miss")
    assert evidence.shown(state())[e.Role.WATCH]["a"][Signal.OVERRIDE] == Counts(1, 1)


@pytest.mark.parametrize(
    ("said", "answer", "against"),
    [
        ("pass", "refused", True),
        ("accept", "miss", True),
        ("pass", "keyed", False),
        ("defect", "keyed", True),
        ("hold", "false_alarm", True),
        ("defect", "miss", False),
        ("review", "refused", False),
        ("", "refused", False),
    ],
)
def test_what_goes_against_a_candidate(said: str, answer: str, *, against: bool) -> None:
    assert overrides(said, answer) is against

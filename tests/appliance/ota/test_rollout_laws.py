"""Whatever boxes, people and a hub that starts again do, in whatever order: the laws of a rollout."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.errors import BadInputError, ConflictError
from contracts.ota import Assignment
from ota.rollout import events as e
from ota.rollout.plan import Plan, Wave
from ota.rollout.state import ENDED, Phase, fold
from tests.support.rollouts import NEW, OLD, Dock

BOXES = [f"box-{number}" for number in range(6)]
CELLS = {name: f"dock-{number // 3}" for number, name in enumerate(BOXES)}
SOME = st.sets(st.sampled_from(BOXES), max_size=3)


class Rollouts(RuleBasedStateMachine):
    """Boxes fall silent, refuse, go back, are asked again; people pause, skip, stop; the hub dies."""

    def __init__(self) -> None:
        super().__init__()
        self.dock = Dock(BOXES, cells=CELLS)
        self.name = ""
        self.numbers: dict[str, tuple[int, int]] = {}
        self.told: dict[tuple[str, int, int], Assignment] = {}

    @initialize(
        shadow=st.booleans(),
        certify=st.booleans(),
        percent=st.sampled_from([10.0, 40.0, 70.0]),
        seed=st.integers(1, 99),
    )
    def begin(self, *, shadow: bool, certify: bool, percent: float, seed: int) -> None:
        waves = (Wave(percent, certify=certify), Wave(100.0, certify=certify))
        self.name = self.dock.roll(
            Plan("inspect", NEW, waves=waves, shadow=shadow, soak_s=60, seed=seed)
        )

    @rule(times=st.integers(1, 3))
    def poll(self, times: int) -> None:
        self.dock.poll(times)

    @rule(frames=st.sampled_from([20, 200]), bad=SOME)
    def judge(self, frames: int, bad: set[str]) -> None:
        self.dock.judge(frames, bad=dict.fromkeys(bad, frames // 4))

    @rule(boxes=SOME)
    def fall_silent(self, boxes: set[str]) -> None:
        self.dock.away = boxes

    @rule(boxes=SOME)
    def refuse(self, boxes: set[str]) -> None:
        for name, box in self.dock.boxes.items():
            box.refuses = {NEW} if name in boxes else set()

    @rule(boxes=SOME)
    def go_back(self, boxes: set[str]) -> None:
        for name, box in self.dock.boxes.items():
            box.falls_back = {NEW} if name in boxes else set()

    @rule(
        what=st.sampled_from(["pause", "resume", "retry", "skip", "abort", "stop", "back"]),
        box=st.sampled_from(BOXES),
    )
    def command(self, what: str, box: str) -> None:
        desk, name, why = self.dock.desk, self.name, "for the test"
        try:
            match what:
                case "pause":
                    desk.pause(name, by="ops")
                case "resume":
                    desk.resume(name, by="ops")
                case "retry":
                    desk.retry(name, by="ops")
                case "skip":
                    desk.skip(name, [box], by="ops", why=why)
                case "abort":
                    desk.abort(name, by="ops", why=why)
                case "stop":
                    desk.stop_everything(by="ops", why=why)
                case _:
                    desk.roll_back(name, by="ops", why=why)
        except (ConflictError, BadInputError):
            return  # what may not be now is said, and changes nothing

    @rule()
    def start_again(self) -> None:
        self.dock.start()

    @invariant()
    def the_state_is_its_history(self) -> None:
        if self.name:
            history = self.dock.store.history(self.name)
            assert fold(history) == self.dock.desk.rollout(self.name)

    @invariant()
    def a_number_says_one_thing_and_grows(self) -> None:
        for device in BOXES:
            assignment = self.dock.desk.box(device).assignment if self.name else None
            if assignment is None:
                continue
            number = (assignment.epoch, assignment.sequence)
            assert number >= self.numbers.get(device, (0, 0))
            self.numbers[device] = number
            known = self.told.setdefault((device, *number), assignment)
            assert known == assignment

    @invariant()
    def nobody_runs_it_whose_cell_was_not_let(self) -> None:
        if not self.name:
            return
        state = self.dock.desk.rollout(self.name)
        cells = {cell for _, cell in state.begun}
        for device, runs in self.dock.running().items():
            if runs == NEW and state.phase is not Phase.DONE:
                assert CELLS[device] in cells

    @invariant()
    def a_cell_is_let_only_when_the_gate_before_it_was_passed(self) -> None:
        passed: set[int] = set()
        state = self.dock.desk.rollout(self.name) if self.name else None
        for each in self.dock.store.history(self.name) if state else ():
            match each.event:
                case e.GatePassed(wave, e.Role.SHADOW):
                    passed.add(wave)
                case e.CellRuns(wave, _) if state and state.plan.shadow:
                    certified = state.plan.waves[wave].certify
                    assert wave in passed or not certified

    def teardown(self) -> None:
        """In the end, with all boxes there and well: everybody runs what the rollout came to."""
        if not self.name:
            return
        self.dock.away = set()
        for box in self.dock.boxes.values():
            box.refuses, box.falls_back = set(), set()
        self.dock.poll(8)
        state = self.dock.desk.rollout(self.name)
        if state.phase is Phase.RETURNED:
            assert set(self.dock.running().values()) == {OLD}
            assert bool(self.dock.reopened) == state.ran_anywhere
        if state.phase is Phase.DONE:
            well = {
                name
                for name, box in self.dock.boxes.items()
                if NEW not in box.trouble and name not in state.skipped
            }
            assert {self.dock.running()[name] for name in well} <= {NEW}
        if state.phase in ENDED:
            assert not self.dock.shadowed()
        assert replace(state, events=0).rollout == self.name


Rollouts.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestRolloutLaws = Rollouts.TestCase

"""Whole rollouts, wave after wave, through the real state machine and its gates, on paper boxes that do
at once what they are told. What is drawn is only what each frame shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from appliance.bench.facts import percentile
from appliance.bench.rollout.gates import Candidate
from contracts.ota import BoxReport, BoxStep
from ota.gates.evidence import Counts
from ota.gates.gate import GateState, Signal
from ota.rollout import events as e
from ota.rollout.boxes import Box, BoxCounts, Heard
from ota.rollout.deciding import next_events
from ota.rollout.gating import look
from ota.rollout.plan import Plan, Wave
from ota.rollout.standing import Moment, micros
from ota.rollout.state import Phase, Rollout, apply, begin

LANE = "inspect"
BEFORE, AFTER = "sha256:" + "0" * 64, "sha256:" + "1" * 64
_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
WAVES = (Wave(5.0), Wave(25.0), Wave(100.0))


@dataclass(frozen=True, slots=True)
class Size:
    """Of one rollout. `watched`: frames of each box while it runs the candidate, before the wave is
    over; `most`: frames of a shadow gate, after which a person would end an endless doubt.
    """

    boxes: int = 20
    cells: int = 10
    watched: int = 20
    most: int = 2_000
    waves: tuple[Wave, ...] = WAVES


@dataclass(frozen=True, slots=True)
class Ended:
    """How a rollout ended: `wave` and role of its last gate, `frames` shown under that gate and
    `all_frames` under all of them.
    """

    phase: Phase
    wave: int
    role: str
    frames: int
    all_frames: int


@dataclass(frozen=True, slots=True)
class Told:
    """What became of many rollouts of one candidate."""

    candidate: str
    rollouts: int
    boxes: int
    aborted_percent: float
    done_percent: float
    undecided_percent: float
    stopped_in_wave: dict[str, int] = field(default_factory=dict)
    ran_anywhere_percent: float = 0.0
    """Of those that were stopped: how many had let some box run the candidate."""
    frames_to_stop_p50: float = 0.0
    frames_to_done_p50: float = 0.0


def many(candidate: Candidate, *, rollouts: int, seed: int, size: Size | None = None) -> Told:
    """So many rollouts of one candidate, each with choices of its own."""
    size = size or Size()
    ends = [_Paper(candidate, size, seed=seed + number).run() for number in range(rollouts)]
    stopped = [each for each in ends if each.phase in (Phase.RETURNING, Phase.RETURNED)]
    done = [each for each in ends if each.phase is Phase.DONE]
    where = Counter(f"{each.wave + 1} {each.role}" for each in stopped)
    ran = [each for each in stopped if each.wave or each.role != e.Role.SHADOW]
    return Told(
        candidate=candidate.name,
        rollouts=rollouts,
        boxes=size.boxes,
        aborted_percent=round(100 * len(stopped) / rollouts, 3),
        done_percent=round(100 * len(done) / rollouts, 3),
        undecided_percent=round(100 * (rollouts - len(stopped) - len(done)) / rollouts, 3),
        stopped_in_wave=dict(sorted(where.items())),
        ran_anywhere_percent=round(100 * len(ran) / len(stopped), 3) if stopped else 0.0,
        frames_to_stop_p50=percentile([float(each.all_frames) for each in stopped], 50),
        frames_to_done_p50=percentile([float(each.all_frames) for each in done], 50),
    )


class _Paper:
    """One rollout and its boxes."""

    def __init__(self, candidate: Candidate, size: Size, *, seed: int) -> None:
        self._candidate, self._size = candidate, size
        self._draw = np.random.default_rng(seed)
        self._seed = seed
        self._names = [f"box-{number:03d}" for number in range(size.boxes)]
        self._fleet = {
            name: self._heard(name, number % size.cells, staged=False, running=BEFORE)
            for number, name in enumerate(self._names)
        }
        self._shown: dict[e.Role, dict[str, BoxCounts]] = {role: {} for role in e.Role}
        self._at = _AT
        plan = Plan(LANE, AFTER, waves=size.waves, soak_s=60, seed=seed + 1)
        self._state = begin(e.Recorded("R", 1, micros(_AT), "bench", e.Drafted(plan)))
        self._note(e.Approved())
        self._frames = self._all_frames = 0

    def run(self) -> Ended:
        while not self._over():
            if self._moves():
                continue
            gate = self._state.gate
            if gate is None or self._state.phase is Phase.STAGING:
                break
            if gate.role is e.Role.SHADOW:
                if not self._show(self._size.most):
                    break
                continue
            self._show(self._size.watched * len(gate.boxes))
            self._at += timedelta(seconds=self._state.plan.soak_s + 1)
            if not self._moves():
                break
        gate = self._state.gate
        role = gate.role.value if gate else ""
        return Ended(self._state.phase, self._state.wave, role, self._frames, self._all_frames)

    def _over(self) -> bool:
        return self._state.phase in (Phase.RETURNING, Phase.RETURNED, Phase.DONE)

    def _moves(self) -> bool:
        """Let the state machine go on, and the boxes do what it says; whether anything changed."""
        found = next_events(self._state, self._moment())
        for event in found:
            gate = self._state.gate
            self._note(event)
            if self._state.gate is not gate:
                self._frames = 0
            self._obey(event)
        return bool(found)

    def _obey(self, event: e.Event) -> None:
        match event:
            case e.StagingBegan(wave):
                cells = self._state.cells_of(wave)
                for name, heard in self._fleet.items():
                    if heard.box.cell in cells:
                        self._set(name, staged=True)
            case e.CellRuns(wave, cell):
                for member in self._state.of_wave(wave):
                    if member.cell == cell:
                        self._set(member.device, staged=True, running=AFTER)
            case _:
                return

    def _show(self, most: int) -> bool:
        """Frames under the open gate until it decides; False where it did not within `most`."""
        gate = self._state.gate
        if gate is None:
            return False
        boxes, counts = gate.boxes, self._shown[gate.role]
        rates = np.array(
            [[self._candidate.rate(self._number(box), each) for each in Signal] for box in boxes]
        )
        turns = self._draw.integers(len(boxes), size=most)
        bad = self._draw.random((most, len(Signal))) < rates[turns]
        for turn, wrong in zip(turns.tolist(), bad.tolist(), strict=True):
            counts[boxes[turn]] = _one_more(counts.get(boxes[turn], {}), wrong)
            self._frames += 1
            self._all_frames += 1
            decision = look(self._state, self._shown)
            if decision is None or decision.state is GateState.WAIT:
                continue
            if decision.state is GateState.ABORT or gate.role is e.Role.SHADOW:
                return True
        return gate.role is not e.Role.SHADOW

    def _number(self, box: str) -> int:
        return self._names.index(box)

    def _moment(self) -> Moment:
        return Moment(self._at, self._fleet, self._shown, seed=self._seed + 1)

    def _note(self, event: e.Event) -> None:
        state: Rollout = self._state
        self._state = apply(
            state, e.Recorded("R", state.events + 1, micros(self._at), "bench", event)
        )

    def _set(self, name: str, *, staged: bool, running: str = "") -> None:
        heard = self._fleet[name]
        known = heard.report.running.get(LANE, BEFORE) if heard.report else BEFORE
        self._fleet[name] = self._heard(
            name, int(heard.box.cell), staged=staged, running=running or known
        )

    def _heard(self, name: str, cell: int, *, staged: bool, running: str) -> Heard:
        report = BoxReport(
            name,
            0,
            "bench",
            step=BoxStep.STAGED if staged else BoxStep.IDLE,
            running={LANE: running},
            staged=(AFTER,) if staged else (),
        )
        return Heard(Box(name, cell=str(cell)), report, live=True, current=True)


def _one_more(before: BoxCounts, wrong: list[bool]) -> Mapping[Signal, Counts]:
    return {
        signal: replace(
            known := before.get(signal, Counts()),
            frames=known.frames + 1,
            events=known.events + int(bad),
        )
        for signal, bad in zip(Signal, wrong, strict=True)
    }

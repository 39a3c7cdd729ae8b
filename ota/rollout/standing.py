"""Who is how far: what a rollout's decisions and pages ask of the boxes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.ota import BoxReport, BoxStep
from ota.gates.gate import GateDecision
from ota.judging.barrier import Barrier, BoxInCell, barrier
from ota.rollout.boxes import Fleet, Heard
from ota.rollout.gating import Shown, look
from ota.rollout.state import Phase, Rollout

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """What a decision looks at. `seed` is used where the plan names none; `begin`: whether a rollout
    may start (no emergency stop, no other one in its lane).
    """

    at: datetime
    fleet: Fleet
    shown: Shown
    seed: int = 1
    begin: bool = True
    withdrawn: bool = False
    """Its set was withdrawn from the registry: no box is told to run it any more."""


def cells_ahead(state: Rollout) -> list[str]:
    """Cells of the wave that were not yet told to run it."""
    cells = state.cells_of(state.wave)
    return sorted(cell for cell in cells if (state.wave, cell) not in state.begun)


def holds(heard: Heard, lane: str, digest: str) -> bool:
    """Whether the box said that it holds the set, proven, or runs it."""
    report = heard.report
    return report is not None and (
        digest in report.staged or report.running.get(lane, "") == digest
    )


def barriers(state: Rollout, fleet: Fleet) -> dict[str, Barrier]:
    """Of each cell of the wave that was not yet told to run it: whether it may, and whom it waits
    for. A box that a person skipped is waited for no more. One that was moved since the rollout began
    counts where it stood, with whom it goes over, and where it stands now.
    """
    ahead = cells_ahead(state)
    boxes: dict[str, list[BoxInCell]] = {cell: [] for cell in ahead}
    lane, candidate = state.plan.lane, state.plan.candidate
    for name, heard in fleet.items():
        if name in state.skipped:
            continue
        staged = frozenset({candidate}) if holds(heard, lane, candidate) else frozenset[str]()
        member = state.members.get(name)
        for cell in {heard.box.cell, member.cell if member else heard.box.cell} & boxes.keys():
            boxes[cell].append(BoxInCell(name, heard.live, staged))
    return {cell: barrier(boxes[cell], (candidate,)) for cell in ahead}


def wave_of(state: Rollout) -> list[str]:
    return [member.device for member in state.of_wave(state.wave)]


def unstaged(state: Rollout, now: Moment, names: list[str]) -> list[str]:
    plan = state.plan
    return [
        name
        for name in names
        if is_live(now, name)
        and name not in state.skipped
        and name not in state.failed
        and not holds(now.fleet[name], plan.lane, plan.candidate)
    ]


def not_running(state: Rollout, now: Moment) -> list[str]:
    """Live boxes of the wave that do not run it whole-heartedly yet; those that failed too."""
    return [
        name
        for name in wave_of(state)
        if is_live(now, name)
        and name not in state.skipped
        and not runs(state, now.fleet[name].report)
    ]


def any_live(state: Rollout, now: Moment) -> bool:
    return any(is_live(now, name) and name not in state.skipped for name in wave_of(state))


def runs(state: Rollout, report: BoxReport | None) -> bool:
    return (
        report is not None
        and report.running.get(state.plan.lane, "") == state.plan.candidate
        and report.step is not BoxStep.PROBATION
    )


def not_back(state: Rollout, now: Moment) -> list[str]:
    lane, candidate = state.plan.lane, state.plan.candidate
    return [
        name
        for name, member in sorted(state.members.items())
        if is_live(now, name)
        and member.before != candidate
        and (report := now.fleet[name].report) is not None
        and report.running.get(lane, "") == candidate
    ]


def is_live(now: Moment, name: str) -> bool:
    heard = now.fleet.get(name)
    return heard is not None and heard.live


def decision_of(state: Rollout, now: Moment) -> GateDecision | None:
    if state.gate is None or state.gate.wave != state.wave or state.phase is Phase.STAGING:
        return None
    gone = [box for box in state.gate.boxes if not is_live(now, box)]
    return look(state, now.shown, gone=gone)


def micros(at: datetime) -> int:
    return int(at.timestamp() * _US)

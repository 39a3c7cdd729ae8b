"""What a box says of itself: attested by the edge, and how far it is. Pure but for what it is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from contracts.ota import Assignment, BoxReport, BoxStep
from contracts.reason import Reason
from ota.agent.handover import INSTALLATION, LOADED, Running
from ota.agent.sets.fetch import Progress
from ota.agent.steps.deciding import Fetch, Prove, Step, View, own
from ota.agent.steps.state import State


@dataclass(frozen=True, slots=True)
class Told:
    """What a report is made of. `trouble`: by digest or theme, beside the refusals of `state`."""

    device: str
    version: str
    state: State
    view: View
    step: Step
    running: Running | None
    on_probation: bool
    trouble: Mapping[str, Reason]
    snapshot: int
    progress: Progress


def how_far(told: Told) -> BoxStep:
    """The one word for where a box stands with its assignment."""
    assignment = told.view.assignment
    refused = [] if assignment is None else _refusals(told, assignment)
    for step in (BoxStep.RETURNED, BoxStep.FAILED):
        if step in refused:
            return step
    if told.on_probation:
        return BoxStep.PROBATION
    if isinstance(told.step, Prove):
        return BoxStep.PROVING
    if assignment is None:
        return BoxStep.IDLE
    staged = [own(told.view, lane, each) for lane, each in assignment.stage.items()]
    if isinstance(told.step, Fetch) or not _all_here(told.view, staged):
        return BoxStep.FETCHING
    return BoxStep.STAGED if staged else BoxStep.IDLE


def make_report(told: Told, *, at_us: int, free_mb: int) -> BoxReport:
    """`at_us`: microseconds since 1970, UTC."""
    running, view = told.running, told.view
    floors = told.state.floors
    lanes = running.lanes if running else {}
    # Nobody loads these here: what is attested is that they lie on the shelf, whole.
    ready = {
        lane: each.model_set
        for lane, each in view.active.lanes.items()
        if lane not in LOADED and each.model_set in view.held
    }
    refused = {digest: each.reason for digest, each in told.state.refused.items()}
    proven = set(view.proven)
    return BoxReport(
        device=told.device,
        at_us=at_us,
        version=told.version,
        epoch=floors.epoch,
        sequence=floors.sequence,
        step=how_far(told),
        running={lane: each.model_set for lane, each in lanes.items()} | ready,
        variant={lane: each.variant for lane, each in lanes.items()},
        held=tuple(sorted(view.held)),
        staged=tuple(sorted(proven & set(view.held))),
        trouble={**(running.refused if running else {}), **told.trouble, **refused},
        shadow=running.shadow if running else (),
        snapshot=told.snapshot,
        free_mb=free_mb,
        progress_bytes=told.progress.here,
        wanted_bytes=told.progress.wanted,
        open_pins=running.open_pins if running else (),
    )


def signature(report: BoxReport) -> tuple[object, ...]:
    """What makes a report worth sending at once."""
    return (
        report.epoch,
        report.sequence,
        report.step,
        tuple(sorted(report.running.items())),
        tuple(sorted(report.variant.items())),
        report.held,
        report.staged,
        tuple(sorted((about, reason.code) for about, reason in report.trouble.items())),
        report.snapshot,
        report.open_pins,
        tuple((each.rollout, each.lane, each.model_set) for each in report.shadow),
    )


def _refusals(told: Told, assignment: Assignment) -> list[BoxStep]:
    named = {*assignment.run.values(), *assignment.stage.values()}
    named |= {each.model_set for each in assignment.shadow}
    return [each.step for digest, each in told.state.refused.items() if digest in named]


def _all_here(view: View, digests: Collection[str]) -> bool:
    return all(
        each == INSTALLATION or (each in view.held and each in view.proven) for each in digests
    )

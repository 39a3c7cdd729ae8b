"""What a rollout waits for, in words for a page."""

from __future__ import annotations

from dataclasses import dataclass

from ota.rollout.standing import (
    Moment,
    barriers,
    decision_of,
    micros,
    not_back,
    not_running,
    unstaged,
    wave_of,
)
from ota.rollout.state import Phase, Rollout


@dataclass(frozen=True, slots=True)
class Waiting:
    """`word` is a key of the catalogue below `ota_waits.`; `boxes` and `cell` whom it is about."""

    word: str
    boxes: tuple[str, ...] = ()
    cell: str = ""


def waits_for(state: Rollout, now: Moment) -> list[Waiting]:  # noqa: PLR0911 -- a return a phase
    """What keeps the rollout from going on; empty where nothing does, or it ended."""
    if state.phase is Phase.APPROVED:
        if not now.begin:
            return [Waiting("another")]
        if micros(now.at) < state.plan.not_before_us:
            return [Waiting("start_time")]
        if not state.plan.may_run(now.at):
            return [Waiting("window")]
        known = any(each.report is not None for each in now.fleet.values())
        return [] if known else [Waiting("boxes")]
    if state.paused:
        return [Waiting("decision" if state.asks else "resume")]
    if state.phase is Phase.RETURNING:
        return [Waiting("returning", tuple(not_back(state, now)))]
    if state.phase is Phase.STAGING:
        return [Waiting("staging", tuple(unstaged(state, now, wave_of(state))))]
    if state.phase is Phase.SHADOW:
        return [Waiting("gate", _short(state, now))]
    if state.phase is Phase.RUNNING:
        return _waits_running(state, now)
    return []


def _waits_running(state: Rollout, now: Moment) -> list[Waiting]:
    if ahead := barriers(state, now.fleet):
        closed = not state.plan.may_run(now.at)
        return [
            Waiting("window" if closed and each.is_open else "barrier", each.waits_for, cell)
            for cell, each in ahead.items()
        ]
    if left := not_running(state, now):
        return [Waiting("running", tuple(left))]
    certifies = state.plan.waves[state.wave].certify and not state.plan.shadow
    return [Waiting("gate" if certifies else "soak")]


def _short(state: Rollout, now: Moment) -> tuple[str, ...]:
    decision = decision_of(state, now)
    return decision.short if decision is not None else ()

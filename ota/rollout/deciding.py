"""What happens next in a rollout: a pure decision over its state and what is known of the boxes.

The rules:
- one wave after the other; a wave's cells fetch and prove the candidate first;
- with shadow, the candidate judges beside the running set on the wave's boxes until the gate lets
  it go on; no box of the wave runs it before;
- nobody in a cell runs it before every live box of that cell holds it, proven (the barrier);
- a wave ends when its live boxes run it, stood their probation, and the soak is over; the gate may
  end the rollout at every moment until then;
- a box that is away keeps nobody waiting and follows when it is back; a box that failed does, until
  it is asked again or a person skips it; too many of them end the rollout;
- a set that is withdrawn from the registry ends its rollout;
- after an abort every box goes back, inside or outside of the windows.
"""

from __future__ import annotations

from contracts.ota import BoxStep
from contracts.reason import Reason
from ota.gates.evidence import Counts
from ota.gates.gate import GateDecision, GateState
from ota.rollout import events as e
from ota.rollout.choosing import choose, late
from ota.rollout.standing import (
    Moment,
    any_live,
    barriers,
    decision_of,
    is_live,
    micros,
    not_back,
    not_running,
    unstaged,
    wave_of,
)
from ota.rollout.state import Phase, Rollout

_HUNDRED = 100
_US = 1_000_000


def next_events(state: Rollout, now: Moment) -> list[e.Event]:  # noqa: PLR0911 -- a return a phase
    """What happened or is to happen now, in order; empty while there is nothing but to wait.

    After they were applied, ask again until nothing comes.
    """
    if state.phase is Phase.APPROVED:
        return _start(state, now)
    if state.phase is Phase.RETURNING:
        return [*_joined(state, now), *_returned(state, now)]
    if not state.under_way:
        return []
    if found := [*_joined(state, now), *_failures(state, now)]:
        return found
    if (reason := _too_bad(state, now)) is not None:
        return [e.Aborted(reason)]
    if state.paused:
        return []
    match state.phase:
        case Phase.STAGING:
            return _staged(state, now)
        case Phase.SHADOW:
            return _shadowed(state, now)
        case _:
            return _run(state, now)


def _start(state: Rollout, now: Moment) -> list[e.Event]:
    plan = state.plan
    if now.withdrawn:
        return [e.Cancelled(plan.candidate)]
    if not now.begin or micros(now.at) < plan.not_before_us or not plan.may_run(now.at):
        return []
    seed = plan.seed or now.seed
    members = choose(plan, now.fleet, seed=seed)
    if all(member.wave == e.STANDS_BY for member in members):
        return []
    return [e.Started(members, seed), e.StagingBegan(0)]


def _joined(state: Rollout, now: Moment) -> list[e.Event]:
    """Boxes that reported for the first time since the start, and those that were moved."""
    return [
        e.Joined(late(state.plan, now.fleet[name]))
        for name in sorted(now.fleet.keys() - state.members.keys())
        if now.fleet[name].known
    ]


def _failures(state: Rollout, now: Moment) -> list[e.Event]:
    found: list[e.Event] = []
    for name in state.members:
        heard = now.fleet.get(name)
        if heard is None or heard.report is None or not heard.current or name in state.failed:
            continue
        reason = heard.report.trouble.get(state.plan.candidate)
        if reason is not None and heard.report.step in (BoxStep.FAILED, BoxStep.RETURNED):
            found.append(e.BoxFailed(name, reason, returned=heard.report.step is BoxStep.RETURNED))
    return found


def _too_bad(state: Rollout, now: Moment) -> Reason | None:
    if now.withdrawn:
        return Reason("ota_withdrawn", {"set": state.plan.candidate})
    wave = [member.device for member in state.of_wave(state.wave)]
    failed = [device for device in wave if device in state.failed]
    if failed and _HUNDRED * len(failed) > state.plan.most_failed_percent * len(wave):
        first = failed[0]
        return Reason(
            "ota_too_many_failed",
            {
                "failed": len(failed),
                "boxes": len(wave),
                "box": first,
                "why": state.failed[first].code,
            },
        )
    decision = decision_of(state, now)
    if decision is not None and decision.state is GateState.ABORT:
        return _against(state, decision)
    return None


def _against(state: Rollout, decision: GateDecision) -> Reason:
    """The finding that speaks against it most: `ota_gate_harm` and its like, `..._box` where it is
    one box's alone.
    """
    worst = decision.worst
    signal, box, counts = (
        (worst.signal.value, worst.box, worst.counts) if worst else ("error", "", Counts())
    )
    params: dict[str, str | int | float] = {
        "wave": state.wave + 1,
        "evidence": round(min(decision.against, 1e9), 1),
        "signal": signal,
        "bad": counts.events,
        "frames": counts.frames,
    }
    if box:
        return Reason(f"ota_gate_{signal}_box", {**params, "box": box})
    return Reason(f"ota_gate_{signal}", params)


def _staged(state: Rollout, now: Moment) -> list[e.Event]:
    if state.skipped.issuperset(wave_of(state)):
        return _wave_done(state)
    live = [name for name in wave_of(state) if is_live(now, name)]
    if not live or unstaged(state, now, live):
        return []
    shown = tuple(n for n in live if n not in state.failed and n not in state.skipped)
    if not shown:
        return []
    shadow = state.plan.shadow and state.plan.waves[state.wave].certify
    return [e.GateOpened(state.wave, e.Role.SHADOW if shadow else e.Role.WATCH, shown)]


def _shadowed(state: Rollout, now: Moment) -> list[e.Event]:
    decision = decision_of(state, now)
    if decision is None or decision.state is not GateState.PROMOTE or state.gate is None:
        return []
    if state.plan.decide and not state.decided:
        return [e.Paused()]
    return [
        _passed(state, now, decision, e.Role.SHADOW),
        e.GateOpened(state.wave, e.Role.WATCH, state.gate.boxes),
    ]


def _passed(state: Rollout, now: Moment, decision: GateDecision, role: e.Role) -> e.GatePassed:
    boxes = state.gate.boxes if state.gate is not None else ()
    seen = now.shown.get(role, {})
    frames = sum(
        max((counts.frames for counts in seen.get(box, {}).values()), default=0) for box in boxes
    )
    certified = {signal.value: value for signal, value in decision.certified.items()}
    return e.GatePassed(state.wave, role, certified, frames)


def _run(state: Rollout, now: Moment) -> list[e.Event]:
    cells = barriers(state, now.fleet)
    ready = [cell for cell, each in cells.items() if each.is_open]
    if ready and state.plan.may_run(now.at):
        return [e.CellRuns(state.wave, cell) for cell in ready]
    # A cell that is away altogether follows when it is back.
    if ready or any(each.waits_for for each in cells.values()) or not_running(state, now):
        return []
    if not state.soak_from_us:
        return [e.AllRunning(state.wave)] if any_live(state, now) else []
    if micros(now.at) < state.soak_from_us + state.plan.soak_s * _US:
        return []
    return _after_soak(state, now)


def _after_soak(state: Rollout, now: Moment) -> list[e.Event]:
    if state.plan.waves[state.wave].certify and not state.plan.shadow:
        decision = decision_of(state, now)
        if decision is None or decision.state is not GateState.PROMOTE:
            return []
        return [_passed(state, now, decision, e.Role.WATCH), *_wave_done(state)]
    return _wave_done(state)


def _wave_done(state: Rollout) -> list[e.Event]:
    last = state.wave + 1 >= len(state.plan.waves)
    after: e.Event = e.Finished() if last else e.StagingBegan(state.wave + 1)
    return [e.WaveDone(state.wave), after]


def _returned(state: Rollout, now: Moment) -> list[e.Event]:
    return [] if not_back(state, now) else [e.Returned()]

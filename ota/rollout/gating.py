"""The gate of a rollout now: what its boxes have shown, and what follows from it (I7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from ota.gates.evidence import Counts
from ota.gates.gate import GateDecision, GatePolicy, GateState, Limit, Signal, decide
from ota.rollout.boxes import BoxCounts
from ota.rollout.events import Role
from ota.rollout.state import Gate, Rollout

Shown = Mapping[Role, Mapping[str, BoxCounts]]
"""Counts of one rollout by role and device."""


def policy_of(state: Rollout, gate: Gate) -> GatePolicy:
    """The gate's policy. While the candidate runs itself, the times of the set beside it say
    nothing about it, and are not asked.
    """
    policy = state.plan.gate(gate.number)
    if gate.role is Role.SHADOW:
        return policy
    limits: dict[Signal, Limit] = {
        signal: each for signal, each in policy.limits.items() if signal != Signal.LATENCY
    }
    return replace(policy, limits=limits)


def counts_of(state: Rollout, gate: Gate, shown: Shown) -> dict[str, BoxCounts]:
    """What each of the gate's boxes has shown, silent ones too; each failure to take the candidate,
    or return from it, is an error besides.
    """
    seen = shown.get(gate.role, {})
    return {box: _with_failures(state, box, seen.get(box, {})) for box in gate.boxes}


def look(state: Rollout, shown: Shown, *, gone: Collection[str] = ()) -> GateDecision | None:
    """The decision of the gate that is open; None where none ever was. A box that is `gone` since
    stays counted in what speaks against the candidate, but its silence keeps nobody waiting.
    """
    if state.gate is None:
        return None
    policy = policy_of(state, state.gate)
    decision = decide(policy, counts_of(state, state.gate, shown))
    if decision.state is not GateState.WAIT or not decision.short:
        return decision
    absent = {*gone, *state.failed, *state.skipped}
    if set(decision.short) <= absent and _certified(policy, decision):
        return replace(decision, state=GateState.PROMOTE)
    return decision


def _certified(policy: GatePolicy, decision: GateDecision) -> bool:
    doubt = decision.worst is not None and decision.worst.against >= policy.doubt_at
    return not doubt and min(decision.certified.values(), default=0.0) >= policy.promote_at


def _with_failures(state: Rollout, box: str, counts: BoxCounts) -> BoxCounts:
    failures = state.counted_failed.get(box, 0)
    if not failures:
        return counts
    errors = counts.get(Signal.ERROR, Counts()) + Counts(failures, failures)
    return {**counts, Signal.ERROR: errors}

"""Thousands of rollouts through the real gate, frame by frame, looking after every one of them.

Each of them draws which box shows the next frame and what goes wrong on it; the gate decides after
every frame, which is the worst way to look, since a rule that may not be peeked at would stop good
candidates soon. Nothing else is assumed: `ota.gates.gate.decide` is the one that a hub uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from appliance.bench.facts import percentile
from ota.gates.evidence import Counts
from ota.gates.gate import GateDecision, GatePolicy, GateState, Signal, decide

GOOD: Mapping[Signal, float] = {
    Signal.HARM: 0.005,
    Signal.LATENCY: 0.01,
    Signal.ERROR: 0.001,
    Signal.OVERRIDE: 0.01,
}
"""An ordinary good candidate: rates of bad frames."""


def at_the_limit(policy: GatePolicy) -> Mapping[Signal, float]:
    """The worst candidate that is still within every limit: stopping it is a false abort."""
    return {signal: limit.tolerated for signal, limit in policy.limits.items()}


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is true of a candidate. `odd`: rates on the first box, where it is unlike the others."""

    name: str
    rates: Mapping[Signal, float]
    odd: Mapping[Signal, float] = field(default_factory=dict)

    def rate(self, box: int, signal: Signal) -> float:
        return (self.odd if box == 0 and signal in self.odd else self.rates).get(signal, 0.0)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one wave ended: after `frames` of all boxes, `first` of them the first box's."""

    state: GateState
    frames: int
    first: int
    decision: GateDecision


@dataclass(frozen=True, slots=True)
class Told:
    """What became of many waves of one candidate. Medians are over the waves that ended so."""

    candidate: str
    rollouts: int
    boxes: int
    most_frames: int
    aborted_percent: float
    promoted_percent: float
    undecided_percent: float
    frames_to_abort_p50: float
    frames_to_abort_p95: float
    frames_to_promote_p50: float
    first_box_frames_p50: float
    """What the first box had shown when the candidate was stopped."""
    named_first_percent: float
    """Of those stopped: how often the gate's worst finding names the first box."""


def wave(
    policy: GatePolicy,
    candidate: Candidate,
    *,
    boxes: int,
    most_frames: int,
    draw: np.random.Generator,
) -> Ended:
    """One wave of `boxes`, frame by frame until the gate decides or `most_frames` were shown."""
    names = [f"box-{number}" for number in range(boxes)]
    rates = np.array([[candidate.rate(box, each) for each in Signal] for box in range(boxes)])
    turns = draw.integers(boxes, size=most_frames)
    bad = draw.random((most_frames, len(Signal))) < rates[turns]
    shown = [0] * boxes
    events = [[0] * len(Signal) for _ in names]
    counts: dict[str, Mapping[Signal, Counts]] = {name: {} for name in names}
    decision = decide(policy, counts)
    for frame, turn in enumerate(turns.tolist()):
        shown[turn] += 1
        for number in np.flatnonzero(bad[frame]).tolist():
            events[turn][number] += 1
        counts[names[turn]] = {
            signal: Counts(shown[turn], seen)
            for signal, seen in zip(Signal, events[turn], strict=True)
        }
        decision = decide(policy, counts)
        if decision.state is not GateState.WAIT:
            return Ended(decision.state, frame + 1, shown[0], decision)
    return Ended(GateState.WAIT, most_frames, shown[0], decision)


def many(
    candidate: Candidate,
    *,
    rollouts: int,
    boxes: int = 5,
    most_frames: int = 400,
    seed: int,
    policy: GatePolicy | None = None,
) -> Told:
    """`rollouts` waves of one candidate, each with choices of its own drawn from `seed`."""
    policy = policy or GatePolicy()
    draw = np.random.default_rng(seed)
    ends = [
        wave(policy, candidate, boxes=boxes, most_frames=most_frames, draw=draw)
        for _ in range(rollouts)
    ]
    aborted = [each for each in ends if each.state is GateState.ABORT]
    promoted = [each for each in ends if each.state is GateState.PROMOTE]
    named = [each for each in aborted if _names(each.decision, "box-0")]
    stops = [float(each.frames) for each in aborted]
    return Told(
        candidate=candidate.name,
        rollouts=rollouts,
        boxes=boxes,
        most_frames=most_frames,
        aborted_percent=_percent(len(aborted), rollouts),
        promoted_percent=_percent(len(promoted), rollouts),
        undecided_percent=_percent(rollouts - len(aborted) - len(promoted), rollouts),
        frames_to_abort_p50=percentile(stops, 50),
        frames_to_abort_p95=percentile(stops, 95),
        frames_to_promote_p50=percentile([float(each.frames) for each in promoted], 50),
        first_box_frames_p50=percentile([float(each.first) for each in aborted], 50),
        named_first_percent=_percent(len(named), len(aborted)),
    )


def _names(decision: GateDecision, box: str) -> bool:
    return decision.worst is not None and decision.worst.box == box


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 3) if whole else 0.0

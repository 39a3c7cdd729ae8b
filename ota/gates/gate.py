"""The gate of one wave: go on, wait, or stop. A pure decision over counts (I3, I7).

The candidate runs in shadow on the frames that the running set judges. Four things are counted for
each box: harmful disagreements, frames over the latency budget, errors, operators' overrides. Each
is watched for the fleet and for every box, since one bad box in five drowns in the pool; all of it
is one weighted mean of e-processes, so that the chance of ever stopping a candidate that is within
its limits is at most 1 / `abort_at`, whatever is looked at and however often.

A candidate goes on when the pool shows each rate below what is to be certified and every box has
shown enough frames. That certifies the boxes that were tested and no others: each wave is a gate of
its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ota.gates.evidence import Counts, log_evidence_above, log_evidence_below, log_mean


class Signal(StrEnum):
    """What is counted."""

    HARM = "harm"
    """The candidate would pass what the running set or a person rejects, or the reverse."""
    LATENCY = "latency"
    ERROR = "error"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Limit:
    """Rates: above `tolerated` is a reason to stop, below `certified` a reason to go on; `weight`
    is the share of attention in stopping.
    """

    tolerated: float
    certified: float
    weight: float

    def __post_init__(self) -> None:
        if not 0 < self.tolerated <= self.certified < 1:
            raise ValueError(
                f"a tolerated rate of {self.tolerated} and a certified one of {self.certified} do"
                " not fit: both lie between 0 and 1, the tolerated one is not the higher"
            )
        if self.weight <= 0:
            raise ValueError(f"a weight of {self.weight} looks at nothing; it is above 0")


_DEFAULT = {
    Signal.HARM: Limit(0.02, 0.05, 7.0),
    Signal.LATENCY: Limit(0.05, 0.10, 1.0),
    Signal.ERROR: Limit(0.01, 0.05, 1.0),
    Signal.OVERRIDE: Limit(0.05, 0.10, 1.0),
}


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """`boxes_weight` is the share of attention on single boxes; the rest is on the pool. Nobody
    goes on while one line alone shows evidence of `doubt_at` or more against the candidate.
    """

    limits: Mapping[Signal, Limit] = field(default_factory=lambda: dict(_DEFAULT))
    abort_at: float = 100.0
    promote_at: float = 20.0
    doubt_at: float = 5.0
    boxes_weight: float = 0.7
    frames_a_box: int = 20


class GateState(StrEnum):
    WAIT = "wait"
    PROMOTE = "promote"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the gate: `box` is empty for the pool. Evidence is 1 where nothing is known."""

    signal: Signal
    box: str
    counts: Counts
    against: float
    """Evidence that the rate is above what is tolerated."""


@dataclass(frozen=True, slots=True)
class GateDecision:
    state: GateState
    against: float
    """Evidence against the candidate, all signals and boxes together; stops at `abort_at`."""
    certified: Mapping[Signal, float]
    """Evidence for each signal that its rate is below what is certified, in the pool."""
    short: tuple[str, ...]
    """Boxes that have not shown enough frames."""
    worst: Finding | None
    """What speaks against the candidate most; None while nothing was counted."""


BoxCounts = Mapping[Signal, Counts]
_NOTHING = Counts()


def decide(policy: GatePolicy, boxes: Mapping[str, BoxCounts]) -> GateDecision:
    """The decision after the counts of the wave's `boxes`, all of them, also those still silent.

    The set of boxes is fixed when the wave begins: evidence over a set that grows with what was
    seen would no longer be an e-process.
    """
    if not boxes:
        return GateDecision(GateState.WAIT, 1.0, {}, (), None)
    watched = [*_pooled(policy, boxes), *_by_box(policy, boxes)]
    against = log_mean([each.log for each in watched], [each.weight for each in watched])
    certified = {
        each.signal: log_evidence_below(each.counts, policy.limits[each.signal].certified)
        for each in watched
        if not each.box
    }
    short = tuple(
        sorted(name for name, counts in boxes.items() if _frames(counts) < policy.frames_a_box)
    )
    worst = max(watched, key=lambda each: each.log)
    state = GateState.WAIT
    if against >= math.log(policy.abort_at):
        state = GateState.ABORT
    elif (
        not short
        and worst.log < math.log(policy.doubt_at)
        and min(certified.values()) >= math.log(policy.promote_at)
    ):
        state = GateState.PROMOTE
    return GateDecision(
        state,
        _plain(against),
        {signal: _plain(each) for signal, each in certified.items()},
        short,
        Finding(worst.signal, worst.box, worst.counts, _plain(worst.log)),
    )


@dataclass(frozen=True, slots=True)
class _Watched:
    signal: Signal
    box: str
    counts: Counts
    log: float
    weight: float


def _pooled(policy: GatePolicy, boxes: Mapping[str, BoxCounts]) -> Iterator[_Watched]:
    share = (1 - policy.boxes_weight) / _weights(policy)
    for signal in policy.limits:
        shown = [each[signal] for each in boxes.values() if signal in each]
        counts = Counts(sum(each.frames for each in shown), sum(each.events for each in shown))
        yield _watch(policy, signal, "", counts, share=share)


def _by_box(policy: GatePolicy, boxes: Mapping[str, BoxCounts]) -> Iterator[_Watched]:
    share = policy.boxes_weight / len(boxes) / _weights(policy)
    for signal in policy.limits:
        for name, counts in boxes.items():
            yield _watch(policy, signal, name, counts.get(signal, _NOTHING), share=share)


def _watch(
    policy: GatePolicy, signal: Signal, box: str, counts: Counts, *, share: float
) -> _Watched:
    limit = policy.limits[signal]
    log = log_evidence_above(counts, limit.tolerated)
    return _Watched(signal, box, counts, log, share * limit.weight)


def _weights(policy: GatePolicy) -> float:
    return sum(each.weight for each in policy.limits.values())


def _frames(counts: BoxCounts) -> int:
    return max((each.frames for each in counts.values()), default=0)


def _plain(log_evidence: float) -> float:
    """E to the power of it, bounded, so that a page can show it."""
    return math.exp(min(log_evidence, 700.0))

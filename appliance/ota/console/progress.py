"""How far a rollout is: its boxes, its waves, its gate and what a person may do with it. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from appliance.ota.console.moments import moment
from appliance.ota.rollouts import GateView
from appliance.web.ota.rows import Point, RolloutBox, RolloutRow, SignalRow, WaveRow
from contracts.ota import BoxStep, Tally
from ota.gates.evidence import Counts, log_evidence_above, log_evidence_below
from ota.gates.gate import GatePolicy, Limit, Signal
from ota.rollout.boxes import Heard
from ota.rollout.events import (
    STANDS_BY,
    GateOpened,
    GatePassed,
    Member,
    Recorded,
    WaveDone,
)
from ota.rollout.state import Phase, Rollout

_AT_MOST_LOG: Final = 700.0
_MOST_FRAMES: Final = 100_000
_STEPS: Final = {
    BoxStep.FETCHING: "fetching",
    BoxStep.PROVING: "proving",
}
HAS_IT: Final = frozenset({"running", "probation"})
_BACK: Final = (Phase.RETURNING, Phase.RETURNED)


def state_word(rollout: Rollout) -> str:
    """A key of appliance.web.ota.words.STATE_BADGES."""
    if rollout.emergency and rollout.phase in _BACK:
        return "stopping" if rollout.phase is Phase.RETURNING else "stopped"
    return "paused" if rollout.paused and rollout.under_way else str(rollout.phase)


def row_of(
    rollout: Rollout, boxes: Sequence[RolloutBox], gate: GateView | None = None
) -> RolloutRow:
    """The rollout's line in a list."""
    begun = rollout.phase not in (Phase.DRAFT, Phase.APPROVED, Phase.CANCELLED)
    mine = [box for box in boxes if box.wave]
    return RolloutRow(
        rollout.rollout,
        rollout.plan.lane,
        rollout.plan.candidate,
        state_word(rollout),
        wave=rollout.wave + 1 if begun else 0,
        waves=len(rollout.plan.waves),
        boxes=len(mine),
        done=sum(box.state in HAS_IT for box in mine),
        failed=sum(box.state in ("failed", "returned") for box in mine),
        made_by=rollout.drafted_by,
        made_at=moment(rollout.drafted_us),
        against=gate.decision.against if gate else 1.0,
        abort_at=gate.abort_at if gate else rollout.plan.policy.abort_at,
        why=rollout.why,
    )


def ended_row(rollout: Rollout) -> RolloutRow:
    """The line of a rollout that is over, without asking any box what it runs by now."""
    mine = [each.device for each in rollout.members.values() if each.wave != STANDS_BY]
    row = row_of(rollout, ())
    failed = sum(device in rollout.failed for device in mine)
    done = len(mine) - failed if rollout.phase is Phase.DONE else 0
    return replace(row, boxes=len(mine), done=done, failed=failed)


def box_of(
    rollout: Rollout, member: Member, heard: Heard | None, gate: GateView | None
) -> RolloutBox:
    """One box of a rollout. `heard` None: the hub knows no such box any more."""
    counts = _tallies(gate.counts.get(member.device, {})) if gate else {}
    worst, against = worst_of(rollout.plan.policy, counts)
    report = heard.report if heard else None
    return RolloutBox(
        member.device,
        member.cell,
        0 if member.wave == STANDS_BY else member.wave + 1,
        _state(rollout, member, heard, gate),
        online=heard.live if heard else False,
        counts=counts,
        worst=worst,
        against=against,
        trouble=rollout.failed.get(member.device)
        or (report.trouble.get(rollout.plan.candidate) if report else None),
        failures=rollout.counted_failed.get(member.device, 0),
        progress_percent=round(100 * report.progress_bytes / report.wanted_bytes)
        if report and report.wanted_bytes and report.step is BoxStep.FETCHING
        else None,
    )


def _state(rollout: Rollout, member: Member, heard: Heard | None, gate: GateView | None) -> str:
    """The word of a box in a rollout; the first that is true of it."""
    candidate, report = rollout.plan.candidate, heard.report if heard else None
    runs = report is not None and report.running.get(rollout.plan.lane) == candidate
    step = report.step if report else BoxStep.IDLE
    said = (
        ("skipped", member.device in rollout.skipped),
        ("returned", member.device in rollout.failed and step is BoxStep.RETURNED),
        ("failed", member.device in rollout.failed),
        ("probation", runs and step is BoxStep.PROBATION),
        ("running", runs),
        ("back", rollout.phase in _BACK),
        ("shadow", _is_looked_at(rollout, member, gate)),
        ("staged", report is not None and candidate in report.staged),
        (_STEPS.get(step, ""), step in _STEPS and heard is not None and heard.current),
        ("waiting", True),
    )
    return next(word for word, is_so in said if is_so)


def _is_looked_at(rollout: Rollout, member: Member, gate: GateView | None) -> bool:
    return rollout.phase is Phase.SHADOW and gate is not None and member.device in gate.counts


def _tallies(counts: Mapping[str, tuple[int, int]]) -> dict[str, Tally]:
    return {str(signal): Tally(frames, bad) for signal, (frames, bad) in counts.items()}


def worst_of(policy: GatePolicy, counts: Mapping[str, Tally]) -> tuple[str, float]:
    """The signal that speaks most against the candidate, with the evidence; ("", 1) for none."""
    found = [
        (
            log_evidence_above(Counts(counts[signal].frames, counts[signal].bad), limit.tolerated),
            signal,
        )
        for signal, limit in policy.limits.items()
        if signal in counts and counts[signal].frames
    ]
    if not found:
        return "", 1.0
    log, signal = max(found)
    return str(signal), plain(log)


def signals_of(policy: GatePolicy, gate: GateView | None) -> tuple[SignalRow, ...]:
    """What a gate counted, all boxes together."""
    boxes = gate.counts.values() if gate else ()
    return tuple(
        _signal(signal, limit, [_of(box, signal) for box in boxes])
        for signal, limit in policy.limits.items()
    )


def _of(box: Mapping[str, tuple[int, int]], signal: Signal) -> Counts:
    return Counts(*box[signal]) if signal in box else Counts()


def _signal(signal: Signal, limit: Limit, counts: Sequence[Counts]) -> SignalRow:
    pooled = sum(counts, start=Counts())
    return SignalRow(
        str(signal),
        Tally(pooled.frames, pooled.events),
        limit.tolerated,
        limit.certified,
        plain(log_evidence_above(pooled, limit.tolerated)),
        plain(log_evidence_below(pooled, limit.certified)),
    )


def last_point(history: Sequence[Recorded], gate: int, kept: Sequence[Point]) -> tuple[Point, ...]:
    """Where gate number `gate` passed: what it said then, as the curve's last point; none where it
    did not, or the curve has it already.
    """
    opened = [each.event for each in history if isinstance(each.event, GateOpened)][gate : gate + 1]
    for each in history:
        if isinstance(each.event, GatePassed) and opened:
            passed, first = each.event, opened[0]
            last = kept[-1] if kept else Point(each.at_us, gate, 0, 1.0, 1.0)
            if (passed.wave, passed.role) == (
                first.wave,
                first.role,
            ) and passed.frames > last.frames:
                good = min(passed.certified.values(), default=last.good)
                return (Point(each.at_us, gate, passed.frames, last.against, good),)
    return ()


def waves_of(
    rollout: Rollout, boxes: Sequence[RolloutBox], history: Sequence[Recorded]
) -> tuple[WaveRow, ...]:
    """Every wave of the plan with its boxes by how far they are."""
    ended = {each.event.wave: each.at_us for each in history if isinstance(each.event, WaveDone)}
    rows: list[WaveRow] = []
    for number in range(len(rollout.plan.waves)):
        mine = [box for box in boxes if box.wave == number + 1]
        rows.append(
            WaveRow(
                number + 1,
                _wave_state(rollout, number, is_done=number in ended),
                len(mine),
                Counter(box.state for box in mine),
                tuple(sorted({box.cell for box in mine if box.cell})),
                moment(ended[number]) if number in ended else None,
            )
        )
    return tuple(rows)


def _wave_state(rollout: Rollout, number: int, *, is_done: bool) -> str:
    if is_done or rollout.phase is Phase.DONE:
        return "passed"
    if rollout.phase in (*_BACK, Phase.CANCELLED):
        return "given_up"
    return "now" if rollout.under_way and number == rollout.wave else "ahead"


def offered(rollout: Rollout, may: Sequence[str]) -> tuple[str, ...]:
    """Of what may be commanded now, what is of use: nobody is asked again where nobody failed."""
    left = set(rollout.failed) - rollout.skipped
    return tuple(each for each in may if left or each not in ("retry", "skip"))


def plain(log_evidence: float) -> float:
    """E to the power of it, bounded, so that a page can show it."""
    return math.exp(min(log_evidence, _AT_MOST_LOG))


def clean_frames(policy: GatePolicy) -> int:
    """So many frames without one event let a gate certify every signal."""
    return _clean_frames(
        tuple(sorted(limit.certified for limit in policy.limits.values())), policy.promote_at
    )


@lru_cache(maxsize=64)
def _clean_frames(certified: tuple[float, ...], promote_at: float) -> int:
    low, high = 0, _MOST_FRAMES
    while high - low > 1:
        middle = (low + high) // 2
        # The strictest limit asks for most.
        if log_evidence_below(Counts(middle), certified[0]) >= math.log(promote_at):
            high = middle
        else:
            low = middle
    return high

"""The gate of a wave: harm is stopped soon, a good candidate seldom, and looking costs nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ota.gates.evidence import Counts, log_evidence_above, log_evidence_below
from ota.gates.gate import BoxCounts, GatePolicy, GateState, Limit, Signal, decide


def shown(frames: int, **events: int) -> BoxCounts:
    """A box that has shown `frames`, with so many events of each signal."""
    return {signal: Counts(frames, events.get(signal.value, 0)) for signal in Signal}


def rollout(rates: Sequence[float], *, frames: int, seed: int) -> tuple[GateState, int]:
    """Boxes with these rates of harm show frames in turn; after each frame the gate decides."""
    policy, draw = GatePolicy(), np.random.default_rng(seed)
    harms = [0] * len(rates)
    for frame in range(1, frames + 1):
        turn = (frame - 1) % len(rates)
        harms[turn] += int(draw.random() < rates[turn])
        boxes = {
            f"box-{box}": shown((frame + len(rates) - 1 - box) // len(rates), harm=harms[box])
            for box in range(len(rates))
        }
        state = decide(policy, boxes).state
        if state is not GateState.WAIT:
            return state, frame
    return GateState.WAIT, frames


def test_a_tenth_of_harm_is_stopped_within_a_hundred_frames() -> None:
    ends = [rollout([0.1] * 5, frames=400, seed=seed) for seed in range(21)]
    assert all(state is GateState.ABORT for state, _ in ends)
    assert np.median([frame for _, frame in ends]) <= 100


def test_a_bad_box_of_five_is_found_before_it_has_shown_sixty_frames() -> None:
    ends = [rollout([0.3, 0.0, 0.0, 0.0, 0.0], frames=400, seed=seed) for seed in range(21)]
    assert all(state is GateState.ABORT for state, _ in ends)
    assert np.median([frame for _, frame in ends]) / 5 <= 60


def test_a_candidate_within_its_limits_is_seldom_stopped() -> None:
    ends = [rollout([0.005] * 5, frames=150, seed=seed)[0] for seed in range(40)]
    assert ends.count(GateState.ABORT) == 0
    assert ends.count(GateState.PROMOTE) > 20


@pytest.mark.parametrize(("limit", "frames"), [(0.05, 74), (0.01, 377)])
def test_so_many_clean_frames_certify_a_rate(limit: float, frames: int) -> None:
    enough = math.log(20)
    assert log_evidence_below(Counts(frames - 1, 0), limit) < enough
    assert log_evidence_below(Counts(frames, 0), limit) >= enough


@given(st.integers(0, 400), st.integers(0, 400), st.sampled_from([0.01, 0.02, 0.05, 0.2]))
def test_on_average_evidence_does_not_grow_while_the_rate_is_the_limit(
    good: int, events: int, limit: float
) -> None:
    """The law that makes looking free: at the limit the next frame's evidence is today's."""
    now = Counts(good + events, events)
    for log_evidence in (log_evidence_above, log_evidence_below):
        today = log_evidence(now, limit)
        bad = math.exp(log_evidence(now + Counts(1, 1), limit) - today)
        fine = math.exp(log_evidence(now + Counts(1, 0), limit) - today)
        assert limit * bad + (1 - limit) * fine == pytest.approx(1.0, rel=1e-9)


@given(st.integers(0, 400), st.integers(0, 400))
def test_an_event_speaks_against_and_a_clean_frame_for_a_candidate(good: int, events: int) -> None:
    now = Counts(good + events, events)
    before = log_evidence_above(now, 0.02)
    assert log_evidence_above(now + Counts(1, 1), 0.02) > before
    assert log_evidence_above(now + Counts(1, 0), 0.02) < before


def test_nothing_counted_decides_nothing() -> None:
    assert decide(GatePolicy(), {}).state is GateState.WAIT
    silent = decide(GatePolicy(), {"box-1": {}, "box-2": {}})
    assert silent.state is GateState.WAIT
    assert silent.against == pytest.approx(1.0)
    assert silent.short == ("box-1", "box-2")


def test_no_wave_goes_on_while_a_box_has_shown_too_little() -> None:
    many = {f"box-{box}": shown(200) for box in range(4)}
    waiting = decide(GatePolicy(), {**many, "box-4": shown(3)})
    assert (waiting.state, waiting.short) == (GateState.WAIT, ("box-4",))
    assert decide(GatePolicy(), {**many, "box-4": shown(20)}).state is GateState.PROMOTE


def test_one_doubtful_box_keeps_a_good_pool_waiting() -> None:
    boxes = {f"box-{box}": shown(200) for box in range(9)}
    decision = decide(GatePolicy(), {**boxes, "box-9": shown(40, harm=4)})
    assert decision.state is GateState.WAIT
    assert decision.worst is not None
    assert (decision.worst.box, decision.worst.signal) == ("box-9", Signal.HARM)


@pytest.mark.parametrize("signal", list(Signal))
def test_every_signal_can_stop_a_wave(signal: Signal) -> None:
    boxes = {f"box-{box}": shown(40, **{signal.value: 30}) for box in range(3)}
    decision = decide(GatePolicy(), boxes)
    assert decision.state is GateState.ABORT
    assert decision.worst is not None
    assert decision.worst.signal is signal


def test_counts_and_limits_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="5 events of 3 frames"):
        Counts(3, 5)
    with pytest.raises(ValueError, match="tolerated rate"):
        Limit(0.2, 0.1, 1.0)
    with pytest.raises(ValueError, match="weight of"):
        Limit(0.1, 0.2, 0.0)

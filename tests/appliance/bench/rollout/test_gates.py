"""Many rollouts through the real gate: what the bench counts of them."""

from __future__ import annotations

from appliance.bench.rollout import whole
from appliance.bench.rollout.gates import GOOD, Candidate, at_the_limit, many
from ota.gates.gate import GatePolicy, Signal


def test_a_tenth_of_harm_is_stopped_and_a_good_candidate_is_not() -> None:
    good = many(Candidate("good", GOOD), rollouts=12, seed=1)
    assert (good.aborted_percent, good.promoted_percent) == (0.0, 100.0)
    harmful = many(Candidate("harm", {**GOOD, Signal.HARM: 0.1}), rollouts=31, seed=2)
    assert harmful.aborted_percent == 100.0
    assert 0 < harmful.frames_to_abort_p50 <= 100


def test_one_bad_box_of_five_is_named() -> None:
    told = many(Candidate("one bad box", GOOD, {Signal.HARM: 0.3}), rollouts=15, seed=3)
    assert told.aborted_percent == 100.0
    assert told.first_box_frames_p50 <= 60
    assert told.named_first_percent > 90


def test_the_worst_candidate_within_its_limits_is_seldom_stopped() -> None:
    worst = Candidate("at the limit", at_the_limit(GatePolicy()))
    told = many(worst, rollouts=20, most_frames=150, seed=4)
    assert told.aborted_percent <= 5
    assert told.promoted_percent + told.undecided_percent + told.aborted_percent == 100


def test_a_whole_rollout_of_a_harmful_candidate_ends_in_its_first_wave_and_no_box_ran_it() -> None:
    harmful = Candidate("harm", {**GOOD, Signal.HARM: 0.3})
    told = whole.many(harmful, rollouts=5, seed=1)
    assert told.aborted_percent == 100.0
    assert told.stopped_in_wave == {"1 shadow": 5}
    assert told.ran_anywhere_percent == 0.0


def test_a_good_candidate_comes_to_every_box() -> None:
    told = whole.many(Candidate("good", GOOD), rollouts=1, seed=1, size=whole.Size(8, 4))
    assert (told.done_percent, told.aborted_percent) == (100.0, 0.0)

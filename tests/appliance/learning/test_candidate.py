"""A candidate is published only where its harm is ruled out (I7)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.learning.candidate import Figures, Measured, Paired, judge_candidate, loss_bound

GOOD = Figures(trials=600, right=560, accepted=500, wrong_accepts=0, calibration_error=0.02)
BETTER = Measured(Paired(600, 40, 5), GOOD, replace(GOOD, right=595))
EQUAL = Measured(Paired(600, 0, 0), GOOD, GOOD)


def codes(hold_out: Measured | None, rendered: Measured | None) -> list[str]:
    verdict = judge_candidate(hold_out, rendered)
    assert verdict.publishable == (not verdict.reasons)
    return [reason.code for reason in verdict.reasons]


def test_a_candidate_that_reads_better_and_harms_nothing_may_be_published():
    assert codes(BETTER, EQUAL) == []


@pytest.mark.parametrize("absent", [None, Measured(Paired(20, 5, 0), GOOD, GOOD)])
def test_too_little_to_judge_on_is_a_reason_to_refuse(absent):
    assert codes(absent, EQUAL) == ["candidate_too_few"]
    assert codes(BETTER, absent) == ["candidate_too_few"]


def test_a_candidate_that_may_read_worse_is_refused():
    worse = replace(BETTER, paired=Paired(600, 5, 40))
    assert codes(worse, EQUAL) == ["candidate_may_read_worse"]
    unclear = replace(BETTER, paired=Paired(100, 6, 5))
    assert codes(unclear, EQUAL) == ["candidate_may_read_worse"]


def test_a_candidate_that_forgets_what_the_site_does_not_show_is_refused():
    """Better on the site's own labels, worse on the rendered set."""
    assert codes(BETTER, replace(EQUAL, paired=Paired(600, 3, 60))) == ["candidate_may_read_worse"]


def test_a_candidate_that_is_surer_than_right_is_refused():
    rash = replace(EQUAL, candidate=replace(GOOD, accepted=590, wrong_accepts=9))
    assert codes(BETTER, rash) == ["candidate_accepts_wrong"]
    vain = replace(EQUAL, candidate=replace(GOOD, calibration_error=0.08))
    assert codes(BETTER, vain) == ["candidate_miscalibrated"]


def test_a_candidate_whose_certainty_nobody_measured_is_refused():
    mute = replace(EQUAL, candidate=replace(GOOD, accepted=0))
    assert codes(BETTER, mute) == ["candidate_accepts_nothing"]


def test_a_candidate_that_changes_nothing_is_not_a_new_judge():
    assert codes(EQUAL, EQUAL) == ["candidate_no_better"]


@given(st.integers(1, 500), st.data())
def test_the_bound_is_never_below_what_was_seen_to_be_lost(trials, data):
    losses = data.draw(st.integers(0, trials))
    gains = data.draw(st.integers(0, trials - losses))
    bound = loss_bound(Paired(trials, gains, losses))
    assert bound >= (losses - gains) / trials - 1e-9
    assert 0.0 <= bound <= 1.0

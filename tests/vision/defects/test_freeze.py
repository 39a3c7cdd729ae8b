"""When defective cartons stand for their batch, and how seldom a good batch is frozen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.defects.conformal import rank, threshold
from vision.defects.freeze import FreezeRule, tally


def rule(items: int, bound_percent: int, error: float = 0.01) -> FreezeRule:
    found = FreezeRule.of(items, bound_percent, error=error)
    assert found is not None
    return found


def test_one_defective_carton_never_freezes_its_batch():
    for items, bound in ((19, 5), (49, 2), (99, 1), (299, 1)):
        assert rule(items, bound).needed(1) is None


def test_a_wholly_cracked_batch_is_frozen_within_four_cartons():
    assert tally([True] * 10, rule(19, 5)).frozen_at == 4
    assert tally([True] * 10, rule(99, 1)).frozen_at == 2


def test_what_so_many_cartons_take():
    assert [rule(19, 5).needed(seen) for seen in (3, 4, 5, 10, 20, 100)] == [None, 4, 5, 7, 11, 36]
    assert [rule(99, 1).needed(seen) for seen in (2, 4, 5, 10, 20, 100)] == [2, 3, 3, 4, 6, 13]


def test_a_batch_at_the_stated_rate_is_not_frozen():
    each_twentieth = [number % 20 == 0 for number in range(1, 401)]
    assert not tally(each_twentieth, rule(19, 5)).frozen


def test_a_frozen_batch_stays_frozen_when_good_cartons_follow():
    told = tally([True, True, True, True, *[False] * 50], rule(19, 5))
    assert told.frozen
    assert (told.seen, told.defective, told.frozen_at) == (54, 4, 4)
    assert told.needed is not None
    assert told.needed > 4


def test_a_smaller_error_takes_more_cartons():
    assert tally([True] * 20, rule(19, 5, 0.0001)).frozen_at == 7


def test_without_a_threshold_there_is_no_rule():
    assert FreezeRule.of(18, 5) is None
    assert FreezeRule.of(40, None) is None


@pytest.mark.parametrize(("items", "at_rank", "error"), [(19, 0, 0.01), (19, 20, 0.01), (19, 1, 0)])
def test_impossible_rules_are_refused(items, at_rank, error):
    with pytest.raises(ValueError, match=r"rank|error"):
        FreezeRule(items, at_rank, error)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="4 of 3"):
        rule(19, 5).evidence(3, 4)


@given(st.integers(19, 300), st.sampled_from([1, 2, 5]), st.integers(1, 300))
def test_needed_is_exactly_where_the_evidence_suffices(items, bound, seen):
    found = FreezeRule.of(items, bound)
    if found is None:
        assert rank(items, bound) == 0
        return
    needed = found.needed(seen)
    if needed is None:
        assert not found.freezes(seen, seen)
    else:
        assert found.freezes(seen, needed)
        assert not found.freezes(seen, needed - 1)


@given(st.integers(1, 200), st.integers(0, 200))
def test_each_defective_one_adds_evidence_and_each_good_one_takes_some_away(seen, bad):
    bad = min(bad, seen)
    least = rule(39, 5)
    assert least.evidence(seen + 1, bad + 1) >= least.evidence(seen, bad) * 0.999
    assert least.evidence(seen + 1, bad) <= least.evidence(seen, bad) * 1.001


@pytest.mark.parametrize(("items", "bound"), [(19, 5), (49, 2), (99, 1)])
def test_good_batches_are_frozen_within_the_stated_error(items, bound):
    """Over 400 random enrolments with 50 good batches of 60 cartons each: on average, and in at
    least 95 of 100 enrolments taken by themselves.
    """
    random = np.random.default_rng(items)
    wanted = rule(items, bound, 0.05)
    limits = np.array([wanted.needed(seen) or 10**6 for seen in range(1, 61)])
    rates = []
    for _ in range(400):
        limit = threshold(random.lognormal(size=items).tolist(), bound)
        beyond = np.cumsum(random.lognormal(size=(50, 60)) > limit, axis=1)
        rates.append(float((beyond >= limits).any(axis=1).mean()))
    assert np.mean(rates) <= 0.05
    # Fifty batches tell a rate only roughly: four standard errors above the bound are allowed.
    slack = 4 * (0.05 * 0.95 / 50) ** 0.5
    assert np.mean([rate <= 0.05 + slack for rate in rates]) >= 0.95

"""What a threshold promises, and how many good items it takes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.defects.conformal import (
    needed_items,
    needed_to_be_sure,
    strictest_bound,
    strictest_sure_bound,
    sure_below,
    sure_rank,
    sure_threshold,
    threshold,
)

scores = st.lists(st.floats(-10, 10), max_size=120)


@pytest.mark.parametrize(("bound", "items"), [(5, 19), (2, 49), (1, 99)])
def test_a_bound_takes_so_many_good_items(bound, items):
    assert needed_items(bound) == items
    assert threshold([0.0] * items, bound) is not None
    assert threshold([0.0] * (items - 1), bound) is None


@pytest.mark.parametrize(("items", "bound"), [(0, None), (18, None), (19, 5), (49, 2), (500, 1)])
def test_the_strictest_bound_grows_with_the_evidence(items, bound):
    assert strictest_bound(items) == bound


@given(scores, st.sampled_from([1, 2, 5]))
def test_at_most_the_promised_share_of_the_calibration_itself_is_beyond(goods, bound):
    limit = threshold(goods, bound)
    if limit is None:
        assert len(goods) < needed_items(bound)
    else:
        beyond = sum(score > limit for score in goods)
        assert beyond + 1 <= bound * (len(goods) + 1) / 100 + 1e-9


@given(scores, st.sampled_from([1, 2, 5]), st.randoms(use_true_random=False))
def test_the_order_of_enrolment_does_not_matter(goods, bound, random):
    mixed = list(goods)
    random.shuffle(mixed)
    assert threshold(mixed, bound) == threshold(goods, bound)


@pytest.mark.parametrize(("items", "bound"), [(19, 5), (30, 5), (49, 2), (120, 2), (99, 1)])
@pytest.mark.parametrize("tail", ["normal", "lognormal", "standard_cauchy"])
def test_the_realised_false_alarm_rate_stays_within_the_bound(items, bound, tail):
    """Exchangeable scores of any shape: the mean rate over many products is at most the bound."""
    random = np.random.default_rng(items)
    runs, new = 4000, 50
    drawn = getattr(random, tail)(size=(runs, items + new))
    rates = []
    for row in drawn:
        limit = threshold(row[:items].tolist(), bound)
        assert limit is not None
        rates.append(float((row[items:] > limit).mean()))
    error = float(np.std(rates)) / runs**0.5
    assert np.mean(rates) <= bound / 100 + 4 * error


@pytest.mark.parametrize(("bound", "items"), [(5, 59), (2, 149), (1, 299)])
def test_to_be_95_percent_sure_takes_three_times_as_many(bound, items):
    assert needed_to_be_sure(bound) == items
    assert sure_rank(items, bound) == 1
    assert sure_threshold([0.0] * items, bound) is not None
    assert sure_threshold([0.0] * (items - 1), bound) is None
    assert strictest_sure_bound(items) == bound


def test_below_59_items_nothing_can_be_sure():
    assert strictest_sure_bound(58) is None


@pytest.mark.parametrize(("items", "bound"), [(59, 5), (93, 5), (149, 2), (299, 1)])
def test_in_95_of_100_enrolments_the_true_rate_lies_below_the_sure_bound(items, bound):
    random = np.random.default_rng(items)
    runs = 2000
    held = 0
    for row in random.uniform(size=(runs, items)):
        limit = sure_threshold(row.tolist(), bound)
        assert limit is not None
        held += 1 - limit <= bound / 100
    assert held / runs >= 0.95 - 4 * (0.95 * 0.05 / runs) ** 0.5


def test_what_one_enrolment_may_really_have():
    assert sure_below(19, 1) == pytest.approx(1 - 0.05 ** (1 / 19))
    assert sure_below(59, 1) == pytest.approx(0.05, abs=0.001)
    with pytest.raises(ValueError, match="No rank 0"):
        sure_below(19, 0)

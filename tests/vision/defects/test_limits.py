"""Where the limits lie, and what one odd good item does to them."""

from __future__ import annotations

import pytest

from vision.defects.limits import bound_for, limits_of, odd_of


def items(*scores: float) -> dict[str, float]:
    return {f"item {number}": score for number, score in enumerate(scores)}


USUAL = [number / 10 for number in range(19)]


@pytest.mark.parametrize(
    ("count", "wanted", "bound"),
    [
        (18, None, None),
        (19, None, 5),
        (49, None, 2),
        (99, None, 1),
        (99, 5, 5),
        (49, 2, 2),
        (48, 2, 5),
        (18, 5, None),
    ],
)
def test_the_bound_is_the_strictest_that_the_items_allow_and_a_person_wants(count, wanted, bound):
    assert bound_for(count, wanted) == bound


def test_too_few_items_have_no_limits():
    found = limits_of(items(*USUAL[:18]))
    assert (found.bound_percent, found.threshold, found.review_limit) == (None, None, None)


def test_without_odd_items_the_highest_score_of_nineteen_is_the_threshold():
    found = limits_of(items(*USUAL))
    assert (found.bound_percent, found.threshold, found.review_limit) == (5, 1.8, None)


def test_beyond_all_but_the_odd_one_is_review_and_the_stated_threshold_stays():
    found = limits_of(items(*USUAL, 40.0), odd=["item 19"])
    assert found.threshold == 40.0
    assert found.review_limit == 1.8


def test_an_odd_item_among_too_few_others_still_casts_no_shadow():
    found = limits_of(items(*USUAL[:18], 40.0), odd=["item 18"])
    assert found.threshold == 40.0
    assert found.review_limit == max(USUAL[:18])


def test_a_looser_bound_lets_the_odd_item_lie_beyond_the_threshold():
    many = [*(number / 100 for number in range(59)), 40.0]
    strict = limits_of(items(*many), odd=["item 59"])
    loose = limits_of(items(*many), odd=["item 59"], wanted_percent=5)
    assert (strict.bound_percent, strict.threshold, strict.review_limit) == (2, 40.0, 0.58)
    assert (loose.bound_percent, loose.threshold) == (5, 0.57)


def test_odd_is_what_lies_far_out_or_apart_from_the_others():
    assert odd_of(items(*USUAL, 3.0)) == ()
    assert odd_of(items(*USUAL, 3.8, 4.7)) == ()
    assert odd_of(items(*USUAL, 3.2, 5.5)) == ("item 20",)
    assert odd_of(items(*USUAL, 3.2, 5.3, 5.6)) == ("item 20", "item 21")
    assert odd_of(items(*[1.0] * 7, 6.5)) == ("item 7",)
    assert odd_of(items(*[1.0] * 7, 3.5)) == ()


def test_among_a_few_nobody_is_called_odd():
    assert odd_of(items(*[1.0] * 6, 6.5)) == ()

"""When cracks are part of a product's score, and which items may say how far is too far."""

from __future__ import annotations

import numpy as np
import pytest

from vision.defects.conformal import needed_items
from vision.defects.crack_channel import (
    LAG,
    MOST_TRAINED,
    allowing,
    channel_of,
    crack_facts,
    crack_scale,
    fused,
    seen_in,
    shares_of,
)


def names(count: int) -> list[str]:
    return [f"item {number}" for number in range(count)]


def of(values: list[float]) -> dict[str, float]:
    return dict(zip(names(len(values)), values, strict=True))


@pytest.mark.parametrize("count", [3, 10, 18, 22, 30, 49, 52, 80, 102, 300])
def test_what_is_learned_from_is_never_held_out(count: int):
    shares = shares_of(names(count))
    assert not set(shares.learned) & set(shares.held_out)
    assert set(shares.learned) | set(shares.held_out) == set(names(count))
    assert 1 <= len(shares.learned) <= min(MOST_TRAINED, (count + 1) // 2)
    assert shares.judges
    if count >= needed_items(5):
        assert len(shares.held_out) >= max(needed_items(5), count // 2)


@pytest.mark.parametrize(("count", "wanted"), [(22, 5), (52, 2), (80, 2), (102, 1), (300, 1)])
def test_a_bound_that_a_person_wants_is_kept(count: int, wanted: int):
    shares = shares_of(names(count), wanted_percent=wanted)
    assert shares.judges
    assert len(shares.held_out) >= needed_items(wanted)


@pytest.mark.parametrize(("count", "wanted"), [(19, None), (21, 5), (49, 2), (101, 1)])
def test_cracks_only_ask_for_reviews_where_learning_them_would_cost_the_bound(count, wanted):
    shares = shares_of(names(count), wanted_percent=wanted)
    assert not shares.judges
    assert len(shares.learned) >= 3


def test_odd_items_teach_nothing():
    odd = names(30)[:5]
    assert not set(shares_of(names(30), odd=odd).learned) & set(odd)
    assert shares_of(["a", "b"]).learned == ("a", "b")


def test_the_scale_of_logits_holds_on_either_side_of_nothing():
    values = [-2.0, -1.0, 0.0, 1.0, 2.0]
    below = crack_scale([value - 50 for value in values])
    above = crack_scale(values)
    assert below.deviation == above.deviation > 1
    assert crack_scale([3.0]).of(4.0) == crack_scale([-3.0]).of(-2.0) == 1.0
    assert crack_scale([1.0] * 9).deviation > 0


def test_ordinary_cracks_are_part_of_the_score_two_deviations_short():
    values = of([0.0, 0.5, 1.0, 1.5, 2.0] * 4)
    scores = of([0.0, 1.0, 2.0, 3.0, 4.0] * 4)
    facts = crack_facts(values, scores, network="sha256:n")
    assert facts.counts
    assert channel_of(facts).on
    whole = fused(scores, values, facts)
    assert whole["item 4"] == max(4.0, facts.scale.of(2.0) - LAG)
    seen = seen_in(np.full((2, 2), 2.0, np.float32), 2.0, facts, limit=4.0)
    assert seen.grid[0, 0] == pytest.approx(facts.scale.of(2.0) - LAG)
    assert (seen.score, seen.suspected) == (facts.scale.of(2.0) - LAG, False)


def test_where_good_goods_look_cracked_cracks_only_ask_for_a_review():
    values = of([0.0, 0.1, 0.2, 0.3, 0.4] * 4) | {f"item {number}": 30.0 for number in (3, 8, 13)}
    scores = of([0.0, 1.0, 2.0, 1.0, 0.0] * 4)
    facts = crack_facts(values, scores, network="sha256:n")
    assert not facts.counts
    assert facts.limit == facts.scale.of(30.0)
    assert channel_of(facts).why == "channel_goods_look_cracked"
    assert fused(scores, values, facts) == scores
    seen = seen_in(np.full((1, 1), 30.0, np.float32), 30.0, facts, limit=4.0)
    assert seen.grid[0, 0] == pytest.approx(4.0)
    assert not seen.suspected
    assert seen_in(seen.grid, 31.0, facts, limit=4.0).suspected
    assert seen.score < 0


def test_only_held_out_items_speak_for_learned_cracks():
    values = {name: 0.1 * number for number, name in enumerate(names(10)[5:])}
    scores = of([1.0] * 10)
    facts = crack_facts(values, scores, network="sha256:n", held_out=names(10)[5:])
    assert set(fused(scores, values, facts)) == set(names(10)[5:])
    review = crack_facts(values, scores, network="sha256:n", judges=False)
    assert not review.counts
    assert channel_of(review).why == "channel_few_held_out"
    assert channel_of(None).why == "channel_no_network"


def test_a_confirmed_false_alarm_of_cracks_is_no_defect_any_more():
    values = of([0.0, 0.5, 1.0, 1.5, 2.0] * 4)
    facts = crack_facts(values, of([1.0] * 20), network="sha256:n")
    taught = allowing(facts, 9.0, limit=4.0)
    assert facts.scale.of(9.0) - facts.lag > 4.0 > taught.scale.of(9.0) - taught.lag
    assert allowing(taught, 1.0, limit=4.0) == taught
    review = crack_facts(values, of([1.0] * 20), network="sha256:n", judges=False)
    assert (allowing(review, 9.0, limit=4.0).limit or 0) > review.scale.of(9.0)

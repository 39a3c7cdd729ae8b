"""The law of the one judge, as values: whatever order results come in, only its own judge frees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadInputError
from contracts.inspection import InspectDecision
from contracts.judging import Pin, Standing, Watermark, judge_digest
from contracts.stock import BatchKey
from erp_link.domain.judging import (
    Result,
    ResultKind,
    mark_of,
    replaced,
    waits,
    without_rings,
    worth,
)

PASS = InspectDecision.PASS
results = st.builds(
    Result,
    st.sampled_from(ResultKind),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from(InspectDecision),
)


@given(st.lists(results, max_size=6), st.integers(1, 3), st.randoms(use_true_random=False))
def test_goods_wait_by_what_was_said_and_not_by_its_order(said, generation, rng) -> None:
    shuffled = list(said)
    rng.shuffle(shuffled)
    assert waits(said, generation) is waits(shuffled, generation)


@given(st.lists(results, max_size=6), st.integers(1, 3))
def test_only_a_pass_that_counts_in_the_newest_generation_ends_the_waiting(
    said: list[Result], generation: int
) -> None:
    machine = any(r.kind is not ResultKind.PERSON for r in said)
    freed = any(r.counts and r.decision is PASS and r.generation == generation for r in said)
    assert waits(said, generation) is (machine and not freed)


@given(st.lists(results, max_size=6), results, st.integers(1, 3))
def test_what_does_not_count_never_ends_the_waiting(
    said: list[Result], more: Result, generation: int
) -> None:
    if waits(said, generation) and not more.counts:
        assert waits([*said, more], generation)


def test_a_result_that_contradicts_its_watermark_is_another_judges() -> None:
    batch = BatchKey("ACME", "069", "L1")
    mine, other = judge_digest({"inspect": "a"}), judge_digest({"inspect": "b"})
    pin = Pin(batch, 1, mine)
    assert worth(pin, Watermark(mine), mine) is Standing.COUNTS
    assert worth(pin, Watermark(mine), other) is Standing.OTHER_JUDGE
    assert worth(pin, Watermark(mine), "") is Standing.OTHER_JUDGE
    assert worth(None, Watermark(mine), other) is Standing.UNPINNED


def test_without_a_watermark_the_sets_say_who_judged_and_nobody_was_asked() -> None:
    sets = {"read": "r", "inspect": "i", "cracks": "c"}
    judge = judge_digest({"inspect": "i", "cracks": "c", "profile": "p"})
    assert mark_of(None, sets, "p") == Watermark(judge, provisional=True)
    assert mark_of(Watermark("x", 3), sets, "p") == Watermark("x", 3)
    assert mark_of(None, {"read": "r"}, "") is None


names = st.sampled_from("abcde")


@given(st.dictionaries(names, names | st.just("")))
def test_no_set_is_replaced_by_one_that_is_taken_back(bad: dict[str, str]) -> None:
    try:
        found = without_rings(bad)
    except BadInputError:
        assert any(_comes_back(bad, name) for name in bad)
        return
    assert found.keys() == bad.keys()
    assert not set(found.values()) & bad.keys()


def _comes_back(bad: dict[str, str], name: str) -> bool:
    seen = set()
    while name in bad and name not in seen:
        seen.add(name)
        name = bad[name]
    return name in seen


def test_a_use_whose_set_is_replaced_by_none_is_left_out() -> None:
    parts = {"inspect": "a", "detector": "d"}
    assert replaced(parts, {"d": "", "x": "y"}) == {"inspect": "a"}
    assert replaced(parts, {"a": "b"}) == {"inspect": "b", "detector": "d"}
    with pytest.raises(BadInputError):
        without_rings({"a": "a"})

"""Who judges a batch, in the shared words: digests of judges, and what a result is worth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.judging import (
    GOODS_PARTS,
    Pin,
    Standing,
    Watermark,
    frees,
    judge_digest,
    parts_of,
    standing,
)
from contracts.stock import BatchKey

WATER = BatchKey("ACME", "06933132577789", "L1")
A, B = judge_digest({"inspect": "sha256:a"}), judge_digest({"inspect": "sha256:b"})
digests = st.sampled_from(["", "sha256:a", "sha256:b", "sha256:c"])
judges = st.dictionaries(st.sampled_from(GOODS_PARTS), digests)


@given(judges, judges)
def test_the_same_sets_are_the_same_judge_and_no_others(one: dict[str, str], two: dict[str, str]):
    same = {k: v for k, v in one.items() if v} == {k: v for k, v in two.items() if v}
    assert (judge_digest(one) == judge_digest(two)) is same


@given(judges)
def test_what_only_reads_is_no_part_of_the_judge(parts: dict[str, str]) -> None:
    assert judge_digest({**parts, "read": "sha256:r", "rules": "x"}) == judge_digest(parts)


def test_a_result_names_its_judge_by_its_sets_and_its_profile() -> None:
    sets = {"read": "r", "inspect": "i", "cracks": ""}
    assert parts_of(sets) == {"inspect": "i"}
    assert parts_of(sets, "p") == {"inspect": "i", "profile": "p"}
    assert parts_of({"profile": "old"}, "p") == {"profile": "p"}
    assert parts_of({"defect": "of another age"}) == {}


@pytest.mark.parametrize(
    ("pin", "mark", "found"),
    [
        (None, Watermark(A), Standing.UNPINNED),
        (Pin(WATER, 1, A), Watermark(A), Standing.COUNTS),
        (Pin(WATER, 1, A), Watermark(A, provisional=True), Standing.COUNTS),
        (Pin(WATER, 1, A), Watermark(B), Standing.OTHER_JUDGE),
        (Pin(WATER, 2, A), Watermark(A), Standing.OTHER_GENERATION),
        (Pin(WATER, 2, A), Watermark(B, 2), Standing.OTHER_JUDGE),
    ],
)
def test_a_result_counts_only_under_its_batchs_judge_and_generation(
    pin: Pin | None, mark: Watermark, found: Standing
) -> None:
    assert standing(pin, mark) is found


@given(st.sampled_from(Standing), st.booleans())
def test_only_a_pass_that_counts_frees(worth: Standing, passed: bool) -> None:  # noqa: FBT001 -- hypothesis calls by keyword
    assert frees(worth, passed=passed) is (passed and worth is Standing.COUNTS)

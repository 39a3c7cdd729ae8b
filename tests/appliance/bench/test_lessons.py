"""What taught misses are worth is measured on items that nobody taught or enrolled."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.bench.inspecting.lessons import FEWEST_MEASURED, Shot, recall_at, split_of
from appliance.bench.inspecting.plates import FAULTS, plate

SPECK = np.zeros((4, 4, 3), np.uint8)


def shots(good: int, bad: int, *, shared: bool) -> list[Shot]:
    side = "board" if shared else "good"
    whole = [Shot(f"{side}-{n % good}", SPECK) for n in range(2 * good)]
    return whole + [Shot(f"{'board' if shared else 'bad'}-{n}", SPECK, "dent") for n in range(bad)]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_no_item_is_both_taught_and_measured(shared, seed):
    split = split_of(shots(40, 40, shared=shared), seed)
    known = {one.item for one in split.enrolled + split.teach}
    measured = {one.item for one in split.good + split.bad}
    assert known
    assert measured
    assert not known & measured
    assert len({one.item for one in split.enrolled}) == len(split.enrolled)


def test_where_good_items_are_few_most_are_enrolled_and_some_are_measured():
    split = split_of(shots(30, 20, shared=False), 1)
    assert len(split.enrolled) == 22
    assert len({one.item for one in split.good}) == FEWEST_MEASURED
    assert len(split.teach) == len(split.bad) == 10


def test_recall_counts_what_lies_above_all_but_a_twentieth_of_the_good():
    good = [float(n) for n in range(100)]
    assert recall_at(good, [93.5, 95.5, 99.0, 3.0]) == 0.5
    assert recall_at([1.0, 2.0], [1.5, 2.5]) == 0.5


def test_a_faulty_plate_is_the_whole_one_but_for_its_fault():
    for fault in FAULTS:
        whole, spoilt = plate(3), plate(3, fault=fault)
        assert whole.shape == spoilt.shape
        assert not np.array_equal(whole, spoilt)
    assert np.array_equal(plate(4), plate(4))

"""Whole-picture measures and the gate over them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vision.defects.conftest import tile
from vision.defects.backbone import analysis_size
from vision.defects.bank import variants, variants_for
from vision.defects.places import learn, strangeness
from vision.defects.scale import scale_of


@pytest.mark.parametrize(
    ("frame", "size"),
    [((512, 512), (256, 256)), ((1280, 960), (288, 224)), ((4000, 100), (1616, 48))],
)
def test_pictures_are_analysed_in_their_own_shape(frame, size):
    assert analysis_size(*frame) == size


def test_few_pictures_are_varied_more_than_many():
    assert [variants_for(count) for count in (1, 6, 20, 60, 500)] == [10, 10, 3, 1, 1]
    for count in range(1, 11):
        assert len(variants(tile(1), count)) == count


def test_the_odd_one_out_is_strange_in_its_own_place_only():
    random = np.random.default_rng(1)
    usual = random.normal(size=(4, 4, 152)).astype(np.float32)
    items = [[usual + random.normal(0, 0.1, usual.shape).astype(np.float32)] for _ in range(12)]
    items = [[one / np.linalg.norm(one, axis=2, keepdims=True) for one in item] for item in items]
    mean, spread, strangest = learn(items)
    changed = items[0][0].copy()
    changed[2, 3] = -changed[2, 3]
    found = strangeness(changed, mean, spread)
    assert np.unravel_index(found.argmax(), found.shape) == (2, 3)
    assert found.max() > 10 * max(strangest)


def test_a_scale_is_not_moved_by_one_odd_item():
    even = scale_of([1.0, 1.1, 0.9, 1.05, 0.95, 1.0])
    odd = scale_of([1.0, 1.1, 0.9, 1.05, 0.95, 50.0])
    assert odd.typical == pytest.approx(even.typical, abs=0.05)
    assert odd.deviation < 0.2

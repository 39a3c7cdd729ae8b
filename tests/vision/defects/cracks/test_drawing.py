"""Drawn cracks are thin, darker than their ground, and in the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.defects.cracks.drawing import crack, distraction


def ground(draw: np.random.Generator) -> np.ndarray:
    return draw.normal(130, 5, (128, 144)).astype(np.float32)


@given(seed=st.integers(0, 10_000))
def test_a_drawn_crack_is_darker_where_its_mask_is(seed: int) -> None:
    draw = np.random.default_rng(seed)
    before = ground(draw)
    after, mask = crack(before, 5.0, draw)
    assert after.shape == mask.shape == before.shape
    assert after.dtype == np.float32
    assert 0 <= after.min() <= after.max() <= 255
    if mask.any():
        assert after[mask].mean() < before[mask].mean()


def test_most_cracks_show_and_stay_thin() -> None:
    draw = np.random.default_rng(3)
    masks = [crack(ground(draw), 5.0, draw)[1] for _ in range(60)]
    assert sum(mask.sum() >= 20 for mask in masks) > 45
    assert np.median([mask.mean() for mask in masks]) < 0.05


@pytest.mark.parametrize("seed", range(12))
def test_a_distraction_changes_the_picture_and_keeps_its_range(seed: int) -> None:
    draw = np.random.default_rng(seed)
    before = ground(draw)
    after = distraction(before, 5.0, draw)
    assert after.shape == before.shape
    assert 0 <= after.min() <= after.max() <= 255
    assert not np.array_equal(after, before)


def test_the_same_seed_draws_the_same_crack() -> None:
    one, two = (
        crack(np.full((96, 96), 100, np.float32), 4.0, np.random.default_rng(9)) for _ in range(2)
    )
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])

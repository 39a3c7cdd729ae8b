"""Vectors in one byte a number: close to what they were, and the same however often."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vision.defects.packing import packed, unpacked

SHARES = st.integers(-1000, 1000).map(lambda share: share / 1000)


@given(arrays(np.float32, (3, 8), elements=SHARES))
def test_packing_twice_changes_nothing(rows: np.ndarray):
    once = packed(rows)
    assert np.array_equal(packed(unpacked(once)), once)


def test_a_patch_stays_where_it_was():
    rows = np.random.default_rng(1).gamma(0.5, size=(500, 152)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    likeness = (unpacked(packed(rows)) * rows).sum(axis=1)
    assert np.abs(1 - likeness).max() < 3e-4


def test_no_rows_are_no_rows():
    assert unpacked(packed(np.empty((0, 152), np.float32))).shape == (0, 152)
    assert unpacked(packed(np.empty((0, 0, 152), np.float32))).shape == (0, 0, 152)

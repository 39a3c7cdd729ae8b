"""Ranking as the bench counts it: ties, intervals by item, and sets that say little."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bench.inspecting.photos import (
    auroc,
    fails,
    interval,
    recall_at,
    shortcut,
    shortcut_score,
)

scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


@given(good=scores, bad=scores)
def test_the_ranking_is_the_share_of_pairs_won_ties_half(good: list[float], bad: list[float]):
    won = sum(1.0 if b > g else 0.5 if b == g else 0.0 for g in good for b in bad)
    assert auroc(good, bad) == pytest.approx(won / (len(good) * len(bad)))


def test_without_one_kind_there_is_no_ranking():
    assert math.isnan(auroc([], [1.0]))


def test_ten_pictures_of_one_part_do_not_make_a_figure_surer():
    good = [(f"part {n}", float(n)) for n in range(6)]
    bad = [(f"part {n}", float(n) + 1.5) for n in range(6)]
    once = interval(good, bad)
    tenfold = interval(
        [pair for pair in good for _ in range(10)], [b for b in bad for _ in range(10)]
    )
    assert once == pytest.approx(tenfold)
    assert once[0] < auroc([s for _, s in good], [s for _, s in bad]) < once[1]


def test_recall_is_counted_above_what_so_many_good_ones_exceed():
    good = [float(n) for n in range(100)]
    assert recall_at(good, [94.0, 96.0, 200.0], 5) == pytest.approx(2 / 3)


def test_a_set_whose_shortcut_is_nearly_as_good_says_little():
    assert fails(0.95, 0.91)
    assert not fails(0.95, 0.85)


def test_a_shortcut_sees_the_lamp_and_nothing_else():
    draw = np.random.default_rng(1)
    usual = [shortcut(draw.integers(90, 110, (64, 64, 3)).astype(np.uint8), 4000) for _ in range(4)]
    alike = shortcut(draw.integers(90, 110, (64, 64, 3)).astype(np.uint8), 4000)
    bright = shortcut(draw.integers(190, 210, (64, 64, 3)).astype(np.uint8), 4000)
    assert shortcut_score(usual, bright) > 5 * shortcut_score(usual, alike)

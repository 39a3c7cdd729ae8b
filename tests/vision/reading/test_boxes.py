"""Broken lines are completed by the regularity of print."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vision.reading.boxes import CompletionSettings, complete, dominant_angle

SETTINGS = CompletionSettings()


def box(left: float, right: float, y: float, height: float = 20.0) -> list[float]:
    return [(left + right) / 2, y, right - left, height, 0.0]


def test_two_pieces_of_one_line_are_one_line() -> None:
    done = complete(np.array([box(100, 200, 50), box(240, 400, 51)]), SETTINGS)
    assert len(done) == 1
    assert np.isclose(done[0, 2], 300, atol=2)


def test_lines_far_apart_stay_apart() -> None:
    assert len(complete(np.array([box(0, 100, 50), box(400, 500, 50)]), SETTINGS)) == 2


def test_a_short_line_is_stretched_to_its_block() -> None:
    rows = np.array([box(100, 300, 50), box(180, 300, 80), box(100, 300, 110), box(100, 300, 140)])
    done = complete(rows, SETTINGS)
    second = done[np.argsort(done[:, 1])][1]
    assert np.isclose(second[0] - second[2] / 2, 100, atol=2)


def test_a_row_missing_in_a_regular_block_is_looked_at_too() -> None:
    rows = np.array([box(100, 300, y) for y in (50, 80, 140, 170)])
    done = complete(rows, SETTINGS)
    assert np.any(np.abs(done[:, 1] - 110) < 2)


def test_a_turned_page_gives_the_same_lines_turned() -> None:
    rows = np.array([box(100, 200, 50), box(240, 400, 51)])
    turn = 0.2
    c, s = np.cos(turn), np.sin(turn)
    turned = rows.copy()
    turned[:, 0], turned[:, 1] = rows[:, 0] * c - rows[:, 1] * s, rows[:, 0] * s + rows[:, 1] * c
    turned[:, 4] = turn
    assert np.isclose(dominant_angle(turned), turn)
    assert len(complete(turned, SETTINGS)) == 1


def test_no_boxes_no_lines() -> None:
    assert len(complete(np.empty((0, 5)), SETTINGS)) == 0


@settings(deadline=None)
@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 12), st.just(5)),
        elements=st.floats(5, 500, allow_nan=False),
    )
)
def test_any_boxes_give_finite_boxes_that_do_not_run_away(raw: np.ndarray) -> None:
    raw[:, 4] = raw[:, 4] / 500 - 0.5
    done = complete(raw, SETTINGS)
    assert np.isfinite(done).all()
    assert (done[:, 2:4] > 0).all()
    assert len(done) <= 2 * len(raw) + 2

"""Confidence that holds raises no alarm; confidence that drifts does, and soon."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.readrates.drift import (
    THRESHOLD,
    Sequential,
    calibration_error,
    overstated,
    stability,
    understated,
)

Detector = Callable[[Sequence[float], Sequence[bool]], Sequential]
CONFIDENCE = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def readings(
    count: int, *, odds: float = 1.0, seed: int = 5, least: float = 0.5
) -> tuple[list[float], list[bool]]:
    """Stated confidences, and outcomes whose odds are `odds` times what is stated."""
    rng = np.random.default_rng(seed)
    p = least + (0.999 - least) * rng.random(count)
    true = p * odds / (1 - p + p * odds)
    return p.tolist(), (rng.random(count) < true).tolist()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("test", [overstated, understated])
def test_true_statements_raise_no_alarm(test: Detector, seed: int) -> None:
    assert not test(*readings(4000, seed=seed)).alarm


@pytest.mark.parametrize(
    ("odds", "test", "other"),
    [(0.3, overstated, understated), (3.0, understated, overstated)],
)
def test_drift_is_found_within_a_few_hundred_settled_cartons(
    odds: float, test: Detector, other: Detector
) -> None:
    good, wrong = readings(1000), readings(400, odds=odds)
    p, y = good[0] + wrong[0], good[1] + wrong[1]
    found = test(p, y)
    assert found.alarm
    assert found.since is not None
    assert 1000 <= found.since < 1300
    assert not other(p, y).alarm


def test_a_high_threshold_set_that_errs_is_found_though_it_is_nearly_always_right() -> None:
    p = [0.995] * 600
    y = [number % 20 != 0 for number in range(600)]
    assert overstated(p, y).alarm


def test_one_surprise_at_near_certainty_raises_no_alarm() -> None:
    p, y = readings(500)
    assert not overstated([*p, 0.9999999], [*y, False]).alarm
    assert overstated([1.0], [False]).evidence < THRESHOLD
    assert overstated([0.0], [True]).evidence <= 1.5


def test_an_alarm_ends_once_the_evidence_is_gone() -> None:
    wrong, good = readings(200, odds=0.2), readings(4000)
    p, y = wrong[0] + good[0], wrong[1] + good[1]
    assert overstated(*wrong).alarm
    assert not overstated(p, y).alarm


def test_calibration_error_of_true_statements_is_what_chance_gives() -> None:
    found = calibration_error(*readings(3000))
    assert found is not None
    assert not found.is_significant
    assert found.error <= found.upper
    assert sum(each.total for each in found.bins) == found.total == 3000


def test_calibration_error_of_a_set_that_is_too_sure_stands_out() -> None:
    p = [0.9] * 500 + [0.99] * 500
    y = [number % 10 < 8 for number in range(1000)]
    found = calibration_error(p, y)
    assert found is not None
    assert found.error == pytest.approx((0.1 + 0.19) / 2, abs=1e-9)
    assert found.is_significant
    assert [each.total for each in found.bins] == [500, 500]
    assert [each.share.hits for each in found.bins] == [400, 400]


def test_nothing_settled_says_nothing() -> None:
    assert calibration_error([], []) is None
    assert not overstated([], []).alarm
    assert stability([0, 0], [1, 2]) is None
    assert stability([1, 2], [0, 0]) is None


@settings(deadline=None)
@given(CONFIDENCE)
def test_any_few_readings_give_numbers_in_their_ranges(pairs: list[tuple[float, bool]]) -> None:
    p, y = [each[0] for each in pairs], [each[1] for each in pairs]
    found = calibration_error(p, y)
    assert found is not None
    assert 0.0 <= found.error <= 1.0
    assert sum(each.total for each in found.bins) == len(pairs)
    assert overstated(p, y).evidence >= 0.0


def test_the_same_mix_of_confidence_is_stable_and_another_is_not() -> None:
    reference = [10] * 10 + [40] * 5 + [200] * 5
    same = stability(reference, [each // 4 for each in reference])
    other = stability(reference, list(reversed(reference)))
    assert same is not None
    assert same.index < 0.01
    assert other is not None
    assert other.shifted


def test_a_week_of_few_cartons_is_not_called_a_shift_by_chance() -> None:
    rng = np.random.default_rng(3)
    share = np.array([1, 1, 2, 3, 5, 8, 13, 21, 34, 55]) / 143
    reference = (2000 * share).astype(int).tolist()
    weeks = [rng.multinomial(25, share).tolist() for _ in range(60)]
    shifted = [found for week in weeks if (found := stability(reference, week)) and found.shifted]
    assert len(shifted) <= 2

"""Enrolled anew again and again: stated bounds hold in nearly every enrolment."""

from __future__ import annotations

import pytest

from appliance.bench.inspecting.recalibration import made_scores


@pytest.mark.parametrize(("items", "bound"), [(19, 5), (49, 2), (99, 1)])
def test_good_batches_are_frozen_within_the_bound_in_95_of_100_enrolments(items, bound):
    told = made_scores(items=items, bound_percent=bound)
    assert told["recalibrations"] == 200
    assert told["false_freezes_mean_percent"] <= told["freeze_error_percent"]
    assert told["recalibrations_within_percent"] >= 95
    assert told["passed"]

"""What speaks against a candidate: it changes a carton's way for the worse, or comes late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.shadow.comparing import (
    Tallies,
    compare_goods,
    compare_reading,
    is_late,
    would_take_ms,
)
from contracts.events import ShadowJudged
from contracts.inspection import InspectDecision, Inspection
from contracts.ota import Shadow, ShadowReport, Tally
from contracts.reading import FieldValue
from tests.support.docks import DOUBTFUL, READ

PASS, DEFECT, REVIEW = InspectDecision.PASS, InspectDecision.DEFECT, InspectDecision.REVIEW
OTHER_LOT = replace(READ, fields=replace(READ.fields, batch=FieldValue("LOT-8", 0.99, "text")))


def seen(decision: InspectDecision) -> Inspection:
    return Inspection("goods", 1.0, 2.0, decision, (), (), "sha256:a", 30.0, "p")


@pytest.mark.parametrize(
    ("said", "stood", "harmful"),
    [
        (PASS, PASS, False),
        (PASS, DEFECT, True),
        (DEFECT, PASS, True),
        (REVIEW, PASS, True),
        (REVIEW, DEFECT, False),
        (PASS, REVIEW, False),
        (DEFECT, REVIEW, False),
    ],
)
def test_goods_passed_or_rejected_against_the_running_set(said, stood, *, harmful) -> None:
    assert compare_goods(seen(said), seen(stood)).harmful is harmful


def test_a_label_read_as_another_batch_or_no_longer_read_is_harm() -> None:
    assert not compare_reading(READ, READ).harmful
    assert compare_reading(OTHER_LOT, READ).harmful
    assert compare_reading(DOUBTFUL, READ).harmful
    assert not compare_reading(READ, DOUBTFUL).harmful, "a person settles what was in doubt"


def test_a_candidate_is_late_where_the_carton_would_miss_its_lane_because_of_it() -> None:
    usual = {"stood_ms": 100.0, "carton_ms": 300.0, "budget_ms": 600.0}
    assert not is_late(said_ms=390.0, **usual)
    assert is_late(said_ms=410.0, **usual)
    slow = {"stood_ms": 400.0, "carton_ms": 700.0, "budget_ms": 600.0}
    assert not is_late(said_ms=420.0, **slow), "the running set is as slow"


def test_a_candidate_is_timed_by_its_work_not_by_what_the_machine_had_left_for_it() -> None:
    assert would_take_ms(said_cpu_ms=300.0, stood_cpu_ms=200.0, stood_ms=100.0) == 150.0
    assert would_take_ms(said_cpu_ms=300.0, stood_cpu_ms=0.0, stood_ms=100.0) == 0.0


def test_tallies_are_cumulative_over_a_restart_and_end_with_their_shadow() -> None:
    shadow = Shadow("R1", "read", "sha256:b")
    word = ShadowJudged(
        "dock-1", "C1", "R1", "read", "sha256:b", "sha256:a", "review", "accept",
        harmful=True, late=False,
    )  # fmt: skip
    tallies = Tallies()
    tallies.count(word)
    after = Tallies()
    after.take_over(tallies.reports((shadow,)))
    after.count(replace(word, harmful=False, error="ValueError: shape"))
    (report,) = after.reports((shadow,))
    assert report.signals == {"harm": Tally(2, 1), "latency": Tally(2, 0), "error": Tally(2, 1)}
    another = Shadow("R2", "read", "sha256:c")
    assert after.reports((another,)) == (ShadowReport("R2", "read", "sha256:c"),)

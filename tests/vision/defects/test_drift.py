"""A run of pictures under one profile: when it tells of drift, and what that does to verdicts."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from contracts.inspection import InspectDecision, Inspection
from contracts.reason import Reason
from vision.defects.drift import (
    RUN,
    SETTLED,
    DriftFacts,
    DriftWatch,
    Measures,
    WatchState,
    learn_drift,
)
from vision.defects.gate import Seen
from vision.defects.looks import Look
from vision.defects.usual import THUMB_PX, Usual

NAMES = tuple(Measures.__slots__)
SPREAD = Measures(
    light=0.02, highlight=0.015, sharpness=0.05, fineness=0.02, x=0.003, y=0.002, typical=0.12
)
FLAT = Usual(bytes(THUMB_PX * THUMB_PX), bytes(THUMB_PX * THUMB_PX))


def drawn(random: np.random.Generator, **moved: float) -> Measures:
    """A good item's measures, each moved by so much; none of them an outlier."""
    return Measures(
        **{
            name: float(np.clip(random.normal(), -2, 2)) * getattr(SPREAD, name)
            + moved.get(name, 0.0)
            for name in NAMES
        }
    )


def enrolled(random: np.random.Generator, items: int = 22) -> DriftFacts:
    good = [drawn(random) for _ in range(items)]
    return DriftFacts(FLAT, **{name: tuple(getattr(one, name) for one in good) for name in NAMES})


def seen(measures: Measures | None) -> Seen:
    return Seen(500, 400, 100.0, 1.0, 0.1, 0.0, None, measures=measures)


def judged(decision: InspectDecision = InspectDecision.PASS, *codes: str) -> Inspection:
    return Inspection("", 1.0, 5.0, decision, tuple(map(Reason, codes)), (), "set", 1.0)


def shown(watch: DriftWatch, random: np.random.Generator, count: int, **moved: float) -> None:
    for _ in range(count):
        watch.settle(judged(), seen(drawn(random, **moved)))


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(4)


@pytest.fixture
def watch(random: np.random.Generator) -> DriftWatch:
    return DriftWatch(enrolled(random))


@pytest.mark.parametrize(
    ("moved", "code"),
    [
        ({"light": -0.16, "highlight": -0.16}, "view_darker"),
        ({"light": 0.14, "highlight": 0.1}, "view_brighter"),
        ({"fineness": -0.3, "sharpness": -0.8}, "view_blurred"),
        ({"fineness": 0.2}, "view_sharper"),
        ({"x": 8 / 500}, "view_shifted"),
        ({"y": -8 / 400}, "view_shifted"),
        ({"typical": 0.6}, "view_unlike"),
    ],
)
def test_a_run_tells_what_changed(watch, random, moved, code):
    shown(watch, random, RUN, **moved)
    assert [reason.code for reason in watch.reasons] == [code]


def test_a_shift_is_told_in_pixels_of_the_frame(watch, random):
    shown(watch, random, RUN, x=0.02)
    assert watch.reasons[0].params["x_px"] == pytest.approx(10, abs=2)
    assert watch.reasons[0].params["y_px"] == 0


def test_while_suspended_a_pass_and_a_defect_are_reviews_that_say_why(watch, random):
    shown(watch, random, RUN, light=-0.16)
    for decision in (InspectDecision.PASS, InspectDecision.DEFECT):
        settled = watch.settle(judged(decision), seen(drawn(random, light=-0.16)))
        assert settled.decision is InspectDecision.REVIEW
        assert [reason.code for reason in settled.reasons] == ["view_drifted", "view_darker"]
    assert not watch.steady


def test_a_review_stays_as_it_is(watch, random):
    shown(watch, random, RUN, light=-0.16)
    hand = judged(InspectDecision.REVIEW, "view_obstructed")
    assert watch.settle(hand, seen(drawn(random))) == hand


def test_a_drift_in_the_middle_of_a_run_is_told_too(watch, random):
    shown(watch, random, 3 * RUN)
    assert not watch.suspended
    shown(watch, random, SETTLED, light=-0.16)
    assert watch.suspended


def test_it_ends_after_a_full_run_in_range_and_not_before(watch, random):
    shown(watch, random, RUN, light=-0.16)
    shown(watch, random, RUN - 1)
    assert watch.suspended
    shown(watch, random, 1)
    assert not watch.suspended
    assert watch.steady


def test_one_picture_out_of_range_starts_the_count_anew(watch, random):
    shown(watch, random, RUN, light=-0.16)
    shown(watch, random, RUN - 1)
    shown(watch, random, 1, light=-0.3)
    shown(watch, random, RUN - 1)
    assert watch.suspended


def test_no_batch_is_frozen_before_some_pictures_of_the_run_were_seen(watch, random):
    shown(watch, random, SETTLED - 1)
    assert not watch.steady
    shown(watch, random, 1)
    assert watch.steady


def test_a_watch_goes_on_after_a_restart(watch, random):
    facts = enrolled(random)
    shown(watch, random, RUN, light=-0.16)
    kept = msgspec.json.decode(msgspec.json.encode(watch.state), type=WatchState)
    again = DriftWatch(facts, kept)
    assert again.suspended
    assert again.reasons == watch.reasons
    assert again.state == watch.state


@pytest.mark.parametrize("code", ["view_unfamiliar", "view_obstructed", "view_other_product"])
def test_hands_and_strangers_say_nothing_of_lamp_and_lens(watch, random, code):
    for _ in range(RUN):
        measures = drawn(random, light=-0.5, typical=1.0)
        watch.settle(judged(InspectDecision.REVIEW, code), seen(measures))
    assert not watch.suspended


def test_pictures_of_another_size_are_left_out(watch, random):
    for _ in range(RUN):
        watch.settle(judged(InspectDecision.REVIEW, "view_size"), seen(None))
    assert watch.state == WatchState()


def test_goods_more_usual_than_the_enrolled_ones_are_no_drift(watch, random):
    shown(watch, random, RUN, typical=-0.8)
    assert not watch.suspended


def test_a_run_of_goods_that_are_alike_within_what_is_common_is_no_drift(random):
    """A batch from one mould: all at the edge of what the enrolled ones show, none beyond it."""
    facts = replace(enrolled(random, 40), sharpness=tuple(np.linspace(-0.4, 0.4, 40).tolist()))
    watch = DriftWatch(facts)
    for _ in range(RUN):
        watch.settle(judged(), seen(replace(drawn(random), sharpness=0.25)))
    assert not watch.suspended


def test_undrifted_runs_are_seldom_suspended():
    random = np.random.default_rng(1)
    told = 0
    for _ in range(60):
        watch = DriftWatch(enrolled(random))
        shown(watch, random, 2 * RUN)
        told += watch.suspended
    assert told <= 3


def look(light: float, move: int) -> Look:
    thumb = np.full((THUMB_PX, THUMB_PX), 60.0, np.float32)
    thumb[30 + move : 90 + move, 40:100] = 140
    scene = np.ones((16, 4), np.float32)
    return Look(100.0 * light, 1.0, thumb * np.float32(light), scene, 140 * light, 0.9, 0.0, 0.02)


def test_facts_have_one_value_an_item_and_travel_as_json():
    random = np.random.default_rng(3)
    looks = [look(float(random.uniform(0.98, 1.02)), int(n % 3)) for n in range(24)]
    items = [f"item {n // 2}" for n in range(24)]
    facts = learn_drift(looks, [0.1] * 24, items=items)
    assert {len(getattr(facts, name)) for name in NAMES} == {12}
    assert facts.bright_share == pytest.approx(0.02)
    assert msgspec.json.decode(msgspec.json.encode(facts), type=DriftFacts) == facts


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_pictures_make_facts_that_claim_nothing(count):
    facts = learn_drift(
        [look(1.0, n) for n in range(count)], [0.1] * count, items=[str(n) for n in range(count)]
    )
    watch = DriftWatch(facts)
    for _ in range(RUN):
        watch.settle(judged(), seen(Measures(-1, -1, -1, -1, 0.1, 0.1, 1)))
    assert not watch.suspended

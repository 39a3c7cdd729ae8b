"""An operator says that a judgement was wrong: the candidate knows better, the old profile stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from contracts.errors import BadInputError
from contracts.inspection import InspectDecision
from tests.vision.defects.conftest import scratched, tile
from vision.defects.inspector import DefectInspector
from vision.defects.profile import MOST_BYTES, Profile
from vision.defects.teaching import MOST_FALSE_ALARMS, MOST_MISSES


def stickered(seed: int) -> np.ndarray:
    """A tile with a harmless sticker."""
    image = tile(seed)
    cv2.rectangle(image, (60, 60), (90, 85), (40, 180, 230), -1)
    return image


def test_a_taught_false_alarm_looks_less_strange(inspector: DefectInspector, profile: Profile):
    image = stickered(10)
    before = inspector.inspect(image, profile, name="").inspection
    taught = inspector.teach(profile, image, kind="false_alarm")
    after = inspector.inspect(image, taught, name="").inspection
    assert before.decision is InspectDecision.DEFECT
    assert after.score < before.score
    assert taught.facts.threshold == profile.facts.threshold


def test_teaching_a_false_alarm_does_not_blind_the_station_to_scratches(
    inspector: DefectInspector, profile: Profile
):
    taught = inspector.teach(profile, stickered(10), kind="false_alarm")
    seen = inspector.inspect(scratched(11), taught, name="").inspection
    assert seen.decision is InspectDecision.DEFECT


def test_a_taught_miss_never_passes_again(inspector: DefectInspector, profile: Profile):
    image = tile(12)
    cv2.line(image, (100, 60), (108, 66), (165, 165, 165), 1, cv2.LINE_AA)
    missed = inspector.inspect(image, profile, name="").inspection
    assert missed.decision is InspectDecision.PASS
    taught = inspector.teach(profile, image, kind="miss")
    seen = inspector.inspect(image, taught, name="").inspection
    assert seen.decision is InspectDecision.REVIEW
    assert seen.reasons[0].code == "like_taught_defect"


def test_the_old_profile_stays_and_the_new_one_names_it(
    inspector: DefectInspector, profile: Profile
):
    digest = profile.digest
    taught = inspector.teach(profile, scratched(13), kind="miss")
    assert profile.digest == digest
    assert profile.facts.lessons == ()
    assert taught.digest != digest
    assert taught.facts.parent == digest
    assert [lesson.kind for lesson in taught.facts.lessons] == ["miss"]
    assert taught.good_items == profile.good_items


def test_a_profile_full_of_lessons_fits_and_takes_no_more(
    inspector: DefectInspector, profile: Profile
):
    full = profile
    for number in range(MOST_FALSE_ALARMS):
        full = inspector.teach(full, stickered(100 + number), kind="false_alarm")
    for number in range(MOST_MISSES):
        full = inspector.teach(full, scratched(200 + number), kind="miss")
    assert len(full.to_bytes()) <= MOST_BYTES
    for kind in ("false_alarm", "miss"):
        with pytest.raises(BadInputError, match="no more fit"):
            inspector.teach(full, tile(1), kind=kind)


def test_a_lesson_from_another_camera_is_refused(inspector: DefectInspector, profile: Profile):
    with pytest.raises(BadInputError, match="160 x 160 px"):
        inspector.teach(profile, cv2.resize(tile(1), (160, 160)), kind="miss")

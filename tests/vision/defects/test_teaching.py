"""An operator says that a judgement was wrong: the candidate knows better, the old profile stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from contracts.errors import BadInputError
from contracts.geometry import Region
from contracts.inspection import InspectDecision
from tests.vision.defects.conftest import SIDE_PX, scratched, tile
from vision.defects.inspector import DefectInspector
from vision.defects.profile import MOST_BYTES, Profile
from vision.defects.teaching import MOST_FALSE_ALARMS, MOST_MISSES, ROWS_OF_A_MISS

WHERE = Region(90, 50, 40, 30, 0.0)


def stickered(seed: int) -> np.ndarray:
    """A tile with a harmless sticker."""
    image = tile(seed)
    cv2.rectangle(image, (60, 60), (90, 85), (40, 180, 230), -1)
    return image


def nicked(seed: int) -> np.ndarray:
    """A tile with a nick so faint that the memory passes it."""
    image = tile(seed)
    cv2.line(image, (100, 60), (108, 66), (165, 165, 165), 1, cv2.LINE_AA)
    return image


def speckled(image: np.ndarray, seed: int) -> np.ndarray:
    """Harmless specks, on good tiles too: they set the limit, and dull coats stay below it."""
    random = np.random.default_rng(seed + 9000)
    for _ in range(int(random.integers(1, 4))):
        x, y = random.integers(70, 250, 2).tolist()
        colour = [int(value) for value in random.integers(60, 250, 3)]
        cv2.circle(image, (x, y), int(random.integers(3, 7)), colour, -1, cv2.LINE_AA)
    return image


def dulled(seed: int) -> np.ndarray:
    """A tile whose coat is matt in one place, among specks."""
    image = tile(seed)
    x, y = np.random.default_rng(seed).integers(80, 200, 2).tolist()
    image[y : y + 44, x : x + 44] = cv2.GaussianBlur(image, (0, 0), 2.2)[y : y + 44, x : x + 44]
    return speckled(image, seed)


@pytest.fixture(scope="module")
def specked(inspector: DefectInspector) -> Profile:
    return inspector.enrol([speckled(tile(seed), seed) for seed in range(24)], product="tile")


@pytest.fixture(scope="module")
def dull_taught(inspector: DefectInspector, specked: Profile) -> Profile:
    made = specked
    for number in range(10):
        made = inspector.teach(
            made, dulled(500 + number), kind="miss", defect="wet", picture=f"{number:064x}"
        )
    return made


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
    image = nicked(12)
    missed = inspector.inspect(image, profile, name="").inspection
    assert missed.decision is InspectDecision.PASS
    taught = inspector.teach(profile, image, kind="miss")
    seen = inspector.inspect(image, taught, name="").inspection
    assert seen.decision is InspectDecision.REVIEW
    assert seen.reasons[0].code == "like_taught_defect"


def test_ten_taught_misses_find_others_like_them_and_make_no_defect(
    inspector: DefectInspector, specked: Profile, dull_taught: Profile
):
    """No bound is stated for what a head finds: it is reviewed, never held by itself."""
    head = dull_taught.facts.head
    assert head is not None
    assert head.caught >= 8
    found = 0
    for number in range(8):
        image = dulled(600 + number)
        before, after = (
            inspector.inspect(image, made, name="").inspection for made in (specked, dull_taught)
        )
        assert after.score >= before.score
        assert (after.decision is InspectDecision.DEFECT) == (
            before.decision is InspectDecision.DEFECT
        )
        found += "like_taught_defect" in {reason.code for reason in after.reasons}
    assert found >= 5
    good = [
        inspector.inspect(speckled(tile(800 + n), 800 + n), dull_taught, name="").inspection
        for n in range(8)
    ]
    likes = [
        reason for one in good for reason in one.reasons if reason.code == "like_taught_defect"
    ]
    assert len(likes) <= 2


def test_regions_are_called_what_the_operator_called_them(
    inspector: DefectInspector, dull_taught: Profile
):
    named = [
        region.kind
        for number in range(8)
        for region in inspector.inspect(
            dulled(660 + number), dull_taught, name=""
        ).inspection.regions
    ]
    assert "wet" in named
    assert set(named) <= {"wet", "anomaly", "crack"}


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


def test_lessons_are_told_with_class_and_picture(dull_taught: Profile):
    lessons = dull_taught.facts.lessons
    assert len(lessons) == 10
    assert {(lesson.kind, lesson.defect) for lesson in lessons} == {("miss", "wet")}
    assert lessons[3].picture == f"{3:064x}"
    again = Profile.from_bytes(dull_taught.to_bytes(), name="taught.profile")
    assert again.facts == dull_taught.facts
    assert np.array_equal(again.head, dull_taught.head)


@pytest.mark.parametrize(("kind", "defect"), [("miss", "ugly"), ("false_alarm", "dent")])
def test_a_class_that_cannot_be_is_refused(
    inspector: DefectInspector, profile: Profile, kind, defect
):
    with pytest.raises(BadInputError, match="no class of a"):
        inspector.teach(profile, tile(1), kind=kind, defect=defect)


def test_a_flaw_that_was_pointed_at_is_taken_from_there(
    inspector: DefectInspector, profile: Profile
):
    anywhere = inspector.teach(profile, nicked(12), kind="miss")
    pointed = inspector.teach(profile, nicked(12), kind="miss", where=WHERE)
    assert pointed.flaws.shape == anywhere.flaws.shape == (ROWS_OF_A_MISS, profile.bank.shape[1])
    at = np.float32(SIDE_PX / 32)
    patches = inspector.backbone.patches(nicked(12), (256, 256))
    row, column = np.divmod((patches.reshape(-1, 152) @ pointed.flaws[0]).argmax(), 32)
    assert 80 <= column * at <= 130
    assert 40 <= row * at <= 80


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

"""What the label camera tells of a carton's outside."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from contracts.condition import ConditionKind
from contracts.errors import BadInputError
from contracts.inspection import InspectDecision
from tests.vision.condition.conftest import PLAIN, PRINTED, good, seen
from vision.condition.enrolment import Shown
from vision.condition.inspector import ConditionInspector
from vision.condition.profile import ConditionProfile


def codes(found) -> set[str]:
    return {reason.code for reason in found.reasons}


def test_whole_cartons_pass_under_the_stated_bound(inspector, printed) -> None:
    found = [inspector.check(seen(PRINTED, seed), printed) for seed in range(100, 104)]

    assert [one.decision for one in found] == [InspectDecision.PASS] * 4
    assert {one.bound_percent for one in found} == {5}
    assert found[0].compared
    assert found[0].profile == printed.digest


@pytest.mark.parametrize("damage", ["crushed", "torn", "wet", "opened", "changed"])
@pytest.mark.parametrize("supplier", [PRINTED, PLAIN])
def test_a_damaged_carton_is_called_damaged_and_the_place_is_shown(
    inspector, printed, plain, supplier, damage
) -> None:
    profile = printed if supplier is PRINTED else plain

    found = inspector.check(seen(supplier, 104, damage), profile)

    assert found.decision is InspectDecision.DEFECT
    worst = found.findings[0]
    assert worst.limit is not None
    assert worst.score > worst.limit
    assert worst.region is not None
    assert 0 < worst.region.width_px < 640
    assert f"carton_{worst.kind}" in codes(found)


def test_a_corner_pushed_in_is_crushed(inspector, printed) -> None:
    found = inspector.check(seen(PRINTED, 105, "crushed"), printed)

    assert ConditionKind.CRUSHED in {finding.kind for finding in found.findings}


def test_a_stain_is_wet(inspector, printed) -> None:
    found = inspector.check(seen(PRINTED, 106, "wet"), printed)

    assert found.findings[0].kind is ConditionKind.WET


def test_another_lamp_is_no_damage(inspector, printed) -> None:
    frame = np.clip(seen(PRINTED, 107) * 0.85, 0, 255).astype(np.uint8)

    assert inspector.check(frame, printed).decision is InspectDecision.PASS


def test_few_good_cartons_lead_to_review_never_to_damaged(inspector) -> None:
    profile = inspector.enrol(good(PRINTED, 3), product="ACME")

    whole = inspector.check(seen(PRINTED, 108), profile)
    torn = inspector.check(seen(PRINTED, 108, "torn"), profile)

    assert whole.decision is torn.decision is InspectDecision.REVIEW
    assert "few_good_cartons" in codes(whole)
    assert torn.bound_percent is None
    assert torn.findings
    assert torn.findings[0].limit is None


def test_an_empty_belt_is_not_compared(inspector, printed) -> None:
    belt = np.random.default_rng(1).normal(52, 4, (480, 640, 3)).clip(0, 255).astype(np.uint8)

    found = inspector.check(belt, printed)

    assert not found.compared
    assert found.decision is InspectDecision.REVIEW
    assert codes(found) == {"side_not_found"}


def test_another_suppliers_carton_never_passes(inspector, printed) -> None:
    assert inspector.check(seen(PLAIN, 109), printed).decision is not InspectDecision.PASS


def test_a_frame_out_of_focus_or_in_the_dark_is_a_review(inspector, printed) -> None:
    frame = seen(PRINTED, 110)
    blurred = np.asarray(cv2.GaussianBlur(frame, (0, 0), 6), np.uint8)
    dark = (frame * 0.3).astype(np.uint8)

    assert inspector.check(blurred, printed).decision is InspectDecision.REVIEW
    assert inspector.check(dark, printed).decision is InspectDecision.REVIEW


def test_a_side_lying_turned_half_around_is_still_found(inspector, printed) -> None:
    turned = np.ascontiguousarray(seen(PRINTED, 111)[::-1, ::-1])

    found = inspector.check(turned, printed)

    assert found.compared
    assert found.decision is InspectDecision.PASS


def test_a_label_that_is_named_is_not_looked_at(inspector, printed) -> None:
    frame = seen(PRINTED, 112)
    frame[230:245, 250:330] = 30
    box = ((230.0, 215.0), (350.0, 215.0), (350.0, 260.0), (230.0, 260.0))

    assert inspector.check(frame, printed).decision is InspectDecision.DEFECT
    assert inspector.check(frame, printed, labels=[box]).decision is InspectDecision.PASS


def test_no_carton_stands_out_and_no_corners_are_named() -> None:
    belt = np.full((480, 640, 3), 60, np.uint8)

    with pytest.raises(BadInputError, match="stands out from the belt"):
        ConditionInspector().enrol([Shown(belt, "one")], product="ACME")
    with pytest.raises(BadInputError, match="No picture"):
        ConditionInspector().enrol([], product="ACME")


def test_every_enrolled_side_has_its_own_reference(inspector) -> None:
    shown = [Shown(seen(PRINTED, 0), "one", "top"), Shown(seen(PLAIN, 0), "one", "long")]

    profile = inspector.enrol(shown, product="ACME")

    assert [side.facts.name for side in profile.sides] == ["top", "long"]
    found = inspector.check(seen(PLAIN, 113), profile)
    assert {reason.params.get("side") for reason in found.reasons} == {"long"}


def test_a_profile_comes_back_from_its_file_as_it_was(inspector, printed, tmp_path) -> None:
    printed.save(tmp_path / "acme.condition")

    again = ConditionProfile.load(tmp_path / "acme.condition")

    assert again == printed
    assert (tmp_path / "acme.condition").stat().st_size < 1 << 20
    frame = seen(PRINTED, 114, "torn")
    assert inspector.check(frame, again).findings == inspector.check(frame, printed).findings

"""What one picture may look like before its score counts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from contracts.inspection import InspectDecision, Inspection
from tests.vision.defects.conftest import SIDE_PX, bottle, empty_belt, scratched, tile
from vision.defects.backbone import CHANNELS, analysis_size
from vision.defects.bank import distances
from vision.defects.gate import Seen, gate, name_other, see
from vision.defects.inspector import DefectInspector
from vision.defects.looks import look_at
from vision.defects.profile import Profile


def seen_by(inspector: DefectInspector, profile: Profile, image: np.ndarray) -> Seen:
    height, width = image.shape[:2]
    patches = inspector.backbone.patches(image, analysis_size(SIDE_PX, SIDE_PX))
    far = distances(patches.reshape(-1, CHANNELS), profile.bank).reshape(patches.shape[:2])
    look = look_at(image, patches)
    return see(look, far, profile, width_px=width, height_px=height, place=None)


def codes(inspector: DefectInspector, profile: Profile, image: np.ndarray) -> list[str]:
    return [reason.code for reason in gate(seen_by(inspector, profile, image), profile.facts)]


def with_hand(seed: int) -> np.ndarray:
    """A forearm reaches in from below."""
    image = tile(seed)
    arm = np.array([[110, 320], [120, 190], [150, 150], [190, 150], [215, 190], [230, 320]])
    cv2.fillPoly(image, [arm.astype(np.int32)], (120, 150, 205), cv2.LINE_AA)
    return image


def test_a_good_and_a_scratched_tile_may_be_judged(inspector, profile):
    assert codes(inspector, profile, tile(5000)) == []
    assert codes(inspector, profile, scratched(5001)) == []


def test_a_hand_in_the_view_is_called_one(inspector, profile):
    found = gate(seen_by(inspector, profile, with_hand(5002)), profile.facts)
    covering = [reason for reason in found if reason.code == "view_obstructed"]
    assert covering
    assert covering[0].params["percent"] == pytest.approx(20, abs=10)


def test_burnt_out_and_black_pictures_say_so(inspector, profile):
    burnt = np.clip(tile(5003).astype(np.float32) * 3, 0, 255).astype(np.uint8)
    assert "view_overexposed" in codes(inspector, profile, burnt)
    assert "view_underexposed" in codes(inspector, profile, (tile(5003) * 0.03).astype(np.uint8))


def review(seen: Seen, profile: Profile) -> Inspection:
    return Inspection(
        "", 9.0, 5.0, InspectDecision.REVIEW, gate(seen, profile.facts), (), "set", 1.0
    )


def test_another_known_product_is_called_by_its_name(inspector, profile):
    oil = inspector.enrol([bottle(seed) for seed in range(3)], product="oil")
    belt = inspector.enrol([empty_belt(seed) for seed in range(3)], product="")
    others = {"oil": oil.scenes, "": belt.scenes}
    seen = seen_by(inspector, profile, bottle(9))
    named = name_other(review(seen, profile), seen, others)
    told = {reason.code: reason.params for reason in named.reasons}
    assert told["view_other_product"] == {"seen": "oil", "product": "tile"}
    assert "view_unfamiliar" not in told
    seen = seen_by(inspector, profile, empty_belt(9))
    named = name_other(review(seen, profile), seen, others)
    assert "view_empty" in {reason.code for reason in named.reasons}


def test_a_name_is_only_given_to_what_looks_like_it(inspector, profile):
    noise = np.random.default_rng(1).integers(0, 255, (SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
    seen = seen_by(inspector, profile, noise)
    oil = inspector.enrol([bottle(1)], product="oil")
    before = review(seen, profile)
    assert name_other(before, seen, {"oil": oil.scenes}) == before
    assert name_other(before, seen, {}) == before

"""A detector behind the inspector's port: it names defects, and abstains where it cannot know."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
import numpy as np
import pytest

from contracts.errors import ArtefactRefusedError
from contracts.geometry import Region
from contracts.inspection import InspectDecision, Inspection
from contracts.reason import Reason
from vision.defects.inspector import Inspected
from vision.detecting.deciding import has_the_word, judged
from vision.detecting.detector import Detector, letterboxed, shares, surest
from vision.detecting.facts import FILE, DetectorFacts, needed, read_facts
from vision.detecting.inspector import DetectorInspector

GOOD = tuple(0.01 * n for n in range(19))
BAD = tuple(0.5 + 0.02 * n for n in range(19))
FACTS = DetectorFacts(format=1, classes=("crack", "dent"), side_px=64)
CALIBRATED = msgspec.structs.replace(FACTS, good_scores=GOOD, bad_scores=BAD)
PICTURE = np.full((100, 200, 3), 90, np.uint8)


@dataclass
class Answers:
    """A network that always finds these boxes: middle, width, height in the square, two scores."""

    boxes: list[tuple[float, ...]]

    def run(self, batch):
        assert batch.shape == (1, 3, 64, 64)
        found = np.array(self.boxes, np.float32).reshape(-1, 6)
        return (found.T[None],)


@dataclass
class Guard:
    """A profile's inspector with a fixed opinion."""

    inspection: Inspection
    model_set: str = "sha256:backbone"
    variant: str = "onnxruntime-cpu"

    def inspect(self, image, profile, *, name):
        return Inspected(self.inspection, np.zeros(image.shape[:2], np.float32), None)


def said(decision: InspectDecision, *codes: str) -> Inspection:
    return Inspection(
        image="x",
        score=0.0,
        threshold=None,
        decision=decision,
        reasons=tuple(Reason(code) for code in codes),
        regions=(Region(0, 0, 9, 9, 5.0),) if decision is not InspectDecision.PASS else (),
        model_set="sha256:backbone",
        elapsed_ms=1.0,
        profile="sha256:profile",
    )


def looked(guarded: Inspection, *boxes: tuple[float, ...], facts: DetectorFacts = CALIBRATED):
    detector = Detector(Answers(list(boxes)), facts)
    inspector = DetectorInspector(Guard(guarded), detector, "sha256:detector")
    return inspector.inspect(PICTURE, None, name="x")


CRACK = (32.0, 32.0, 16.0, 8.0, 0.9, 0.1)
FAINT = (32.0, 32.0, 16.0, 8.0, 0.3, 0.1)
NOTHING = (32.0, 32.0, 16.0, 8.0, 0.02, 0.01)
FINE = said(InspectDecision.PASS)


def test_a_box_lies_where_the_defect_is_in_the_picture():
    (box,) = Detector(Answers([CRACK]), FACTS).find(PICTURE)
    # 200 x 100 px in a square of 64: scale 0.32, 16 rows of grey above.
    assert (box.x_px, box.y_px, box.width_px, box.height_px) == (75, 38, 50, 24)
    assert (box.kind, box.score) == ("crack", 0.9)


def test_a_square_keeps_shape_and_colour():
    planes, scale, left, top = letterboxed(np.full((50, 100, 3), (0, 128, 255), np.uint8), 64)
    assert (scale, left, top) == (0.64, 0, 16)
    assert planes[0, :, 32, 32].tolist() == pytest.approx([1.0, 128 / 255, 0.0])
    assert planes[0, :, 0, 0].tolist() == pytest.approx([114 / 255] * 3)


def test_of_boxes_on_one_defect_the_surest_stays():
    corners = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60], [0, 0, 10, 10]], float)
    kinds = np.array([0, 0, 0, 1])
    assert surest(corners, np.array([0.5, 0.9, 0.2, 0.4]), kinds, 0.5) == [1, 3, 2]
    assert shares(corners[0], corners[:1])[0] == pytest.approx(1.0)


def test_beyond_what_good_parts_reach_it_is_a_defect_by_name():
    found = looked(FINE, CRACK)
    assert found.inspection.decision is InspectDecision.DEFECT
    assert [r.code for r in found.inspection.reasons] == ["defect_beyond"]
    assert found.inspection.regions[0].kind == "crack"
    assert found.inspection.model_set == "sha256:detector"
    assert found.inspection.profile == "sha256:profile"
    assert found.heatmap[50, 100] == pytest.approx(0.9)


def test_below_what_defective_parts_reach_it_passes():
    assert looked(FINE, NOTHING).inspection.decision is InspectDecision.PASS
    assert looked(FINE).inspection.decision is InspectDecision.PASS


def test_between_both_limits_a_person_looks():
    crossing = msgspec.structs.replace(CALIBRATED, good_scores=(*GOOD[:-1], 0.6))
    found = looked(FINE, (32, 32, 16, 8, 0.55, 0), facts=crossing).inspection
    assert found.decision is InspectDecision.REVIEW
    assert [r.code for r in found.reasons] == ["detector_unsure"]


@pytest.mark.parametrize(
    ("good", "bad", "codes"),
    [
        (0, 19, ["few_good_items"]),
        (19, 0, ["few_defective_items"]),
        (18, 18, ["few_good_items", "few_defective_items"]),
    ],
)
def test_without_parts_held_out_it_abstains(good, bad, codes):
    facts = msgspec.structs.replace(FACTS, good_scores=GOOD[:good], bad_scores=BAD[:bad])
    decision, reasons = judged(0.9, facts)
    assert decision is InspectDecision.REVIEW
    assert [reason.code for reason in reasons] == codes
    assert all(reason.params["needed"] == needed() for reason in reasons)


@pytest.mark.parametrize(
    "guarded",
    [
        said(InspectDecision.REVIEW, "view_darker"),
        said(InspectDecision.REVIEW, "view_unfamiliar"),
        said(InspectDecision.DEFECT, "defect_beyond"),
    ],
    ids=["another lamp", "empty belt", "strange to the profile"],
)
def test_what_the_profile_will_not_pass_no_detector_passes(guarded):
    for box in (CRACK, NOTHING):
        found = looked(guarded, box).inspection
        assert found.decision is guarded.decision
        assert found.reasons == guarded.reasons


def test_a_profile_of_few_good_pictures_still_guards_the_view():
    few = said(InspectDecision.REVIEW, "few_good_items")
    assert has_the_word(few)
    assert not has_the_word(replace(few, reasons=(*few.reasons, Reason("view_darker"))))
    assert looked(few, CRACK).inspection.decision is InspectDecision.DEFECT


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"classes": []}, {"side_px": 65}, {"colour": "red"}],
    ids=["format", "no classes", "odd side", "unknown"],
)
def test_a_set_that_says_something_else_is_refused(tmp_path, change):
    facts = msgspec.to_builtins(FACTS) | change
    (tmp_path / FILE).write_bytes(msgspec.json.encode(facts))
    with pytest.raises(ArtefactRefusedError, match=r"detector\.json"):
        read_facts(tmp_path)


def test_limits_come_from_parts_held_out():
    assert CALIBRATED.bound_percent == 5
    assert CALIBRATED.limit == pytest.approx(0.18)
    assert CALIBRATED.sound == pytest.approx(0.5)
    assert FACTS.limit is None
    assert FACTS.sound is None

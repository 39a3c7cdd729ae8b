"""What the label camera says of the carton itself: a review, and a hold only where all agree."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from appliance.outside import ConditionFolder, Outside, OutsideJudge
from contracts.condition import CartonCondition, ConditionFinding, ConditionKind
from contracts.errors import ArtefactRefusedError
from contracts.geometry import Region
from contracts.inspection import InspectDecision
from contracts.reason import Reason
from contracts.verdict import Decision
from tests.support.docks import LINE, READ, PaperInspector, PaperReader, carton, frame
from vision.condition.enrolment import Shown
from vision.condition.inspector import ConditionInspector

WHOLE = CartonCondition((), True, InspectDecision.PASS, (), 5, "sha256:c", 20)
TORN = replace(
    WHOLE,
    findings=(
        ConditionFinding(ConditionKind.TORN, "front", 9.1, 4.2, Region(4, 4, 20, 12, 9.1, "torn")),
    ),
    decision=InspectDecision.DEFECT,
    reasons=(Reason("carton_torn", {"side": "front", "score": 9.1}),),
)
UNSURE = replace(
    WHOLE,
    compared=False,
    decision=InspectDecision.REVIEW,
    reasons=(Reason("side_not_found", {"product": "biscuits"}),),
)


class PaperOutside:
    def __init__(self, outside: Outside | Exception) -> None:
        self.outside = outside

    def look(self, frame, *, gtin, reading):
        if isinstance(self.outside, Exception):
            raise self.outside
        return self.outside


@pytest.mark.parametrize(
    ("outside", "decision", "codes"),
    [
        (Outside(), Decision.ACCEPT, []),
        (Outside(WHOLE), Decision.ACCEPT, []),
        (Outside(TORN), Decision.REVIEW, ["carton_torn"]),
        (Outside(TORN, may_hold=True), Decision.HOLD, ["carton_torn"]),
        (Outside(UNSURE, may_hold=True), Decision.REVIEW, ["side_not_found"]),
        (RuntimeError("shape"), Decision.REVIEW, ["engine_failed"]),
    ],
)
async def test_a_damaged_carton_is_reviewed_or_held_and_never_passes(
    dock, outside, decision, codes
) -> None:
    d = dock(outside=PaperOutside(outside))
    card = await d.station.judge_carton(carton())
    assert card.verdict.decision is decision
    assert [reason.code for reason in card.verdict.reasons] == codes


async def test_a_torn_carton_freezes_no_batch_and_counts_for_none(dock) -> None:
    d = dock(outside=PaperOutside(Outside(TORN, may_hold=True)), needed=1)
    card = await d.station.judge_carton(carton())
    assert card.verdict.freezes is None
    assert d.book.of(LINE.key).defective == 0


async def test_what_was_seen_is_in_the_journal_with_a_picture_of_it(dock) -> None:
    d = dock(outside=PaperOutside(Outside(TORN)), inspector=PaperInspector(InspectDecision.DEFECT))
    card = await d.station.judge_carton(carton())
    assert card.verdict.decision is Decision.HOLD
    assert [e.kind for e in card.evidence] == ["label", "inspect", "heatmap", "condition"]
    assert d.bodies()[-1].condition == TORN


@pytest.fixture(scope="module")
def sides() -> bytes:
    """One good carton's front, printed all over."""
    print_ = np.random.default_rng(5).integers(0, 255, (30, 40, 3)).astype(np.uint8)
    picture = np.full((480, 640, 3), 90, np.uint8)
    picture[60:420, 80:560] = np.kron(print_, np.ones((12, 12, 1), np.uint8))
    corners = np.array([[80, 60], [560, 60], [560, 420], [80, 420]], np.float32)
    shown = Shown(picture, "carton 1", "front", corners)
    return ConditionInspector().enrol([shown], product="biscuits").to_bytes()


@pytest.fixture
def folder(tmp_path, sides) -> ConditionFolder:
    made = ConditionFolder(tmp_path, check=nobody_signed)
    made.path(LINE.gtin).write_bytes(sides)
    return made


def nobody_signed(gtin, path, data, profile) -> None:
    raise ArtefactRefusedError("not signed")


def looked(folder: ConditionFolder, wanted: str) -> Outside:
    return OutsideJudge(folder, wanted=wanted).look(frame("label"), gtin=LINE.gtin, reading=READ)


def test_reference_sides_that_nobody_signed_ask_for_a_review_at_most(folder) -> None:
    said = looked(folder, "hold")
    assert said.condition is not None
    assert said.condition.decision is InspectDecision.REVIEW, "no side of it is in view"
    assert not said.may_hold
    folder._check = lambda *_: None
    folder.path(LINE.gtin).with_name(f"{LINE.gtin}.condition.sig").write_bytes(b"{}")
    assert looked(folder, "hold").may_hold
    assert not looked(folder, "review").may_hold


def test_a_site_that_does_not_want_it_and_a_product_without_sides_are_left_alone(folder) -> None:
    assert looked(folder, "off") == Outside()
    judge = OutsideJudge(folder, wanted="review")
    assert judge.look(frame("label"), gtin="09520001103179", reading=None) == Outside()
    assert judge.look(frame("label"), gtin=None, reading=None) == Outside()


def test_a_spoilt_file_is_a_review_that_says_so(folder) -> None:
    folder.path(LINE.gtin).write_bytes(b"spoilt")
    assert [reason.code for reason in looked(folder, "review").faults] == ["condition_refused"]


def test_what_was_printed_is_left_out_of_the_comparison(folder) -> None:
    quad = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    told = []
    judge = OutsideJudge(folder, wanted="review")
    judge._inspector = SimpleNamespace(
        check=lambda image, profile, *, labels: told.extend(labels) or WHOLE
    )
    reading = replace(READ, lines=(SimpleNamespace(quad=quad),))
    judge.look(frame("label"), gtin=LINE.gtin, reading=reading)
    assert told == [quad]


async def test_a_carton_whose_label_was_not_read_is_not_compared(dock, tmp_path) -> None:
    reader = PaperReader(RuntimeError("shape"))
    d = dock(reader=reader, outside=OutsideJudge(ConditionFolder(tmp_path), wanted="hold"))
    card = await d.station.judge_carton(carton())
    assert d.bodies()[-1].condition is None
    assert card.verdict.decision is Decision.REVIEW

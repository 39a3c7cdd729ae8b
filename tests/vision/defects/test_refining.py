"""Cracks of a product: learned behind the quick profile, judged by items that they never saw."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.errors import ArtefactRefusedError, BadInputError
from contracts.inspection import InspectDecision
from ota.model_set import open_model_set
from tests.vision.defects.conftest import SIDE_PX, tile
from vision.defects.cracks.learning import Cracked
from vision.defects.cracks.network import CrackNetwork
from vision.defects.inspector import DefectInspector
from vision.defects.profile import MOST_BYTES, Profile

NETWORKS = Path(__file__).resolve().parents[3] / "models" / "crack_network"
TILES = [tile(seed) for seed in range(22)]


@pytest.fixture(scope="module")
def network() -> CrackNetwork:
    found = open_model_set(max(path for path in NETWORKS.iterdir() if path.is_dir()))
    return CrackNetwork.load(found.folder, model_set=found.digest)


@pytest.fixture(scope="module")
def seeing(inspector: DefectInspector, network: CrackNetwork) -> DefectInspector:
    return DefectInspector(inspector.backbone, inspector.model_set, network)


@pytest.fixture(scope="module")
def quick(seeing: DefectInspector) -> Profile:
    return seeing.enrol(TILES, product="tile")


@pytest.fixture(scope="module")
def learned(seeing: DefectInspector, quick: Profile) -> Profile:
    return seeing.refine(quick, TILES, seconds=2.0)


def test_the_quick_profile_sees_cracks_with_the_network_as_it_came(
    quick: Profile, network: CrackNetwork
):
    cracks = quick.facts.cracks
    assert cracks is not None
    assert (cracks.network, cracks.trained_on) == (network.model_set, "nothing")
    assert not quick.crack_weights.size
    assert [channel.name for channel in quick.facts.enrolled.channels] == [
        "bank",
        "places",
        "cracks",
    ]


def test_learned_cracks_are_judged_by_items_that_they_never_saw(quick: Profile, learned: Profile):
    cracks = learned.facts.cracks
    assert cracks is not None
    assert cracks.trained_on == "good"
    assert len(cracks.held_out) == 19
    assert learned.facts.bound_percent == 5
    if cracks.counts:
        assert len(learned.facts.scores) == 19
    assert learned.facts.parent == quick.digest
    assert learned.facts.enrolled.items == quick.facts.enrolled.items


def test_a_profile_with_crack_weights_fits_and_survives_the_disk(learned: Profile):
    data = learned.to_bytes()
    assert len(data) <= MOST_BYTES
    again = Profile.from_bytes(data, name="learned")
    assert np.array_equal(again.crack_weights, learned.crack_weights)


def test_good_tiles_pass_with_learned_cracks(seeing: DefectInspector, learned: Profile):
    seen = [seeing.inspect(tile(4000 + n), learned, name="").inspection for n in range(6)]
    assert sum(one.decision is InspectDecision.PASS for one in seen) >= 5


def test_progress_is_told_and_learning_can_be_stopped(seeing: DefectInspector, quick: Profile):
    shares: list[float] = []
    with pytest.raises(InterruptedError):
        seeing.refine(
            quick, TILES, seconds=86_400, progress=shares.append, stop=lambda: bool(shares)
        )
    assert 0 < shares[0] < 1


def test_a_confirmed_false_alarm_of_cracks_is_taken_back(seeing: DefectInspector, quick: Profile):
    image = tile(5000)
    cv2.polylines(image, [np.array([[90, 90], [140, 150], [200, 170]])], False, (20, 20, 20), 2)
    before = seeing.inspect(image, quick, name="").inspection
    taught = seeing.teach(quick, image, kind="false_alarm")
    after = seeing.inspect(image, taught, name="").inspection
    assert before.decision is not InspectDecision.PASS
    assert after.score < before.score
    assert taught.facts.cracks != quick.facts.cracks
    assert taught.facts.parent == quick.digest


def test_other_pictures_few_cracked_parts_and_empty_marks_are_refused(
    seeing: DefectInspector, quick: Profile
):
    nothing = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
    part = Cracked(tile(1), ~nothing)
    with pytest.raises(BadInputError, match="not those"):
        seeing.refine(quick, TILES[:-1])
    with pytest.raises(BadInputError, match="2 cracked parts are too few"):
        seeing.refine(quick, TILES, cracked=[part, part])
    with pytest.raises(BadInputError, match="mask is empty"):
        seeing.refine(quick, TILES, cracked=[part, part, Cracked(tile(1), nothing)])


def test_without_its_crack_network_a_profile_does_not_judge(
    inspector: DefectInspector, quick: Profile
):
    with pytest.raises(ArtefactRefusedError, match="no crack network"):
        inspector.inspect(tile(1), quick, name="")


def test_an_odd_item_is_left_out_when_a_person_says_so(seeing: DefectInspector):
    odd = tile(30)
    cv2.rectangle(odd, (60, 60), (180, 150), (30, 160, 220), -1)
    kept = seeing.enrol([*TILES, odd], product="tile", items=[f"t{n}" for n in range(23)])
    assert kept.facts.odd == ("t22",)
    assert kept.facts.review_limit is not None
    assert kept.facts.threshold is not None
    assert kept.facts.review_limit < kept.facts.threshold
    without = seeing.enrol(
        [*TILES, odd],
        product="tile",
        items=[f"t{n}" for n in range(23)],
        leave_out_odd=True,
    )
    assert without.facts.enrolled.left_out == ("t22",)
    assert without.good_items == 22
    assert without.facts.threshold is not None
    assert without.facts.threshold < kept.facts.threshold

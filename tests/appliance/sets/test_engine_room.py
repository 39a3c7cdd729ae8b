"""Several sets on one box: what is assigned is opened beside what runs, and nothing half (I3, I5)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from appliance.config import ReaderConfig
from appliance.demo.goods import goods_frame
from appliance.demo.story import Goods
from appliance.engines import EngineRoom, Engines
from appliance.model_sets import BACKBONE, CRACKS, READER, carried
from appliance.sets.shelf import SetShelf, loaded_whole, stands_for
from contracts.errors import ArtefactRefusedError
from ota.model_set import ModelSet
from tests.appliance.sets.conftest import PROOF

GOOD = goods_frame(Goods.BISCUITS, np.random.default_rng(1))
Hold = Callable[..., ModelSet]


@pytest.fixture(scope="module")
def shipped() -> Engines:
    return EngineRoom(1, ReaderConfig()).open({})


@pytest.fixture
def room(agent: Path) -> EngineRoom:
    return EngineRoom(1, ReaderConfig(), agent=agent)


def test_a_switch_of_one_lane_keeps_what_the_others_have_loaded(
    room: EngineRoom, shipped: Engines, hold: Hold
) -> None:
    later = hold(READER, "2.0.0")
    switched = room.open({"read": later.digest}, shipped)
    assert switched.digests == {**shipped.digests, "read": later.digest}
    assert switched.reader is not shipped.reader
    assert switched.inspectors is shipped.inspectors
    back = room.open({}, switched)
    assert back.digests == shipped.digests


def test_a_profile_of_the_set_before_is_judged_by_that_set_after_the_switch(
    room: EngineRoom, shipped: Engines, hold: Hold
) -> None:
    profile = shipped.inspector.enrol([GOOD], product="biscuits")
    later = room.open({"inspect": hold(BACKBONE, "2.0.0").digest}, shipped)
    parts = later.inspectors.parts(profile)
    assert parts == {"inspect": shipped.digests["inspect"], "cracks": shipped.digests["cracks"]}
    assert later.inspectors.of(parts) is shipped.inspector


def test_a_set_proven_to_decide_alike_judges_the_profiles_of_the_one_it_succeeds(
    room: EngineRoom, shipped: Engines, hold: Hold
) -> None:
    profile = shipped.inspector.enrol([GOOD], product="biscuits")
    before = shipped.digests["inspect"]
    heir = hold(BACKBONE, "2.0.0", succeeds={before: PROOF})
    later = room.open({"inspect": heir.digest}, shipped)
    assert later.inspectors.parts(profile)["inspect"] == heir.digest
    seen = later.inspectors.inspect(GOOD, profile, name="goods").inspection
    assert (seen.model_set, seen.profile) == (heir.digest, profile.digest)
    began = {"inspect": before, "cracks": shipped.digests["cracks"]}
    pinned = later.inspectors.inspect(GOOD, profile, name="goods", under=began).inspection
    assert pinned.model_set == before


def test_an_heir_without_a_proof_that_holds_judges_only_profiles_of_its_own(
    shipped: Engines, hold: Hold
) -> None:
    before = shipped.digests["inspect"]
    heir = hold(BACKBONE, "2.0.0", succeeds={before: {"pictures": 600, "alike": 590}})
    assert stands_for(heir) == frozenset()


def test_one_wrong_bit_in_a_fetched_set_changes_nothing_here(
    room: EngineRoom, shipped: Engines, hold: Hold
) -> None:
    later = hold(CRACKS, "2.0.0")
    weights = later.folder / "cracks.onnx"
    spoilt = bytearray(weights.read_bytes())
    spoilt[100] ^= 1
    weights.write_bytes(spoilt)
    with pytest.raises(ArtefactRefusedError, match=r"cracks\.onnx"):
        room.open({"cracks": later.digest}, shipped)


def test_a_set_of_another_use_is_refused_in_a_lane(
    room: EngineRoom, shipped: Engines, hold: Hold
) -> None:
    with pytest.raises(ArtefactRefusedError, match="not a label_reader"):
        room.open({"read": hold(CRACKS, "2.0.0").digest}, shipped)
    with pytest.raises(ArtefactRefusedError, match="not here"):
        room.open({"detectors": "sha256:" + "0" * 64}, shipped)


def test_the_digest_told_is_that_of_the_files_as_they_were_loaded(hold: Hold) -> None:
    later = hold(READER, "2.0.0")

    def swapped(found: ModelSet) -> str:
        (found.folder / "charset.txt").write_text("another", encoding="utf-8")
        return "loaded"

    with pytest.raises(ArtefactRefusedError, match=r"charset\.txt"):
        loaded_whole(later, swapped)


def test_sets_that_came_with_the_installation_are_found_by_their_digest(agent: Path) -> None:
    shelf = SetShelf(agent=agent)
    assert shelf.find(BACKBONE, carried(BACKBONE).digest).folder == carried(BACKBONE).folder
    with pytest.raises(ArtefactRefusedError, match="not here any more"):
        shelf.find(BACKBONE, "sha256:" + "0" * 64)

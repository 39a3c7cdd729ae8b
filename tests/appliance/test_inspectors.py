"""An open batch goes on under the networks that its profile was made with (I3)."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from appliance.config import InspectorConfig, ReaderConfig
from appliance.demo.goods import goods_frame
from appliance.demo.story import Goods
from appliance.engines import load_engines
from appliance.inspectors import Inspectors, open_inspector
from appliance.model_sets import BACKBONE, CRACKS, carried
from contracts.errors import ArtefactRefusedError, BadInputError
from ota.model_set import open_model_set, write_manifest
from vision.engine import CPU

GOOD = goods_frame(Goods.BISCUITS, np.random.default_rng(1))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The backbone that we ship, and the same published again as a later release."""
    shipped = carried(BACKBONE).folder
    shutil.copytree(carried(CRACKS).folder, tmp_path / CRACKS / "1.0.0")
    shutil.copytree(shipped, tmp_path / BACKBONE / "1.0.0")
    later = tmp_path / BACKBONE / "1.1.0"
    shutil.copytree(shipped, later)
    write_manifest(
        later,
        name="defect_backbone",
        version="1.1.0",
        kind="defect-backbone",
        licence="Apache-2.0",
        source="a test",
        recipe="a test",
    )
    return tmp_path


def inspectors(models: Path, version: str, *, mm_per_px: float | None = None) -> Inspectors:
    looks = open_model_set(models / BACKBONE / version)
    lines = open_model_set(models / CRACKS / "1.0.0")

    def opened(backbone, cracks):
        return open_inspector(backbone, cracks, variant=CPU, threads=1)

    return Inspectors(opened(looks, lines), open_sets=opened, root=models, mm_per_px=mm_per_px)


def test_a_profile_of_the_set_before_is_judged_under_that_set(models: Path) -> None:
    before = inspectors(models, "1.0.0")
    profile = before.newest.enrol([GOOD], product="biscuits")
    now = inspectors(models, "1.1.0")
    seen = now.inspect(GOOD, profile, name="goods").inspection
    assert seen.model_set == before.model_set != now.model_set
    own = now.newest.enrol([GOOD], product="biscuits")
    assert now.inspect(GOOD, own, name="goods").inspection.model_set == now.model_set


def test_a_set_that_is_gone_judges_nothing_and_no_other_takes_its_place(models: Path) -> None:
    profile = inspectors(models, "1.0.0").newest.enrol([GOOD], product="biscuits")
    shutil.rmtree(models / BACKBONE / "1.0.0")
    with pytest.raises(ArtefactRefusedError, match="not here any more"):
        inspectors(models, "1.1.0").inspect(GOOD, profile, name="goods")


def test_a_profile_made_without_cracks_is_judged_without(models: Path) -> None:
    shelf = inspectors(models, "1.1.0")
    plain = open_inspector(
        open_model_set(models / BACKBONE / "1.1.0"), None, variant=CPU, threads=1
    )
    profile = plain.enrol([GOOD], product="biscuits")
    assert shelf.inspect(GOOD, profile, name="goods").inspection.profile == profile.digest


def test_boxes_are_told_in_millimetres_where_the_camera_was_measured(models: Path) -> None:
    shelf = inspectors(models, "1.1.0", mm_per_px=0.5)
    profile = shelf.newest.enrol([GOOD], product="biscuits")
    strange = GOOD.copy()
    strange[200:260, 200:300] = (10, 10, 220)
    regions = shelf.inspect(strange, profile, name="goods").inspection.regions
    assert regions
    assert all(each.mm is not None and each.mm.width == each.width_px * 0.5 for each in regions)


def test_an_engine_that_nobody_knows_is_refused_by_its_setting() -> None:
    with pytest.raises(BadInputError, match=r"inspector\.engine"):
        load_engines(1, ReaderConfig(), InspectorConfig(engine="abacus"))


def test_without_a_crack_network_the_station_looks_all_the_same_and_says_so(models: Path) -> None:
    shutil.rmtree(models / CRACKS)
    shutil.copytree(carried("label_reader").folder, models / "label_reader" / "1.0.0")
    engines = load_engines(1, ReaderConfig(), models=models)
    assert "no_crack_network" in [note.code for note in engines.notes]
    assert engines.inspector.cracks is None

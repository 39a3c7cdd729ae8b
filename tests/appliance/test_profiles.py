"""Profiles in a folder: what may judge, what is kept for its batches, what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from appliance.demo.goods import goods_frame
from appliance.demo.story import Goods
from appliance.profiles import ProfileFolder
from contracts.errors import ArtefactRefusedError
from ota.model_set import open_model_set
from vision.defects.inspector import DefectInspector
from vision.defects.profile import Profile

GTIN = "09520001100413"
MODELS = Path(__file__).resolve().parents[2] / "models" / "defect_backbone"


@pytest.fixture(scope="module")
def made() -> tuple[Profile, Profile]:
    """Two profiles of one product."""
    folder = max(each for each in MODELS.iterdir() if each.is_dir())
    inspector = DefectInspector.load(folder, model_set=open_model_set(folder).digest)
    goods = [goods_frame(Goods.BISCUITS, np.random.default_rng(number)) for number in range(2)]
    first, second = (inspector.enrol([picture], product=GTIN) for picture in goods)
    return first, second


def put(path: Path, data: bytes) -> None:
    """A new file in the old one's place, later than it."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_bytes(data)
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))


def test_a_new_file_is_taken_and_a_broken_one_leaves_the_last_good_one(tmp_path, made) -> None:
    first, second = made
    folder = ProfileFolder(tmp_path)
    assert folder.get(GTIN) is None
    put(folder.path(GTIN), first.to_bytes())
    assert folder.get(GTIN) == first
    put(folder.path(GTIN), b"not a profile")
    assert folder.get(GTIN) == first
    assert "not a profile" in folder.trouble(GTIN)
    put(folder.path(GTIN), second.to_bytes())
    assert folder.get(GTIN) == second
    assert not folder.trouble(GTIN)


def test_what_may_not_judge_does_not_also_when_it_is_the_only_one(tmp_path, made) -> None:
    signed: set[str] = set()

    def check(gtin, path, data, profile) -> None:
        if profile.digest not in signed:
            raise ArtefactRefusedError("not signed")

    folder = ProfileFolder(tmp_path, check=check)
    put(folder.path(GTIN), made[0].to_bytes())
    assert folder.get(GTIN) is None
    assert "not signed" in folder.trouble(GTIN)
    signed.add(made[0].digest)
    put(folder.path(GTIN).with_name(f"{GTIN}.profile.sig"), b"{}")
    assert folder.get(GTIN) == made[0], "a signature that arrives makes it look again"


def test_a_candidate_is_no_profile_of_a_product(tmp_path, made) -> None:
    folder = ProfileFolder(tmp_path)
    put(folder.candidate_path(GTIN), made[0].to_bytes())
    assert folder.candidate(GTIN) == made[0]
    assert folder.get(GTIN) is None
    assert folder.count() == 0
    assert folder.gtins() == (GTIN,)


def test_a_kept_profile_is_found_by_its_digest_after_a_restart(tmp_path, made) -> None:
    ProfileFolder(tmp_path).keep(made[0])
    again = ProfileFolder(tmp_path)
    assert again.pinned(made[0].digest) == made[0]
    assert again.pinned(made[1].digest) is None


def test_another_profile_in_a_kept_ones_place_is_refused_and_can_be_kept_anew(
    tmp_path, made
) -> None:
    first, second = made
    ProfileFolder(tmp_path).keep(first)
    folder = ProfileFolder(tmp_path)
    put(folder.kept_path(first.digest), second.to_bytes())
    assert folder.pinned(first.digest) is None
    folder.keep(first)
    assert ProfileFolder(tmp_path).pinned(first.digest) == first

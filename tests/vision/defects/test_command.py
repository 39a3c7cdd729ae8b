"""`tallyman inspect` as a person uses it: a real process, real files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.vision.defects.conftest import scratched, tile
from vision.defects.profile import Profile

KEYS = {
    "image",
    "score",
    "threshold",
    "decision",
    "reasons",
    "regions",
    "model_set",
    "elapsed_ms",
}


def tallyman(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance", "inspect", *(str(word) for word in words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def goods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    for seed in range(20):
        cv2.imwrite(str(folder / f"tile-{seed:02}.png"), tile(seed))
    return folder


@pytest.fixture(scope="module")
def enrolled(goods: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profiles") / "tile.profile"
    done = tallyman("enrol", "--quick", "--profile", path, goods)
    assert done.returncode == 0, done.stderr
    assert "20 good items, at most 5 %" in done.stdout
    return path


def test_cracks_are_learned_after_the_quick_profile_stands(
    enrolled: Path, goods: Path, tmp_path: Path
):
    path = tmp_path / "tile.profile"
    done = tallyman(
        "enrol", "--profile", path, "--seconds", 2, "--bound", "5", "--camera", "inspect-1", goods
    )
    assert done.returncode == 0, done.stderr
    quick, learned = done.stdout.splitlines()
    assert "20 good items, at most 5 %" in quick
    assert "cracks learned" in learned
    profile = Profile.load(path)
    assert quick.split("(")[-1].strip(")") == profile.facts.parent
    assert profile.crack_weights.size
    assert profile.facts.camera == "inspect-1"
    assert profile.facts.enrolled.at.endswith("+00:00")
    assert not Profile.load(enrolled).crack_weights.size


def test_a_cracked_part_without_a_mark_is_told(goods: Path, tmp_path: Path):
    target = tmp_path / "p"
    done = tallyman("enrol", "--profile", target, "--cracked", goods / "tile-00.png", goods)
    assert done.returncode == 2
    assert "tile-00_mask.png" in done.stderr
    assert not target.exists()


def test_a_class_is_for_misses_only(enrolled: Path, goods: Path):
    words = ("teach", "--profile", enrolled, "--kind", "false-alarm", "--defect", "dent")
    done = tallyman(*words, goods / "tile-00.png")
    assert done.returncode == 2
    assert "dent" in done.stderr


def test_regions_are_in_millimetres_where_the_scale_is_told(enrolled: Path, tmp_path: Path):
    cv2.imwrite(str(tmp_path / "scratched.png"), scratched(77))
    done = tallyman(
        "check", "--profile", enrolled, "--json", "--mm-per-px", "0.5", "--no-watch", tmp_path
    )
    region = json.loads(done.stdout)["regions"][0]
    assert region["mm"]["width"] == region["width_px"] / 2


def test_check_prints_the_documented_keys_and_goes_on_after_a_bad_picture(
    enrolled: Path, tmp_path: Path
):
    cv2.imwrite(str(tmp_path / "a-scratched.png"), scratched(77))
    (tmp_path / "b-broken.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    cv2.imwrite(str(tmp_path / "c-dark.png"), (tile(78) * 0.6).astype("uint8"))
    heat = tmp_path / "heat"
    done = tallyman("check", "--profile", enrolled, "--json", "--heatmaps", heat, tmp_path)
    assert done.returncode == 2
    assert "b-broken.jpg" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    first, dark = (json.loads(line) for line in done.stdout.splitlines())
    assert set(first) == KEYS
    assert first["decision"] == "defect"
    assert first["regions"]
    assert set(first["reasons"][0]) == {"code", "params", "text"}
    assert dark["decision"] == "review"
    assert "darker" in dark["reasons"][0]["text"]
    names = sorted(path.name for path in heat.iterdir())
    assert names == ["a-scratched.heatmap.jpg", "c-dark.heatmap.jpg"]


def test_reasons_are_told_in_chinese_too(enrolled: Path, tmp_path: Path):
    cv2.imwrite(str(tmp_path / "dark.png"), (tile(78) * 0.6).astype("uint8"))
    done = tallyman("check", "--profile", enrolled, "--json", "--lang", "zh", tmp_path)
    assert "暗" in json.loads(done.stdout)["reasons"][0]["text"]


def test_a_corrupted_profile_is_refused_with_exit_1(enrolled: Path, goods: Path, tmp_path: Path):
    data = bytearray(enrolled.read_bytes())
    data[len(data) // 2] ^= 1
    broken = tmp_path / "broken.profile"
    broken.write_bytes(data)
    done = tallyman("check", "--profile", broken, goods / "tile-00.png")
    assert done.returncode == 1
    assert "broken.profile" in done.stderr
    assert done.stdout == ""


def test_teaching_writes_the_taught_profile(enrolled: Path, tmp_path: Path):
    copy = tmp_path / "tile.profile"
    copy.write_bytes(enrolled.read_bytes())
    picture = tmp_path / "missed.png"
    cv2.imwrite(str(picture), scratched(79))
    done = tallyman("teach", "--profile", copy, "--kind", "miss", picture)
    assert done.returncode == 0, done.stderr
    assert copy.read_bytes() != enrolled.read_bytes()
    done = tallyman("teach", "--profile", copy, "--kind", "miss", "--defect", "crack", picture)
    assert "miss: crack" in done.stdout
    assert [lesson.defect for lesson in Profile.load(copy).facts.lessons] == ["", "crack"]


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [("(", "no regular expression"), ("tile", "has no group"), ("^(x+)-", "does not match")],
)
def test_a_wrong_item_pattern_says_what_is_wrong(goods: Path, tmp_path: Path, pattern, wrong):
    target = tmp_path / "p"
    done = tallyman("enrol", "--profile", target, "--item-pattern", pattern, goods)
    assert done.returncode == 2
    assert wrong in done.stderr
    assert not target.exists()


def test_a_bad_picture_among_the_good_ones_writes_no_profile(goods: Path, tmp_path: Path):
    (tmp_path / "empty.png").write_bytes(b"")
    done = tallyman("enrol", "--profile", tmp_path / "p", goods, tmp_path / "empty.png")
    assert done.returncode == 2
    assert "empty.png" in done.stderr
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(("grey", "why"), [(0, "nearly black"), (255, "over-exposed")])
def test_a_picture_that_shows_nothing_teaches_nothing(tmp_path: Path, grey: int, why: str):
    empty = tmp_path / "empty.png"
    cv2.imwrite(str(empty), np.full((256, 256, 3), grey, np.uint8))
    done = tallyman("enrol", "--quick", "--profile", tmp_path / "x.profile", empty)
    assert done.returncode == 2
    assert why in done.stderr
    assert not (tmp_path / "x.profile").exists()


def test_a_profile_in_a_folder_that_is_not_there_is_told(goods: Path, tmp_path: Path):
    one = next(goods.iterdir())
    done = tallyman("enrol", "--quick", "--profile", tmp_path / "nowhere" / "x.profile", one)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_language_is_refused(enrolled: Path, goods: Path):
    done = tallyman("check", "--profile", enrolled, "--lang", "xx", goods)
    assert done.returncode == 2
    assert "'en', 'zh'" in done.stderr

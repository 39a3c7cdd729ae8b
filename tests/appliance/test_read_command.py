"""`tallyman read` as a person uses it: a real process, real files."""

import json
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from appliance.demo.story import Story
from appliance.model_sets import READER, carried
from tests.appliance.bench.frames import write_set

KEYS = {
    "frame", "fields", "symbols", "asn_line", "confidence", "decision", "reasons", "model_set",
    "elapsed_ms",
}  # fmt: skip


def read(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance", "read", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Story]:
    folder = tmp_path_factory.mktemp("cartons")
    return folder, write_set(folder, cartons=2)


@pytest.fixture
def sound(story: tuple[Path, Story]) -> Path:
    return story[0] / "carton-01.jpg"


def announce(path: Path, *rows: tuple[str, str, date]) -> Path:
    lines = [f"{gtin},{batch},{expiry.isoformat()}" for gtin, batch, expiry in rows]
    path.write_text("\n".join(("gtin,batch,expiry", *lines)) + "\n", encoding="utf-8")
    return path


def test_every_frame_of_a_folder_is_one_line_with_the_documented_keys(story: tuple[Path, Story]):
    folder, told = story
    done = read(folder, "--asn", folder / "asn.csv", "--json")
    assert done.returncode == 0, done.stderr
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["frame"] for each in readings] == ["carton-01.jpg", "carton-02.jpg"]
    for reading, carton in zip(readings, told.cartons, strict=False):
        assert set(reading) == KEYS
        assert set(reading["fields"]) == {"gtin", "batch", "expiry"}
        for field in reading["fields"].values():
            assert set(field) == {"value", "confidence", "source"}
        assert reading["fields"]["batch"]["value"] == carton.batch
        assert reading["fields"]["expiry"]["value"] == carton.expiry.isoformat()
        assert reading["asn_line"] == carton.line
        assert reading["decision"] == "accept"
        assert 0.9 < reading["confidence"] <= 1
        assert set(reading["symbols"][0]) == {"format", "text", "quad"}
        assert reading["model_set"].startswith("sha256:")


def test_people_get_a_line_they_can_read_and_reasons_in_their_language(sound: Path):
    done = read(sound)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert "L4827-B3" in done.stdout
    blank = read(sound, "--lang", "fr")
    assert blank.returncode == 2
    assert "en, zh" in blank.stderr


def test_bad_files_are_named_one_line_each_and_the_others_are_read(sound: Path, tmp_path: Path):
    shutil.copy(sound, tmp_path / "b.jpg")
    (tmp_path / "a.jpg").write_bytes(sound.read_bytes()[:2000])
    (tmp_path / "c.png").write_bytes(b"")
    done = read(tmp_path, "--json")
    assert done.returncode == 2
    assert [json.loads(line)["frame"] for line in done.stdout.splitlines()] == ["b.jpg"]
    errors = done.stderr.splitlines()
    assert len(errors) == 2
    assert "a.jpg" in errors[0]
    assert "c.png" in errors[1]


@pytest.mark.parametrize("missing", ["nowhere.jpg", "."])
def test_what_is_not_there_is_said_in_one_line(tmp_path: Path, missing: str):
    done = read(tmp_path / missing)
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_weights_that_are_not_the_manifests_are_refused_by_their_hash(sound: Path, tmp_path: Path):
    models = tmp_path / "reader"
    shutil.copytree(carried(READER).folder, models)
    weights = bytearray((models / "rec.onnx").read_bytes())
    weights[len(weights) // 2] ^= 1
    (models / "rec.onnx").write_bytes(weights)
    done = read(sound, "--models", models)
    assert done.returncode == 1
    assert "rec.onnx does not have the manifest's hash" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_list_without_lines_is_refused(sound: Path, tmp_path: Path):
    done = read(sound, "--asn", announce(tmp_path / "empty.csv"))
    assert done.returncode == 2
    assert "empty.csv" in done.stderr
    assert "Add the announced lines" in done.stderr


def test_a_list_of_one_line_accepts_its_carton_and_no_other(
    story: tuple[Path, Story], tmp_path: Path
):
    folder, told = story
    only = told.cartons[0]
    asn = announce(tmp_path / "one.csv", (only.product.gtin, only.batch, only.expiry))
    done = read(folder, "--asn", asn, "--json")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["decision"], first["asn_line"]) == ("accept", 1)
    assert second["decision"] == "review"


def test_a_list_of_fifty_thousand_lines_finds_its_carton_and_no_other(
    story: tuple[Path, Story], tmp_path: Path
):
    folder, told = story
    carton = told.cartons[0]
    gtin = carton.product.gtin
    rows = [
        (
            gtin,
            f"L{n // 100:04d}-{'ABCDEFGHJK'[n // 10 % 10]}{n % 10}",
            date(2027, 1, 1) + timedelta(n % 900),
        )
        for n in range(50_000)
    ]
    rows = [row for row in rows if row[1] != carton.batch]
    rows.insert(31_999, (gtin, carton.batch, carton.expiry))
    done = read(folder, "--asn", announce(tmp_path / "long.csv", *rows), "--json")
    assert done.returncode == 0, done.stderr
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["asn_line"] == 32_000
    assert first["decision"] == "accept"
    assert second["decision"] == "review"

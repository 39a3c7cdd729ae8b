"""A new model set arrived broken: the station runs the previous one, and says so (I3, I5)."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from appliance.config import ReaderConfig
from appliance.engines import load_engines
from appliance.model_sets import BACKBONE, CRACKS, READER, carried, newest_that_runs
from appliance.words import words
from contracts.errors import ArtefactRefusedError, BadInputError, UnavailableError
from ota.model_set import open_model_set, write_manifest
from vision.engine import CPU

USUAL = ReaderConfig()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The sets that we ship, as older releases of what the tests bring."""
    for kind in (READER, BACKBONE, CRACKS):
        shutil.copytree(carried(kind).folder, tmp_path / "models" / kind / "1.9.0")
    return tmp_path / "models"


def newer(models: Path, version: str = "1.10.0") -> Path:
    """The same reader once more, published as a later release."""
    folder = models / READER / version
    shutil.copytree(models / READER / "1.9.0", folder)
    write_manifest(
        folder,
        name="label_reader",
        version=version,
        kind="label-reader",
        licence="Apache-2.0",
        source="a test",
        recipe="a test",
    )
    return folder


def flip(file: Path) -> None:
    """One bit of one byte, as a worn-out card flips it."""
    weights = bytearray(file.read_bytes())
    weights[len(weights) // 2] ^= 1
    file.write_bytes(weights)


def test_the_newest_release_runs(models: Path) -> None:
    folder = newer(models)
    engines = load_engines(1, USUAL, models=models)
    assert engines.reader.model_set == open_model_set(folder).digest
    assert engines.notes == ()


def test_a_weight_file_with_one_wrong_bit_leaves_the_previous_set_running(models: Path) -> None:
    flip(newer(models) / "rec.onnx")
    engines = load_engines(1, USUAL, models=models)
    assert engines.reader.model_set == open_model_set(models / READER / "1.9.0").digest
    assert engines.reader.see(np.full((240, 320, 3), 90, np.uint8)).lines == ()
    (note,) = engines.notes
    assert note.code == "model_set_refused"
    assert "rec.onnx does not have the manifest's hash" in words("en").reason(note)
    assert "1.9.0 继续运行" in words("zh").reason(note)


def test_a_set_that_was_copied_by_half_leaves_the_previous_one_running(models: Path) -> None:
    folder = newer(models)
    (folder / "manifest.json").unlink()
    (folder / "rec.onnx").unlink()
    engines = load_engines(1, USUAL, models=models)
    assert [each.params["refused"] for each in engines.notes] == ["1.10.0"]


def test_a_set_that_is_sound_but_made_for_another_release_is_passed_over(models: Path) -> None:
    folder = newer(models)
    (folder / "reader.json").write_text('{"made": "for a reader that is not written yet"}')
    write_manifest(
        folder,
        name="label_reader",
        version="1.10.0",
        kind="label-reader",
        licence="Apache-2.0",
        source="a test",
        recipe="a test",
    )
    engines = load_engines(1, USUAL, models=models)
    assert "not a label reader" in str(engines.notes[0].params["why"])


def test_a_wanted_set_of_the_sites_own_goes_first_and_is_refused_as_any_other(
    models: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    newer(models).rename(own)
    reading = ReaderConfig(models=str(own))
    assert load_engines(1, reading, models=models).notes == ()
    flip(own / "det.onnx")
    (note,) = load_engines(1, reading, models=models).notes
    assert (note.params["refused"], note.params["running"]) == ("own", "1.9.0")


def test_when_no_set_holds_the_station_does_not_start(models: Path) -> None:
    flip(models / READER / "1.9.0" / "rec.onnx")
    with pytest.raises(ArtefactRefusedError, match=r"rec\.onnx"):
        load_engines(1, USUAL, models=models)


def test_a_set_runs_on_the_engine_it_was_made_on_while_the_wanted_one_is_not_proven(
    models: Path,
) -> None:
    unproven = models / BACKBONE / "1.9.0"
    write_manifest(
        unproven,
        name="defect_backbone",
        version="1.9.0",
        kind="defect",
        licence="Apache-2.0",
        source="a test",
        recipe="a test",
        variants=[CPU],
    )
    tried: list[str] = []
    running = newest_that_runs(
        BACKBONE, lambda _, variant: tried.append(variant), variant="openvino-cpu", root=models
    )
    assert tried == [CPU]
    assert running.variant == CPU
    assert [each.code for each in running.notes] == ["variant_unproven"]


@pytest.mark.parametrize(
    ("reading", "error", "says"),
    [
        (ReaderConfig(engine="abacus"), BadInputError, "openvino-cpu"),
        (ReaderConfig(engine="paddleocr-cpu"), BadInputError, "paddle_python is empty"),
        (
            ReaderConfig(engine="paddleocr-cpu", paddle_python="/no/such/python"),
            UnavailableError,
            "scripts/extra.sh paddle",
        ),
    ],
)
def test_a_reader_that_is_wanted_and_not_there_is_told_at_once(
    models: Path, reading: ReaderConfig, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        load_engines(1, reading, models=models)

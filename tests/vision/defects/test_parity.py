"""Engines are held against each other on the same pictures under the same profile."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.golden import changed, spoilt
from contracts.errors import ArtefactRefusedError
from ota.model_set import open_model_set, write_manifest
from tests.vision.defects.conftest import scratched, tile
from vision.defects.backbone import Backbone
from vision.defects.inspector import DefectInspector
from vision.defects.parity import Golden, compare
from vision.engine import CPU, CPU_INT8

ENGINE = "openvino-cpu"


class Coarse:
    """A network of which only the first bits are left."""

    def __init__(self, engine, step: float) -> None:
        self._engine = engine
        self._step = step

    def run(self, batch):
        return tuple(
            (np.round(each / self._step) * self._step).astype(np.float32)
            for each in self._engine.run(batch)
        )


@pytest.fixture
def goldens(profile) -> list[Golden]:
    random = np.random.default_rng(3)
    good = [tile(seed) for seed in range(100, 102)]
    pictures = [*good, *(spoilt(each, random) for each in good), changed(good[0], random)]
    return [Golden(f"{n}", image, profile) for n, image in enumerate(pictures)]


def coarse(inspector: DefectInspector, step: float) -> DefectInspector:
    rough = Backbone(Coarse(inspector.backbone.engine, step), ENGINE)
    return DefectInspector(rough, inspector.model_set)


def test_the_same_engine_judges_everything_alike(inspector, goldens):
    found = compare(inspector, {ENGINE: coarse(inspector, 1e-6)}, goldens)[ENGINE]
    assert (found.pictures, found.alike, found.differing) == (5, 5, ())
    assert found.farthest < 0.01


def test_an_engine_that_sees_little_differs_and_says_where(inspector, profile):
    pictures = [tile(200), scratched(201)]
    goldens = [Golden(f"tile {n}", image, profile) for n, image in enumerate(pictures)]
    found = compare(inspector, {ENGINE: coarse(inspector, 8.0)}, goldens)[ENGINE]
    assert found.alike < found.pictures
    assert found.differing[0].startswith("tile")


def test_a_result_names_the_engine_that_saw_it(inspector):
    assert inspector.variant == CPU
    assert coarse(inspector, 1e-6).variant == ENGINE


def test_a_set_without_an_8_bit_network_does_not_run_in_8_bits(tmp_path):
    (tmp_path / "backbone.onnx").write_bytes(b"floats only")
    made = write_manifest(
        tmp_path,
        name="b",
        version="1",
        kind="defect",
        licence="Apache-2.0",
        source="test",
        recipe="test",
    )
    assert open_model_set(tmp_path) == made
    with pytest.raises(ArtefactRefusedError, match=r"backbone\.int8\.onnx"):
        DefectInspector.load(tmp_path, model_set=made.digest, variant=CPU_INT8)

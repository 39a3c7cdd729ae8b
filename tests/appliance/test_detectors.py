"""A product's detector is found by its GTIN; a set that does not hold judges nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from appliance.detectors import WithDetectors, product_of_detector
from contracts.errors import ArtefactRefusedError
from ota.model_set import open_model_set, write_manifest

GTIN = "09520001100413"
PICTURE = np.zeros((8, 8, 3), np.uint8)


BISCUITS = "a profile that was enrolled under the goods' name"


@dataclass
class Judge:
    says: str
    model_set: str = "sha256:backbone"
    variant: str = "onnxruntime-cpu"
    asked: list[str] = field(default_factory=list)

    def parts(self, profile):
        return {"inspect": self.model_set}

    def variant_of(self, under):
        return self.variant

    def inspect(self, image, profile, *, name, under):
        assert under["inspect"] == self.model_set
        self.asked.append(name)
        return self.says


@dataclass(frozen=True)
class Detector:
    guard: object = None

    def inspect(self, image, profile, *, name):
        return "detector and " + self.guard.inspect(image, profile, name=name)


def made(folder: Path, kind: str) -> None:
    folder.mkdir(parents=True)
    (folder / "detector.onnx").write_bytes(b"no network")
    (folder / "detector.json").write_text("{}")
    write_manifest(
        folder,
        name="d",
        version="1",
        kind=kind,
        licence="AGPL-3.0",
        source="test",
        recipe="test",
    )


def test_a_product_without_a_detector_is_judged_by_its_profile(tmp_path: Path) -> None:
    both = WithDetectors(Judge("profile"), tmp_path)
    for gtin in (GTIN, "../elsewhere", ""):
        assert both.inspect(PICTURE, BISCUITS, name="x", gtin=gtin) == "profile"
    assert (both.model_set, both.variant) == ("sha256:backbone", "onnxruntime-cpu")


def test_a_product_with_one_is_judged_by_both(tmp_path: Path) -> None:
    (tmp_path / GTIN).mkdir()
    both = WithDetectors(Judge("profile"), tmp_path)
    both._of_product[GTIN] = "sha256:detector"
    both._opened["sha256:detector"] = Detector()
    assert both.parts(BISCUITS, GTIN) == {
        "inspect": "sha256:backbone",
        "detector": "sha256:detector",
    }
    assert both.inspect(PICTURE, BISCUITS, name="x", gtin=GTIN) == "detector and profile"


def test_a_batch_that_began_without_a_detector_goes_on_without(tmp_path: Path) -> None:
    both = WithDetectors(Judge("profile"), tmp_path)
    both._of_product[GTIN] = "sha256:detector"
    began = {"inspect": "sha256:backbone"}
    assert both.inspect(PICTURE, BISCUITS, name="x", gtin=GTIN, under=began) == "profile"


def test_a_pinned_detector_that_is_gone_leaves_its_batch_to_a_person(tmp_path: Path) -> None:
    both = WithDetectors(Judge("profile"), tmp_path)
    began = {"inspect": "sha256:backbone", "detector": "sha256:" + "0" * 64}
    with pytest.raises(ArtefactRefusedError, match="not here any more"):
        both.inspect(PICTURE, BISCUITS, name="x", gtin=GTIN, under=began)


def test_an_assigned_detector_says_by_its_name_whose_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "held"
    made(folder, "defect-detector")
    with pytest.raises(ArtefactRefusedError, match="whose it is"):
        product_of_detector(open_model_set(folder))


@pytest.mark.parametrize("spoil", ["no manifest", "another kind", "changed", "says nothing"])
def test_a_set_that_does_not_hold_is_refused_every_time(tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / GTIN
    made(folder, "label-reader" if spoil == "another kind" else "defect-detector")
    if spoil == "no manifest":
        (folder / "manifest.json").unlink()
    if spoil == "changed":
        (folder / "detector.onnx").write_bytes(b"another")
    guard = Judge("profile")
    both = WithDetectors(guard, tmp_path)
    for _ in range(2):
        with pytest.raises(ArtefactRefusedError):
            both.inspect(PICTURE, BISCUITS, name="x", gtin=GTIN)
    assert guard.asked == []

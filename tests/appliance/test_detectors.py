"""A product's detector is found by its GTIN; a set that does not hold judges nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from appliance.detectors import WithDetectors
from contracts.errors import ArtefactRefusedError
from ota.model_set import write_manifest

GTIN = "09520001100413"
PICTURE = np.zeros((8, 8, 3), np.uint8)


BISCUITS = "a profile that was enrolled under the goods' name"


@dataclass
class Judge:
    says: str
    model_set: str = "sha256:backbone"
    variant: str = "onnxruntime-cpu"
    asked: list[str] = field(default_factory=list)

    def inspect(self, image, profile, *, name):
        self.asked.append(name)
        return self.says


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
    both._opened[GTIN] = Judge("detector")
    assert both.inspect(PICTURE, BISCUITS, name="x", gtin=GTIN) == "detector"


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

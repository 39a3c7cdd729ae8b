"""What is not proven does not run on that engine; what obliges others is published by decision."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.errors import ArtefactRefusedError, BadInputError
from ota.model_set import ModelSet, write_manifest
from ota.proof import LEAST_PICTURES
from ota.publishing import LicenceDecision, check_publishable, read_decision

INT8 = "openvino-cpu-int8"


def made(folder: Path, *, licence: str = "Apache-2.0", kind: str = "defect", **parity) -> ModelSet:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.onnx").write_bytes(b"weights")
    return write_manifest(
        folder,
        name="backbone",
        version="1",
        kind=kind,
        licence=licence,
        source="test",
        recipe="test",
        variants=("onnxruntime-cpu", INT8),
        parity={INT8: parity} if parity else None,
    )


def decision(model_set: ModelSet, **other: str) -> LicenceDecision:
    facts = {
        "model_set": model_set.digest,
        "licence": model_set.licence,
        "decided_by": "q.lead",
        "reason": "our own source is published under the same licence",
        "decided_at": "2026-11-22T05:00:00Z",
    }
    return LicenceDecision(**facts | other)


def test_an_engine_counts_when_its_pictures_were_judged_alike(tmp_path: Path) -> None:
    found = made(tmp_path, pictures=LEAST_PICTURES, alike=LEAST_PICTURES, auroc_cost=0.001)
    assert found.variants == ("onnxruntime-cpu", INT8)
    assert found.unproven == ()
    check_publishable(found)


@pytest.mark.parametrize(
    "parity",
    [
        {},
        {"pictures": LEAST_PICTURES - 1, "alike": LEAST_PICTURES - 1},
        {"pictures": 1000, "alike": 994},
        {"pictures": 1000, "alike": 1000, "auroc_cost": 0.003},
        {"pictures": 1000, "alike": 2000},
        {"pictures": "many", "alike": "all"},
    ],
    ids=["no proof", "too few", "too many differ", "ranks worse", "impossible", "words"],
)
def test_without_a_proof_that_holds_it_neither_runs_there_nor_is_published(tmp_path, parity):
    found = made(tmp_path, **parity)
    assert found.variants == ("onnxruntime-cpu",)
    with pytest.raises(ArtefactRefusedError, match=INT8):
        check_publishable(found)


def test_a_licence_that_obliges_others_wants_a_decision_on_this_very_set(tmp_path: Path) -> None:
    enough = {"pictures": LEAST_PICTURES, "alike": LEAST_PICTURES}
    found = made(tmp_path / "a", licence="AGPL-3.0", kind="defect-detector", **enough)
    with pytest.raises(ArtefactRefusedError, match="nobody decided"):
        check_publishable(found)
    check_publishable(found, decision(found))
    another = made(tmp_path / "b", licence="AGPL-3.0", **enough, auroc_cost=0.0)
    with pytest.raises(ArtefactRefusedError, match="The decision is about"):
        check_publishable(another, decision(found))


def test_a_set_that_names_no_licence_is_not_published(tmp_path: Path) -> None:
    enough = {"pictures": LEAST_PICTURES, "alike": LEAST_PICTURES}
    with pytest.raises(ArtefactRefusedError, match="no licence"):
        check_publishable(made(tmp_path, licence="", **enough))


def test_a_decision_on_file_names_who_and_why(tmp_path: Path) -> None:
    facts = dict.fromkeys(LicenceDecision.__slots__, "x")
    path = tmp_path / "decision.json"
    path.write_text(json.dumps(facts))
    assert read_decision(path) == LicenceDecision(**facts)
    path.write_text(json.dumps(facts | {"reason": " "}))
    with pytest.raises(BadInputError, match="reason"):
        read_decision(path)
    path.write_text("[]")
    with pytest.raises(BadInputError, match="decided_by"):
        read_decision(path)

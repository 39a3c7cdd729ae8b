"""A model set runs only as it was published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ArtefactRefusedError
from ota.model_set import MANIFEST, open_model_set, write_manifest


def publish(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.onnx").write_bytes(b"weights")
    (folder / "labels.txt").write_text("0123456789")
    (folder / "MODEL_CARD.md").write_text("what it is")
    return write_manifest(
        folder,
        name="reader",
        version="1",
        kind="label_reader",
        licence="Apache-2.0",
        source="test",
        recipe="test",
    ).digest


def test_the_same_files_have_the_same_digest(tmp_path: Path) -> None:
    assert publish(tmp_path / "a") == publish(tmp_path / "b")


def test_a_better_card_is_the_same_set(tmp_path: Path) -> None:
    digest = publish(tmp_path)
    (tmp_path / "MODEL_CARD.md").write_text("now with more words")
    assert open_model_set(tmp_path).digest == digest


@given(data=st.data())
def test_one_flipped_byte_is_refused(data: st.DataObject, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("set")
    publish(folder)
    at = data.draw(st.integers(0, 6))
    weights = bytearray((folder / "net.onnx").read_bytes())
    weights[at] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "net.onnx").write_bytes(weights)
    with pytest.raises(ArtefactRefusedError, match=r"net\.onnx"):
        open_model_set(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": {}}'])
def test_a_broken_manifest_is_refused(tmp_path: Path, text: str) -> None:
    publish(tmp_path)
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ArtefactRefusedError, match="not a manifest"):
        open_model_set(tmp_path)


def test_a_manifest_cannot_point_outside_its_folder(tmp_path: Path) -> None:
    publish(tmp_path / "set")
    (tmp_path / "secret").write_bytes(b"x")
    manifest = json.loads((tmp_path / "set" / MANIFEST).read_text())
    manifest["files"]["../secret"] = {"sha256": "0", "bytes": 1}
    (tmp_path / "set" / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtefactRefusedError, match="outside"):
        open_model_set(tmp_path / "set")


def test_a_file_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    publish(tmp_path)
    (tmp_path / "second.onnx").write_bytes(b"whose weights?")
    with pytest.raises(ArtefactRefusedError, match=r"second\.onnx is not in the manifest"):
        open_model_set(tmp_path)


def test_a_set_names_the_engines_that_it_is_proven_on(tmp_path: Path) -> None:
    publish(tmp_path)
    assert open_model_set(tmp_path).variants == ("onnxruntime-cpu",)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    publish(tmp_path)
    (tmp_path / "labels.txt").unlink()
    with pytest.raises(ArtefactRefusedError, match=r"labels\.txt is missing"):
        open_model_set(tmp_path)

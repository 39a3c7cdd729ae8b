"""What a light station sees with: the installation's crack network on small frames, and sets made from
it, one as good as it and one broken on purpose.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from appliance.model_sets import versions
from appliance.paths import SETS, models_root
from contracts.errors import BadInputError
from ota.agent.tensors import tensors
from ota.model_set import ModelSet, open_model_set, write_manifest

LANE = USE = "cracks"
FILE = "cracks.onnx"
_SIDE = 96
_QUALITY = '[measured]\nright = 90.0\n\n[[gate]]\nfigure = "measured.right"\nbetter = "higher"\nlimit = 80.0\n'
_FLOAT32 = 4


class LightNetwork:
    """One network of a set's folder, on one thread. Raises what ONNX Runtime raises."""

    def __init__(self, folder: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(
            str(folder / FILE), options, providers=["CPUExecutionProvider"]
        )

    def score(self, frame: bytes) -> float:
        """The strongest crack in a JPEG or PNG, a logit. Raises BadInputError for no picture."""
        image = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise BadInputError("A frame is no picture", mend="Name a folder of pictures")
        small = cv2.resize(image, (_SIDE, _SIDE)).astype(np.float32) / 255
        planes = ((small - 0.5) / 0.25).transpose(2, 0, 1)[None].astype(np.float32)
        (answer,) = self._session.run(None, {"channels": planes})
        return float(np.max(answer))


def installed() -> ModelSet:
    """The newest crack network of the installation."""
    return open_model_set(next(iter(versions(models_root() / SETS[LANE]))))


def with_metadata(network: bytes, note: str) -> bytes:
    """The same network with one more line of metadata (ModelProto.metadata_props, field 14)."""
    value = note.encode()
    entry = b"\x0a\x04note\x12" + bytes([len(value)]) + value
    return network + b"\x72" + bytes([len(entry)]) + entry


def with_other_head(network: bytes) -> bytes:
    """The same network with its last layer trained a little further."""
    head = next(each for each in tensors(network) if each.name == b"answer.weight")
    return _changed(network, head.offset, head.length, scale=1.01)


def broken(network: bytes) -> bytes:
    """Whole, loadable and signed like any other, and wrong: its largest layer's signs are turned."""
    largest = max(tensors(network), key=lambda each: each.length)
    return _changed(network, largest.offset, largest.length, scale=-1.0)


def made_set(folder: Path, network: bytes, version: str) -> ModelSet:
    """A set of the lane `cracks` around `network`, as a recipe leaves it."""
    base = installed()
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(network)
    for file in base.files:
        if file != FILE:
            shutil.copy(base.folder / file, folder / file)
    (folder / "MODEL_CARD.md").write_text(f"# Crack network {version}\n", encoding="utf-8")
    (folder / "quality.toml").write_text(_QUALITY, encoding="utf-8")
    return write_manifest(
        folder,
        name=base.name,
        version=version,
        kind=base.kind,
        licence="Apache-2.0",
        source="made for the bench",
        recipe="none",
    )


def _changed(network: bytes, offset: int, length: int, *, scale: float) -> bytes:
    weights = np.frombuffer(network, np.float32, length // _FLOAT32, offset) * np.float32(scale)
    return network[:offset] + weights.astype(np.float32).tobytes() + network[offset + length :]

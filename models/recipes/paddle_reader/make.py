"""Make a model set that PaddleOCR reads, from the PP-OCRv6 networks in the wheel `rapidocr`.

    python models/recipes/paddle_reader/make.py OUT_FOLDER

Run with the appliance's own environment (which has rapidocr for its tests), from the repository
root. Weighing and deciding take their numbers from the newest label reader that we carry, whose
confidence was fitted on our own recogniser: the set says so, and nothing is accepted with it.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import onnxruntime
import rapidocr

from appliance.model_sets import READER, carried
from ota.model_set import ModelSet, write_manifest
from vision.engine import PADDLE

WEIGHTS = Path(rapidocr.__file__).parent / "models"
DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
OWN = ("detector", "recogniser", "finder")
"""Settings of our own pipeline, which does not run here."""
TEXTS = {"trust": 0.9, "power": 2.0}


def make(out: Path) -> ModelSet:
    """Write the set into `out`, which must not exist."""
    base = carried(READER).folder
    for part, weights in (("det", DETECTOR), ("rec", RECOGNISER)):
        (out / part).mkdir(parents=True)
        shutil.copy(WEIGHTS / weights, out / part / "inference.onnx")
    _about(out / "det", _detection())
    _about(out / "rec", _recognition(out / "rec" / "inference.onnx"))
    shutil.copy(base / "charset.txt", out / "charset.txt")
    numbers = json.loads((base / "reader.json").read_text(encoding="utf-8"))
    numbers = {name: value for name, value in numbers.items() if name not in OWN}
    numbers |= {"calibrated": False, "texts": TEXTS}
    text = json.dumps(numbers, indent=1, sort_keys=True) + "\n"
    (out / "reader.json").write_text(text, encoding="utf-8")
    return write_manifest(
        out,
        name="paddle_reader",
        version="1.0.0",
        kind="label-reader",
        licence="Apache-2.0",
        source="PP-OCRv6 small (PaddleOCR), from the wheel rapidocr",
        recipe="models/recipes/paddle_reader",
        variants=(PADDLE,),
    )


def _about(folder: Path, config: dict[str, Any]) -> None:
    # JSON is YAML, and needs no package to write.
    text = json.dumps(config, indent=1, ensure_ascii=False) + "\n"
    (folder / "inference.yml").write_text(text, encoding="utf-8")


def _detection() -> dict[str, Any]:
    normalise = {
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "scale": "1./255.",
        "order": "hwc",
    }
    steps = [
        {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
        {"DetLabelEncode": None},
        {"DetResizeForTest": {"resize_long": 960}},
        {"NormalizeImage": normalise},
        {"ToCHWImage": None},
        {"KeepKeys": {"keep_keys": ["image", "shape"]}},
    ]
    after = {
        "name": "DBPostProcess",
        "thresh": 0.3,
        "box_thresh": 0.6,
        "max_candidates": 1000,
        "unclip_ratio": 1.5,
    }
    return {
        "Global": {"model_name": "PP-OCRv6_small_det"},
        "PreProcess": {"transform_ops": steps},
        "PostProcess": after,
    }


def _recognition(network: Path) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(str(network), providers=["CPUExecutionProvider"])
    characters = session.get_modelmeta().custom_metadata_map["character"].split("\n")
    steps = [
        {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
        {"MultiLabelEncode": None},
        {"RecResizeImg": {"image_shape": [3, 48, 320]}},
        {"KeepKeys": {"keep_keys": ["image"]}},
    ]
    return {
        "Global": {"model_name": "PP-OCRv6_small_rec"},
        "PreProcess": {"transform_ops": steps},
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": characters},
    }


if __name__ == "__main__":
    print(make(Path(sys.argv[1])).digest)

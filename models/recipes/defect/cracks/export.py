"""The trained crack network as a model set: ONNX file, places of its weights, manifest.

    PYTHONPATH=. python -m models.recipes.defect.cracks.export CHECKPOINT OUT --version 1.0.0

Checks the file against torch and against the appliance's own arithmetic before it writes anything.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper

from models.recipes.defect.cracks.network import CrackNet, folded
from ota.model_set import write_manifest
from vision.defects.cracks.descent import answer
from vision.defects.cracks.network import FILE, PLACES
from vision.defects.cracks.shape import LAYERS, Weights

OPSET = 17
MOST_APART = 1e-3


def graph(weights: Weights) -> onnx.ModelProto:
    """The network node by node: the bytes are the same on every machine."""
    nodes, initial = [], []
    for layer in LAYERS:
        for part, values in zip(("weight", "bias"), weights[layer.name], strict=True):
            initial.append(numpy_helper.from_array(values, f"{layer.name}.{part}"))
    initial.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice"))

    def conv(name: str, into: str) -> str:
        layer = next(one for one in LAYERS if one.name == name)
        edge = layer.size // 2
        out = "logits" if layer.last else f"{name}.out"
        nodes.append(
            helper.make_node(
                "Conv",
                [into, f"{name}.weight", f"{name}.bias"],
                [out if layer.last else f"{name}.sum"],
                kernel_shape=[layer.size] * 2,
                pads=[edge] * 4,
            )
        )
        if not layer.last:
            nodes.append(helper.make_node("Relu", [f"{name}.sum"], [out]))
        return out

    def pool(into: str) -> str:
        out = f"{into}.pooled"
        nodes.append(
            helper.make_node("MaxPool", [into], [out], kernel_shape=[2, 2], strides=[2, 2])
        )
        return out

    def wide(small: str, beside: str) -> str:
        large, out = f"{small}.wide", f"{small}.beside"
        nodes.append(
            helper.make_node(
                "Resize",
                [small, "", "twice"],
                [large],
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        )
        nodes.append(helper.make_node("Concat", [large, beside], [out], axis=1))
        return out

    nodes.append(helper.make_node("SpaceToDepth", ["channels"], ["apart"], blocksize=2))
    half = conv("half", "apart")
    quarter = conv("quarter_2", conv("quarter_1", pool(half)))
    eighth = conv("eighth_2", conv("eighth_1", pool(quarter)))
    deep = conv("deep_2", conv("deep_1", pool(eighth)))
    up = conv("up_eighth", wide(deep, eighth))
    up = conv("up_quarter", wide(up, quarter))
    conv("answer", conv("up_half", wide(up, half)))
    seen = helper.make_tensor_value_info("channels", TensorProto.FLOAT, ["n", 3, "h", "w"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 1, "r", "c"])
    model = helper.make_model(
        helper.make_graph(nodes, "cracks", [seen], [logits], initial),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=9,
    )
    onnx.checker.check_model(model)
    return model


def places(file: bytes, weights: Weights) -> dict[str, int]:
    """Where each layer's numbers begin in the file; refuses a file where that is not plain."""
    found = {}
    for layer in LAYERS:
        for part, values in zip(("weight", "bias"), weights[layer.name], strict=True):
            data = values.astype("<f4").tobytes()
            if file.count(data) != 1:
                sys.exit(f"{layer.name}.{part} is not in the file exactly once")
            found[f"{layer.name}.{part}"] = file.index(data)
    return found


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("checkpoint", type=Path)
    ask.add_argument("out", type=Path)
    ask.add_argument("--version", default="1.0.0")
    given = ask.parse_args()
    net = CrackNet().eval()
    net.load_state_dict(torch.load(given.checkpoint, map_location="cpu")["net"])
    weights = {name: (w.numpy(), b.numpy()) for name, (w, b) in folded(net).items()}
    file = graph(weights).SerializeToString()
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    draw = np.random.default_rng(7)
    seen = draw.standard_normal((2, 3, 96, 128)).astype(np.float32)
    (ours,) = session.run(None, {"channels": seen})
    with torch.no_grad():
        wanted = net(torch.from_numpy(seen)).numpy()
    apart = max(
        float(np.abs(ours - wanted).max()), float(np.abs(answer(weights, seen) - ours[:, 0]).max())
    )
    if apart > MOST_APART:
        sys.exit(f"The file differs from torch or from our own arithmetic by {apart}")
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / FILE).write_bytes(file)
    (given.out / PLACES).write_text(json.dumps(places(file, weights), indent=1) + "\n")
    made = write_manifest(
        given.out,
        name="crack_network",
        version=given.version,
        kind="cracks",
        licence="Apache-2.0",
        source="trained from nothing on made surfaces and three CC0 textures",
        recipe="models/recipes/defect/cracks/train.py",
    )
    print(f"{made.digest}: {len(file)} bytes, greatest difference {apart:.1e}")


if __name__ == "__main__":
    main()

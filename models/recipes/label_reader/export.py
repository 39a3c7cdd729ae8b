"""Write a trained recogniser as ONNX: the released graph with the trained weights, the context
block and both heads; `rec.onnx` and `charset.txt` as vision.reading wants them.

    python export.py --init rec.onnx --keep DICTIONARY --checkpoint OUT/checkpoint.pt --out SET_FOLDER
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper

from models.recipes.label_reader.classes import LETTERS
from models.recipes.label_reader.network import Recogniser
from models.recipes.label_reader.train import columns

OPSET = 20
_NAMES = {" ": "<space>"}


def graph_of(model: Recogniser) -> onnx.ModelProto:
    """The network as an ONNX model with input `x` (1, 3, 48, w) and outputs `say`
    (1, t, classes) and `admit` (1, t, classes + 1), both probabilities.
    """
    nodes: list[onnx.NodeProto] = []
    weights: dict[str, np.ndarray] = {}
    for node in model.order:
        for name in node.input:
            key = name.replace(".", "|")
            if key in model.weights:
                weights[name] = model.weights[key].detach().cpu().numpy()
            elif name in model.fixed:
                weights[name] = model.fixed[name]
        nodes += _modern(node, weights)
    here = "context_in"
    nodes.append(helper.make_node("Transpose", [model.features], [here], perm=[0, 2, 1]))
    for i, (spread, widen, narrow) in enumerate(model.context.layers):
        steps = (("spread", spread), ("widen", widen), ("narrow", narrow))
        at = here
        for name, layer in steps:
            weights[f"context{i}.{name}.w"] = layer.weight.detach().cpu().numpy()
            weights[f"context{i}.{name}.b"] = layer.bias.detach().cpu().numpy()
            out = f"context{i}.{name}"
            nodes.append(
                helper.make_node(
                    "Conv", [at, f"{out}.w", f"{out}.b"], [out], dilations=list(layer.dilation),
                    group=layer.groups, pads=[layer.padding[0]] * 2, kernel_shape=list(layer.kernel_size),
                )
            )  # fmt: skip
            at = out
            if name == "widen":
                nodes.append(helper.make_node("Relu", [at], [f"{at}.relu"]))
                at = f"{at}.relu"
        nodes.append(helper.make_node("Add", [here, at], [f"context{i}"]))
        here = f"context{i}"
    nodes.append(helper.make_node("Transpose", [here], ["sequence"], perm=[0, 2, 1]))
    for name, head in (("say", model.say), ("admit", model.admit)):
        weights[f"{name}.w"] = head.weight.detach().cpu().numpy().T.copy()
        weights[f"{name}.b"] = head.bias.detach().cpu().numpy()
        nodes.append(helper.make_node("MatMul", ["sequence", f"{name}.w"], [f"{name}.dot"]))
        nodes.append(helper.make_node("Add", [f"{name}.dot", f"{name}.b"], [f"{name}.odds"]))
        nodes.append(helper.make_node("Softmax", [f"{name}.odds"], [name], axis=-1))
    shape = [1, 3, 48, "width"]
    graph = helper.make_graph(
        nodes,
        "line_recogniser",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, "steps", classes])
            for name, classes in (
                ("say", model.say.out_features),
                ("admit", model.admit.out_features),
            )
        ],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    made.ir_version = 9
    onnx.checker.check_model(made)
    return made


def _modern(node: onnx.NodeProto, weights: dict[str, np.ndarray]) -> list[onnx.NodeProto]:
    """Axes are inputs, not attributes, since operator set 13 (18 for reductions)."""
    if node.op_type in {"Squeeze", "Unsqueeze", "ReduceMean"}:
        axes = next(a for a in node.attribute if a.name == "axes")
        name = f"{node.output[0]}.axes"
        weights[name] = np.array(axes.ints, dtype=np.int64)
        kept = {a.name: helper.get_attribute_value(a) for a in node.attribute if a.name != "axes"}
        return [helper.make_node(node.op_type, [node.input[0], name], list(node.output), **kept)]
    return [node]


def main(given: argparse.Namespace) -> None:
    model = Recogniser(given.init, columns(given.keep))
    model.load_state_dict(torch.load(given.checkpoint, map_location="cpu")["average"])
    model.eval()
    given.out.mkdir(parents=True, exist_ok=True)
    onnx.save(graph_of(model), given.out / "rec.onnx")
    rows = [*(_NAMES.get(c, c) for c in LETTERS), "<unreadable>"]
    (given.out / "charset.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    session = onnxruntime.InferenceSession(str(given.out / "rec.onnx"))
    picture = np.random.default_rng(1).normal(size=(1, 3, 48, 320)).astype(np.float32)
    with torch.no_grad():
        wanted = [each.exp().numpy() for each in model(torch.from_numpy(picture))]
    given_out = session.run(None, {"x": picture})
    apart = max(float(np.abs(a - b).max()) for a, b in zip(wanted, given_out, strict=True))
    assert apart < 1e-3, f"the exported network differs by {apart}"
    print(f"{given.out / 'rec.onnx'}: differs from torch by {apart:.1e}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--init", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    main(parser.parse_args())

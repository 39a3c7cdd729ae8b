"""The recogniser as a torch module: the ONNX file's own graph, with weights that can learn, a
block that looks further along the line, and a second head.

The graph is walked node by node, so the network that learns is the one that was released, and
the trained weights go back into the same graph: no converter guesses anything.

Heads: the first says the character; the second says the same, but "unreadable" (its last class)
where under a fifth of the ink is left. Both are CTC outputs (Graves et al. 2006).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

_DILATIONS = (1, 2, 4, 8)
_KERNEL = 5


class Context(nn.Module):
    """Residual depth-wise dilated convolutions along the line; zero at first, so that training
    starts from the released network.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for dilation in _DILATIONS:
            spread = nn.Conv1d(
                channels, channels, _KERNEL, padding=dilation * (_KERNEL // 2), dilation=dilation,
                groups=channels,
            )  # fmt: skip
            widen = nn.Conv1d(channels, 2 * channels, 1)
            narrow = nn.Conv1d(2 * channels, channels, 1)
            nn.init.zeros_(narrow.weight)
            nn.init.zeros_(narrow.bias)
            self.layers.append(nn.ModuleList([spread, widen, narrow]))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, t) -> the same shape."""
        for spread, widen, narrow in self.layers:
            x = x + narrow(functional.relu(widen(spread(x))))
        return x


class Recogniser(nn.Module):
    """`forward` (n, 3, 48, w) -> log probabilities of both heads, (n, t, classes) and
    (n, t, classes + 1).
    """

    def __init__(self, path: Path, keep: list[int]) -> None:
        """`path` is the released ONNX file; `keep` the columns of its head, blank first."""
        super().__init__()
        model = simplified(path)
        self.nodes = gelu_in_one(list(model.graph.node))
        self.output = model.graph.output[0].name
        constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        for node in self.nodes:
            if node.op_type == "Constant":
                constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        by_output = {node.output[0]: node for node in self.nodes}
        self.weights = nn.ParameterDict()
        self.fixed: dict[str, np.ndarray] = {}
        self.features, head = _ends(by_output, self.output)
        columns = [constants[name] for name in head if name in constants]
        weight = next(c for c in columns if c.ndim == 2)[:, keep]
        bias = next(c for c in columns if c.ndim == 1)[keep]
        needed = _needed(by_output, self.features)
        # In one order, or a resumed optimiser would mix the weights up.
        for name in sorted(needed):
            value = constants.get(name)
            if value is not None:
                if value.dtype == np.float32 and value.size > 1:
                    self.weights[name.replace(".", "|")] = nn.Parameter(
                        torch.from_numpy(value.copy())
                    )
                else:
                    self.fixed[name] = value
        self.order = [node for node in self.nodes if node.output[0] in needed]
        inner = weight.shape[0]
        self.context = Context(inner)
        self.say = nn.Linear(inner, len(keep))
        self.admit = nn.Linear(inner, len(keep) + 1)
        with torch.no_grad():
            self.say.weight.copy_(torch.from_numpy(weight.T.copy()))
            self.say.bias.copy_(torch.from_numpy(bias.copy()))
            self.admit.weight[:-1].copy_(self.say.weight)
            self.admit.bias[:-1].copy_(self.say.bias)
            self.admit.weight[-1].zero_()
            self.admit.bias[-1].fill_(float(bias.min()))

    def trunk(self, x: Tensor) -> Tensor:
        """(n, 3, 48, w) -> features (n, t, inner)."""
        values: dict[str, Tensor] = {"x": x}
        for node in self.order:
            values[node.output[0]] = self._step(node, values)
        return values[self.features]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(x)
        features = self.context(features.transpose(1, 2)).transpose(1, 2)
        return self.say(features).log_softmax(-1), self.admit(features).log_softmax(-1)

    def _step(self, node: onnx.NodeProto, values: dict[str, Tensor]) -> Tensor:
        given = [self._value(name, values) for name in node.input if name]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        return _run(node.op_type, given, attributes)

    def _value(self, name: str, values: dict[str, Tensor]) -> Tensor:
        if name in values:
            return values[name]
        key = name.replace(".", "|")
        if key in self.weights:
            return self.weights[key]
        return torch.from_numpy(np.array(self.fixed[name]))


def simplified(path: Path) -> onnx.ModelProto:
    """The graph with normalisation and biases folded into its convolutions."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = f"{folder}/simple.onnx"
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def gelu_in_one(nodes: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """X * (1 + erf(x / sqrt 2)) / 2, which exporters spell out in five nodes, as one."""
    by_output = {node.output[0]: node for node in nodes}
    dropped: set[str] = set()
    out = []
    for node in nodes:
        if node.op_type == "Mul":
            inner = by_output.get(node.input[0])
            last = by_output.get(inner.input[1]) if inner and inner.op_type == "Mul" else None
            erf = by_output.get(last.input[0]) if last and last.op_type == "Add" else None
            if erf is not None and erf.op_type == "Erf":
                over = by_output[erf.input[0]]
                dropped |= {inner.output[0], last.output[0], erf.output[0], over.output[0]}
                gelu = helper.make_node("Gelu", [over.input[0]], [node.output[0]])
                out.append(gelu)
                continue
        out.append(node)
    return [node for node in out if node.output[0] not in dropped]


def _ends(by_output: dict[str, onnx.NodeProto], output: str) -> tuple[str, list[str]]:
    """The name of the features before the last linear layer, and that layer's inputs."""
    name, inputs = output, []
    while True:
        node = by_output[name]
        if node.op_type == "MatMul":
            return node.input[0], [*inputs, *node.input]
        inputs += list(node.input)
        name = next(i for i in node.input if i in by_output and by_output[i].op_type != "Constant")


def _needed(by_output: dict[str, onnx.NodeProto], target: str) -> set[str]:
    found: set[str] = set()
    left = [target]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        if name in by_output:
            left += list(by_output[name].input)
    return found


def _run(kind: str, given: list[Tensor], a: dict[str, object]) -> Tensor:  # noqa: C901, PLR0911, PLR0912 -- one line an operator
    x = given[0]
    match kind:
        case "Conv":
            (top, left, bottom, right) = a["pads"]
            if (top, left) != (bottom, right):
                x, top, left = functional.pad(x, (left, right, top, bottom)), 0, 0
            bias = given[2] if len(given) > 2 else None
            return functional.conv2d(
                x,
                given[1],
                bias,
                tuple(a["strides"]),
                (top, left),
                tuple(a["dilations"]),
                a["group"],
            )
        case "Add":
            return x + given[1]
        case "Mul":
            return x * given[1]
        case "Gelu":
            return functional.gelu(x)
        case "Relu":
            return functional.relu(x)
        case "Identity":
            return x
        case "HardSigmoid":
            return (float(a.get("alpha", 0.2)) * x + float(a.get("beta", 0.5))).clamp(0, 1)
        case "BatchNormalization":
            scale, shift, mean, variance = given[1:5]
            factor = scale / torch.sqrt(variance.abs() + float(a.get("epsilon", 1e-5)))
            shape = (1, -1, *([1] * (x.dim() - 2)))
            return x * factor.view(shape) + (shift - mean * factor).view(shape)
        case "ReduceMean":
            return x.mean(dim=tuple(a["axes"]), keepdim=bool(a.get("keepdims", 1)))
        case "Squeeze":
            for axis in sorted(a["axes"], reverse=True):
                x = x.squeeze(axis)
            return x
        case "Unsqueeze":
            for axis in sorted(a["axes"]):
                x = x.unsqueeze(axis)
            return x
        case "Transpose":
            return x.permute(tuple(a["perm"]))
        case "MatMul":
            return x @ given[1]
        case "AveragePool":
            return functional.avg_pool2d(x, tuple(a["kernel_shape"]), tuple(a["strides"]))
        case _:
            raise NotImplementedError(
                f"{kind}: this recipe knows only the operators of PP-OCRv6 tiny"
            )

"""What has to travel when a file changed a little, and what a bad delta can do: nothing."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import onnx
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from contracts.errors import ArtefactRefusedError
from ota.agent import delta
from ota.agent.tensors import tensors

_MODELS = Path(__file__).parents[3] / "models"
_GOAL = 0.05
_REAL = sorted(_MODELS.glob("*/*/*.onnx"))


def _network(*, seed: int = 0, layers: int = 6) -> onnx.ModelProto:
    random = np.random.default_rng(seed)
    weights = [
        numpy_helper.from_array(
            random.integers(-128, 128, (64, 64), dtype=np.int8)
            if layer % 2
            else random.normal(0, 1, (64, 64)).astype(np.float32),
            f"layer{layer}",
        )
        for layer in range(layers)
    ]
    node = helper.make_node("Identity", ["x"], ["y"])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    return helper.make_model(helper.make_graph([node], "small", [x], [y], initializer=weights))


def _bytes(model: onnx.ModelProto) -> bytes:
    file = io.BytesIO()
    onnx.save_model(model, file)
    return file.getvalue()


def _learned(model: onnx.ModelProto, *, only: str = "") -> bytes:
    """The same network after a little more learning of all layers, or of one."""
    random = np.random.default_rng(7)
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    for weight in changed.graph.initializer:
        array = numpy_helper.to_array(weight)
        if (only and weight.name != only) or array.size < 100:
            continue
        if array.dtype.kind in "iu":
            step = random.choice([-1, 1], array.shape) * (random.random(array.shape) < 0.05)
            learned = (array + step).astype(array.dtype)
        else:
            learned = (array * (1 + random.normal(0, 1e-4, array.shape))).astype(array.dtype)
        weight.CopyFrom(numpy_helper.from_array(learned, weight.name))
    return _bytes(changed)


def _there(old: bytes, new: bytes) -> float:
    """The delta's share of the new file, after checking that it gives it."""
    made = delta.make(old, new)
    assert made is not None
    assert delta.apply(made.kind, old, made.data, size=len(new)) == new
    return len(made.data) / len(new)


def test_all_tensors_of_a_network_are_found_where_they_are():
    model = _network()
    data = _bytes(model)
    found = {each.name.decode(): each for each in tensors(data)}
    for weight in model.graph.initializer:
        place = found[weight.name]
        assert data[place.offset : place.offset + place.length] == weight.raw_data


@given(st.binary(max_size=300))
def test_what_is_no_network_has_no_tensors_or_some_inside_the_file(data: bytes):
    for each in tensors(data):
        assert each.offset + each.length <= len(data)


def test_a_learned_network_travels_as_differences_and_comes_out_whole():
    model = _network()
    old, new = _bytes(model), _learned(model)
    made = delta.make(old, new)
    assert made is not None
    assert made.kind == delta.PLANES
    assert delta.apply(made.kind, old, made.data, size=len(new)) == new
    assert len(made.data) < 0.5 * len(new)


def test_tensors_that_moved_in_the_file_are_still_told_apart_by_name():
    model = _network()
    old = _bytes(model)
    moved = _network()
    moved.doc_string = "the same network with a longer preface " * 20
    kept = list(moved.graph.initializer)
    del moved.graph.initializer[:]
    moved.graph.initializer.extend(reversed(kept))
    assert _there(old, _learned(moved)) < 0.5


@pytest.mark.parametrize("path", _REAL, ids=lambda path: path.stem)
def test_another_version_in_the_metadata_costs_next_to_nothing(path: Path):
    model = onnx.load(path)
    model.metadata_props.add(key="version", value="9.9.9")
    assert _there(path.read_bytes(), _bytes(model)) < 0.001


@pytest.mark.parametrize(
    ("network", "head"),
    [("rec.onnx", "admit.w"), ("second.onnx", "linear_1.w_0"), ("cracks.onnx", "up_half.weight")],
)
def test_a_changed_head_costs_less_than_a_twentieth(network: str, head: str):
    path = next(each for each in _REAL if each.name == network)
    model = onnx.load(path)
    assert _there(path.read_bytes(), _learned(model, only=head)) < _GOAL


@given(st.binary(min_size=1, max_size=2000), st.binary(max_size=2000))
def test_whatever_the_files_are_a_delta_gives_the_new_one_or_there_is_none(old: bytes, new: bytes):
    made = delta.make(old, new)
    if made is not None:
        assert delta.apply(made.kind, old, made.data, size=len(new)) == new


def test_what_nothing_can_shorten_is_sent_whole():
    random = np.random.default_rng(3)
    assert delta.make(random.bytes(5000), random.bytes(5000)) is None
    assert delta.make(b"", b"anything") is None


@given(data=st.data())
def test_a_spoilt_delta_is_refused_or_gives_another_hash(data: st.DataObject):
    model = _network(layers=2)
    old, new = _bytes(model), _learned(model)
    made = delta.make(old, new)
    assert made is not None
    spoilt = bytearray(made.data)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(spoilt) - 1))
        spoilt[at] ^= data.draw(st.integers(1, 255))
    try:
        given_back = delta.apply(made.kind, old, bytes(spoilt), size=len(new))
    except ArtefactRefusedError:
        return
    assert len(given_back) == len(new)


def test_a_delta_that_would_unfold_to_gigabytes_makes_no_more_than_the_file_may_have():
    old = bytes(1000)
    for bomb in (zstd.compress(bytes(4_000_000)), zstd.compress(bytes(2001))):
        assert len(bomb) < 300
        with pytest.raises(ArtefactRefusedError):
            delta.apply(delta.PATCH, old, bomb, size=2000)


def test_a_delta_from_another_file_or_of_an_unknown_kind_is_refused():
    model = _network(layers=2)
    old, new = _bytes(model), _learned(model)
    made = delta.make(old, new)
    assert made is not None
    try:
        given_back = delta.apply(
            made.kind, _bytes(_network(seed=5, layers=2)), made.data, size=len(new)
        )
    except ArtefactRefusedError:
        pass
    else:
        assert hashlib.sha256(given_back).digest() != hashlib.sha256(new).digest()
    with pytest.raises(ArtefactRefusedError, match="no kind of delta"):
        delta.apply("bsdiff", old, made.data, size=len(new))

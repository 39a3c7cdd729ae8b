"""One network on every engine that is here: the same figures, the same refusals."""

from __future__ import annotations

import importlib.util
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from appliance.model_sets import READER, carried
from contracts.errors import ArtefactRefusedError, BadInputError, UnavailableError
from vision.engine import CPU, OPENVINO, load_engine

# `make test-openvino` asks for it by name, in an environment that has it: absent, it then fails.
ASKED = [OPENVINO] if "openvino" in os.environ.get("TALLYMAN_READERS", "").split() else []
SHAPES = [(1, 3, 48, 32 * n) for n in (3, 10, 21, 10)]
CLOSE = 1e-3
"""Of a probability, between engines."""


@pytest.fixture(params=[CPU, *ASKED])
def variant(request) -> str:
    return request.param


@pytest.fixture
def network() -> Path:
    return carried(READER).folder / "rec.onnx"


def batches() -> list[np.ndarray]:
    numbers = np.random.default_rng(20261122)
    return [numbers.standard_normal(shape).astype(np.float32) for shape in SHAPES]


def test_every_engine_gives_the_same_probabilities(network: Path, variant: str) -> None:
    usual, this = load_engine(network), load_engine(network, variant=variant)
    for batch in batches():
        wanted, given = usual.run(batch), this.run(batch)
        assert [each.shape for each in given] == [each.shape for each in wanted]
        assert np.abs(given[0] - wanted[0]).max() < CLOSE


def test_runs_at_the_same_time_do_not_mix(network: Path, variant: str) -> None:
    engine = load_engine(network, variant=variant, parallel=4)
    work = batches() * 4
    alone = [engine.run(batch)[0] for batch in work]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda batch: engine.run(batch)[0], work))
    for one, other in zip(alone, together, strict=True):
        assert np.abs(one - other).max() < CLOSE


def test_an_answer_stays_as_it_was_when_the_engine_runs_again(network: Path, variant: str) -> None:
    engine = load_engine(network, variant=variant)
    first, second = batches()[0], -batches()[0]
    answer = engine.run(first)[0]
    kept = answer.copy()
    engine.run(second)
    assert np.array_equal(answer, kept)


def test_a_torn_network_is_refused(network: Path, variant: str, tmp_path: Path) -> None:
    torn = tmp_path / "torn.onnx"
    torn.write_bytes(network.read_bytes()[: network.stat().st_size // 2])
    with pytest.raises(ArtefactRefusedError, match=r"torn\.onnx"):
        load_engine(torn, variant=variant)


def test_an_engine_that_nobody_knows_is_named_with_those_there_are(network: Path) -> None:
    with pytest.raises(BadInputError, match=r"'abacus'.*onnxruntime-cpu"):
        load_engine(network, variant="abacus")


def test_an_engine_that_is_not_installed_says_how_to_get_it(network: Path) -> None:
    with pytest.raises(UnavailableError, match="CUDAExecutionProvider"):
        load_engine(network, variant="onnxruntime-cuda")
    if importlib.util.find_spec("openvino") is None:
        with pytest.raises(UnavailableError, match=r"requirements/openvino\.lock"):
            load_engine(network, variant=OPENVINO)

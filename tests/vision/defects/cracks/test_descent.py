"""The network's own arithmetic: gradients against differences, answers against the ONNX file."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from vision.defects.cracks.descent import Pass, answer
from vision.defects.cracks.learning import slope
from vision.defects.cracks.network import CrackNetwork
from vision.defects.cracks.shape import LAYERS, NUMBERS, Weights, packed, unpacked


def made(seed: int) -> Weights:
    draw = np.random.default_rng(seed)
    flat = draw.normal(0, 1, NUMBERS).astype(np.float32)
    weights = unpacked(flat)
    return {
        name: (weight * np.float32(1.2 / np.sqrt(weight[0].size)), 0.1 * bias)
        for name, (weight, bias) in weights.items()
    }


def loss(logits: np.ndarray, wanted: np.ndarray) -> float:
    """As the learning module states it, in float64."""
    share = 1 / (1 + np.exp(-logits.astype(np.float64)))
    right = np.where(wanted, share, 1 - share)
    weight = np.where(wanted, 0.75, 0.25)
    focal = (-weight * (1 - right) ** 2 * np.log(right)).sum() / (wanted.sum() + 500)
    dice = 1 - (2 * (share * wanted).sum() + 50) / (share.sum() + wanted.sum() + 50)
    return float(focal + dice)


@pytest.mark.parametrize("layer", [layer.name for layer in LAYERS])
def test_a_gradient_says_how_the_loss_really_changes(layer: str) -> None:
    draw = np.random.default_rng(4)
    weights = made(5)
    seen = draw.normal(0, 1, (2, 3, 48, 32)).astype(np.float32)
    wanted = draw.random((2, 24, 16)) > 0.8
    run = Pass(weights, seen)
    gradient = run.gradients(slope(run.logits, wanted))[layer]
    # One direction for all numbers of a part: many small kinks of ReLU even out.
    for part in (0, 1):
        way = np.sign(gradient[part]).astype(np.float32)
        step = np.float32(2e-4)
        moved = []
        for sign in (1, -1):
            other = deepcopy(weights)
            other[layer][part][...] += sign * step * way
            moved.append(loss(answer(other, seen), wanted))
        found = (moved[0] - moved[1]) / (2 * step)
        assert found == pytest.approx(float(np.abs(gradient[part]).sum()), rel=0.05)


def test_the_file_and_our_own_arithmetic_answer_alike(crack_network: CrackNetwork) -> None:
    image = np.random.default_rng(6).integers(0, 255, (96, 128, 3)).astype(np.uint8)
    from vision.defects.cracks.channels import channels, grey_at_work

    ours = answer(crack_network.base, channels(grey_at_work(image))[None])[0]
    assert np.allclose(ours, crack_network.see(image), atol=1e-3)


def test_weights_survive_being_packed() -> None:
    weights = made(7)
    again = unpacked(packed(weights))
    for name, (weight, bias) in weights.items():
        assert np.allclose(weight, again[name][0], atol=2e-3)
        assert np.allclose(bias, again[name][1], atol=2e-3)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="wanted"):
        unpacked(np.zeros(NUMBERS - 1, np.float32))

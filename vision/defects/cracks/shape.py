"""What the crack network is made of: its layers in order, and one flat row of numbers for all.

A U-Net (Ronneberger et al., arXiv 1505.04597), fully convolutional. It begins at half size with
each 2 x 2 px as channels of one place, so that nothing of a thin line is lost and the widest maps
cost a quarter. Layer names are those of the ONNX file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHANNELS_SEEN = 3
UNSHUFFLE = 2
"""2 x 2 px become channels of one place; the answer has one number for each such place."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution with bias, followed by ReLU unless it is the last."""

    name: str
    channels_in: int
    channels_out: int
    size: int = 3
    last: bool = False

    @property
    def weights(self) -> int:
        return self.channels_in * self.channels_out * self.size * self.size

    @property
    def numbers(self) -> int:
        return self.weights + self.channels_out


HALF, QUARTER, EIGHTH, DEEP = 16, 32, 56, 64
UP_HALF = 16

LAYERS = (
    Layer("half", CHANNELS_SEEN * UNSHUFFLE**2, HALF),
    Layer("quarter_1", HALF, QUARTER),
    Layer("quarter_2", QUARTER, QUARTER),
    Layer("eighth_1", QUARTER, EIGHTH),
    Layer("eighth_2", EIGHTH, EIGHTH),
    Layer("deep_1", EIGHTH, DEEP),
    Layer("deep_2", DEEP, DEEP),
    Layer("up_eighth", DEEP + EIGHTH, EIGHTH),
    Layer("up_quarter", EIGHTH + QUARTER, QUARTER),
    Layer("up_half", QUARTER + HALF, UP_HALF),
    Layer("answer", UP_HALF, 1, size=1, last=True),
)
NUMBERS = sum(layer.numbers for layer in LAYERS)
"""How many numbers a set of weights has."""

Weights = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
"""By layer: weight (out, in, size, size) and bias (out,)."""


def unpacked(flat: NDArray[np.float16] | NDArray[np.float32]) -> Weights:
    """(NUMBERS,) -> each layer's weight and bias. Raises ValueError for another length."""
    if flat.shape != (NUMBERS,):
        raise ValueError(f"{flat.shape[0] if flat.ndim else 0} numbers, {NUMBERS} wanted")
    found: Weights = {}
    at = 0
    for layer in LAYERS:
        weight = flat[at : at + layer.weights].astype(np.float32)
        bias = flat[at + layer.weights : at + layer.numbers].astype(np.float32)
        found[layer.name] = (
            weight.reshape(layer.channels_out, layer.channels_in, layer.size, layer.size),
            bias,
        )
        at += layer.numbers
    return found


def packed(weights: Weights) -> NDArray[np.float16]:
    """The other way: one flat row, as a profile keeps it."""
    rows = [part.ravel() for layer in LAYERS for part in weights[layer.name]]
    return np.concatenate(rows).astype(np.float16)

"""The crack network's own arithmetic: answers and gradients in numpy, enough to train it on a box.

A box has no training framework (hundreds of megabytes for eleven convolutions; see the decision
record). Maps are kept as (channels, n * (h + 2) * (w + 2)) with a border of zeros, so that each of a
3 x 3 convolution's nine taps is one matrix product over a shifted view, without copying patches.
Gradients are checked against differences in the tests, and the answers against the ONNX file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.defects.cracks.shape import LAYERS, Weights

Map = NDArray[np.float32]
_LAYER = {layer.name: layer for layer in LAYERS}


@dataclass(frozen=True, slots=True)
class Grid:
    """How (channels, numbers) maps are laid out: n pictures of h x w and their borders."""

    pictures: int
    height: int
    width: int

    @property
    def numbers(self) -> int:
        return self.pictures * (self.height + 2) * (self.width + 2)

    def inside(self, flat: Map) -> Map:
        """(channels, numbers) -> (channels, n, h, w): a view without the borders."""
        whole = flat.reshape(-1, self.pictures, self.height + 2, self.width + 2)
        return whole[:, :, 1:-1, 1:-1]

    def empty(self, channels: int) -> Map:
        return np.zeros((channels, self.numbers), np.float32)

    def bordered(self, inner: Map) -> Map:
        """(channels, n, h, w) -> (channels, numbers) with zeros around each picture."""
        flat = self.empty(inner.shape[0])
        self.inside(flat)[...] = inner
        return flat

    def clear(self, flat: Map) -> None:
        """Zeros into the borders, where products of shifted views left what means nothing."""
        whole = flat.reshape(-1, self.pictures, self.height + 2, self.width + 2)
        whole[:, :, 0] = whole[:, :, -1] = 0
        whole[:, :, :, 0] = whole[:, :, :, -1] = 0

    def half(self) -> Grid:
        return Grid(self.pictures, self.height // 2, self.width // 2)

    def taps(self) -> list[int]:
        """How far each of the nine neighbours lies along a row of numbers."""
        return [down * (self.width + 2) + across for down in (-1, 0, 1) for across in (-1, 0, 1)]


def answer(weights: Weights, seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 3, h, w) channels -> (n, h / 2, w / 2) logits; h and w divisible by 16."""
    return Pass(weights, seen).logits


class Pass:
    """One run over a batch that remembers what `gradients` needs."""

    def __init__(self, weights: Weights, seen: NDArray[np.float32]) -> None:
        self._weights = weights
        self._into: dict[str, tuple[Grid, Map]] = {}
        self._out: dict[str, Map] = {}
        count, depth, height, width = seen.shape
        half = Grid(count, height // 2, width // 2)
        quarter = half.half()
        eighth = quarter.half()
        deep = eighth.half()
        self._grids = half, quarter, eighth, deep
        apart = seen.reshape(count, depth, height // 2, 2, width // 2, 2)
        first = apart.transpose(3, 5, 1, 0, 2, 4).reshape(-1, count, height // 2, width // 2)
        h = self._conv("half", half, half.bordered(first))
        q = self._conv("quarter_2", quarter, self._conv("quarter_1", quarter, _pooled(half, h)))
        e = self._conv("eighth_2", eighth, self._conv("eighth_1", eighth, _pooled(quarter, q)))
        d = self._conv("deep_2", deep, self._conv("deep_1", deep, _pooled(eighth, e)))
        up = self._conv("up_eighth", eighth, np.concatenate([_widened(deep, d), e]))
        up = self._conv("up_quarter", quarter, np.concatenate([_widened(eighth, up), q]))
        up = self._conv("up_half", half, np.concatenate([_widened(quarter, up), h]))
        self.logits: NDArray[np.float32] = half.inside(self._conv("answer", half, up))[0]

    def gradients(self, slope: NDArray[np.float32]) -> Weights:
        """How the loss changes with each weight; `slope` (n, h / 2, w / 2) as it does with logits."""
        half, quarter, eighth, deep = self._grids
        found: Weights = {}

        def back(name: str, at: Map) -> Map:
            into, found[name] = self._back(name, at)
            return into

        into = back("up_half", back("answer", half.bordered(slope[None])))
        up, h = _parted(into, self._out["up_quarter"])
        into = back("up_quarter", _narrowed(quarter, up))
        up, q = _parted(into, self._out["up_eighth"])
        into = back("up_eighth", _narrowed(eighth, up))
        up, e = _parted(into, self._out["deep_2"])
        d = back("deep_1", back("deep_2", _narrowed(deep, up)))
        e = e + _unpooled(eighth, self._out["eighth_2"], d)
        q = q + _unpooled(quarter, self._out["quarter_2"], back("eighth_1", back("eighth_2", e)))
        h = h + _unpooled(half, self._out["half"], back("quarter_1", back("quarter_2", q)))
        back("half", h)
        return found

    def _conv(self, name: str, grid: Grid, into: Map) -> Map:
        layer = _LAYER[name]
        weight, bias = self._weights[name]
        self._into[name] = grid, into
        if layer.size == 1:
            out: Map = weight[:, :, 0, 0] @ into
        else:
            out = _products(np.ascontiguousarray(weight.transpose(2, 3, 0, 1)), into, grid.taps())
        out += bias[:, None]
        if not layer.last:
            np.maximum(out, 0, out=out)
        grid.clear(out)
        self._out[name] = out
        return out

    def _back(self, name: str, at: Map) -> tuple[Map, tuple[Map, NDArray[np.float32]]]:
        """Slopes at a layer's output -> slopes at its input, and those of weight and bias."""
        layer = _LAYER[name]
        weight, _ = self._weights[name]
        grid, into = self._into[name]
        if not layer.last:
            at = at * (self._out[name] > 0)
        bias = at.sum(axis=1)
        if layer.size == 1:
            return weight[:, :, 0, 0].T @ at, ((at @ into.T)[:, :, None, None], bias)
        taps = grid.taps()
        edge = max(taps)
        change = np.empty((9, *weight.shape[:2]), np.float32)
        middle = at[:, edge:-edge]
        for place, tap in enumerate(taps):
            change[place] = middle @ into[:, edge + tap : into.shape[1] - edge + tap].T
        turned = np.ascontiguousarray(weight.transpose(2, 3, 1, 0)[::-1, ::-1])
        before = _products(turned, at, taps)
        grid.clear(before)
        return before, (
            np.ascontiguousarray(change.reshape(3, 3, *weight.shape[:2]).transpose(2, 3, 0, 1)),
            bias,
        )


def _products(weight: Map, into: Map, taps: list[int]) -> Map:
    """The sum over nine taps of (out, in) weights and shifted (in, numbers) maps.

    `weight` is (3, 3, out, in). Ends that no tap reaches are borders anyway.
    """
    edge = max(taps)
    out = np.zeros((weight.shape[2], into.shape[1]), np.float32)
    middle = out[:, edge:-edge]
    part = np.empty(middle.shape, np.float32)
    for one, tap in zip(weight.reshape(9, *weight.shape[2:]), taps, strict=True):
        np.matmul(one, into[:, edge + tap : into.shape[1] - edge + tap], out=part)
        middle += part
    return out


def _blocks(grid: Grid, flat: Map) -> Map:
    """(channels, numbers) -> (channels, n, h / 2, 2, w / 2, 2): a view, not a copy."""
    inner = grid.inside(flat)
    channel, picture, row, column = inner.strides
    return np.lib.stride_tricks.as_strided(
        inner,
        (len(inner), grid.pictures, grid.height // 2, 2, grid.width // 2, 2),
        (channel, picture, 2 * row, row, 2 * column, column),
    )


_QUARTERS = ((0, 0), (0, 1), (1, 0), (1, 1))


def _largest(blocks: Map) -> Map:
    """(channels, n, h / 2, 2, w / 2, 2) -> the largest of each 2 x 2."""
    a, b, c, d = (blocks[:, :, :, down, :, across] for down, across in _QUARTERS)
    return np.maximum(np.maximum(a, b), np.maximum(c, d))


def _pooled(grid: Grid, flat: Map) -> Map:
    return grid.half().bordered(_largest(_blocks(grid, flat)))


def _unpooled(grid: Grid, flat: Map, slope: Map) -> Map:
    """Slopes at the pooled map -> at (channels, numbers) before it: to each 2 x 2's first largest."""
    blocks = _blocks(grid, flat)
    most, inner = _largest(blocks), grid.half().inside(slope)
    before = grid.empty(len(flat))
    into = _blocks(grid, before)
    free = np.ones(most.shape, np.bool_)
    for down, across in _QUARTERS:
        here = free & (blocks[:, :, :, down, :, across] == most)
        free &= ~here
        into[:, :, :, down, :, across] = here * inner
    return before


def _widened(small: Grid, flat: Map) -> Map:
    """Each number twice in both directions: the map of a grid twice as large."""
    inner = small.inside(flat).repeat(2, axis=2).repeat(2, axis=3)
    return Grid(small.pictures, 2 * small.height, 2 * small.width).bordered(inner)


def _narrowed(small: Grid, slope: Map) -> Map:
    """Slopes at the widened map -> at the map before it."""
    large = Grid(small.pictures, 2 * small.height, 2 * small.width)
    blocks = _blocks(large, slope)
    a, b, c, d = (blocks[:, :, :, down, :, across] for down, across in _QUARTERS)
    return small.bordered(a + b + c + d)


def _parted(slope: Map, first: Map) -> tuple[Map, Map]:
    """Slopes at two maps laid one after the other -> at each of them."""
    return slope[: len(first)], slope[len(first) :]

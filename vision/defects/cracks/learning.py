"""A product's own crack weights, from its good pictures and cracks drawn into them.

Nobody has cracked parts on the first day. So cracks are drawn into good pictures and the network,
which came knowing cracks on made grounds, learns how they look on this one, and which lines and
rims belong to the product. Good pictures that it then still calls cracked are looked at again
(hard negatives, two rounds). Three or more really cracked parts make it markedly better.

Loss: focal (Lin et al., arXiv 1708.02002) and soft dice; steps by Adam (Kingma and Ba, arXiv
1412.6980) with a cosine schedule; the weights kept are a running mean of the later steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import BadInputError
from vision.defects.cracks.channels import (
    STRIDE_PX,
    WINDOW_PX,
    border,
    channels,
    grey_at_work,
    texture_sigma,
)
from vision.defects.cracks.descent import Pass, answer
from vision.defects.cracks.drawing import crack, distraction
from vision.defects.cracks.network import CrackNetwork
from vision.defects.cracks.shape import Weights, packed

STEPS = 450
BATCH = 8
SIDE_PX = 144
RATE = 6e-4
REAL_SHARE = 0.35
"""Of a batch, once there are really cracked parts."""
_MINE_AT = (0.25, 0.55)
_MINED_SHARE = 0.4
_MEAN_OF = 0.97


@dataclass(frozen=True, slots=True, eq=False)
class Cracked:
    """A really cracked part: (h, w, 3) BGR, and (h, w) where it is cracked, drawn or as boxes."""

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]


def learn_cracks(
    network: CrackNetwork,
    good: Sequence[NDArray[np.uint8]],
    *,
    cracked: Sequence[Cracked] = (),
    seconds: float = 240.0,
    progress: Callable[[float], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    steps: int = STEPS,
    seed: int = 0,
) -> NDArray[np.float16]:
    """The product's weights (NUMBERS,), to be kept in its profile and handed to `network.see`.

    `good`: (h, w, 3) BGR pictures of one size. It ends after `steps` or `seconds`,
    whichever comes first; `progress` hears shares of 0..1; `stop` is asked before every step.
    Raises BadInputError for no good picture, InterruptedError when stopped.
    """
    if not good:
        raise BadInputError("No good picture to draw cracks on", mend="Give at least one picture")
    draw = np.random.default_rng(seed)
    ground = _Ground(network, good, cracked)
    weights = {name: (w.copy(), b.copy()) for name, (w, b) in network.base.items()}
    adam, kept = _Adam(weights), {name: (w.copy(), b.copy()) for name, (w, b) in weights.items()}
    began, step, share, mined = time.monotonic(), 0, 0.0, 0
    while share < 1:
        if stop():
            raise InterruptedError("Learning cracks was stopped")
        if mined < len(_MINE_AT) and share >= _MINE_AT[mined]:
            ground.mine(kept, draw)
            mined += 1
        seen, wanted = ground.batch(draw)
        run = Pass(weights, seen)
        adam.step(weights, run.gradients(slope(run.logits, wanted)), RATE * _cosine(share))
        step += 1
        mean = min(_MEAN_OF, step / (step + 10))
        for name, parts in weights.items():
            for old, new in zip(kept[name], parts, strict=True):
                np.add(old, (1 - mean) * (new - old), out=old)
        share = min(1.0, max(step / steps, (time.monotonic() - began) / seconds))
        progress(share)
    return packed(kept)


def slope(logits: NDArray[np.float32], wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How the loss changes with each of (n, h, w) logits; `wanted` is where cracks are."""
    share = (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
    right = np.clip(np.where(wanted, share, 1 - share), 1e-6, 1 - 1e-6)
    focal = 2 * right * (1 - right) ** 2 * np.log(right) - (1 - right) ** 3
    weighed = np.where(wanted, 0.75 * focal, -0.25 * focal) / (wanted.sum() + 500)
    both = float((share * wanted).sum())
    total = float(share.sum() + wanted.sum()) + 50
    dice = (2 * both + 50 - 2 * wanted * total) / total**2 * share * (1 - share)
    return np.asarray(weighed + dice, np.float32)


def _cosine(share: float) -> float:
    """Up over the first twentieth, down to nothing at the end."""
    rise = 0.05
    return (
        share / rise
        if share < rise
        else 0.5 * (1 + math.cos(math.pi * (share - rise) / (1 - rise)))
    )


class _Adam:
    def __init__(self, weights: Weights) -> None:
        self._first = {n: tuple(np.zeros_like(p) for p in parts) for n, parts in weights.items()}
        self._second = {n: tuple(np.zeros_like(p) for p in parts) for n, parts in weights.items()}
        self._steps = 0

    def step(self, weights: Weights, change: Weights, rate: float) -> None:
        self._steps += 1
        size = math.sqrt(sum(float((p * p).sum()) for parts in change.values() for p in parts))
        shorter = min(1.0, 2.0 / max(size, 1e-9))
        first_share, second_share = 1 - 0.9**self._steps, 1 - 0.999**self._steps
        for name, parts in weights.items():
            for place, part in enumerate(parts):
                slope_here = change[name][place] * np.float32(shorter)
                first, second = self._first[name][place], self._second[name][place]
                first += 0.1 * (slope_here - first)
                second += 0.001 * (slope_here * slope_here - second)
                move = rate * (first / first_share) / (np.sqrt(second / second_share) + 1e-8)
                np.subtract(part, move, out=part)


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    grey: NDArray[np.float32]
    sigma: float


class _Ground:
    """Good pictures to draw on, places in them that were taken for cracks, and real cracks."""

    def __init__(
        self,
        network: CrackNetwork,
        good: Sequence[NDArray[np.uint8]],
        cracked: Sequence[Cracked],
    ) -> None:
        self._good = [_picture(image) for image in good]
        self._real = [
            (picture, mask)
            for picture, mask in ((_picture(one.image), _where(network, one)) for one in cracked)
            if mask.any()
        ]
        self._spots: list[tuple[int, int, int]] = []
        """Picture, y, x: the centre of what looked cracked and is good."""
        smallest = min(min(p.grey.shape) for p in (*self._good, *(p for p, _ in self._real)))
        self._side = min(SIDE_PX, smallest // STRIDE_PX * STRIDE_PX)

    def mine(self, weights: Weights, draw: np.random.Generator) -> None:
        """Find where good pictures look cracked to these weights."""
        most = 40
        chosen = draw.permutation(len(self._good))[:most]
        self._spots = []
        for number in chosen:
            picture = self._good[number]
            heat = answer(weights, channels(picture.grey, sigma=picture.sigma)[None])[0].copy()
            for _ in range(4):
                y, x = np.unravel_index(int(heat.argmax()), heat.shape)
                if heat[y, x] < _LOOKS_CRACKED:
                    break
                self._spots.append((int(number), 2 * int(y), 2 * int(x)))
                heat[max(0, y - 20) : y + 20, max(0, x - 20) : x + 20] = -np.inf

    def batch(self, draw: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(n, 3, s, s) channels and (n, s / 2, s / 2) where cracks are."""
        made = [
            self._really(draw) if self._real and draw.random() < REAL_SHARE else self._drawn(draw)
            for _ in range(BATCH)
        ]
        return np.stack([seen for seen, _ in made]), np.stack([mask for _, mask in made])

    def _drawn(self, draw: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        at: tuple[int, int] | None = None
        number = int(draw.integers(len(self._good)))
        if self._spots and draw.random() < _MINED_SHARE:
            number, *centre = self._spots[int(draw.integers(len(self._spots)))]
            at = (centre[0], centre[1])
        cut = _Cut.of(self._good[number], self._side, at, draw)
        grey = cut.grey.copy()
        mask = np.zeros(grey.shape, np.bool_)
        for _ in range(int(draw.choice(3, p=(0.5, 0.35, 0.15)))):
            grey = distraction(grey, cut.sigma, draw)
        if draw.random() < _CRACKED_SHARE:
            for _ in range(int(draw.integers(1, 3))):
                grey, found = crack(grey, cut.sigma, draw)
                mask |= found
        return cut.shown(grey, mask, draw)

    def _really(self, draw: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        picture, mask = self._real[int(draw.integers(len(self._real)))]
        places = np.argwhere(mask)
        y, x = places[int(draw.integers(len(places)))]
        cut = _Cut.of(picture, self._side, (int(y), int(x)), draw)
        return cut.shown(cut.grey, mask[cut.rows, cut.columns], draw)


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """A square of a picture with what lies around it, so that its edges are no edges."""

    grey: NDArray[np.float32]
    rim: NDArray[np.float32]
    sigma: float
    rows: slice
    columns: slice
    inner: tuple[slice, slice]

    @classmethod
    def of(
        cls, picture: _Picture, side: int, at: tuple[int, int] | None, draw: np.random.Generator
    ) -> _Cut:
        """A drawn square, or one with the place `at` somewhere in its middle half."""
        outer, inner = [], []
        for axis, length in enumerate(picture.grey.shape):
            if at is None:
                first = int(draw.integers(length - side + 1))
            else:
                first = at[axis] - int(draw.integers(side // 4, 3 * side // 4 + 1))
                first = min(max(0, first), length - side)
            begin, end = max(0, first - WINDOW_PX // 2), min(length, first + side + WINDOW_PX // 2)
            outer.append(slice(begin, end))
            inner.append(slice(first - begin, first - begin + side))
        rows, columns = outer
        rim = border(*picture.grey.shape)[rows, columns]
        grey = picture.grey[rows, columns]
        return cls(grey, rim, picture.sigma, rows, columns, (inner[0], inner[1]))

    def shown(
        self, grey: NDArray[np.float32], mask: NDArray[np.bool_], draw: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(3, s, s) channels and (s / 2, s / 2) where cracks are, mirrored by chance."""
        rows, columns = self.inner
        seen = channels(grey, sigma=self.sigma, rim=self.rim)[:, rows, columns]
        mask = mask[rows, columns]
        blocks = mask.reshape(mask.shape[0] // 2, 2, mask.shape[1] // 2, 2)
        half = np.asarray(blocks.any(axis=(1, 3)))
        if draw.random() < _EVEN:
            seen, half = seen[:, :, ::-1], half[:, ::-1]
        if draw.random() < _EVEN:
            seen, half = seen[:, ::-1], half[::-1]
        return seen, half


_EVEN = 0.5
_CRACKED_SHARE = 0.7
_LEAST_SHARE = 0.2
_LOOKS_CRACKED = -2.0
"""A logit: above it a good place is worth showing again."""


def _picture(image: NDArray[np.uint8]) -> _Picture:
    grey = grey_at_work(image)
    return _Picture(grey, texture_sigma(grey))


def _where(network: CrackNetwork, one: Cracked) -> NDArray[np.bool_]:
    """(rows, columns) at working size: where it is cracked.

    A box holds mostly sound ground. Where a mask fills its boxes, only what the base network finds
    most like a crack in them counts.
    """
    rows, columns = grey_at_work(one.image).shape
    share = cv2.resize(one.mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    mask = np.asarray(share > _LEAST_SHARE)
    count, _, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    boxed = sum(
        int(boxes[n, cv2.CC_STAT_WIDTH] * boxes[n, cv2.CC_STAT_HEIGHT]) for n in range(1, count)
    )
    if mask.sum() < _FILLED * boxed or mask.sum() < _SMALL_PX:
        return mask
    heat = network.see(one.image).repeat(2, axis=0).repeat(2, axis=1)
    like: NDArray[np.bool_] = mask & (heat >= np.quantile(heat[mask], 1 - _CRACK_OF_BOX))
    return like


_FILLED, _SMALL_PX, _CRACK_OF_BOX = 0.85, 200, 0.12

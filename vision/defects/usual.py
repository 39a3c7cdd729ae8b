"""How a product's picture usually looks as a whole, and how another one lies against it.

Goods differ from each other, the belt, the rail and the lamp do not: places where good pictures
agree weigh most, so that a camera that moved by a few pixels or a lamp that lost a tenth shows
even where goods lie loosely. Registration by iterated least squares (Lucas and Kanade 1981) with
Huber's, then Tukey's weights; the level of the logarithm of light is fitted along with the move.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

THUMB_PX = 128
_DARKEST = 4.0
_LOG_LOW, _LOG_STEP = math.log(_DARKEST), math.log(256 / _DARKEST) / 255
_SPREAD_STEP = 0.005
_LEAST_SPREAD = 0.01
_NORMAL = 1.4826
_RIM_PX = 4
_POINTS = 4096
_ROUNDS = 8
_STILL_PX = 0.02
_HUBER, _BIWEIGHT = 1.5, 3.0
_NEAR = 3
"""After so many rounds what still does not fit is another thing, and loses its say."""
_FAR_PX = THUMB_PX / 4
_RESPONSE = 0.15
_WORTH_A_JUMP_PX = 2.0


@dataclass(frozen=True, slots=True)
class Usual:
    """`level` and `spread` (128, 128) as bytes: the median log light of good pictures in steps
    over 4..256, and how much they differ there in steps of 0.005.
    """

    level: bytes
    spread: bytes


@dataclass(frozen=True, slots=True)
class Lie:
    """How a picture lies: `x`, `y` its move in shares of width and height, `light` the logarithm
    of its light relative to the usual one at places that stay.
    """

    x: float
    y: float
    light: float


def usual_of(thumbs: Sequence[NDArray[np.float32]]) -> Usual:
    """From the (128, 128) luma of good pictures, at least one; one picture an item is best."""
    logs = np.stack([_log(thumb) for thumb in thumbs])
    level = np.median(logs, axis=0)
    spread = _NORMAL * np.median(np.abs(logs - level), axis=0)
    return Usual(level=_bytes((level - _LOG_LOW) / _LOG_STEP), spread=_bytes(spread / _SPREAD_STEP))


def lie_of(thumb: NDArray[np.float32], usual: Usual) -> Lie:
    """`thumb` (128, 128) luma of one picture."""
    return _fit(usual).lie(_log(thumb))


def _log(thumb: NDArray[np.float32]) -> NDArray[np.float32]:
    logs: NDArray[np.float32] = np.log(np.maximum(thumb, np.float32(_DARKEST)))
    return logs


def _bytes(steps: NDArray[np.floating]) -> bytes:
    whole: NDArray[np.uint8] = np.clip(np.rint(steps), 0, 255).astype(np.uint8)
    return bytes(whole.tobytes())


def _square(data: bytes) -> NDArray[np.float32]:
    return np.frombuffer(data, np.uint8).reshape(THUMB_PX, THUMB_PX).astype(np.float32)


@lru_cache(maxsize=32)
def _fit(usual: Usual) -> _Fit:
    return _Fit(usual)


def _weights(off: NDArray[np.float32], *, near: bool) -> NDArray[np.float32]:
    """How much each point counts that is so many spreads off."""
    if near:
        return np.asarray(np.maximum(1 - (off / _BIWEIGHT) ** 2, 0) ** 2, np.float32)
    return np.asarray(np.minimum(1, _HUBER / np.maximum(np.abs(off), 1e-6)), np.float32)


class _Fit:
    """The parts of the least squares that do not change from picture to picture."""

    def __init__(self, usual: Usual) -> None:
        self.level = _square(usual.level) * np.float32(_LOG_STEP) + np.float32(_LOG_LOW)
        spread = _square(usual.spread) * np.float32(_SPREAD_STEP) + np.float32(_LEAST_SPREAD)
        across = cv2.Scharr(self.level, cv2.CV_32F, 1, 0) / 32
        down = cv2.Scharr(self.level, cv2.CV_32F, 0, 1) / 32
        inner = np.zeros(self.level.shape, np.float32)
        inner[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX] = 1
        told = inner * (across**2 + down**2 + np.float32(1e-6)) / spread**2
        points = np.sort(np.argpartition(told.ravel(), -_POINTS)[-_POINTS:])
        self._points = points
        self._spread = spread.ravel()[points]
        self._target = self.level.ravel()[points]
        columns = (-across.ravel()[points], -down.ravel()[points], np.ones(_POINTS, np.float32))
        self._slopes = np.stack(columns, axis=1).astype(np.float32)
        self._coarse = cv2.resize(self.level, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        self._window = cv2.createHanningWindow(self._coarse.shape[::-1], cv2.CV_32F)

    def lie(self, seen: NDArray[np.float32]) -> Lie:
        starts = [(0.0, 0.0)]
        coarse = cv2.resize(seen, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        # OpenCV writes the windowed picture back into what it is given.
        (x, y), response = cv2.phaseCorrelate(self._coarse.copy(), coarse, self._window)
        jump = (2.0 * x, 2.0 * y)
        if response > _RESPONSE and _WORTH_A_JUMP_PX < max(map(abs, jump)) < _FAR_PX:
            starts.append(jump)
        _, x, y, light = min(self._from(seen, start) for start in starts)
        return Lie(x / THUMB_PX, y / THUMB_PX, light)

    def _from(
        self, seen: NDArray[np.float32], start: tuple[float, float]
    ) -> tuple[float, float, float, float]:
        """What is left unexplained, and the x, y, light that explain the rest."""
        (x, y), light = start, 0.0
        for number in range(_ROUNDS):
            off = self._moved(seen, x, y) - self._target - np.float32(light)
            if number == 0:
                light = float(np.median(off))
                off -= np.float32(light)
            weight = _weights(off / self._spread, near=number >= _NEAR) / self._spread**2
            weighted = self._slopes * weight[:, None]
            normal = (weighted.T @ self._slopes).astype(np.float64)
            normal += np.eye(3) * (1e-6 * float(np.trace(normal)) + 1e-9)
            dx, dy, brighter = np.linalg.solve(normal, (weighted.T @ off).astype(np.float64))
            # Beyond a few pixels the slopes say nothing any more: small steps stay on the ground.
            x += float(np.clip(dx, -2, 2))
            y += float(np.clip(dy, -2, 2))
            light += float(brighter)
            if max(abs(dx), abs(dy)) < _STILL_PX or max(abs(x), abs(y)) > _FAR_PX:
                break
        off = self._moved(seen, x, y) - self._target - np.float32(light)
        return float(np.minimum(np.abs(off) / self._spread, 4).mean()), x, y, light

    def _moved(self, seen: NDArray[np.float32], x: float, y: float) -> NDArray[np.float32]:
        back = cv2.warpAffine(
            seen,
            np.array([[1, 0, x], [0, 1, y]], np.float32),
            (THUMB_PX, THUMB_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        points: NDArray[np.float32] = back.ravel()[self._points].astype(np.float32)
        return points

"""Presence seen in the picture: is something on the belt that was not there before?

Pure: grey pictures in, edges out. The share of the region that differs from the learned empty belt
rises and falls with hysteresis. Cartons that touch cannot be told apart this way: a photo-eye can.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from appliance.cameras.frame import Image
from appliance.cameras.statistics import small_grey


@dataclass(frozen=True, slots=True)
class PresencePolicy:
    """`region` is left, top, right, bottom as shares (0..1) of the picture. Shares of the region
    that differ: above `enter` for `enter_frames` it is covered, below `leave` uncovered.
    """

    region: tuple[float, float, float, float] = (0.25, 0.2, 0.75, 0.8)
    difference: float = 22.0
    enter: float = 0.25
    leave: float = 0.10
    enter_frames: int = 2
    leave_frames: int = 2
    learn_frames: int = 5
    follow: float = 0.02


@dataclass(frozen=True, slots=True)
class Edge:
    high: bool
    at: datetime


class PresenceWatch:
    """Learns the empty belt from the first frames; follows slow light while nothing is there."""

    def __init__(
        self, policy: PresencePolicy, *, background: NDArray[np.float32] | None = None
    ) -> None:
        self._policy = policy
        self._background = background
        self._learning: list[NDArray[np.float32]] = []
        self.covered = False
        self._since: datetime | None = None
        self._in_a_row = 0

    def see(self, image: Image, *, at: datetime) -> Edge | None:
        """An edge, dated to the first frame that showed it, or None."""
        grey = self._region(small_grey(image))
        if self._background is None:
            self._learn(grey)
            return None
        policy = self._policy
        differing = float((np.abs(grey - self._background) > policy.difference).mean())
        turning = differing < policy.leave if self.covered else differing > policy.enter
        if not turning:
            self._in_a_row, self._since = 0, None
            if not self.covered:
                self._background += policy.follow * (grey - self._background)
            return None
        self._since = self._since or at
        self._in_a_row += 1
        if self._in_a_row < (policy.leave_frames if self.covered else policy.enter_frames):
            return None
        edge = Edge(not self.covered, self._since)
        self.covered, self._in_a_row, self._since = edge.high, 0, None
        return edge

    def _learn(self, grey: NDArray[np.float32]) -> None:
        self._learning.append(grey)
        if len(self._learning) >= self._policy.learn_frames:
            self._background = np.median(np.stack(self._learning), axis=0).astype(np.float32)
            self._learning.clear()

    def _region(self, grey: NDArray[np.float32]) -> NDArray[np.float32]:
        height, width = grey.shape
        left, top, right, bottom = self._policy.region
        rows = slice(round(top * height), round(bottom * height))
        return grey[rows, round(left * width) : round(right * width)]

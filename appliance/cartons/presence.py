"""Presence seen in the picture: is something on the belt that was not there before?

Pure: grey pictures in, edges out. The share of the region that differs from the learned empty belt
rises and falls with hysteresis. Cartons that touch cannot be told apart this way: a photo-eye can.

A view that stays covered for `longest_ms` is learned anew. Where no carton had come and gone before
it, one lay there when the empty belt was learned. Where cartons had, the belt stands still with one:
then the view before is kept until a carton has come and gone before the new one, and taken back as
soon as the picture shows it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from appliance.cameras.frame import Image
from appliance.cameras.statistics import small_grey

Grey = NDArray[np.float32]


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
    longest_ms: int = 10_000


@dataclass(frozen=True, slots=True)
class Edge:
    """`relearned`: nothing left; the view is taken for the empty belt from now on."""

    high: bool
    at: datetime
    relearned: bool = False


class PresenceWatch:
    """Learns the empty belt from the first frames; follows slow light while nothing is there."""

    def __init__(self, policy: PresencePolicy, *, background: Grey | None = None) -> None:
        self._policy = policy
        self._background = background
        self._is_proven = False
        self._former: Grey | None = None
        self._learning: list[Grey] = []
        self.covered = False
        self._covered_since: datetime | None = None
        self._since: datetime | None = None
        self._in_a_row = 0
        self._former_in_a_row = 0

    def see(self, image: Image, *, at: datetime) -> Edge | None:
        """An edge, dated to the first frame that showed it, or None."""
        grey = self._region(small_grey(image))
        if self._is_former(grey):
            return self._take_back(at)
        if self._background is None:
            self._learn(grey)
            return None
        if self._is_covered_too_long(at):
            return self._forget(at)
        return self._turn(grey, self._background, at)

    def learn(self, *, at: datetime) -> Edge | None:
        """Somebody says that the belt is empty now: learn it from the next frames."""
        was_covered, edge = self.covered, self._forget(at)
        self._former = None
        self._learning.clear()
        return edge if was_covered else None

    def _turn(self, grey: Grey, background: Grey, at: datetime) -> Edge | None:
        policy = self._policy
        differing = self._differing(grey, background)
        turning = differing < policy.leave if self.covered else differing > policy.enter
        if not turning:
            self._in_a_row, self._since = 0, None
            if not self.covered:
                background += policy.follow * (grey - background)
            return None
        self._since = self._since or at
        self._in_a_row += 1
        if self._in_a_row < (policy.leave_frames if self.covered else policy.enter_frames):
            return None
        return self._edge(Edge(not self.covered, self._since))

    def _edge(self, edge: Edge) -> Edge:
        self.covered, self._in_a_row, self._since = edge.high, 0, None
        self._covered_since = edge.at if edge.high else None
        if not edge.high and not edge.relearned:
            self._is_proven, self._former = True, None
        return edge

    def _is_covered_too_long(self, at: datetime) -> bool:
        since = self._covered_since
        longest = timedelta(milliseconds=self._policy.longest_ms)
        return since is not None and at - since >= longest

    def _forget(self, at: datetime) -> Edge:
        self._former = self._background if self._is_proven else None
        self._background, self._is_proven, self._former_in_a_row = None, False, 0
        return self._edge(Edge(high=False, at=at, relearned=True))

    def _is_former(self, grey: Grey) -> bool:
        if self._former is None or self._differing(grey, self._former) >= self._policy.leave:
            self._former_in_a_row = 0
            return False
        self._former_in_a_row += 1
        # Before the new view could call this covered.
        return self._former_in_a_row >= self._policy.enter_frames

    def _take_back(self, at: datetime) -> Edge | None:
        self._background, self._former = self._former, None
        self._learning.clear()
        was_covered, edge = self.covered, self._edge(Edge(high=False, at=self._since or at))
        return edge if was_covered else None

    def _differing(self, grey: Grey, background: Grey) -> float:
        return float((np.abs(grey - background) > self._policy.difference).mean())

    def _learn(self, grey: Grey) -> None:
        self._learning.append(grey)
        if len(self._learning) >= self._policy.learn_frames:
            self._background = np.median(np.stack(self._learning), axis=0).astype(np.float32)
            self._learning.clear()

    def _region(self, grey: Grey) -> Grey:
        height, width = grey.shape
        left, top, right, bottom = self._policy.region
        rows = slice(round(top * height), round(bottom * height))
        return grey[rows, round(left * width) : round(right * width)]

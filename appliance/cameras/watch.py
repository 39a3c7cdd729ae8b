"""Is a camera in order? A pure decision over its recent frames and the time (I7).

`stalled` no picture, `frozen` byte for byte the same picture again, `dark`, `moved`, `blurred`.
What is wrong is said within two seconds, and unsaid only after a second of good pictures. A still
belt is not frozen: a sensor's noise never repeats. Brightness, blur and place are judged against a
reference learned from the first frames (or kept from before), only where the picture still shows
the reference's background, so that a carton passing by proves nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.cameras.statistics import GREY_WIDTH, FrameStats, shift_between


class CameraState(StrEnum):
    OK = "ok"
    STALLED = "stalled"
    FROZEN = "frozen"
    MOVED = "moved"
    BLURRED = "blurred"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Health:
    state: CameraState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """Seconds, shares and grey levels (0..255). `live` is False for uploads: their
    silence is no fault, their pictures have no common background; only `dark` and `frozen` hold.
    """

    live: bool = True
    stall_s: float = 1.5
    repeats: int = 3
    enter_s: float = 0.8
    leave_s: float = 1.0
    dark_level: float = 22.0
    dark_share: float = 0.45
    blur_share: float = 0.35
    moved_share: float = 0.03
    """Of the picture's width."""
    moved_proof: float = 0.4
    learn_frames: int = 8


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The camera's view in order: arrays as in FrameStats, medians over the learned frames."""

    grey: NDArray[np.float32]
    means: NDArray[np.float32]
    sharpness: NDArray[np.float32]


_SAME_TILE: Final = 14.0
"""Grey levels by which a tile may differ and still show the background."""
_ENOUGH_TILES: Final = 6
_MOVED_EVERY_S: Final = 0.4
"""Phase correlation is the dear part of watching, and no camera is knocked twice a second."""
_TEXTURED: Final = 12.0
"""A tile with less variance of the Laplacian shows noise, which blur says nothing about."""
_OK: Final = Health(CameraState.OK)


class CameraWatch:
    """Takes statistics and times, gives health. No clock and no I/O of its own."""

    def __init__(
        self, policy: WatchPolicy, *, since: float, reference: Reference | None = None
    ) -> None:
        self._policy = policy
        self._last_seen = since
        self._seen_any = False
        self._fingerprint = ""
        self._repeats = 0
        self._repeating_since = since
        self._learning: deque[FrameStats] = deque(maxlen=policy.learn_frames)
        self.reference = reference
        self._moved: Health | None = None
        self._moved_checked = -_MOVED_EVERY_S
        self._suspect: Health = _OK
        self._suspect_since = since
        self._settled: Health = _OK

    def begin(self, now: float) -> None:
        """The camera is opened only now: silence before was nobody's fault."""
        if not self._seen_any:
            self._last_seen = now

    def forget(self) -> None:
        """Learn the view anew: the camera was moved on purpose."""
        self.reference, self._moved = None, None
        self._learning.clear()

    def see(self, stats: FrameStats) -> Health:
        """Take a frame in, in the order frames came."""
        self._last_seen, self._seen_any = stats.seconds, True
        if stats.fingerprint == self._fingerprint:
            self._repeats += 1
        else:
            self._fingerprint, self._repeats = stats.fingerprint, 0
            self._repeating_since = stats.seconds
        found = self._look(stats)
        self._learn(stats, found)
        if found.state is not self._suspect.state:
            self._suspect_since = stats.seconds
        self._suspect = found
        return self.health(stats.seconds)

    def health(self, now: float) -> Health:
        """The state at `now`; ask again as time passes, for silence is a finding too."""
        policy = self._policy
        silent = now - self._last_seen
        if policy.live and silent >= policy.stall_s:
            self._settled = Health(CameraState.STALLED, f"no picture for {silent:.1f} s")
            self._suspect, self._suspect_since = _OK, now
            return self._settled
        if self._is_frozen(now):
            self._settled = Health(CameraState.FROZEN, f"same picture {self._repeats + 1} times")
            self._suspect, self._suspect_since = _OK, now
            return self._settled
        if not policy.live:
            self._settled = self._suspect
            return self._settled
        lasting = now - self._suspect_since
        needed = policy.leave_s if self._suspect.state is CameraState.OK else policy.enter_s
        if self._suspect.state is self._settled.state or (self._seen_any and lasting >= needed):
            self._settled = self._suspect
        return self._settled

    def _is_frozen(self, now: float) -> bool:
        policy = self._policy
        if self._repeats == 0:
            return False
        if not policy.live:
            return self._repeats >= policy.repeats
        # A camera too slow to repeat itself thrice in time is caught by time.
        return (
            self._repeats >= policy.repeats and now - self._repeating_since >= policy.enter_s
        ) or now - self._repeating_since >= policy.stall_s

    def _learn(self, stats: FrameStats, found: Health) -> None:
        if self.reference is not None or not self._policy.live:
            return
        if found.state is CameraState.OK and self._repeats == 0:
            self._learning.append(stats)
        if len(self._learning) == self._policy.learn_frames:
            self.reference = Reference(
                grey=_median([each.grey for each in self._learning]),
                means=_median([each.means for each in self._learning]),
                sharpness=_median([each.sharpness for each in self._learning]),
            )
            self._learning.clear()

    def _look(self, stats: FrameStats) -> Health:
        policy, reference = self._policy, self.reference
        dark = _dark(stats, reference, policy)
        if dark is not None or reference is None or not policy.live:
            return dark or _OK
        # A lamp that ages or a cloud dims all tiles alike: compare after levelling them.
        level = float(np.median(reference.means / np.maximum(stats.means, 1.0)))
        same = np.abs(stats.means * level - reference.means) < _SAME_TILE
        if stats.seconds - self._moved_checked >= _MOVED_EVERY_S:
            self._moved = _moved(stats, reference, policy)
            self._moved_checked = stats.seconds
        return self._moved or _blurred(stats, reference, same, policy) or _OK


def _dark(stats: FrameStats, reference: Reference | None, policy: WatchPolicy) -> Health | None:
    limit = policy.dark_level
    brightest = float(stats.means.max())
    if reference is not None:
        limit = max(limit, policy.dark_share * float(reference.means.max()))
    if brightest >= limit:
        return None
    return Health(CameraState.DARK, f"brightest part {brightest:.0f} of 255, wanted {limit:.0f}")


def _moved(stats: FrameStats, reference: Reference, policy: WatchPolicy) -> Health | None:
    dx, dy, proof = shift_between(reference.grey, stats.grey)
    share = float(np.hypot(dx, dy)) / GREY_WIDTH
    if share < policy.moved_share or proof < policy.moved_proof:
        return None
    return Health(CameraState.MOVED, f"view shifted by {share:.0%} of its width")


def _blurred(
    stats: FrameStats, reference: Reference, same: NDArray[np.bool_], policy: WatchPolicy
) -> Health | None:
    """Blur is judged on textured background tiles; too few of them prove nothing."""
    telling = same & (reference.sharpness > _TEXTURED)
    if int(telling.sum()) < _ENOUGH_TILES:
        return None
    share = float(np.median(stats.sharpness[telling] / reference.sharpness[telling]))
    if share >= policy.blur_share:
        return None
    return Health(CameraState.BLURRED, f"{share:.0%} of the usual sharpness")


def _median(arrays: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    middle: NDArray[np.float32] = np.median(np.stack(arrays), axis=0).astype(np.float32)
    return middle

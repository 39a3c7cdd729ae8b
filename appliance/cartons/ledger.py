"""Which picture belongs to which carton: a pure decision over edges, frames and time.

A photo-eye (or presence) gives edges; a carton is there from its rising edge until its falling
one, first moment in, last moment out. A frame belongs to the carton that was there when it was
taken, whatever order news arrived in; to none, when none was there. Edges closer together than
`debounce_ms` are one carton's handle hole or a bouncing eye. Cartons come out in the order they
were opened, each once, when no frame of theirs can still be on its way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from appliance.cameras.frame import Frame
from appliance.cartons.view import CartonView
from contracts.reason import Reason


@dataclass(frozen=True, slots=True)
class TrackPolicy:
    """`settle_ms` waits for frames under way after a carton has left; `longest_ms` is when a
    carton that never left is closed all the same; `keep` is the number of frames kept a camera.
    `recall_ms` is how late an edge may be told and still claim the frames before it. `delays_ms`
    tells how long after the eye a carton is in a camera's view.
    """

    debounce_ms: int = 40
    settle_ms: int = 150
    longest_ms: int = 10_000
    keep: int = 3
    recall_ms: int = 500
    delays_ms: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class RankedFrame:
    """`sharpness` ranks frames of one camera; `state` is the camera's when the frame came."""

    frame: Frame
    sharpness: float
    state: str = "ok"


@dataclass(slots=True, eq=False)
class _Carton:
    carton_id: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None = None
    timed_out: bool = False
    frames: dict[str, list[RankedFrame]] = field(default_factory=dict)


class CartonLedger:
    """Takes edges, frames and the time in; gives cartons out. No clock and no I/O of its own."""

    def __init__(
        self,
        cameras: Sequence[str],
        *,
        policy: TrackPolicy,
        new_id: Callable[[datetime], str],
    ) -> None:
        self._cameras = tuple(cameras)
        self._policy = policy
        self._new_id = new_id
        self._cartons: deque[_Carton] = deque()
        self._strays: deque[RankedFrame] = deque()
        self._last_edge: datetime | None = None
        self._high = False
        self._glitches = 0
        self._frames_of_none = 0
        delays = [_ms(policy.delays_ms.get(camera, 0)) for camera in self._cameras]
        self._delay = dict(zip(self._cameras, delays, strict=True))
        self._longest_delay = max((*delays, timedelta(0)))

    @property
    def glitches(self) -> int:
        """Pulses too short to be a carton."""
        return self._glitches

    @property
    def frames_of_none(self) -> int:
        """Frames taken while no carton was there."""
        return self._frames_of_none

    def edge(self, *, high: bool, at: datetime, by: str, never_left: bool = False) -> None:
        """The eye was covered (high) or uncovered at `at`. A repeated state is no edge; an edge
        older than the last one counts from that one on. `never_left`: the eye gave up waiting.
        """
        at = at if self._last_edge is None else max(at, self._last_edge)
        self._time_out(at)
        if high is self._high:
            return
        self._high, self._last_edge = high, at
        last = self._cartons[-1] if self._cartons else None
        if high:
            self._rise(last, at, by)
        elif last is not None and last.closed_at is None:
            last.timed_out = never_left
            self._close(last, at)

    def offer(self, ranked: RankedFrame) -> None:
        """A frame, at any time after it was taken; its own time says where it belongs."""
        if ranked.frame.camera not in self._delay:
            return
        if not self._place(ranked):
            self._strays.append(ranked)
        self._drop_strays(ranked.frame.at)

    def advance(self, now: datetime) -> list[CartonView]:
        """Cartons that are complete at `now`, oldest first."""
        self._time_out(now)
        done: list[CartonView] = []
        while self._cartons and self._is_done(self._cartons[0], now):
            carton = self._cartons.popleft()
            if self._is_glitch(carton):
                self._glitches += 1
                self._strays.extend(each for of in carton.frames.values() for each in of)
            else:
                done.append(self._view(carton))
        self._drop_strays(now)
        return done

    def next_change(self) -> datetime | None:
        """When `advance` will have something to do though nothing arrives; None while empty."""
        if not self._cartons:
            return None
        first, last = self._cartons[0], self._cartons[-1]
        if first.closed_at is not None:
            return self._done_at(first.closed_at)
        return last.opened_at + _ms(self._policy.longest_ms)

    def _rise(self, last: _Carton | None, at: datetime, by: str) -> None:
        debounce = _ms(self._policy.debounce_ms)
        if (
            last is not None
            and last.closed_at is not None
            and not last.timed_out
            and at - last.closed_at < debounce
        ):
            last.closed_at = None
        else:
            self._cartons.append(_Carton(self._new_id(at), at, by))
        waiting, self._strays = self._strays, deque()
        for ranked in waiting:
            self.offer(ranked)

    def _time_out(self, now: datetime) -> None:
        """A carton that never left: an eye that stays covered opens no other until it clears."""
        last = self._cartons[-1] if self._cartons else None
        if last is None or last.closed_at is not None:
            return
        limit = last.opened_at + _ms(self._policy.longest_ms)
        if now >= limit:
            last.timed_out = True
            self._close(last, limit)

    def _close(self, carton: _Carton, at: datetime) -> None:
        """Frames taken since are not this carton's: the next one may claim them."""
        carton.closed_at = at
        for camera, frames in carton.frames.items():
            seen_until = at + self._delay[camera]
            self._strays.extend(each for each in frames if each.frame.at >= seen_until)
            mine = [each for each in frames if each.frame.at < seen_until]
            carton.frames[camera] = ranked_best(mine, self._policy.keep)

    def _place(self, ranked: RankedFrame) -> bool:
        frame = ranked.frame
        at = frame.at - self._delay[frame.camera]
        for carton in reversed(self._cartons):
            if at >= carton.opened_at:
                if carton.closed_at is not None and at >= carton.closed_at:
                    return False
                frames = [*carton.frames.get(frame.camera, ()), ranked]
                # No edge can come between a closed carton and its frames any more.
                carton.frames[frame.camera] = (
                    self._thin(frames, frame.at)
                    if carton.closed_at is None
                    else ranked_best(frames, self._policy.keep)
                )
                return True
        return False

    def _thin(self, frames: list[RankedFrame], now: datetime) -> list[RankedFrame]:
        """A carton that stands still must not fill the memory: of frames that no late edge can
        take away any more, only the best stay.
        """
        safe = now - _ms(self._policy.recall_ms)
        old = [each for each in frames if each.frame.at < safe]
        young = [each for each in frames if each.frame.at >= safe]
        return ranked_best(old, self._policy.keep) + young

    def _is_done(self, carton: _Carton, now: datetime) -> bool:
        return carton.closed_at is not None and now >= self._done_at(carton.closed_at)

    def _done_at(self, closed_at: datetime) -> datetime:
        wait = max(self._policy.settle_ms, self._policy.debounce_ms)
        return closed_at + self._longest_delay + _ms(wait)

    def _is_glitch(self, carton: _Carton) -> bool:
        there = (carton.closed_at or carton.opened_at) - carton.opened_at
        return carton.opened_by == "trigger" and there < _ms(self._policy.debounce_ms)

    def _drop_strays(self, now: datetime) -> None:
        """A stray waits only as long as the edge that claims it may be late."""
        limit = now - self._longest_delay - _ms(self._policy.recall_ms)
        kept = [each for each in self._strays if each.frame.at > limit]
        self._frames_of_none += len(self._strays) - len(kept)
        self._strays = deque(kept)

    def _view(self, carton: _Carton) -> CartonView:
        best = {
            camera: ranked_best(carton.frames.get(camera, []), self._policy.keep)
            for camera in self._cameras
        }
        return CartonView(
            carton_id=carton.carton_id,
            opened_at=carton.opened_at,
            opened_by=carton.opened_by,
            frames={camera: tuple(each.frame for each in of) for camera, of in best.items()},
            closed_at=carton.closed_at or carton.opened_at,
            faults=tuple(_faults(carton, best)),
        )


def ranked_best(ranked: Iterable[RankedFrame], keep: int) -> list[RankedFrame]:
    """The `keep` best, sharpest first; those of a camera in order before all others."""
    best = sorted(ranked, key=lambda each: (each.state != "ok", -each.sharpness, each.frame.number))
    return best[:keep]


def _faults(carton: _Carton, best: Mapping[str, Sequence[RankedFrame]]) -> Iterable[Reason]:
    """A camera without pictures is no fault of the view: the judge sees that for itself."""
    if carton.timed_out and carton.closed_at is not None:
        there = carton.closed_at - carton.opened_at
        yield Reason("carton_never_left", {"seconds": round(there.total_seconds())})
    for camera, frames in best.items():
        # One picture of a camera in order is enough to judge from.
        if frames and frames[0].state != "ok":
            yield Reason(f"camera_{frames[0].state}", {"camera": camera})


def _ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)

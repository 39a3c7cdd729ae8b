"""A named camera: opens its source again and again, watches it, hands out only what is fresh.

It never keeps judging an old frame: what arrives twice is not handed on, what is older than
`max_age_s` is not shown, and while the camera is stalled or frozen nothing is handed on at all.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from appliance.cameras.frame import Frame
from appliance.cameras.kept_view import KeptView
from appliance.cameras.ports import CameraSource
from appliance.cameras.statistics import look_at
from appliance.cameras.watch import CameraState, CameraWatch, Health, WatchPolicy
from contracts.errors import BadFrameError, UnavailableError

log = structlog.get_logger()
_TICK_S: Final = 0.2
_UNFIT: Final = frozenset({CameraState.STALLED, CameraState.FROZEN})


@dataclass(frozen=True, slots=True)
class BackOff:
    """Seconds between tries: doubling from `first_s` to `most_s`, each drawn from half to whole,
    so that cameras behind one switch do not all come back at once.
    """

    first_s: float = 0.2
    most_s: float = 5.0

    def pause(self, failures: int, draw: float) -> float:
        """`draw` is uniform in 0..1."""
        whole = min(self.most_s, self.first_s * 2.0 ** min(failures, 20))
        return whole * (0.5 + 0.5 * draw)


class Camera:
    """`on_frame` gets each fresh frame, `on_change` each change of health, both on the loop.
    `kept_view` keeps what a live camera's view is over restarts.
    """

    def __init__(
        self,
        name: str,
        source: CameraSource,
        *,
        policy: WatchPolicy | None = None,
        kept_view: KeptView | None = None,
        on_frame: Callable[[Frame], None] = lambda _frame: None,
        on_change: Callable[[str, Health], None] = lambda _name, _health: None,
        max_age_s: float = 2.0,
        back_off: BackOff | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.health = Health(CameraState.OK)
        self.failures = 0
        """Tries in a row that ended without a picture."""
        self.bad_frames = 0
        self._source = source
        self._kept_view = kept_view
        self._kept = kept_view.load() if kept_view is not None and source.live else None
        self._watch = CameraWatch(
            policy or WatchPolicy(live=source.live), since=monotonic(), reference=self._kept
        )
        self._on_frame = on_frame
        self._on_change = on_change
        self._max_age_s = max_age_s
        self._back_off = back_off or BackOff()
        self._monotonic = monotonic
        self._latest: tuple[float, Frame] | None = None
        self._fingerprint = ""

    @property
    def live(self) -> bool:
        return self._source.live

    @property
    def state(self) -> CameraState:
        return self.health.state

    @property
    def age_s(self) -> float | None:
        """Seconds since the newest frame, None before the first."""
        return None if self._latest is None else self._monotonic() - self._latest[0]

    def latest(self) -> Frame | None:
        """The newest frame, or None where it is too old to stand for the belt as it is now.

        An upload does not age: it shows an event, not the present.
        """
        if self._latest is None:
            return None
        came, frame = self._latest
        too_old = self.live and self._monotonic() - came > self._max_age_s
        return None if too_old or (self.live and self.state in _UNFIT) else frame

    def learn_view(self) -> None:
        """Take the view as it is from now on for the reference (the camera was re-mounted)."""
        self._watch.forget()
        self._on_change(self.name, Health(self.state, "its view is learned anew"))

    async def run(self) -> None:
        """Read until cancelled. No fault of the camera ends it."""
        self._watch.begin(self._monotonic())
        ticker = asyncio.create_task(self._tick(), name=f"camera {self.name} watch")
        try:
            while True:
                await self._read_once()
                pause = self._back_off.pause(self.failures, random.random())  # noqa: S311 -- jitter
                self.failures += 1
                await asyncio.sleep(pause)
        finally:
            ticker.cancel()

    async def _read_once(self) -> None:
        try:
            async for frame in self._source.frames():
                self.failures = 0
                self._take(frame)
                await self._keep_view()
        except BadFrameError as error:
            self.bad_frames += 1
            log.warning("camera sent no usable picture", camera=self.name, why=str(error))
        except UnavailableError as error:
            log.warning("camera away", camera=self.name, why=str(error), tries=self.failures)

    async def _keep_view(self) -> None:
        learned = self._watch.reference
        if self._kept_view is None or learned is None or learned is self._kept:
            return
        self._kept = learned
        try:
            await asyncio.to_thread(self._kept_view.save, learned)
        except OSError as error:
            log.warning("view not kept", camera=self.name, why=str(error))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self._settle(self._watch.health(self._monotonic()))

    def _take(self, frame: Frame) -> None:
        now = self._monotonic()
        again = self.live and frame.sha256 == self._fingerprint
        self._fingerprint = frame.sha256
        self._settle(self._watch.see(look_at(frame, seconds=now)))
        if again or (self.live and self.state in _UNFIT):
            return
        self._latest = (now, frame)
        self._on_frame(frame)

    def _settle(self, health: Health) -> None:
        before, self.health = self.health, health
        if before.state is not health.state:
            log.info("camera", camera=self.name, state=health.state, detail=health.detail)
            self._on_change(self.name, health)

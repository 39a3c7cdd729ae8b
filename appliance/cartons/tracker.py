"""The live tracker: edges and frames come in on the event loop, cartons go out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

import structlog

from appliance.cameras.frame import Frame
from appliance.cameras.statistics import sharpness_of
from appliance.cartons.ledger import CartonLedger, RankedFrame, TrackPolicy
from appliance.cartons.presence import Edge, PresenceWatch
from appliance.cartons.view import CartonView, carton_ids
from contracts.clock import Clock

log = structlog.get_logger()
_SEES_THE_BELT: Final = frozenset({"ok", "blurred"})


class CartonTracker:
    """`trigger` opens and closes cartons; with `presence`, what `presence_camera` sees does too.

    Both times are our own clock's: a photo-eye's clock is not to be trusted with which picture
    belongs to which carton.
    """

    def __init__(
        self,
        station: str,
        cameras: Sequence[str],
        *,
        clock: Clock,
        policy: TrackPolicy | None = None,
        presence: PresenceWatch | None = None,
        presence_camera: str = "label",
    ) -> None:
        self._clock = clock
        self.ledger = CartonLedger(
            cameras, policy=policy or TrackPolicy(), new_id=carton_ids(station)
        )
        self._presence = presence
        self._presence_camera = presence_camera
        self._news = asyncio.Event()
        self.relearned = 0
        """How often the empty belt was learned anew; the carton before it says `carton_never_left`."""

    def trigger(self, *, high: bool) -> None:
        """The photo-eye was covered (high) or uncovered, just now."""
        self._edge(high=high, by="trigger")

    def offer(self, frame: Frame, *, state: str = "ok") -> None:
        """A camera's frame with the camera's state when it came. Never waits."""
        self.ledger.offer(RankedFrame(frame, sharpness_of(frame.image), state))
        # A lamp that fails or a knocked camera changes the whole picture: no carton did that.
        fit = state in _SEES_THE_BELT and frame.camera == self._presence_camera
        if self._presence is not None and fit:
            self._present(self._presence.see(frame.image, at=frame.at))

    def learn_belt(self, camera: str) -> None:
        """The belt is empty, says somebody who sees it: presence by `camera` learns it anew."""
        if self._presence is not None and camera == self._presence_camera:
            self._present(self._presence.learn(at=self._clock.now()))

    def _present(self, edge: Edge | None) -> None:
        if edge is None:
            return
        if edge.relearned:
            self.relearned += 1
            log.warning("empty belt learned anew", camera=self._presence_camera)
        self.ledger.edge(high=edge.high, at=edge.at, by="presence", never_left=edge.relearned)
        self._news.set()

    async def cartons(self) -> AsyncIterator[CartonView]:
        """Cartons that have left, in the order they came; waits for ever for the next one."""
        while True:
            now = self._clock.now()
            for carton in self.ledger.advance(now):
                yield carton
            self._news.clear()
            due = self.ledger.next_change()
            wait = None if due is None else max(0.0, (due - self._clock.now()).total_seconds())
            try:
                async with asyncio.timeout(wait):
                    await self._news.wait()
            except TimeoutError:
                continue

    def _edge(self, *, high: bool, by: str) -> None:
        self.ledger.edge(high=high, at=self._clock.now(), by=by)
        self._news.set()

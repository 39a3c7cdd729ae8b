"""Telling boxes to ask sooner: a retained message with a number, and nothing that could be believed.

Polling is the authority. A message that is lost, late or forged costs at most a poll.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from contracts.errors import UnavailableError
from contracts.ports import MessageBus
from ota.rollout.ports import Issued

TOPIC = "tallyman/ota/{device}"
log = structlog.get_logger()


def topic(device: str) -> str:
    """Where a box listens. Device ids hold neither `/` nor wild cards."""
    return TOPIC.format(device=device)


class WakeUps:
    """`tell` from any thread; `run` publishes, the newest number of each box only."""

    def __init__(self, bus: MessageBus | None) -> None:
        self._bus = bus
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[str, bytes] = {}
        self._news = asyncio.Event()
        self.lost = 0
        """Boxes that were not told because the broker was away; they poll."""

    def tell(self, made: Sequence[Issued]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._take, tuple(made))

    def _take(self, made: Sequence[Issued]) -> None:
        self._waiting.update({each.device: b"%d" % each.sequence for each in made})
        self._news.set()

    async def run(self) -> None:
        """Until cancelled; at once at its end where there is no broker."""
        bus = self._bus
        if bus is None:
            return
        self._loop = asyncio.get_running_loop()
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                device, payload = self._waiting.popitem()
                await self._publish(bus, device, payload)

    async def _publish(self, bus: MessageBus, device: str, payload: bytes) -> None:
        try:
            await bus.publish(topic(device), payload, qos=1, retain=True)
        except UnavailableError as error:
            self.lost += 1 + len(self._waiting)
            self._waiting.clear()
            log.info("boxes are not woken, they poll", error=str(error))

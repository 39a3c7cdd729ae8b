"""Messages of module stations between the broker and the books (I2).

The broker keeps what was not acknowledged, and it is acknowledged when it is booked: a hub that is
killed, or whose database is away, gets it again. The core counts it once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from agv_bridge.bridge.modules import ModuleStations
from contracts.errors import UnavailableError
from contracts.reason import Reason
from telemetry.segments.groups import Quarantined

_log = structlog.get_logger(__name__)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_Group = tuple[Sequence[tuple[str, bytes]], int, Callable[[], None]]


class Inbox:
    """Implements telemetry.ports.DurablePath; `run` books one message after another.

    most: messages that wait here before the broker is asked to hold the rest back. retry_s: how long
    to wait for a core that is away.
    """

    def __init__(self, stations: ModuleStations, *, most: int = 1000, retry_s: float = 1.0) -> None:
        self._stations = stations
        self._most = most
        self._retry_s = retry_s
        self._groups: deque[_Group] = deque()
        self._waiting = 0
        self._room: list[Callable[[], None]] = []
        self._came = asyncio.Event()
        self.away = False
        """Whether the core was away at the last try."""

    @property
    def waiting(self) -> int:
        return self._waiting

    @property
    def full(self) -> bool:
        return self._waiting >= self._most

    def when_room(self, callback: Callable[[], None]) -> None:
        self._room.append(callback)

    def take(
        self, messages: Sequence[tuple[str, bytes]], received_us: int, on_disk: Callable[[], None]
    ) -> None:
        self._groups.append((messages, received_us, on_disk))
        self._waiting += len(messages)
        self._came.set()

    def set_aside(
        self, items: Sequence[Quarantined], received_us: int, on_disk: Callable[[], None]
    ) -> None:
        """What is too long is counted and let go: not acknowledged it would come for ever."""
        for each in items:
            reason = Reason("module_message_too_large", {"detail": each.detail})
            self._stations.refuse(each.address, reason, at=_moment(received_us))
        on_disk()

    async def run(self) -> None:
        """Book until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            while self._groups:
                messages, received_us, on_disk = self._groups[0]
                for topic, payload in messages:
                    await self._book(topic, payload, _moment(received_us))
                self._groups.popleft()
                self._waiting -= len(messages)
                on_disk()
                self._make_room()

    async def _book(self, topic: str, payload: bytes, at: datetime) -> None:
        while True:
            try:
                await self._stations.hear(topic, payload, at=at)
            except UnavailableError as error:
                if not self.away:
                    _log.warning("module_core_unavailable", error=str(error))
                self.away = True
                await asyncio.sleep(self._retry_s)
            else:
                self.away = False
                return

    def _make_room(self) -> None:
        if self.full:
            return
        callbacks, self._room = self._room, []
        for callback in callbacks:
            callback()


def _moment(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)

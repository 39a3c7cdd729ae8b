"""The durable path for tests, whose disk answers when the story says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from telemetry.segments.groups import Quarantined, encode_items


class Disk:
    """Implements DurablePath. `waiting` are groups that are not on disk yet, where `at_once` is off."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.at_once = at_once
        self.full = False
        self.taken: list[tuple[str, bytes]] = []
        self.aside: list[Quarantined] = []
        self.waiting: list[Callable[[], None]] = []
        self.room: list[Callable[[], None]] = []
        self.asked_for_room = asyncio.Event()
        self._more = asyncio.Event()

    def take(
        self,
        messages: Sequence[tuple[str, bytes]],
        received_us: int,
        on_disk: Callable[[], None],
        encoded: bytes | None = None,
    ) -> None:
        assert encoded is None or encoded == encode_items(messages)
        self.taken += messages
        self._more.set()
        if self.at_once:
            on_disk()
        else:
            self.waiting.append(on_disk)

    def set_aside(
        self, items: Sequence[Quarantined], received_us: int, on_disk: Callable[[], None]
    ) -> None:
        self.aside += items
        on_disk()

    def when_room(self, callback: Callable[[], None]) -> None:
        self.room.append(callback)
        self.asked_for_room.set()

    async def has(self, count: int) -> None:
        """Return when `count` readings were taken."""
        async with asyncio.timeout(20):
            while len(self.taken) < count:
                self._more.clear()
                await self._more.wait()

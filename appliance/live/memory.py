"""The live view inside one process: for tests, and for a station without a Valkey."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from appliance.live.health import LiveHealth
from contracts.ports import LiveEvent

_KEPT = 1000


class MemoryLiveView:
    """contracts.ports.LiveView over a ring of the last `kept` events; one event loop."""

    def __init__(self, *, kept: int = _KEPT) -> None:
        self._events: deque[tuple[int, str, bytes]] = deque(maxlen=kept)
        self._last: dict[str, bytes] = {}
        self._newest = 0
        self._readers: set[asyncio.Event] = set()

    async def publish(self, topic: str, data: Mapping[str, object]) -> None:
        self._newest += 1
        # Encoded as the server would store it: a page gets the same shapes from both.
        self._events.append((self._newest, topic, msgspec.json.encode(data)))
        for reader in self._readers:
            reader.set()

    async def set_last(self, key: str, value: Mapping[str, object]) -> None:
        self._last[key] = msgspec.json.encode(value)

    async def last(self, key: str) -> Mapping[str, object] | None:
        stored = self._last.get(key)
        return None if stored is None else msgspec.json.decode(stored, type=dict[str, object])

    async def events(
        self, topics: Sequence[str], *, after: str | None = None
    ) -> AsyncIterator[LiveEvent]:
        """See contracts.ports.LiveView. No topics means all; "now" is the first step."""
        wanted = frozenset(topics)
        seen = self._start(after)
        news = asyncio.Event()
        self._readers.add(news)
        try:
            while True:
                news.clear()
                for number, topic, data in list(self._events):
                    if number > seen:
                        seen = number
                        if not wanted or topic in wanted:
                            values = msgspec.json.decode(data, type=dict[str, object])
                            yield LiveEvent(f"{number}-0", topic, values)
                if seen == self._newest:
                    await news.wait()
        finally:
            self._readers.discard(news)

    def _start(self, after: str | None) -> int:
        if after is None:
            return self._newest
        head = after.partition("-")[0]
        number = int(head) if head.isascii() and head.isdigit() else 0
        # An id from a life before this one: everything here is newer.
        return number if number <= self._newest else 0

    def health(self) -> LiveHealth:
        return LiveHealth(ok=True)

    async def close(self) -> None:
        """Nothing is held open."""

"""The live view in Valkey (or Redis): one capped stream for events, one value a key.

One stream for all topics gives one order and one id to resume after. The server keeps nothing
through its own restart, so the writer sets its last values again when it notices one, and readers
find their place in the new stream. An outage never reaches the caller: it is counted, logged once,
and waited out (I6); while it lasts a publish costs nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ServerGoneError
from redis.exceptions import RedisError, ResponseError

from appliance.live.health import LiveHealth
from contracts.ports import LiveEvent

_STREAM = "tallyman:events"
_LAST = "tallyman:last:"
_START = "0-0"
_KEPT = 1000
_BLOCK_MS = 2000
_ANSWER_WITHIN_S = 1.0
_BATCH = 100
_AWAY = (RedisError, OSError, TimeoutError)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pause:
    """Doubled from `first_s` up to `longest_s` while the server stays away."""

    first_s: float = 0.1
    longest_s: float = 2.0

    def after(self, failures: int) -> float:
        """Seconds to leave the server alone after so many failures in a row (from 1)."""
        return min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 20))


class ValkeyLiveView:
    """contracts.ports.LiveView over a server by URL (`redis://`, `rediss://`, `unix://`).

    kept: about how many events a late page can still get. pause: how long after a failure the
    next command is tried; until then writes are only counted.
    """

    def __init__(self, url: str, *, kept: int = _KEPT, pause: Pause = Pause()) -> None:
        self._kept = kept
        self._pause = pause
        self._failures = 0
        self._client = client_of(url)
        self._mine: dict[str, bytes] = {}
        self._away_until = 0.0
        self._away = False
        self._lost = 0
        self._detail = ""

    async def publish(self, topic: str, data: Mapping[str, object]) -> None:
        """Add an event; one that cannot be delivered now is lost and counted."""
        fields: dict[str, bytes] = {"t": topic.encode(), "d": msgspec.json.encode(data)}

        async def add() -> None:
            await self._client.xadd(
                _STREAM, dict(fields.items()), maxlen=self._kept, approximate=True
            )

        await self._write(add)

    async def set_last(self, key: str, value: Mapping[str, object]) -> None:
        """Set a last value; it is set again by itself after an outage."""
        stored = msgspec.json.encode(value)
        self._mine[key] = stored

        async def put() -> None:
            await self._client.set(_LAST + key, stored)

        await self._write(put)

    async def last(self, key: str) -> Mapping[str, object] | None:
        """The last value, from whichever process set it; None where unknown or out of reach."""
        found: list[bytes | str | None] = []

        async def get() -> None:
            found.append(await self._client.get(_LAST + key))

        await self._write(get, counted=False)
        stored = found[0] if found else self._mine.get(key)
        return None if stored is None else msgspec.json.decode(stored, type=dict[str, object])

    async def events(
        self, topics: Sequence[str], *, after: str | None = None
    ) -> AsyncIterator[LiveEvent]:
        """See contracts.ports.LiveView. No topics means all; "now" is the first step.

        Carries on by itself when the server goes and comes back. Events of the outage are gone.
        """
        wanted = frozenset(topics)
        placed = False
        failures = 0
        while True:
            try:
                if not placed or after is None:
                    async with asyncio.timeout(_ANSWER_WITHIN_S):
                        after = await self._place(after)
                    placed = True
                async with asyncio.timeout(_BLOCK_MS / 1000 + _ANSWER_WITHIN_S):
                    batch = await self._read(after)
            except _AWAY as error:
                self._note_away(error)
                # The server may come back empty, with ids that start over: find the place anew.
                placed = False
                failures += 1
                await asyncio.sleep(self._pause.after(failures))
                continue
            failures = 0
            for name, fields in batch:
                after = name
                topic = fields[b"t"].decode()
                if not wanted or topic in wanted:
                    values = msgspec.json.decode(fields[b"d"], type=dict[str, object])
                    yield LiveEvent(name, topic, values)

    def health(self) -> LiveHealth:
        return LiveHealth(ok=not self._away, lost=self._lost, detail=self._detail)

    async def close(self) -> None:
        await self._client.aclose()

    async def _place(self, after: str | None) -> str:
        """Where to read on from: after `after` where the stream still knows such ids."""
        try:
            newest = (await self._client.xinfo_stream(_STREAM))["last-generated-id"].decode()
        except ResponseError:
            newest = _START
        self._note_back()
        if after is None:
            return str(newest)
        # An id newer than the stream's newest is from a life before a restart.
        return after if (-1, -1) < _order(after) <= _order(newest) else _START

    async def _read(self, place: str) -> Sequence[tuple[str, Mapping[bytes, bytes]]]:
        answer = await self._client.xread({_STREAM: place}, count=_BATCH, block=_BLOCK_MS)
        # The client's annotation covers every protocol and decoding; ours gives bytes in lists.
        streams = cast("list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]", answer)
        return [(name.decode(), fields) for _, rows in streams for name, fields in rows]

    async def _write(self, command: Callable[[], Awaitable[None]], *, counted: bool = True) -> None:
        if time.monotonic() < self._away_until:
            self._lost += counted
            return
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                if self._away:
                    await self._set_again()
                try:
                    await command()
                except ServerGoneError:
                    # The connection may be from before a restart: once more, on a new one.
                    await self._set_again()
                    await command()
        except _AWAY as error:
            self._lost += counted
            self._failures += 1
            self._away_until = time.monotonic() + self._pause.after(self._failures)
            self._note_away(error)
        else:
            self._failures = 0
            self._note_back()

    async def _set_again(self) -> None:
        if self._mine:
            await self._client.mset({_LAST + key: value for key, value in self._mine.items()})

    def _note_away(self, error: Exception) -> None:
        self._detail = f"{type(error).__name__}: {error}"
        if not self._away:
            self._away = True
            log.warning("live.away", error=self._detail)

    def _note_back(self) -> None:
        if self._away:
            self._away = False
            self._detail = ""
            log.info("live.back", lost=self._lost)


def client_of(url: str) -> Redis:
    """A client that never waits for more than its caller's own time limit."""
    return Redis.from_url(
        url,
        # The client's own time limit is asyncio.wait_for, which on Python 3.11 may lose the
        # cancellation of a page that just left: ours is asyncio.timeout around each call.
        socket_timeout=None,
        socket_connect_timeout=_ANSWER_WITHIN_S,
        retry=Retry(NoBackoff(), 0),
        client_name="tallyman-live",
    )


def _order(name: str) -> tuple[int, int]:
    """A stream id as its place in time; what is not an id sorts before all."""
    head, _, tail = name.partition("-")
    digits = head.isascii() and head.isdigit() and (tail.isascii() and tail.isdigit())
    return (int(head), int(tail)) if digits else (-1, -1)

"""Sensor readings in Valkey, for pages only: what was said last, and a stream of what is said now.

Readings travel in blobs of columns, so that a quarter of a million a second cost a fraction of a
microsecond each. All of it is a view: a server that comes back empty gets every last value again,
one that is away costs nothing but live charts, and what it missed is counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from appliance.live.health import LiveHealth
from appliance.live.valkey import Pause, client_of
from contracts.errors import UnavailableError
from contracts.telemetry import SeriesKey
from telemetry.history.buffer import Columns, joined, newest
from telemetry.history.manifest import SET_BACK_US

_STREAM: Final = "tallyman:readings"
_NAMES: Final = "tallyman:readings:names"
_LATEST: Final = "tallyman:readings:last"
_BLOB: Final = b"r"
_AWAY: Final = (RedisError, OSError, TimeoutError)
_MOST_WAITING: Final = 200_000
"""Readings that wait for a slow server; older ones are left out of the live view, and counted."""
_RING_BYTES: Final = 16 << 20
_FEWEST, _MOST_ENTRIES = 64, 20_000
_LATEST_EVERY_S: Final = 0.2
_ANSWER_WITHIN_S: Final = 2.0
_NAMES_FRESH_S: Final = 10.0
_BLOCK_MS: Final = 1000
_BATCH: Final = 256
_RETURN: Final = Pause()

_ROW: Final = np.dtype([("series", "<i4"), ("at_us", "<i8"), ("value", "<f8")])

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest reading of a series, as the live view knows it."""

    key: SeriesKey
    unit: str
    at_us: int
    value: float


Naming = Callable[[int], tuple[SeriesKey, str]]
"""Key and unit of a number in Columns.series."""


class ReadingsFeed:
    """The writing side, in the gateway's tailer. `put` never waits; `run` sends and heals."""

    def __init__(self, url: str, naming: Naming) -> None:
        self._client = client_of(url)
        self._naming = naming
        self._waiting: list[Columns] = []
        self._count = 0
        self._news = asyncio.Event()
        self._latest: dict[int, tuple[int, float, int]] = {}
        self._changed: set[int] = set()
        self._named: set[int] = set()
        self._latest_due = 0.0
        self._blob_bytes = 1000.0
        self._lost = 0
        self._detail = ""
        self._anew = True

    def seed(self, last: Sequence[tuple[int, int, float, int]]) -> None:
        """Last values from the record: (series, at_us, value, received_us)."""
        for series, at_us, value, received_us in last:
            self._note(series, at_us, value, received_us)

    def put(self, columns: Columns) -> None:
        """Readings in order of arrival."""
        if not len(columns.series):
            return
        self._waiting.append(columns)
        self._count += len(columns.series)
        while self._count > _MOST_WAITING and len(self._waiting) > 1:
            gone = self._waiting.pop(0)
            self._count -= len(gone.series)
            self._lost += len(gone.series)
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled."""
        failures = 0
        while True:
            try:
                async with asyncio.timeout(self._until_due()):
                    await self._news.wait()
            except TimeoutError:
                pass
            try:
                async with asyncio.timeout(_ANSWER_WITHIN_S):
                    await self._send()
            except _AWAY as error:
                failures += 1
                self._note_away(error)
                await asyncio.sleep(_RETURN.after(failures))
            else:
                failures = 0
                self._note_back()

    def health(self) -> LiveHealth:
        return LiveHealth(ok=not self._detail, lost=self._lost, detail=self._detail)

    async def close(self) -> None:
        await self._client.aclose()

    def _until_due(self) -> float | None:
        return max(0.0, self._latest_due - time.monotonic()) if self._changed else None

    async def _send(self) -> None:
        waiting, self._waiting, self._count = self._waiting, [], 0
        self._news.clear()
        pipe = self._client.pipeline(transaction=False)
        if self._anew:
            # Numbers are given out anew where a tailer died before it could write them down.
            pipe.delete(_NAMES, _LATEST)
        if waiting:
            blob = self._blob(joined(waiting))
            self._blob_bytes += 0.05 * (len(blob) - self._blob_bytes)
            kept = int(min(_MOST_ENTRIES, max(_FEWEST, _RING_BYTES / self._blob_bytes)))
            pipe.xadd(_STREAM, {_BLOB: blob}, maxlen=kept, approximate=True)
        sent: set[int] = set()
        if self._changed and time.monotonic() >= self._latest_due:
            sent = set(self._changed)
            self._put_latest(pipe, sent)
        try:
            await pipe.execute()
        except _AWAY:
            self._lost += sum(len(columns.series) for columns in waiting)
            raise
        self._anew = False
        self._changed -= sent
        self._named |= sent
        if sent:
            self._latest_due = time.monotonic() + _LATEST_EVERY_S

    def _blob(self, columns: Columns) -> bytes:
        rows = np.empty(len(columns.series), _ROW)
        rows["series"], rows["at_us"] = columns.series, columns.at_us
        rows["value"] = columns.value
        ends = newest(columns)
        for each in zip(
            ends.series.tolist(), ends.at_us.tolist(), ends.value.tolist(),
            ends.received_us.tolist(), strict=True,
        ):  # fmt: skip
            self._note(*each)
        return rows.tobytes()

    def _note(self, series: int, at_us: int, value: float, received_us: int) -> None:
        known = self._latest.get(series)
        if known is None or at_us >= known[0] or known[2] > received_us + SET_BACK_US:
            self._latest[series] = at_us, value, received_us
            self._changed.add(series)

    def _put_latest(self, pipe: Any, series: set[int]) -> None:
        pipe.hset(
            _LATEST,
            mapping={str(n): f"{self._latest[n][0]} {self._latest[n][1]!r}" for n in series},
        )
        fresh = series - self._named
        if fresh:
            pipe.hset(_NAMES, mapping={_name(*self._naming(n)): str(n) for n in fresh})

    def _note_away(self, error: Exception) -> None:
        if not self._detail:
            log.warning("readings.away", error=str(error))
        self._detail = f"{type(error).__name__}: {error}"
        # It may come back empty: everything is told again.
        self._anew = True
        self._changed = set(self._latest)
        self._named.clear()
        self._latest_due = 0.0

    def _note_back(self) -> None:
        if self._detail:
            log.info("readings.back", lost=self._lost)
            self._detail = ""


class ReadingsLine:
    """The reading side, in the hub."""

    def __init__(self, url: str) -> None:
        self._client = client_of(url)

    async def close(self) -> None:
        await self._client.aclose()

    async def latest(self) -> list[Latest]:
        """The newest reading of every series. Raises UnavailableError."""
        async with _answering():
            # Stubs of this client call some commands synchronous; they are not.
            client = cast("Any", self._client)
            names: Mapping[bytes, bytes] = await client.hgetall(_NAMES)
            last: Mapping[bytes, bytes] = await client.hgetall(_LATEST)
        found = []
        for name, number in names.items():
            key, unit = _named(name)
            at_us, _, value = last.get(number, b"").partition(b" ")
            if value:
                found.append(Latest(key, unit, int(at_us), float(value)))
        return found

    async def follow(
        self, device: str, *, back_s: float = 0.0
    ) -> AsyncIterator[dict[SeriesKey, tuple[list[int], list[float]]]]:
        """Readings of one device as they come, columns of at_us and value for each series; from
        `back_s` seconds ago on where the view still holds them.

        An empty dictionary when a second passed without any. Raises UnavailableError when the
        server goes: what came meanwhile stands in the history.
        """
        names = _Names(self._client)
        after = await self._begin(back_s)
        while True:
            async with _answering(_BLOCK_MS / 1000):
                answer = await self._client.xread({_STREAM: after}, count=_BATCH, block=_BLOCK_MS)
            streams = cast("list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]", answer)
            blobs = []
            for _, entries in streams:
                for name, fields in entries:
                    after = name.decode()
                    blobs.append(fields[_BLOB])
            rows = np.frombuffer(b"".join(blobs), _ROW)
            yield _columns(rows, await names.of(device, rows))

    async def _begin(self, back_s: float) -> str:
        """An id of the stream by the server's own clock."""
        async with _answering():
            seconds, micros = await cast("Any", self._client).time()
        return f"{seconds * 1000 + micros // 1000 - int(back_s * 1000)}-0"


class _Names:
    """Which numbers are whose, asked again when an unknown one comes, but not all the time."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._keys: dict[int, SeriesKey] = {}
        self._due = 0.0

    async def of(self, device: str, rows: npt.NDArray[Any]) -> dict[int, SeriesKey]:
        now = time.monotonic()
        unknown = len(rows) and not set(np.unique(rows["series"]).tolist()) <= self._keys.keys()
        if (unknown and now >= self._due) or now >= self._due + _NAMES_FRESH_S:
            async with _answering():
                names = await cast("Any", self._client).hgetall(_NAMES)
            self._keys = {int(number): _named(name)[0] for name, number in names.items()}
            self._due = now + _LATEST_EVERY_S
        return {number: key for number, key in self._keys.items() if key.device == device}


@asynccontextmanager
async def _answering(blocked_s: float = 0.0) -> AsyncIterator[None]:
    """Raises UnavailableError for a server that is away or does not answer in time."""
    try:
        async with asyncio.timeout(blocked_s + _ANSWER_WITHIN_S):
            yield
    except _AWAY as error:
        raise UnavailableError(
            "The live view of sensors is away", mend="Charts are drawn from the history meanwhile"
        ) from error


def _columns(
    rows: npt.NDArray[Any], keys: Mapping[int, SeriesKey]
) -> dict[SeriesKey, tuple[list[int], list[float]]]:
    found = {}
    for number, key in keys.items():
        mine = rows[rows["series"] == number]
        if len(mine):
            found[key] = (mine["at_us"].tolist(), mine["value"].tolist())
    return found


def _name(key: SeriesKey, unit: str) -> str:
    return f"{key.device}\x1f{key.quantity}\x1f{key.channel}\x1f{unit}"


def _named(name: bytes) -> tuple[SeriesKey, str]:
    device, quantity, channel, unit = name.decode().split("\x1f")
    return SeriesKey(device, quantity, channel), unit

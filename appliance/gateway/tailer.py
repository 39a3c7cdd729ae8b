"""The gateway's second process: what is in the segments goes into history and to the pages.

It follows the segments behind the gateway, decodes the same bytes with the same templates, writes
them to Parquet in files of some seconds each, exactly once (I2), and tells Valkey what was said as
soon as it reads it. Whatever happens to it, to Valkey or to the disk of the history, readings are
acknowledged by the other process without it: it catches up from the segments, which it holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import duckdb
import msgspec
import structlog

from appliance.config import Config
from appliance.durable import write_atomic
from appliance.gateway.room import Reserve, make_room, reserve_of
from appliance.identity.device import DeviceIdentity
from appliance.layout import Layout
from appliance.live.readings import ReadingsFeed
from appliance.sensor_config import HistoryConfig
from appliance.services.datalock import hold
from appliance.serving import Serving
from contracts.clock import Clock
from contracts.telemetry import SeriesKey
from telemetry.describing.catalogue import Catalogue
from telemetry.history.keeper import Keeper
from telemetry.history.levels import Keeping
from telemetry.history.writer import Batch, HistoryWriter
from telemetry.segments import Damage, Group, Position, Retention, SegmentFollower
from telemetry.segments.files import START, numbers_in, path_of

HOLDER: Final = "history"
MOST_READINGS: Final = 2_000_000
"""In memory and not stored, at most: about 100 MB. Beyond it reading waits for the disk."""
FLUSH_AT: Final = 500_000
_TURN_S: Final = 0.01
"""So long one turn of reading keeps the event loop."""
_TEND_EVERY_S: Final = 10.0
_AGAIN_S: Final = 2.0
_LATE_US: Final = 1_800_000_000
_MOST_LATE: Final = 20
_REFUSALS: Final = (OSError, duckdb.Error, sqlite3.Error)

log = structlog.get_logger(__name__)


class CatalogueSource(Protocol):
    """Where the templates and the sensor book come from; the same object until they change."""

    def current(self) -> Catalogue: ...


@dataclass(frozen=True, slots=True)
class TailerStatus:
    """What the gateway's page says of the tailer; written to `status.json` of the history."""

    at_us: int
    segment: int
    offset: int
    readings: int
    """Taken in since this process started."""
    waiting: int
    """In memory, not stored yet."""
    store_failure: str = ""
    tend_failure: str = ""
    live: str = ""
    """Why pages get nothing live; empty: they do."""
    live_lost: int = 0
    late: dict[str, int] = field(default_factory=dict)
    """Devices whose newest reading came so many microseconds after it was measured: their clocks
    are behind, or something held the readings up."""
    damaged: int = 0
    """Places in segments that are no longer what was written."""


class Tailer:
    """One run: `run` until cancelled. Everything durable is in the folders."""

    def __init__(
        self,
        segments: Path,
        history: Path,
        catalogues: CatalogueSource,
        config: HistoryConfig,
        clock: Clock,
        *,
        live_url: str = "",
        reserve: Reserve | None = None,
    ) -> None:
        self._segments, self._folder = segments, history
        self._catalogues = catalogues
        self._config, self._clock = config, clock
        self._writer = HistoryWriter(history, clock)
        self._keeper = Keeper(self._writer, keeping_of(config))
        self._retention = Retention(segments)
        self._reserve = reserve
        self._feed = ReadingsFeed(live_url, self._naming) if live_url else None
        self._readings = 0
        self._storing = 0
        self._failures = {"store": "", "tend": ""}
        self._damaged = 0
        self._room = asyncio.Event()
        self._full = asyncio.Event()

    async def run(self) -> None:
        """Follow, flush, tend and tell. What was read and not stored is read again next time."""
        try:
            await asyncio.to_thread(self._retention.hold, HOLDER, self._writer.position or START)
        except OSError as error:
            # A full disk: space is given back by what stands in history, with or without a hold.
            self._note("store", error)
        if self._feed is not None:
            last = self._writer.manifest.last()
            self._feed.seed([(x.series, x.at_us, x.value, x.received_us) for x in last])
        try:
            async with asyncio.TaskGroup() as jobs:
                jobs.create_task(self._follow())
                jobs.create_task(self._flush())
                jobs.create_task(self._tend())
                if self._feed is not None:
                    jobs.create_task(self._feed.run())
        finally:
            if self._feed is not None:
                await self._feed.close()
            self._writer.close()

    async def _follow(self) -> None:
        follower = SegmentFollower(self._segments, on_damage=self._damage)
        loop = asyncio.get_running_loop()
        turn = loop.time()
        asked = False

        def publish() -> None:
            nonlocal asked
            asked = False
            self._publish()

        async for group in follower.groups(self._writer.position):
            self._take(group)
            if not asked:
                # As soon as there is nothing more to read just now.
                asked = True
                loop.call_soon(publish)
            if loop.time() - turn > _TURN_S:
                await asyncio.sleep(0)
                turn = loop.time()
            while self._writer.readings + self._storing > MOST_READINGS:
                self._room.clear()
                self._full.set()
                await self._room.wait()

    def _take(self, group: Group) -> None:
        self._writer.take(self._catalogues.current(), group)

    def _publish(self) -> None:
        columns = self._writer.fresh()
        self._readings += len(columns.series)
        if self._feed is not None:
            self._feed.put(columns)
        if self._writer.readings >= FLUSH_AT:
            self._full.set()

    async def _flush(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._config.flush_s):
                    await self._full.wait()
            self._full.clear()
            self._publish()
            batch = self._writer.seal()
            if batch is not None:
                await self._store(batch)
            self._read_again()
            await asyncio.to_thread(self._tell)

    async def _store(self, batch: Batch) -> None:
        """Until the disk takes it: meanwhile reading goes on as far as memory allows."""
        self._storing = sum(len(columns.series) for columns in batch.columns)
        while True:
            try:
                await asyncio.to_thread(self._writer.store, batch)
                await asyncio.to_thread(self._retention.hold, HOLDER, batch.position)
            except _REFUSALS as error:
                self._note("store", error)
                if self._reserve is not None and self._reserve.give_up():
                    log.warning("history.reserve_given_up")
                await asyncio.to_thread(self._tell)
                await asyncio.sleep(_AGAIN_S)
            else:
                break
        self._failures["store"] = ""
        self._storing = 0
        self._room.set()

    def _read_again(self) -> None:
        """What no template read, where templates have changed. Here, since catalogues are one
        thread's.
        """
        catalogue = self._catalogues.current()
        if not self._writer.waits_for(catalogue):
            return
        try:
            readable = self._writer.read_again(catalogue)
        except _REFUSALS as error:
            self._note("store", error)
        else:
            log.info("history.read_again", messages=readable)

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(_TEND_EVERY_S)
            try:
                while (job := await asyncio.to_thread(self._keeper.step)) is not None:
                    log.info("history.tended", job=type(job).__name__, parts=len(job.parts))
                await asyncio.to_thread(self._give_back)
                if self._reserve is not None:
                    await asyncio.to_thread(self._reserve.lay_down)
                self._failures["tend"] = ""
            except _REFUSALS as error:
                self._note("tend", error)

    def _give_back(self) -> None:
        """Segments that stand in history and are older than they are kept; all of those where the
        disk runs full. Who else needs one holds it (telemetry.segments.Retention).
        """
        numbers = numbers_in(self._segments)
        free_mb = shutil.disk_usage(self._folder).free >> 20
        oldest = self._clock.now().timestamp() - self._config.segment_days * 86_400
        kept = numbers
        if free_mb >= self._config.free_space_mb:
            kept = [n for n in numbers if path_of(self._segments, n).stat().st_mtime >= oldest]
        elif numbers:
            kept = numbers[-1:]
        with self._writer.locked():
            stored = self._writer.position or START
        if numbers:
            # Not beyond the history, also where the hold could not be written.
            self._retention.remove_before(min(kept[0] if kept else numbers[-1], stored.segment))

    def _tell(self) -> None:
        position = self._writer.position or Position(0, 0)
        health = self._feed.health() if self._feed is not None else None
        with self._writer.locked():
            late = self._writer.manifest.late(_LATE_US, _MOST_LATE)
        status = TailerStatus(
            at_us=int(self._clock.now().timestamp() * 1_000_000),
            segment=position.segment,
            offset=position.offset,
            readings=self._readings,
            waiting=self._writer.readings + self._storing,
            store_failure=self._failures["store"],
            tend_failure=self._failures["tend"],
            live=health.detail if health else "",
            live_lost=health.lost if health else 0,
            late=late,
            damaged=self._damaged,
        )
        # A disk that takes no status has told so by the readings already.
        with contextlib.suppress(OSError):
            write_atomic(self._folder / "status.json", msgspec.json.encode(status))

    def _note(self, where: str, error: Exception) -> None:
        detail = f"{type(error).__name__}: {error}"
        if self._failures[where] != detail:
            log.warning("history.refused", work=where, error=detail)
        self._failures[where] = detail

    def _damage(self, damage: Damage) -> None:
        self._damaged += 1
        log.error("history.damaged", segment=damage.segment, offset=damage.offset)

    def _naming(self, number: int) -> tuple[SeriesKey, str]:
        line = self._writer.line(number)
        return line.key, line.unit


async def run_tailer(config: Config, *, clock: Clock) -> None:
    """Until SIGTERM, as a child of the gateway. Raises AlreadyRunningError for a second one."""
    from appliance.gateway.knowledge import KeptCatalogues

    layout = Layout(config.data)
    make_room(layout)
    with hold(layout.sensor_history):
        identity = DeviceIdentity.open_or_create(layout.gateway / "identity", config.gateway.device)
        tailer = Tailer(
            layout.segments,
            layout.sensor_history,
            KeptCatalogues(layout, identity),
            config.history,
            clock,
            live_url=config.live.url,
            reserve=reserve_of(layout),
        )
        serving = Serving()
        serving.job("tailer", tailer.run)
        await serving.run()


def keeping_of(config: HistoryConfig) -> Keeping:
    """The history's policy as the configuration says it."""
    return Keeping(
        raw_days=config.raw_days,
        second_days=config.second_days,
        minute_days=config.minute_days,
        hour_days=config.hour_days,
    )


def read_status(history: Path) -> TailerStatus | None:
    """What the tailer told last; None where it never ran."""
    try:
        return msgspec.json.decode((history / "status.json").read_bytes(), type=TailerStatus)
    except (OSError, msgspec.MsgspecError):
        return None

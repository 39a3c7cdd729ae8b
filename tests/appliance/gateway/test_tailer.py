"""The tailer follows the gateway, and loses and doubles nothing whenever it dies (I2)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from appliance.gateway import tailer as tailer_module
from appliance.gateway.room import Reserve
from appliance.gateway.tailer import HOLDER, Tailer, read_status
from appliance.live.readings import ReadingsLine
from appliance.sensor_config import HistoryConfig
from appliance.services.valkey import EmbeddedValkey
from contracts.clock import SystemClock
from contracts.telemetry import SeriesKey
from telemetry.history.levels import Keeping
from telemetry.history.manifest import Manifest
from telemetry.history.reader import History
from telemetry.segments import Position, Retention, SegmentWriter
from tests.telemetry.history.site import PROBE, SiteCatalogue, says

DEADLINE_S = 120.0
QUICK = HistoryConfig(flush_s=0.5)


class Books:
    """appliance.gateway.tailer.CatalogueSource that a test changes."""

    def __init__(self) -> None:
        self.catalogue = SiteCatalogue({"probe-1": "COLD-1"})

    def current(self) -> SiteCatalogue:
        return self.catalogue


class Gateway:
    """The folders of a gateway, its segments written here."""

    def __init__(self, folder: Path) -> None:
        self.segments, self.folder = folder / "segments", folder / "history"
        self.writer = SegmentWriter(self.segments, segment_bytes=1 << 14)
        self.books = Books()
        self.said = 0

    def hears(self, *messages: tuple[str, bytes]) -> None:
        self.writer.append(time.time_ns() // 1000, list(messages))
        self.writer.commit()

    def hears_many(self, count: int) -> None:
        for _ in range(count):
            self.hears(("s/probe-1", says(float(self.said), at=time.time_ns() // 1000)))
            self.said += 1

    def values(self) -> list[float]:
        history = History(self.folder, Keeping(), SystemClock())
        try:
            now_us = time.time_ns() // 1000
            if not history.known():
                return []
            rows = history.rows(PROBE, now_us - 3600 * 1_000_000, now_us + 1_000_000)[2]
            return [row[3] for row in rows]
        finally:
            history.close()


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


@asynccontextmanager
async def tailing(
    gateway: Gateway,
    config: HistoryConfig = QUICK,
    live_url: str = "",
    reserve: Reserve | None = None,
) -> AsyncIterator[Tailer]:
    tailer = Tailer(
        gateway.segments,
        gateway.folder,
        gateway.books,
        config,
        SystemClock(),
        live_url=live_url,
        reserve=reserve,
    )
    running = asyncio.create_task(tailer.run())
    try:
        yield tailer
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def until(true: Callable[[], bool]) -> None:
    """Another thread or process works meanwhile: nothing to wait on but its files."""
    deadline = time.monotonic() + DEADLINE_S
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline, "waited too long"
        await asyncio.sleep(0.05)


async def test_what_the_gateway_hears_stands_in_history_soon(gateway: Gateway):
    gateway.hears_many(5)
    async with tailing(gateway):
        await until(lambda: gateway.values() == [0, 1, 2, 3, 4])
        gateway.hears_many(3)
        await until(lambda: gateway.values() == list(range(8)))
        await until(lambda: Retention(gateway.segments).held()[HOLDER] == gateway.writer.position)
    status = read_status(gateway.folder)
    assert status is not None
    assert (status.readings, status.store_failure) == (8, "")


async def test_a_page_sees_a_reading_before_it_is_in_a_file(gateway: Gateway, tmp_path: Path):
    valkey = EmbeddedValkey(tmp_path / "valkey")
    await valkey.start()
    line = ReadingsLine(valkey.url)
    try:
        async with tailing(gateway, HistoryConfig(flush_s=600), valkey.url):
            gateway.hears_many(1)
            async with asyncio.timeout(DEADLINE_S):
                async for columns in line.follow("probe-1", back_s=60):
                    if PROBE in columns:
                        assert columns[PROBE][1] == [0.0]
                        break
            assert gateway.values() == []
    finally:
        await line.close()
        await valkey.stop()


async def test_a_message_that_nobody_understands_waits_until_the_book_has_its_sensor(
    gateway: Gateway,
):
    gateway.hears(("s/probe-7", says(4.0)))
    async with tailing(gateway):
        stored = History(gateway.folder, Keeping(), SystemClock())
        await until(lambda: stored.stored().counts.get("undecoded.unknown_address") == 1)
        gateway.books.catalogue = SiteCatalogue({"probe-1": "", "probe-7": ""}, version="2")
        await until(lambda: stored.stored().counts["readings"] == 1)
        assert SeriesKey("probe-7", "temperature") in {each.line.key for each in stored.known()}
        stored.close()


async def test_a_history_that_cannot_be_written_is_told_and_caught_up_on(gateway: Gateway):
    gateway.hears_many(3)
    gateway.folder.mkdir()
    (gateway.folder / "raw").write_text("something else stands here")

    def failure() -> str:
        status = read_status(gateway.folder)
        return status.store_failure if status else ""

    async with tailing(gateway):
        await until(lambda: failure() != "")
        gateway.hears_many(3)
        (gateway.folder / "raw").unlink()
        await until(lambda: gateway.values() == [0, 1, 2, 3, 4, 5])
        await until(lambda: failure() == "")


async def test_segments_go_only_once_they_stand_in_history(gateway: Gateway):
    gateway.hears_many(600)  # several segments
    for path in gateway.segments.glob("*.segment"):
        os.utime(path, (1, 1))
    before = len(list(gateway.segments.glob("*.segment")))
    assert before > 2
    async with tailing(gateway, HistoryConfig(flush_s=600)) as tailer:
        await until(lambda: HOLDER in Retention(gateway.segments).held())
        tailer._give_back()
        assert len(list(gateway.segments.glob("*.segment"))) == before
    async with tailing(gateway) as tailer:
        await until(lambda: len(gateway.values()) == 600)
        await until(lambda: Retention(gateway.segments).held()[HOLDER] == gateway.writer.position)
        tailer._give_back()
    assert len(list(gateway.segments.glob("*.segment"))) == 1
    assert gateway.values() == list(range(600))


async def test_on_a_disk_that_takes_no_hold_the_history_starts_and_gives_space_back(
    gateway: Gateway,
):
    gateway.hears_many(600)
    (gateway.segments / "holds").write_text("as if no folder could be made")
    for path in gateway.segments.glob("*.segment"):
        os.utime(path, (1, 1))
    async with tailing(gateway) as tailer:
        assert tailer._failures["store"] or not gateway.values()
        await until(lambda: len(gateway.values()) == 600)
        tailer._give_back()
        (gateway.segments / "holds").unlink()
    assert len(list(gateway.segments.glob("*.segment"))) == 1


async def test_a_database_that_is_full_is_waited_for_and_the_reserve_is_given_up(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    reserve = Reserve(tmp_path / "reserve", most=4096)
    assert reserve.lay_down()
    really, tries = Manifest.set_position, []

    def full_twice(manifest: Manifest, position: Position) -> None:
        tries.append(position)
        if len(tries) < 3:
            raise sqlite3.OperationalError("database or disk is full")
        really(manifest, position)

    monkeypatch.setattr(Manifest, "set_position", full_twice)
    monkeypatch.setattr(tailer_module, "_AGAIN_S", 0.01)
    gateway.hears_many(3)
    async with tailing(gateway, reserve=reserve):
        await until(lambda: gateway.values() == [0, 1, 2])
    assert not (tmp_path / "reserve").exists()


CHILD = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.appliance.gateway.test_tailer import Books, QUICK
from appliance.gateway import tailer as tailer_module
from appliance.gateway.room import Reserve
from appliance.gateway.tailer import Tailer
from contracts.clock import SystemClock
folder = Path(sys.argv[2])
tailer = Tailer(folder / "segments", folder / "history", Books(), QUICK, SystemClock())
asyncio.run(tailer.run())
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(root), str(folder)], stdout=subprocess.DEVNULL
    )


async def test_killed_at_any_moment_every_reading_stands_in_history_once(
    gateway: Gateway, tmp_path: Path
):
    for round_ in range(4):
        child = start(tmp_path)
        try:
            gateway.hears_many(40)
            # Killed before, in and after its first flush, as the machine's load has it.
            wanted = gateway.said - 40 + 1
            if round_ % 2:
                await until(lambda wanted=wanted: len(gateway.values()) >= wanted)
            gateway.hears_many(40)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
    async with tailing(gateway):
        await until(lambda: len(gateway.values()) >= gateway.said)
    assert gateway.values() == list(range(gateway.said))

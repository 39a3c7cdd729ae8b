"""Readings in a real Valkey: seen at once, told again after it was killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from appliance.live.readings import ReadingsFeed, ReadingsLine
from appliance.services.valkey import EmbeddedValkey
from contracts.errors import UnavailableError
from contracts.telemetry import SeriesKey
from telemetry.history.buffer import Columns

DEADLINE_S = 120.0
PROBE = SeriesKey("probe-1", "temperature")
DOOR = SeriesKey("door-1", "door_open")
NAMES = {1: (PROBE, "Cel"), 2: (DOOR, "/")}


def said(*rows: tuple[int, int, float]) -> Columns:
    series, at, value = zip(*rows, strict=True)
    times = np.array(at, np.int64)
    return Columns(np.array(series, np.int32), times, times, np.array(value, np.float64))


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path / "valkey")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def feed(valkey: EmbeddedValkey) -> AsyncIterator[ReadingsFeed]:
    made = ReadingsFeed(valkey.url, NAMES.__getitem__)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await made.close()


@pytest.fixture
async def line(valkey: EmbeddedValkey) -> AsyncIterator[ReadingsLine]:
    made = ReadingsLine(valkey.url)
    yield made
    await made.close()


async def latest(line: ReadingsLine, wanted: dict[SeriesKey, float]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                if {each.key: each.value for each in await line.latest()} == wanted:
                    return
            except UnavailableError:
                pass
            await asyncio.sleep(0.02)


async def test_a_page_sees_the_readings_of_its_device_as_they_come(
    feed: ReadingsFeed, line: ReadingsLine
):
    feed.put(said((1, 10, 4.0), (2, 10, 0.0)))
    await latest(line, {PROBE: 4.0, DOOR: 0.0})
    feed.put(said((2, 12, 1.0), (1, 11, 4.5), (1, 12, 4.75)))
    async with asyncio.timeout(DEADLINE_S):
        async for columns in line.follow("probe-1", back_s=3600):
            if PROBE in columns and 12 in columns[PROBE][0]:
                assert columns.keys() == {PROBE}
                assert columns[PROBE][1][-2:] == [4.5, 4.75]
                break


async def test_an_older_reading_that_comes_late_is_not_the_newest(
    feed: ReadingsFeed, line: ReadingsLine
):
    feed.put(said((1, 20, 5.0)))
    await latest(line, {PROBE: 5.0})
    feed.put(said((1, 10, 3.0), (2, 20, 1.0)))
    await latest(line, {PROBE: 5.0, DOOR: 1.0})


async def test_last_values_from_the_record_stand_there_before_anything_is_said(
    valkey: EmbeddedValkey, line: ReadingsLine
):
    feed = ReadingsFeed(valkey.url, NAMES.__getitem__)
    feed.seed([(1, 10, 4.0, 10)])
    running = asyncio.create_task(feed.run())
    await latest(line, {PROBE: 4.0})
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await feed.close()


async def test_a_killed_server_that_comes_back_empty_knows_every_last_value_again(
    valkey: EmbeddedValkey, feed: ReadingsFeed, line: ReadingsLine
):
    feed.put(said((1, 10, 4.0), (2, 10, 0.0)))
    await latest(line, {PROBE: 4.0, DOOR: 0.0})
    assert valkey.child is not None
    pid = valkey.child.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    feed.put(said((1, 11, 4.5)))
    await latest(line, {PROBE: 4.5, DOOR: 0.0})
    assert feed.health().ok


async def test_a_frozen_server_holds_nobody_up_and_is_told_when_it_thaws(
    valkey: EmbeddedValkey, feed: ReadingsFeed, line: ReadingsLine
):
    feed.put(said((1, 10, 4.0)))
    await latest(line, {PROBE: 4.0})
    assert valkey.child is not None
    pid = valkey.child.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        feed.put(said((1, 11, 4.5), (2, 11, 1.0)))
        async with asyncio.timeout(DEADLINE_S):
            while feed.health().ok:  # noqa: ASYNC110 -- its own time limit runs out meanwhile
                await asyncio.sleep(0.05)
    finally:
        os.kill(pid, signal.SIGCONT)
    await latest(line, {PROBE: 4.5, DOOR: 1.0})


async def test_readings_that_a_slow_server_cannot_take_are_counted(valkey: EmbeddedValkey):
    feed = ReadingsFeed(valkey.url, NAMES.__getitem__)
    many = said(*((1, at, 1.0) for at in range(150_000)))
    feed.put(many)
    feed.put(many)
    assert feed.health().lost == 150_000
    await feed.close()

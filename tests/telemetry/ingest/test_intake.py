"""The durable path: acknowledged means on disk, whatever comes in between (I2)."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from telemetry.ingest import Intake, Limits, store
from telemetry.ingest.checkpoint import CheckpointFile
from telemetry.ingest.store import HOLDER, Store
from telemetry.segments import Quarantined, Retention, read_groups, read_quarantine
from telemetry.segments.writer import SegmentWriter
from tests.support.sensors import Journal, Plant, Rules, reading

NOW_US = 1_795_000_000_000_000


class House:
    """A gateway's ingest with a clock that stands still."""

    def __init__(self, folder: Path, limits: Limits = Limits()) -> None:  # noqa: B008 -- frozen
        self.folder = folder
        self.plant = Plant()
        self.rules = Rules(self.plant)
        self.journal = Journal()
        self.now_us = NOW_US
        self.intake = Intake(
            folder,
            catalogue=self.plant,
            engine=self.rules,
            sink=self.journal,
            limits=limits,
            now_us=lambda: self.now_us,
        )

    async def send(self, *messages: tuple[str, bytes]) -> None:
        """Returns when they are acknowledged."""
        acknowledged = asyncio.Event()
        self.intake.take(messages, self.now_us, acknowledged.set)
        await asyncio.wait_for(acknowledged.wait(), 20)

    @property
    def stored(self) -> list[tuple[str, bytes]]:
        groups = read_groups(self.folder / "readings")
        return [message for group in groups for message in group.messages]

    @property
    def aside(self) -> list[Quarantined]:
        return [
            item for _, _, items in read_quarantine(self.folder / "quarantine") for item in items
        ]


@asynccontextmanager
async def house(folder: Path, limits: Limits = Limits()) -> AsyncIterator[House]:  # noqa: B008 -- frozen
    here = House(folder, limits)
    await here.intake.start()
    try:
        yield here
    finally:
        await here.intake.stop()


def numbered(*numbers: int, value: float = 4.0) -> list[tuple[str, bytes]]:
    return [("plant/a", reading(number, value)) for number in numbers]


async def test_when_it_is_acknowledged_it_is_on_disk(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.send(*numbered(1, 2, 3))
        assert here.stored == numbered(1, 2, 3)
        assert here.intake.counts.accepted == 3
        assert here.intake.held_bytes == 0


async def test_what_came_while_the_disk_was_busy_is_one_write(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        left = asyncio.Semaphore(0)
        for number in range(100):
            here.intake.take(numbered(number), here.now_us, left.release)
        for _ in range(100):
            await asyncio.wait_for(left.acquire(), 20)
        assert here.stored == numbered(*range(100))
        assert here.intake.counts.commits < 5


async def test_a_message_sent_again_is_acknowledged_and_stored_once(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.send(*numbered(1, 2))
        await here.send(*numbered(2, 1))
        assert here.stored == numbered(1, 2)
        assert here.intake.counts.duplicates == 2


async def test_a_message_is_known_after_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path) as before:
        await before.send(*numbered(1, 2))
    async with house(tmp_path) as after:
        await after.send(*numbered(1, 2, 3))
        assert after.stored == numbered(1, 2, 3)
        assert after.intake.counts.duplicates == 2


async def test_what_nobody_understands_is_set_aside_with_its_reason_and_acknowledged(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        await here.send(("plant/a", b"\xff\0"), ("kitchen/a", b"{}"), *numbered(1))
        assert here.stored == numbered(1)
        assert [(item.address, item.code) for item in here.aside] == [
            ("plant/a", "not_json"),
            ("kitchen/a", "unknown_address"),
        ]
        assert here.intake.counts.quarantined == {"not_json": 1, "unknown_address": 1}


async def test_an_address_without_end_is_not_looked_up_and_not_kept(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.plant.bind = _fails_on_b(here.plant.bind)
        await here.send(("plant/b/" + "x" * 60_000, b"1"), *numbered(1))
        assert here.stored == numbered(1)
        (aside,) = here.aside
        assert aside.code == "unknown_address"
        assert aside.detail.endswith("of 60008 signs")
        assert len(aside.detail) < 200


async def test_a_template_that_fails_costs_its_message_only(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.plant.bind = _fails_on_b(here.plant.bind)
        await here.send(("plant/b", b"1"), *numbered(1))
        assert here.stored == numbered(1)
        assert here.aside[0].code == "template_failed"
        assert "ZeroDivisionError" in here.aside[0].detail


def _fails_on_b(bind):
    def fails(address: str):
        if address == "plant/b":
            raise ZeroDivisionError
        return bind(address)

    return fails


async def test_a_fence_that_fails_costs_no_reading(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.rules.crossed = lambda *_: 1 / 0
        await here.send(*numbered(1, value=99.0))
        assert here.stored == numbered(1, value=99.0)
        assert here.intake.counts.rule_errors == 1


async def test_rules_that_fail_at_time_or_at_their_state_cost_no_reading(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path) as here:
        here.rules.tick = here.rules.save = here.rules.crossed = lambda *_: 1 / 0
        here.intake.between_groups(lambda: None)
        await here.send(*numbered(*range(1, 101), value=99.0))
        assert here.stored == numbered(*range(1, 101), value=99.0)
        assert here.intake.counts.rule_errors >= 102
        lines = [one for one in caplog.records if "on a reading of" in one.message]
        assert 0 < len(lines) < 10, "a line a reading would fill the disk"
    again = House(tmp_path)
    again.rules.tick = lambda *_: 1 / 0
    await again.intake.start()
    assert again.intake.counts.replayed == 100
    await again.intake.stop()


async def test_an_alarm_is_told_once_its_reading_is_on_disk(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.send(*numbered(1), *numbered(2, value=9.0))
    assert here.journal.once == [(f"a/temperature/{NOW_US}", 1)]
    assert here.rules.ticks[0] == NOW_US, "time passes before each group"


async def test_the_same_alarms_come_of_a_restart_at_any_moment(tmp_path: Path) -> None:
    told = []
    for number in range(6):
        async with house(tmp_path) as here:
            here.now_us += number
            await here.send(*numbered(number, value=9.0))
            if number % 2:
                (tmp_path / "rules").unlink()  # a crash before any checkpoint
        told += here.journal.once
    assert sorted(set(told)) == [(f"a/temperature/{NOW_US + n}", n + 1) for n in range(6)]
    assert here.rules.resumed


async def test_alarms_wait_for_a_journal_that_is_full(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.journal.broken = True
        await here.send(*numbered(1, value=9.0))
    assert not here.journal.told
    async with house(tmp_path) as again:
        await again.send(*numbered(2))
    assert again.journal.once == [(f"a/temperature/{NOW_US}", 1)]


class NoSpace:
    """A disk that is full until somebody makes room."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = True
        self.tried = asyncio.Event()
        loop, really = asyncio.get_running_loop(), SegmentWriter.commit

        def commit(writer: SegmentWriter):
            if self.full and writer._waiting:
                loop.call_soon_threadsafe(self.tried.set)
                raise OSError(errno.ENOSPC, "No space left on device")
            return really(writer)

        monkeypatch.setattr(SegmentWriter, "commit", commit)


async def test_a_full_disk_acknowledges_nothing_and_everything_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, Limits(retry_s=0.001)) as here:
        disk = NoSpace(monkeypatch)
        acknowledged, room = asyncio.Event(), asyncio.Event()
        here.intake.take(numbered(1), here.now_us, acknowledged.set)
        await asyncio.wait_for(disk.tried.wait(), 20)
        disk.tried.clear()
        await asyncio.wait_for(disk.tried.wait(), 20)
        assert here.intake.full
        assert here.intake.trouble is not None
        assert here.intake.trouble.code == "store_full"
        assert not acknowledged.is_set()
        here.intake.when_room(room.set)

        disk.full = False
        await asyncio.wait_for(acknowledged.wait(), 20)
        await asyncio.wait_for(room.wait(), 20)
        assert here.stored == numbered(1)
        assert not here.intake.full
        assert here.intake.trouble is None


class Scarce:
    """So much is free on the disk as the story says."""

    def __init__(self, free: int) -> None:
        self.free, self._asked = free, asyncio.Semaphore(0)
        self._loop = asyncio.get_running_loop()

    def __call__(self, _: Path) -> int:
        self._loop.call_soon_threadsafe(self._asked.release)
        return self.free

    async def asked(self, times: int) -> None:
        for _ in range(times):
            await asyncio.wait_for(self._asked.acquire(), 20)


async def test_readings_leave_the_last_of_the_disk_to_what_gives_space_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Scarce(999)
    monkeypatch.setattr(store, "free_bytes", disk)
    async with house(tmp_path, Limits(retry_s=0.001, spare_bytes=1_000)) as here:
        acknowledged = asyncio.Event()
        here.intake.take(numbered(1), here.now_us, acknowledged.set)
        await disk.asked(3)
        assert here.intake.trouble is not None
        assert here.intake.trouble.code == "store_full"
        assert not acknowledged.is_set()
        assert here.stored == []
        disk.free = 1_000
        await asyncio.wait_for(acknowledged.wait(), 20)
        assert here.stored == numbered(1)


async def test_a_start_on_a_full_disk_waits_for_room_and_then_tells_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path) as here:
        here.journal.broken = True
        await here.send(*numbered(1, value=9.0))
    disk = Scarce(0)
    monkeypatch.setattr(store, "free_bytes", disk)
    with monkeypatch.context() as patch:
        patch.setattr(CheckpointFile, "write", _no_space)
        again = House(tmp_path, Limits(retry_s=0.001, spare_bytes=1))
        await again.intake.start()
        await disk.asked(3)
        assert again.intake.full
        assert again.journal.told == []
    disk.free = 1
    await again.send(*numbered(2))
    await again.intake.stop()
    assert again.journal.once == [(f"a/temperature/{NOW_US}", 1)]
    assert again.stored == [*numbered(1, value=9.0), *numbered(2)]


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_stop_with_a_full_disk_ends_and_what_it_loses_was_never_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acknowledged: list[int] = []
    with monkeypatch.context() as patch:
        async with house(tmp_path, Limits(retry_s=0.001)) as here:
            disk = NoSpace(patch)
            here.intake.take(numbered(1), here.now_us, lambda: acknowledged.append(1))
            await asyncio.wait_for(disk.tried.wait(), 20)
    async with house(tmp_path) as again:
        assert again.stored == []
        await again.send(*numbered(1))
        assert again.intake.counts.duplicates == 0
    assert not acknowledged


async def test_memory_that_is_spent_makes_the_endpoints_wait(tmp_path: Path) -> None:
    async with house(tmp_path, Limits(in_flight_bytes=1_000)) as here:
        room, done = asyncio.Event(), asyncio.Event()
        here.intake.take(numbered(*range(40)), here.now_us, done.set)
        assert here.intake.full
        here.intake.when_room(room.set)
        assert not room.is_set()
        await asyncio.wait_for(room.wait(), 20)
        assert done.is_set()


async def test_messages_of_many_connections_are_looked_at_together_and_in_their_order(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        order: list[int] = []
        for number in range(1, 40):
            here.intake.take(numbered(number), here.now_us, partial(order.append, number))
        assert here.intake.held_bytes > 0, "they count before anybody looks at them"
        many = numbered(*range(40, 1_100))
        here.intake.take(many, here.now_us, partial(order.append, 40))
        item = Quarantined("plant/other", b"1", "topic_not_allowed", "a")
        here.intake.take(numbered(1_100), here.now_us, partial(order.append, 41))
        here.intake.set_aside([item], here.now_us, partial(order.append, 42))
        await here.send(*numbered(1_101))
        assert here.stored == numbered(*range(1, 1_102))
        assert order == list(range(1, 43))
        assert here.intake.held_bytes == 0


async def test_messages_known_already_fill_no_memory_while_the_disk_hangs(tmp_path: Path) -> None:
    async with house(tmp_path, Limits(in_flight_bytes=10_000)) as here:
        await here.send(*numbered(1))
        room, done = asyncio.Event(), asyncio.Event()
        for _ in range(40):
            here.intake.take(numbered(1), here.now_us, lambda: None)
        assert not here.intake.full
        for _ in range(9):
            here.intake.take(numbered(1), here.now_us, lambda: None)
        here.intake.take(numbered(1), here.now_us, done.set)
        assert here.intake.full
        here.intake.when_room(room.set)
        await asyncio.wait_for(room.wait(), 20)
        assert done.is_set()


async def test_what_an_endpoint_may_not_take_is_kept_with_its_reason(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        done = asyncio.Event()
        item = Quarantined("plant/other", b"1", "topic_not_allowed", "a")
        here.intake.set_aside([item], here.now_us, done.set)
        await asyncio.wait_for(done.wait(), 20)
        assert here.aside == [item]


async def test_another_book_takes_effect_between_two_groups(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.send(("kitchen/a", b"{}"))
        wider = Plant()
        wider.series = here.plant.series
        wider.bind = lambda address: here.plant.bind("plant/k")
        seen: Sequence[int] = []

        def swap() -> None:
            seen.append(len(here.stored))

        here.intake.between_groups(swap, catalogue=wider)
        await here.send(("kitchen/a", reading(1)))
        assert here.stored == [("kitchen/a", reading(1))]
        assert seen == [0]


async def test_a_start_holds_the_segments_it_would_read_again(tmp_path: Path) -> None:
    limits = Limits(segment_bytes=200, rebuild_bytes=500)
    async with house(tmp_path, limits) as here:
        for number in range(20):
            await here.send(*numbered(number))
    readings = tmp_path / "readings"
    Retention(readings).remove_before(1 << 31)
    assert HOLDER in Retention(readings).held()
    async with house(tmp_path, limits) as again:
        await again.send(*numbered(19))
        assert again.intake.counts.duplicates == 1


async def test_a_checkpoint_that_cannot_be_read_is_replaced_by_the_segments(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        await here.send(*numbered(1, value=9.0))
    for wrong in (b"", b"TGc1xxxx", (tmp_path / "rules").read_bytes()[:-1]):
        (tmp_path / "rules").write_bytes(wrong)
        async with house(tmp_path) as again:
            assert again.rules.seen == {"a/temperature": 1}


async def test_a_store_keeps_a_quarantine_within_its_bounds(tmp_path: Path) -> None:
    limits = Limits(quarantine_bytes=1 << 19)
    async with house(tmp_path, limits) as here:
        for _ in range(12):
            await here.send(*[("kitchen/a", b"x" * 8_000)] * 8)
    size = sum(p.stat().st_size for p in (tmp_path / "quarantine").glob("*.segment"))
    assert 0 < size < limits.quarantine_bytes * 1.3
    Store(tmp_path, limits).close()


HOUR_US = 3_600_000_000


def received(folder: Path) -> list[int]:
    return [group.received_us for group in read_groups(folder / "readings")]


async def test_a_clock_that_was_ten_hours_ahead_and_is_set_right_does_not_make_time_stand_still(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        here.now_us += 10 * HOUR_US
        await here.send(*numbered(1))
        here.now_us = NOW_US + 5_000_000
        await here.send(*numbered(2))
        here.now_us += 1_000_000
        await here.send(*numbered(3))
        assert [at - NOW_US for at in received(tmp_path)] == [
            10 * HOUR_US, 5_000_000, 6_000_000,
        ]  # fmt: skip
        assert here.rules.ticks[-1] == NOW_US + 6_000_000
        assert here.intake.counts.clock_steps == 2
    async with house(tmp_path) as again:
        again.now_us = NOW_US + 7_000_000
        await again.send(*numbered(3, 4))
        assert received(tmp_path)[-1] == NOW_US + 7_000_000
        assert again.intake.counts.duplicates == 1


async def test_a_start_after_a_clock_was_ahead_goes_by_the_clock_as_it_is(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.now_us += 10 * HOUR_US
        await here.send(*numbered(1))
        (tmp_path / "rules").unlink()
    async with house(tmp_path) as again:
        await again.send(*numbered(2))
        assert received(tmp_path)[-1] == NOW_US
        assert again.rules.resumed == [NOW_US]


async def test_a_clock_that_slips_back_by_a_moment_gives_the_same_time_again(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        await here.send(*numbered(1))
        here.now_us -= 900_000
        await here.send(*numbered(2))
        assert received(tmp_path) == [NOW_US, NOW_US]
        assert here.intake.counts.clock_steps == 0

"""The health page's facts while parts of the site are away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.hub.health import HubHealth
from appliance.identity.device import DeviceIdentity
from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from appliance.live.memory import MemoryLiveView
from appliance.pulse import pulse_key
from appliance.readrates.health import calibration_items
from appliance.web.ports import HealthItem
from contracts.clock import FixedClock
from contracts.errors import BadInputError, UnavailableError
from contracts.events import DeviceStarted
from contracts.reason import Reason
from erp_link.service.core import Core, DeviceSeen
from tests.appliance.journal.bodies import started
from tests.support.reads import a_dock


class FallibleCore(Core):
    """The core, over a database that can go away."""

    away = False

    def devices(self) -> list[DeviceSeen]:
        if self.away:
            raise UnavailableError("The core's database does not answer", mend="Start it")
        return super().devices()


@asynccontextmanager
async def watched(health: HubHealth) -> AsyncIterator[None]:
    job = asyncio.create_task(health.watch())
    try:
        yield
        assert not job.done(), "the watch goes on"
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 -- the watch looks every two seconds
            await asyncio.sleep(0.02)


async def test_the_page_tells_of_a_database_outage_and_of_a_box_without_valkey(tmp_path: Path):
    clock = FixedClock(datetime(2026, 11, 21, 8, tzinfo=UTC))
    core = FallibleCore(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    identity = DeviceIdentity.open_or_create(tmp_path / "identity", "edge-01")
    with Journal.open(tmp_path / "journal.db", identity=identity, clock=clock) as journal:
        entry = await journal.append(started())
    core.apply(entry, decode_body(entry.kind, entry.body))
    heard = {"edge-01": clock.now()}
    health = HubHealth(
        core, bus=None, bridge=None, live=MemoryLiveView(), clock=clock, heard_at=heard.get
    )

    def state(group: str, name: str) -> str:
        return next((i.state for i in health.health() if (i.group, i.name) == (group, name)), "")

    async with watched(health):
        await until(lambda: state("device", "edge-01") == "ok")
        assert state("process", "core") == "ok"
        core.away = True
        await until(lambda: state("process", "core") == "down")
        assert state("device", "edge-01") == "ok"
        core.away = False
        clock.at = clock.now() + timedelta(minutes=10)
        await until(lambda: state("process", "core") == "ok")
        assert state("device", "edge-01") == "down"
        heard["edge-01"] = clock.now()
        await until(lambda: state("device", "edge-01") == "ok")
    core.close()


async def test_a_learning_folder_that_cannot_be_read_is_one_row_and_the_watch_goes_on(
    tmp_path: Path,
):
    clock = FixedClock(datetime(2026, 11, 21, 8, tzinfo=UTC))
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)

    def learning() -> HealthItem:
        raise BadInputError("erasures.json is damaged", mend="Restore it from backup")

    health = HubHealth(
        core, bus=None, bridge=None, live=MemoryLiveView(), clock=clock, learning=learning
    )
    async with watched(health):
        await until(lambda: bool(health.health()))
    (row,) = (each for each in health.health() if each.group == "learning")
    assert (row.state, row.detail) == ("down", "erasures.json is damaged. Restore it from backup")
    core.close()


async def test_a_refused_model_set_stands_beside_the_one_that_runs(tmp_path: Path):
    clock = FixedClock(datetime(2026, 11, 21, 8, tzinfo=UTC))
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    identity = DeviceIdentity.open_or_create(tmp_path / "identity", "edge-01")
    why = {"set": "label_reader", "refused": "1.10.0", "why": "a bit is wrong", "running": "1.9.0"}
    note = Reason("model_set_refused", dict(why))
    boot = DeviceStarted("dock-1", "0.1.0", {"read": "r1", "inspect": "i1"}, (note,))
    with Journal.open(tmp_path / "journal.db", identity=identity, clock=clock) as journal:
        entry = await journal.append(boot)
    core.apply(entry, decode_body(entry.kind, entry.body))
    live = MemoryLiveView()
    await live.set_last(
        pulse_key("edge-01"),
        {"at": clock.now().isoformat(), "notes": [{"code": note.code, "params": note.params}]},
    )
    health = HubHealth(core, bus=None, bridge=None, live=live, clock=clock)
    async with watched(health):
        await until(lambda: bool(health.health()))
    sets = {each.digest: each for each in health.health() if each.group == "model_set"}
    assert (sets["r1"].state, sets["r1"].notes) == ("warn", (note,))
    assert (sets["i1"].state, sets["i1"].notes) == ("ok", ())
    core.close()


async def test_drifting_confidence_warns_beside_the_model_sets(tmp_path: Path):
    with a_dock(tmp_path) as dock:
        dock.works(300, days=4, honest=False)
        health = HubHealth(
            dock.core,
            bus=None,
            bridge=None,
            live=MemoryLiveView(),
            clock=dock.clock,
            calibration=lambda: calibration_items(dock.rates),
        )
        assert calibration_items(dock.rates) == ()
        dock.rates.look()
        async with watched(health):
            await until(lambda: any(each.name == "confidence" for each in health.health()))
        (row,) = (each for each in health.health() if each.name == "confidence")
        assert row.state == "warn"
        assert [note.code for note in row.notes] == ["calibration_over"]

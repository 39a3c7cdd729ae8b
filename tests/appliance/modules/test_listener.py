"""Module stations on a real broker, in front of the real core: no failed check is lost."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from appliance.config import BrokerConfig, Config
from appliance.hub.news import HubNews
from appliance.live.memory import MemoryLiveView
from appliance.modules.health import module_items
from appliance.modules.listener import ModuleListener, open_listener
from appliance.modules.settings import ModulesConfig
from contracts.clock import FixedClock
from contracts.errors import BadInputError, UnavailableError
from contracts.stock import HoldKind
from erp_link.service.core import Core
from tests.brokers import MosquittoBroker, RealBroker
from tests.erp_link.story import Station
from tests.telemetry.subscriber.test_brokers import QuickNats

TOPIC = "factory/v1/hall1/CHECK-1/state"


@pytest.fixture(params=[pytest.param(MosquittoBroker, marks=pytest.mark.mosquitto), QuickNats])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealBroker]:
    with request.param(tmp_path) as running:
        yield running


@pytest.fixture
def core(tmp_path: Path, clock: FixedClock) -> Iterator[Core]:
    made = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    yield made
    made.close()


@pytest.fixture
def woken() -> list[bool]:
    return []


def listener_on(broker: RealBroker, core: Core, woken: list[bool]) -> ModuleListener:
    config = Config(
        broker=BrokerConfig(url=broker.url),
        modules=ModulesConfig(dialects=("module-factory",)),
    )
    news = HubNews(MemoryLiveView(), wake=lambda: woken.append(True))
    listener = open_listener(config, core, news, client_id="hub-modules")
    assert listener is not None
    return listener


@asynccontextmanager
async def listening(listener: ModuleListener):
    task = asyncio.create_task(listener.run())
    try:
        await eventually(lambda: listener.connected)
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def eventually(check: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(check):  # noqa: ASYNC110 -- the core has no event
            await asyncio.sleep(0.02)


async def fails(broker: RealBroker, tag: str, number: str) -> None:
    task = {"id": number, "verb": "CHECK", "phase": "DONE", "verdict": "NOT_OK", "note": "torn"}
    said = {"stamp": 1795680000000, "job": "J", "task": task, "loads": [{"tag": tag}]}
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.publish(TOPIC, json.dumps(said), qos=1)


async def test_a_failed_check_holds_the_carton_also_when_the_hub_was_away(
    broker: RealBroker, core: Core, clock: FixedClock, woken: list[bool]
):
    station = Station(core, clock)
    station.receives()
    station.accepts("C1")
    station.accepts("C2")
    async with listening(listener_on(broker, core, woken)):
        await fails(broker, "C1", "c-1")
        await eventually(core.holds)
    await fails(broker, "C2", "c-2")
    async with listening(listener_on(broker, core, woken)) as back:
        await eventually(lambda: len(core.holds()) == 2)
        await fails(broker, "C2", "c-2")
        await eventually(lambda: back.subscriber.counts["taken"] >= 2 and not back.inbox.waiting)
    assert {hold.kind for hold in core.holds()} == {HoldKind.CARTONS}
    assert len(core.tickets()) == 2
    assert woken, "vehicles are told of the way to quarantine at once"


async def test_a_core_that_is_away_is_waited_for(
    broker: RealBroker,
    core: Core,
    clock: FixedClock,
    woken: list[bool],
):
    station = Station(core, clock)
    station.receives()
    station.accepts("C1")
    listener = listener_on(broker, core, woken)
    listener.inbox._retry_s = 0.05
    results, away = listener.stations._results, [True]

    class Door:
        async def module_event(self, event):
            if away[0]:
                raise UnavailableError("the database is away")
            await results.module_event(event)

    listener.stations._results = Door()
    async with listening(listener):
        await fails(broker, "C1", "c-1")
        await eventually(lambda: listener.inbox.away)
        assert core.holds() == []
        rows = list(module_items(listener, now=clock.now()))
        assert rows[0].state == "down"
        away[0] = False
        await eventually(core.holds)
        await eventually(lambda: not listener.inbox.waiting)
        (row, seen) = module_items(listener, now=clock.now())
        assert (row.state, seen.name) == ("ok", "CHECK-1")
        assert seen.notes[0].params["failed"] == 1


async def test_a_long_message_that_is_no_json_is_counted_and_lets_the_next_one_through(
    broker: RealBroker, core: Core, clock: FixedClock, woken: list[bool]
):
    station = Station(core, clock)
    station.receives()
    station.accepts("C1")
    async with listening(listener_on(broker, core, woken)) as listener:
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.publish(TOPIC, b"x" * 900_000, qos=1)
        await fails(broker, "C1", "c-1")
        await eventually(core.holds)
        # the hold stands in the core a moment before the listener notes which station it heard
        await eventually(lambda: len(list(module_items(listener, now=clock.now()))) == 2)
        assert listener.stations.refused.total() == 1
        (row, _) = module_items(listener, now=clock.now())
        assert (row.state, row.detail) == ("warn", TOPIC)
        assert [note.code for note in row.notes] == ["module_refused", "agv_line_not_json"]


@asynccontextmanager
async def process(broker: RealBroker, database: str, *mode: str):
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.appliance.modules.hub_process", broker.url, database, *mode,
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    try:
        await says(running, "connected")
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def says(running: asyncio.subprocess.Process, word: str) -> None:
    """Wait for a word among the lines of its log."""
    async with asyncio.timeout(60):
        async for line in running.stdout:
            if line.decode().strip() == word:
                return
    pytest.fail(f"it ended before it said {word}")


async def test_what_a_killed_hub_had_not_booked_is_booked_by_the_next_one(
    broker: RealBroker, core: Core, clock: FixedClock, tmp_path: Path
):
    """kill -9 between the broker's delivery and the booking, then between booking and the next."""
    station = Station(core, clock)
    station.receives()
    station.accepts("C1")
    station.accepts("C2")
    database = f"sqlite:///{tmp_path / 'core.db'}"
    async with process(broker, database, "stall") as first:
        await fails(broker, "C1", "c-1")
        await says(first, "heard")
        first.kill()
        await first.wait()
    assert core.holds() == []
    await fails(broker, "C2", "c-2")
    async with process(broker, database) as second:
        await eventually(lambda: len(core.holds()) == 2)
        second.kill()
        await second.wait()
    async with process(broker, database):
        await fails(broker, "C1", "c-1")
        await fails(broker, "C3", "c-3")
        await eventually(lambda: len(core.tickets()) == 3)
    assert sorted(name for hold in core.holds() for name in hold.cartons) == ["C1", "C2"]


def test_a_dialect_without_stations_is_refused_at_the_start(core: Core):
    config = Config(
        broker=BrokerConfig(url="mqtt://127.0.0.1:1"),
        modules=ModulesConfig(dialects=("shuttle-log",)),
    )
    news = HubNews(MemoryLiveView(), wake=lambda: None)
    with pytest.raises(BadInputError, match="shuttle-log describes no module station"):
        open_listener(config, core, news, client_id="x")


def test_a_site_without_dialects_listens_to_nobody(core: Core):
    news = HubNews(MemoryLiveView(), wake=lambda: None)
    assert open_listener(Config(), core, news, client_id="x") is None
    assert list(module_items(None, now=core.clock.now())) == []

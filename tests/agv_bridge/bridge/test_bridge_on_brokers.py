"""The bridge and virtual vehicles on real brokers, with real processes killed in mid-mission."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from agv_bridge.bridge.bridge import AgvBridge
from agv_bridge.missions.following import Limits
from agv_bridge.virtual.presence import birth_of, will_of
from agv_bridge.virtual.vehicle import VirtualAgv
from appliance.services.mqtt import MqttBus
from appliance.services.nats import EmbeddedNats
from appliance.vehicles.fleet import introduce_fleet
from appliance.vehicles.registry import VehicleRegistry
from contracts.stock import TransportState as T
from tests.agv_bridge.core_in_memory import CoreInMemory
from tests.brokers import MosquittoBroker, NatsBroker, RealBroker

_LONG_S = 40.0


@pytest.fixture(params=["nats", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def broker(request, tmp_path: Path) -> Iterator[RealBroker]:
    kind = NatsBroker if request.param == "nats" else MosquittoBroker
    with kind(tmp_path) as running:
        yield running


@asynccontextmanager
async def hub(broker: RealBroker | str, core: CoreInMemory) -> AsyncIterator[AgvBridge]:
    url = broker if isinstance(broker, str) else broker.url
    async with MqttBus(url, client_id="hub", wait_s=0.5) as bus:
        bridge = AgvBridge(bus, core, poll_s=0.05)
        task = asyncio.create_task(bridge.run())
        try:
            yield bridge
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def vehicle(
    broker: RealBroker,
    serial: str,
    *,
    version: str = "2.1.0",
    step_s: float = 0.01,
    heartbeat_s: float = 0.3,
) -> AsyncIterator[VirtualAgv]:
    async with MqttBus(
        broker.url,
        client_id=serial,
        will=will_of(serial, version=version),
        birth=partial(birth_of, serial, version=version),
        wait_s=0.2,
    ) as bus:
        agv = VirtualAgv(bus, serial, version=version, step_s=step_s, heartbeat_s=heartbeat_s)
        task = asyncio.create_task(agv.run())
        try:
            yield agv
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def eventually(check, wait_s: float = _LONG_S) -> None:
    async with asyncio.timeout(wait_s):
        while not check():  # noqa: ASYNC110 -- what a process outside did has no event here
            await asyncio.sleep(0.02)


async def test_a_fleet_of_both_versions_puts_away_what_the_core_asks(broker: RealBroker):
    core = CoreInMemory()
    ids = [f"T{number}" for number in range(6)]
    for number, order_id in enumerate(ids):
        core.request(order_id, to=f"slot-{number}")
    async with (
        hub(broker, core),
        vehicle(broker, "a1") as one,
        vehicle(broker, "a2", version="3.0.0") as two,
    ):
        for order_id in ids:
            await core.until(order_id, T.DROPPED, wait_s=_LONG_S)
    assert sorted(core.put_aways) == [(f"sscc-T{n}", f"slot-{n}") for n in range(6)]
    assert len(one.executed) + len(two.executed) == 12


async def test_the_broker_killed_in_mid_mission_costs_no_move_and_doubles_none(broker: RealBroker):
    core = CoreInMemory()
    core.request("T1")
    core.request("T2", to="slot-2")
    async with hub(broker, core), vehicle(broker, "a1", step_s=0.2) as agv:
        await core.until("T1", T.PICKED, wait_s=_LONG_S)
        broker.kill()
        await eventually(lambda: "T1.drop" in agv.executed)
        assert core.state("T1") is T.PICKED
        broker.start()
        await core.until("T1", T.DROPPED, wait_s=_LONG_S)
        await core.until("T2", T.DROPPED, wait_s=_LONG_S)
    assert core.put_aways == [("sscc-T1", "slot-1"), ("sscc-T2", "slot-2")]
    assert agv.executed == ["T1.pick", "T1.drop", "T2.pick", "T2.drop"]


async def test_the_hub_killed_in_mid_mission_books_one_put_away_after_its_restart(tmp_path: Path):
    core = CoreInMemory()
    core.request("T1")
    with NatsBroker(tmp_path) as broker:
        async with vehicle(broker, "a1", step_s=0.1) as agv:
            async with hub(broker, core):
                await core.until("T1", T.PICKED, wait_s=_LONG_S)
            await eventually(lambda: "T1.drop" in agv.executed)
            assert core.put_aways == []
            async with hub(broker, core):
                await core.until("T1", T.DROPPED, wait_s=_LONG_S)
    assert core.put_aways == [("sscc-T1", "slot-1")]


class FleetProcess:
    """`tallyman fleet` as its own process."""

    def __init__(self, url: str, *more: str, step: float) -> None:
        command = "from appliance.cli.main import main; main()"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", command, "fleet", "--broker", url),
                *("--step", str(step), *more),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def end(self, sign: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(sign)
        output, _ = self.process.communicate(timeout=30)
        return self.process.returncode, output.decode()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


async def test_the_fleet_command_works_on_the_embedded_broker_and_leaves_with_offline(
    tmp_path: Path,
):
    """With the vehicles' own passwords and topic rules, as `tallyman up` starts them."""
    core = CoreInMemory()
    core.request("T1")
    core.request("T2", to="slot-2")
    registry = VehicleRegistry(tmp_path / "vehicles.json")
    crew = introduce_fleet(registry, tmp_path / "fleet.json")
    broker = EmbeddedNats(tmp_path, members=registry.members)
    await broker.start()
    try:
        async with hub(broker.url("hub"), core) as bridge:
            with FleetProcess(broker.bare_url, "--credentials", str(crew), step=0.01) as fleet:
                await core.until("T1", T.DROPPED, wait_s=_LONG_S)
                await core.until("T2", T.DROPPED, wait_s=_LONG_S)
                versions = {row.version for row in bridge.vehicles()}
                code, output = await asyncio.to_thread(fleet.end, signal.SIGTERM)
            await eventually(lambda: {r.connection for r in bridge.vehicles()} == {"OFFLINE"})
    finally:
        await broker.stop()
    assert (code, output.count("Traceback")) == (0, 0)
    assert versions == {"2.1.0", "3.0.0"}


async def test_a_vehicle_says_online_again_after_the_broker_came_back(broker: RealBroker):
    core = CoreInMemory()
    async with hub(broker, core) as bridge, vehicle(broker, "a1", heartbeat_s=3600):
        await eventually(lambda: bridge.vehicles() and bridge.vehicles()[0].updated_at)
        broker.kill()
        broker.start()
        async with (
            MqttBus(broker.url, client_id="late", wait_s=_LONG_S) as late,
            asyncio.timeout(_LONG_S),
            late.subscribe("+/+/+/+/connection") as said,
        ):
            async for message in said:
                if json.loads(message.payload)["connectionState"] == "ONLINE":
                    break


async def test_a_fleet_killed_in_mid_mission_is_noticed_by_its_will(tmp_path: Path):
    core = CoreInMemory()
    core.request("T1")
    with NatsBroker(tmp_path) as broker:
        async with hub(broker, core) as bridge:
            with FleetProcess(broker.url, "--vehicles", "1", step=3600) as fleet:
                await core.until("T1", T.ACCEPTED, wait_s=_LONG_S)
                fleet.end(signal.SIGKILL)
            await eventually(lambda: bridge.vehicles()[0].connection == "CONNECTION_BROKEN")
            assert not bridge.vehicles()[0].online
            assert core.state("T1") is T.ACCEPTED


async def test_the_will_says_what_the_version_calls_it(tmp_path: Path):
    wills = {v: json.loads(will_of("a1", version=v).payload) for v in ("2.0.0", "3.0.0")}
    assert wills["2.0.0"]["connectionState"] == "CONNECTIONBROKEN"
    assert wills["3.0.0"]["connectionState"] == "CONNECTION_BROKEN"
    assert wills["3.0.0"]["headerId"] == 0


def test_patience_of_the_bridge_outlasts_the_standards_heartbeat():
    assert Limits().silent.total_seconds() > 2 * 30

"""A cold room gets too warm: from the sensor's packet to a ticket in the core, with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from appliance.bench.ingest.kills.judge import told_alarms
from appliance.bench.ingest.kills.papers import cold_room
from appliance.config import Config, HubConfig, SiteConfig
from appliance.demo.run import HubApi
from appliance.fences.office import FenceOffice
from appliance.fences.statement import PURPOSE
from appliance.fences.store import FenceStore
from appliance.gateway.credentials import SensorCredentials
from appliance.gateway.doors import credentials_file
from appliance.layout import Layout
from appliance.sensor_config import GatewayConfig
from appliance.sensors.store import open_store
from appliance.teaching.office import QualityOffice
from appliance.up import everything
from contracts.clock import SystemClock
from contracts.telemetry import AlarmEffect
from erp_link.service.core import Core
from erp_link.service.quality.desk import Quality
from telemetry.describing.book import Device
from telemetry.mqtt.encoding import encode
from telemetry.mqtt.packets import V311, Connect, Publish
from tests.support.ports import free_address
from tests.support.signing import Pen

pytestmark = pytest.mark.timeout(300)
WORDS = "seven cold rooms and one door"


@pytest.fixture
def config(tmp_path) -> Config:
    return Config(
        site=SiteConfig(data=str(tmp_path), time_zone="UTC"),
        hub=HubConfig(listen=free_address(), device_listen=free_address()),
        gateway=GatewayConfig(
            listen=free_address(), mqtt_listen=free_address(), coap_listen=free_address()
        ),
    )


def describe(config: Config) -> str:
    """A sensor in the book, a signed fence, a password: what people do on pages beforehand."""
    clock, layout = SystemClock(), Layout(config.data)
    layout.hub.mkdir(parents=True)
    core = Core(config.database_url, clock=clock)
    lead = QualityOffice(layout.quality_db, clock=clock)
    store = FenceStore(layout.sensor_book / "fences.db")
    try:
        people = Quality(core)
        mei = Pen("mei").registers(people)
        office = FenceOffice(store, lead, people, clock)
        lead.make_key(WORDS, holder="Lin")
        office.delegate("mei", mei.key_id, by="Lin", passphrase=WORDS)
        fence = replace(cold_room(), effect=AlarmEffect.TICKET)
        office.save(fence, by="mei")
        text = office.statement(
            fence.fence, "active", signer="mei", key=mei.key_id, reason="walked through it"
        )
        office.activate(text, mei.sign(PURPOSE + text.encode()), by="mei")
    finally:
        store.close()
        lead.close()
        core.close()
    book = open_store(layout.sensor_book, clock)
    book.put_devices([Device("probe-1", "json-temperature-humidity", place="A-01-1")], by="mei")
    return SensorCredentials(credentials_file(config)).add("probe-1")


@asynccontextmanager
async def sensor(config: Config, password: str) -> AsyncIterator[Sensor]:
    host, _, port = config.gateway.mqtt_listen.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    hello = Connect(
        client_id="probe-1", version=V311, username="probe-1", password=password.encode()
    )
    writer.write(encode(hello, V311))
    assert (await reader.readexactly(4))[3] == 0
    try:
        yield Sensor(reader, writer)
    finally:
        writer.close()


class Sensor:
    def __init__(self, reader, writer) -> None:
        self._reader, self._writer = reader, writer

    async def says(self, number: int, celsius: float) -> None:
        """Returns when the reading was acknowledged."""
        at = int(time.time() * 1000)
        body = f'{{"seq":{number},"ts":{at},"t":{celsius},"h":50}}'.encode()
        packet = Publish(topic="sensors/probe-1/climate", payload=body, qos=1, packet_id=number)
        self._writer.write(encode(packet, V311))
        async with asyncio.timeout(30):
            assert await self._reader.readexactly(4) == b"\x40\x02" + number.to_bytes(2, "big")


async def until(ask, why: str):
    """What `ask` answers, once it is something."""
    async with asyncio.timeout(90):
        while True:
            found = await ask()
            if found:
                return found
            await asyncio.sleep(0.1)
    raise AssertionError(why)


async def status(config: Config) -> dict:
    async with httpx.AsyncClient() as client:
        try:
            answer = await client.get(f"http://{config.gateway.listen}/sensors/data/status")
        except httpx.TransportError:
            return {}
        return answer.json()


async def test_what_a_sensor_says_becomes_a_ticket_once_also_when_the_gateway_is_killed(
    config,
) -> None:
    password = await asyncio.to_thread(describe, config)
    journal = Layout(config.data).gateway / "journal.db"
    async with everything(config) as running:
        api = HubApi(running.pages_url, running.api_token)

        async def watched() -> bool:
            told = await status(config)
            return bool(told) and told["alarms"]["fences"] == 1 and told["sensors"]["devices"] == 1

        async def tickets() -> list[dict]:
            found = await api.get("/api/v1/tickets")
            return [each for each in found if "probe-1" in str(each)]

        try:
            await until(watched, "the bundle is in force")
            async with sensor(config, password) as probe:
                await probe.says(1, 4.0)
                await probe.says(2, 11.0)
            first = await until(tickets, "the alarm is a ticket")
            pid = running.children["gateway"].pid
            os.kill(pid, signal.SIGKILL)
            await until(watched, "the gateway is back, with what it knew")
            async with sensor(config, password) as probe:
                await probe.says(3, 12.0)
                await probe.says(4, 4.0)

            async def over() -> bool:
                return len(await asyncio.to_thread(told_alarms, journal)) >= 2

            await until(over, "the alarm is over")
            assert len(await tickets()) == len(first) == 1
            changes = await asyncio.to_thread(told_alarms, journal)
            assert [str(each.change) for each in changes] == ["raised", "cleared"]
            assert len({each.alarm_id for each in changes}) == 1
        finally:
            await api.close()

"""The subscriber on real brokers: nothing that a broker has is lost, and it is acknowledged late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from telemetry.subscriber.subscriber import BrokerLink, Subscriber
from tests.brokers import MosquittoBroker, NatsBroker, RealBroker
from tests.telemetry.disk import Disk


class QuickNats(NatsBroker):
    """Delivers again after a second what was not acknowledged; by itself it waits for thirty."""

    def command(self) -> list[str]:
        command = super().command()
        config = self.folder / "nats.conf"
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("mqtt {\n", 'mqtt {\n  ack_wait: "1s"\n'), encoding="utf-8")
        return command


@pytest.fixture(params=[pytest.param(MosquittoBroker, marks=pytest.mark.mosquitto), QuickNats])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealBroker]:
    with request.param(tmp_path) as broker:
        yield broker


def link_to(broker: RealBroker) -> BrokerLink:
    return BrokerLink("127.0.0.1", broker.port, "gateway-01", ("sensors/#",))


@asynccontextmanager
async def subscribed(broker: RealBroker, disk: Disk):
    subscriber = Subscriber(disk, link_to(broker))
    ready = asyncio.Event()

    def changed() -> None:
        if subscriber.connected:
            ready.set()

    subscriber.on_change = changed
    task = asyncio.create_task(subscriber.run())
    try:
        async with asyncio.timeout(20):
            await ready.wait()
        yield subscriber, ready
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish(broker: RealBroker, *payloads: bytes) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for payload in payloads:
            await client.publish("sensors/cold/1", payload, qos=1)


def numbered(first: int, last: int) -> list[bytes]:
    return [f'{{"n":{number}}}'.encode() for number in range(first, last)]


async def test_readings_come_once_and_what_is_published_meanwhile_comes_after(
    broker: RealBroker,
) -> None:
    disk = Disk()
    async with subscribed(broker, disk) as (subscriber, _):
        await publish(broker, *numbered(0, 50))
        await disk.has(50)
        mosquitto = isinstance(broker, MosquittoBroker)
        assert subscriber.protocol == ("5, shared" if mosquitto else "3.1.1")
    await publish(broker, *numbered(50, 80))
    async with subscribed(broker, disk):
        await disk.has(80)
    assert [payload for _, payload in disk.taken] == numbered(0, 80)
    assert {address for address, _ in disk.taken} == {"sensors/cold/1"}


async def test_what_was_not_on_disk_is_delivered_again(broker: RealBroker) -> None:
    slow = Disk(at_once=False)
    async with subscribed(broker, slow):
        await publish(broker, *numbered(0, 20))
        await slow.has(20)
    disk = Disk()
    async with subscribed(broker, disk):
        await disk.has(20)
    assert sorted(payload for _, payload in disk.taken) == sorted(numbered(0, 20))


async def test_a_broker_that_is_killed_is_come_back_to(broker: RealBroker) -> None:
    disk = Disk()
    async with subscribed(broker, disk) as (subscriber, ready):
        await publish(broker, b"1")
        await disk.has(1)
        ready.clear()
        broker.kill()
        broker.start()
        async with asyncio.timeout(20):
            await ready.wait()
        await publish(broker, b"2")
        await disk.has(2)
        assert subscriber.counts["connections"] == 2
        assert subscriber.trouble == ""


@pytest.mark.parametrize(
    ("answers", "trouble"),
    [
        ([b"\x20\x03\x00\x86\x00"], "refuses us with code 0x86"),
        ([b"\x20\x02\x00\x05"], "refuses us with code 0x5"),
        ([b"\x20\x03\x00\x00\x00", b"\x90\x04\x00\x01\x00\x87"], "does not let us subscribe"),
        ([b"\x20\x03\x00\x00\x00", b""], "closed the connection at our subscription"),
        ([b"\x50\x00"], "packet of kind 5"),
        ([b"\x20\x02\x00\x01"], "3.1.1 is tried next"),
    ],
)
async def test_a_broker_that_refuses_is_quoted_in_words(answers: list[bytes], trouble: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(1000)
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    subscriber = Subscriber(Disk(), BrokerLink("127.0.0.1", port, "gateway-01", ("sensors/#",)))
    told = asyncio.Event()
    subscriber.on_change = told.set
    task = asyncio.create_task(subscriber.run())
    async with asyncio.timeout(20):
        await told.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    server.close()
    await server.wait_closed()
    assert trouble in subscriber.trouble
    assert not subscriber.connected

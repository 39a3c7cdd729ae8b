"""One suite for the message bus: in memory, on NATS's MQTT interface, on Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from appliance.services.bus import matches
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from appliance.services.mqtt import BrokerAddress, MqttBus
from contracts.errors import BadInputError, UnavailableError
from contracts.ports import BusMessage, MessageBus
from tests.brokers import MosquittoBroker, NatsBroker, RealBroker

_LONG_S = 45.0


class Harness(Protocol):
    """A broker, clients of it, and the ways both can fail."""

    @property
    def keeps_retained(self) -> bool:
        """Whether what the broker acknowledged survives its kill -9."""
        ...

    def client(
        self, name: str, *, will: BusMessage | None = None
    ) -> contextlib.AbstractAsyncContextManager[MessageBus]: ...

    async def break_connection(self, bus: MessageBus) -> None: ...

    def stop(self) -> None: ...

    def start(self) -> None: ...


class MemoryHarness:
    keeps_retained = True

    def __init__(self) -> None:
        self.broker = MemoryBroker()

    def client(self, name, *, will=None):
        return MemoryBus(self.broker, client_id=name, will=will)

    async def break_connection(self, bus: MessageBus) -> None:
        assert isinstance(bus, MemoryBus)
        self.broker.kill(bus)

    def stop(self) -> None:
        self.broker.stop()

    def start(self) -> None:
        self.broker.start()


class RealHarness:
    """Clients with a will go through a relay, so that their connection can be cut."""

    def __init__(self, broker: RealBroker) -> None:
        self.broker = broker
        self.relays: dict[MessageBus, Relay] = {}
        self.keeps_retained = isinstance(broker, NatsBroker)

    @asynccontextmanager
    async def client(self, name, *, will=None) -> AsyncIterator[MessageBus]:
        if will is None:
            async with MqttBus(self.broker.url, client_id=name, wait_s=_LONG_S) as bus:
                yield bus
            return
        async with (
            Relay(self.broker.port) as relay,
            MqttBus(f"mqtt://127.0.0.1:{relay.port}", client_id=name, will=will) as bus,
        ):
            self.relays[bus] = relay
            yield bus

    async def break_connection(self, bus: MessageBus) -> None:
        await self.relays[bus].cut()

    def stop(self) -> None:
        self.broker.kill()

    def start(self) -> None:
        self.broker.start()


class Relay:
    """A TCP relay that can be cut without a goodbye."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.writers: list[asyncio.StreamWriter] = []
        self.port = 0

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        await self.cut()

    async def _serve(self, reader, writer):
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", self.target_port)
        self.writers += [writer, onward]

        async def pump(source, sink):
            with contextlib.suppress(OSError):
                while data := await source.read(65_536):
                    sink.write(data)
                    await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, onward), pump(onward_reader, writer))

    async def cut(self) -> None:
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()


@pytest.fixture(params=["memory", "nats", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def harness(request, tmp_path: Path) -> Iterator[Harness]:
    if request.param == "memory":
        yield MemoryHarness()
        return
    kind = NatsBroker if request.param == "nats" else MosquittoBroker
    with kind(tmp_path) as broker:
        yield RealHarness(broker)


async def next_of(messages: AsyncIterator[BusMessage], wait_s: float = _LONG_S) -> BusMessage:
    async with asyncio.timeout(wait_s):
        return await anext(messages)


async def until_heard(bus: MessageBus, messages: AsyncIterator[BusMessage], topic: str) -> None:
    """Publish until the subscription hears it: how one sees that it lives again."""
    deadline = time.monotonic() + 2 * _LONG_S
    while time.monotonic() < deadline:
        with contextlib.suppress(UnavailableError, TimeoutError):
            await bus.publish(topic, b"again", qos=1)
            await next_of(messages, 0.5)
            return
    pytest.fail("the subscription did not come back")


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_subscriber_gets_what_matches_and_nothing_else(harness: Harness, qos: int):
    async with (
        harness.client("dock") as dock,
        harness.client("agv") as agv,
        dock.subscribe("fleet/+/state", "lane/#", qos=qos) as messages,
    ):
        await agv.publish("fleet/a1/order", b"not this", qos=qos)
        await agv.publish("fleet/a1/state", b"\x00\xff bytes", qos=qos)
        first = await next_of(messages)
        await agv.publish("lane/1/gate/open", b"2", qos=qos)
        second = await next_of(messages)
    assert first == BusMessage("fleet/a1/state", b"\x00\xff bytes", qos, retain=False)
    assert second == BusMessage("lane/1/gate/open", b"2", qos, retain=False)


async def test_messages_of_one_publisher_keep_their_order(harness: Harness):
    async with harness.client("dock") as dock, dock.subscribe("n", qos=1) as messages:
        for number in range(50):
            await dock.publish("n", str(number).encode(), qos=1)
        got = [(await next_of(messages)).payload for _ in range(50)]
    assert got == [str(number).encode() for number in range(50)]


async def test_who_comes_late_gets_the_retained_message_first(harness: Harness):
    async with harness.client("agv") as agv, harness.client("dock") as dock:
        await agv.publish("c/a1", b"OFFLINE", qos=1, retain=True)
        await agv.publish("c/a1", b"ONLINE", qos=1, retain=True)
        await agv.publish("c/a2", b"passing", qos=1)
        async with dock.subscribe("c/+", qos=1) as messages:
            first = await next_of(messages)
            await agv.publish("c/a1", b"OFFLINE", qos=1, retain=True)
            live = await next_of(messages)
    assert (first.topic, first.payload, first.retain) == ("c/a1", b"ONLINE", True)
    assert (live.payload, live.retain) == (b"OFFLINE", False)


async def test_an_empty_retained_message_clears_the_topic(harness: Harness):
    async with harness.client("agv") as agv:
        await agv.publish("c/a1", b"ONLINE", qos=1, retain=True)
        await agv.publish("c/a1", b"", qos=1, retain=True)
        await agv.publish("c/a2", b"ONLINE", qos=1, retain=True)
        async with agv.subscribe("c/+", qos=1) as messages:
            assert (await next_of(messages)).topic == "c/a2"


async def test_overlapping_subscriptions_each_hear_a_message_once(harness: Harness):
    async with (
        harness.client("dock") as dock,
        dock.subscribe("v/+/state", qos=1) as one,
        dock.subscribe("v/#", qos=1) as other,
    ):
        for payload in (b"1", b"2"):
            await dock.publish("v/a1/state", payload, qos=1)
        assert [(await next_of(one)).payload for _ in range(2)] == [b"1", b"2"]
        assert [(await next_of(other)).payload for _ in range(2)] == [b"1", b"2"]


async def test_waiting_for_a_message_may_be_given_up_and_taken_up_again(harness: Harness):
    async with harness.client("dock") as dock, dock.subscribe("t") as messages:
        with pytest.raises(TimeoutError):
            await next_of(messages, 0.05)
        await dock.publish("t", b"1")
        assert (await next_of(messages)).payload == b"1"


async def test_the_will_is_spoken_for_a_client_that_vanishes(harness: Harness):
    will = BusMessage("c/a1", b"CONNECTIONBROKEN", 1, retain=True)
    async with harness.client("dock") as dock, dock.subscribe("c/+", qos=1) as messages:
        async with harness.client("agv", will=will) as agv:
            await agv.publish("c/a1", b"ONLINE", qos=1, retain=True)
            assert (await next_of(messages)).payload == b"ONLINE"
            await harness.break_connection(agv)
            assert (await next_of(messages)).payload == b"CONNECTIONBROKEN"
        async with dock.subscribe("c/+", qos=1) as late:
            assert (await next_of(late)).payload == b"CONNECTIONBROKEN"


async def test_no_will_after_a_goodbye(harness: Harness):
    will = BusMessage("c/a1", b"CONNECTIONBROKEN", 1)
    async with harness.client("dock") as dock, dock.subscribe("c/+", qos=1) as messages:
        async with harness.client("agv", will=will) as agv:
            await agv.publish("c/a1", b"OFFLINE", qos=1)
        await dock.publish("c/end", b"", qos=1)
        assert [(await next_of(messages)).payload for _ in range(2)] == [b"OFFLINE", b""]


async def test_a_killed_broker_comes_back_with_subscriptions_and_retained(harness: Harness):
    async with harness.client("dock") as dock, harness.client("agv") as agv:
        await agv.publish("kept/a1", b"ONLINE", qos=1, retain=True)
        async with dock.subscribe("t/#", qos=1) as messages:
            await agv.publish("t/1", b"before", qos=1)
            assert (await next_of(messages)).payload == b"before"
            harness.stop()
            harness.start()
            await until_heard(agv, messages, "t/2")
        if harness.keeps_retained:
            async with dock.subscribe("kept/+", qos=1) as kept:
                assert (await next_of(kept)).payload == b"ONLINE"


@pytest.mark.parametrize("topic", ["", "a/+/b", "a/#", "two words", "line\nbreak"])
async def test_a_topic_that_no_broker_takes_is_refused(harness: Harness, topic: str):
    async with harness.client("dock") as dock:
        with pytest.raises(BadInputError, match=r"MQTT topic"):
            await dock.publish(topic, b"")


async def test_publishing_without_a_broker_says_so_after_a_short_wait(free_port: int):
    async with MqttBus(f"mqtt://127.0.0.1:{free_port}", client_id="dock", wait_s=0.2) as bus:
        with pytest.raises(UnavailableError, match="does not answer"):
            await bus.publish("t", b"")
        assert not bus.connected
        assert bus.last_error


async def test_the_birth_message_is_said_after_every_connect(tmp_path: Path):
    births: list[BusMessage] = []

    def birth() -> BusMessage:
        births.append(BusMessage("c/a1", f"ONLINE {len(births)}".encode(), 1, retain=True))
        return births[-1]

    with NatsBroker(tmp_path) as broker:
        async with MqttBus(broker.url, client_id="agv", birth=birth, wait_s=_LONG_S) as agv:
            await agv.publish("t", b"", qos=1)
            broker.kill()
            broker.start()
            await agv.publish("t", b"", qos=1)
            async with agv.subscribe("c/+") as messages:
                assert (await next_of(messages)).payload == births[-1].payload
    assert len(births) >= 2


async def test_subscribing_before_the_broker_is_there_works_once_it_comes(tmp_path: Path):
    broker = NatsBroker(tmp_path)
    async with (
        MqttBus(broker.url, client_id="dock", wait_s=0.2) as bus,
        bus.subscribe("t") as messages,
    ):
        with broker:
            await until_heard(bus, messages, "t")


async def test_the_memory_broker_that_is_stopped_says_so():
    broker = MemoryBroker()
    async with MemoryBus(broker) as bus:
        broker.stop()
        with pytest.raises(UnavailableError):
            await bus.publish("t", b"")


async def test_a_reader_that_does_not_read_loses_the_oldest_and_it_is_counted(tmp_path: Path):
    with NatsBroker(tmp_path) as broker:
        async with (
            MqttBus(broker.url, client_id="dock", wait_s=_LONG_S, max_queued=2) as bus,
            bus.subscribe("t", qos=1) as messages,
        ):
            for number in range(5):
                await bus.publish("t", str(number).encode(), qos=1)
            async with bus.subscribe("end", qos=1) as end:
                await bus.publish("end", b"", qos=1)
                await next_of(end)
            assert bus.dropped == 3
            assert (await next_of(messages)).payload == b"3"


@pytest.mark.parametrize(
    ("topic", "wanted", "covers"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/+", True),
        ("a/b", "+/+", True),
        ("a/b", "#", True),
        ("a", "a/#", True),
        ("a/b/c", "a/+", False),
        ("a", "a/+", False),
        ("/a", "+/a", True),
        ("$SYS/x", "#", False),
        ("$SYS/x", "$SYS/#", True),
        ("a//b", "a/+/b", True),
    ],
)
def test_topic_matching_follows_the_standard(topic: str, wanted: str, *, covers: bool):
    assert matches(topic, wanted) is covers


def test_broker_addresses():
    address = BrokerAddress.parse("mqtts://dock:p%40ss@broker.example")
    assert address == BrokerAddress("broker.example", 8883, True, "dock", "p@ss")
    assert BrokerAddress.parse("mqtt://127.0.0.1:4222").port == 4222


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "mqtt://h:port", "broker:1883"])
def test_an_address_that_is_none_is_refused_with_a_mend(url: str):
    with pytest.raises(BadInputError, match=r"Write it as mqtt://"):
        BrokerAddress.parse(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://dock:geheim@broker",
        "mqtt://dock:geheim@",
        "mqtt://dock:geheim@broker:port",
        "mqtt://dock:geheim/x@broker",
        "mqtt://dock:1883/geheim@broker",
        "mqtt://dock:1883#geheim@broker",
        "mqtt://[dock:geheim@broker",
    ],
)
def test_a_password_never_gets_into_an_error(url: str):
    with pytest.raises(BadInputError) as refused:
        BrokerAddress.parse(url)
    told = "".join(traceback.format_exception(refused.value, chain=True, limit=0))
    assert "geheim" not in told + str(refused.value.data)
    assert "geheim" not in repr(BrokerAddress.parse("mqtt://dock:geheim@broker"))

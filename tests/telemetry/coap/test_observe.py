"""A sensor that is a server is observed: aiocoap plays it, as somebody else's sensor would."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import aiocoap
import pytest
from aiocoap import resource

from contracts.errors import BadInputError
from telemetry.coap.endpoint import CoapEndpoint
from telemetry.coap.message import Code, Kind, Message, Option, decode, encode, uint
from telemetry.coap.observe import Observed, Observer, read_url
from tests.support.ports import free_port
from tests.telemetry.disk import Disk


class Thermometer(resource.ObservableResource):
    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content
        self.watched = asyncio.Event()

    def update_observation_count(self, newcount: int) -> None:
        if newcount:
            self.watched.set()
        else:
            self.watched.clear()

    async def render_get(self, request: aiocoap.Message) -> aiocoap.Message:
        return aiocoap.Message(payload=self.content)

    def says(self, content: bytes) -> None:
        self.content = content
        self.updated_state()


@asynccontextmanager
async def sensor_on(port: int, thermometer: Thermometer):
    site = resource.Site()
    site.add_resource(["temperature"], thermometer)
    context = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port))
    try:
        yield
    finally:
        await context.shutdown()


@asynccontextmanager
async def observing(disk: Disk, port: int):
    endpoint = CoapEndpoint(disk)
    endpoint.open("127.0.0.1", 0)
    observer = Observer(endpoint, [Observed("127.0.0.1", port, ("temperature",))])
    endpoint.observer = observer
    task = asyncio.create_task(observer.run())
    try:
        yield observer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        endpoint.close()


async def test_what_a_sensor_notifies_is_taken_in_its_order() -> None:
    disk, thermometer, port = Disk(), Thermometer(b"21.0"), free_port()
    async with sensor_on(port, thermometer), observing(disk, port) as observer:
        await disk.has(1)
        await thermometer.watched.wait()
        for number in range(1, 4):
            thermometer.says(b"21.%d" % number)
            await disk.has(1 + number)
        assert observer.watches[0].state == "observed"
    assert disk.taken == [("coap/127.0.0.1/temperature", b"21.%d" % n) for n in range(4)]


async def test_a_payload_of_many_blocks_is_taken_whole() -> None:
    long = bytes(range(256)) * 12
    disk, thermometer, port = Disk(), Thermometer(long), free_port()
    async with sensor_on(port, thermometer), observing(disk, port):
        await disk.has(1)
    assert disk.taken == [("coap/127.0.0.1/temperature", long)]


class Sent:
    """The endpoint, as an observer sees it."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.sent: list[Message] = []
        self._asked = asyncio.Event()
        self._number = 0

    def send(self, data: bytes, to: object) -> None:
        self.sent.append(decode(data))
        self._asked.set()

    def next_message_id(self) -> int:
        self._number += 1
        return self._number

    def take(self, address, payload, on_disk) -> None:
        self.disk.take([(address, payload)], 0, on_disk)

    async def asked(self) -> Message:
        await self._asked.wait()
        return self.sent[0]


FROM = ("127.0.0.1", 5683)


def notification(asked: Message, number: int, payload: bytes, message_id: int) -> Message:
    options = ((Option.OBSERVE, uint(number)), (Option.MAX_AGE, b"\x3c"))
    return Message(Kind.CON, Code.CONTENT, message_id, asked.token, options, payload)


@asynccontextmanager
async def registered(disk: Disk):
    line = Sent(disk)
    observer = Observer(line, [Observed("127.0.0.1", 5683, ("t",))])
    task = asyncio.create_task(observer.run())
    asked = await line.asked()
    answer = Message(
        Kind.ACK, Code.CONTENT, asked.message_id, asked.token, ((Option.OBSERVE, b"\x05"),), b"5"
    )
    observer.heard(answer, FROM)
    line.sent.clear()
    try:
        yield observer, line, asked
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_notification_is_acknowledged_when_it_is_on_disk() -> None:
    disk = Disk(at_once=False)
    async with registered(disk) as (observer, line, asked):
        observer.heard(notification(asked, 6, b"6", 77), FROM)
        assert line.sent == []
        disk.waiting[-1]()
        assert [(each.kind, each.message_id) for each in line.sent] == [(Kind.ACK, 77)]


async def test_one_that_is_sent_again_is_not_acknowledged_before_the_first_is_on_disk() -> None:
    disk = Disk(at_once=False)
    async with registered(disk) as (observer, line, asked):
        for _ in range(2):
            observer.heard(notification(asked, 6, b"6", 77), FROM)
        assert line.sent == []
        disk.waiting[-1]()
        assert [(each.kind, each.message_id) for each in line.sent] == [(Kind.ACK, 77)]
        observer.heard(notification(asked, 6, b"6", 77), FROM)
        assert len(line.sent) == 2, "our acknowledgement was lost on its way"
        assert [payload for _, payload in disk.taken] == [b"5", b"6"]


async def test_blocks_that_do_not_come_are_asked_for_when_it_is_sent_again() -> None:
    disk = Disk(at_once=False)
    async with registered(disk) as (observer, line, asked):
        first = notification(asked, 6, b"x" * 16, 77)
        first = replace(first, options=(*first.options, (Option.BLOCK2, b"\x08")))
        watch = observer.watches[0]
        for times in (1, 2):
            observer.heard(first, FROM)
            observer.heard(first, FROM)
            fetching = watch._blocks
            await asyncio.sleep(0)
            assert [each.code for each in line.sent] == [Code.GET] * times
            watch.empty(Message(Kind.RST, Code.EMPTY, line.sent[-1].message_id))
            await asyncio.wait([fetching])
            await asyncio.sleep(0)
    assert len(disk.taken) == 1


async def test_one_that_was_overtaken_is_acknowledged_and_counted_and_not_taken() -> None:
    disk = Disk()
    async with registered(disk) as (observer, line, asked):
        observer.heard(notification(asked, 9, b"9", 77), FROM)
        observer.heard(notification(asked, 8, b"8", 78), FROM)
        # The number goes round at 2**24 (RFC 7641, 3.4).
        observer.watches[0]._number = (1 << 24) - 2
        observer.heard(notification(asked, 1, b"10", 79), FROM)
        assert [payload for _, payload in disk.taken] == [b"5", b"9", b"10"]
        assert observer.watches[0].old == 1
        assert len(line.sent) == 3


async def test_what_nobody_asked_for_is_reset() -> None:
    disk = Disk()
    async with registered(disk) as (observer, line, asked):
        stranger = Message(Kind.CON, Code.CONTENT, 5, b"none", (), b"x")
        observer.heard(stranger, FROM)
        observer.heard(notification(asked, 9, b"9", 6), ("127.0.0.9", 5683))
        assert [(each.kind, each.message_id) for each in line.sent] == [
            (Kind.RST, 5),
            (Kind.RST, 6),
        ]
        assert len(disk.taken) == 1


async def test_a_sensor_that_ends_it_is_asked_anew() -> None:
    disk = Disk()
    async with registered(disk) as (observer, line, asked):
        line._asked.clear()
        gone = Message(Kind.CON, Code.NOT_FOUND, 9, asked.token)
        observer.heard(gone, FROM)
        await line._asked.wait()
        assert line.sent[0].kind is Kind.ACK
        line.sent.clear()
        line._asked.clear()
        assert (await line.asked()).option(Option.OBSERVE) == b""


@pytest.mark.parametrize("url", ["", "http://a/b", "coap://a", "coap://:1/x", "coap://a:99999/x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadInputError, match="no CoAP address"):
        read_url(url)


def test_an_address_is_read() -> None:
    assert read_url("coap://10.20.0.7/a%20b/c") == Observed("10.20.0.7", 5683, ("a b", "c"))
    assert read_url("coap://10.20.0.7:5700/t").address == "coap/10.20.0.7/t"
    assert encode(Message(Kind.CON, Code.GET, 1))

"""A publisher's day at the endpoint: what is acknowledged, what is refused and why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import aiomqtt
import pytest

from telemetry.mqtt.encoding import encode
from telemetry.mqtt.endpoint import Endpoint
from telemetry.mqtt.limits import EndpointLimits
from telemetry.mqtt.packets import (
    V5,
    V311,
    Code,
    ConnAck,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    Property,
    PubAck,
    Publish,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
    Will,
)
from telemetry.ports import Admission, Caller
from telemetry.segments import Quarantined
from tests.support.publishers import Authority, Publisher
from tests.support.sensors import Gate

LIMITS = EndpointLimits(packet_bytes=4_096, receive_maximum=8, half_packets_bytes=6_000)


SECRET = "open"  # noqa: S105 -- of the plant in tests.support.sensors


class Disk:
    """A durable path whose disk answers when the test says so."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.aside: list[Quarantined] = []
        self.full = False
        self.slow = False
        self.some = asyncio.Event()
        self._waiting: list[Callable[[], None]] = []
        self._for_room: list[Callable[[], None]] = []

    def take(
        self,
        messages: Sequence[tuple[str, bytes]],
        received_us: int,
        on_disk: Callable[[], None],
    ) -> None:
        self.taken += messages
        self._later(on_disk)

    def set_aside(
        self, items: Sequence[Quarantined], received_us: int, on_disk: Callable[[], None]
    ) -> None:
        self.aside += items
        self._later(on_disk)

    def when_room(self, callback: Callable[[], None]) -> None:
        self._for_room.append(callback)

    def _later(self, on_disk: Callable[[], None]) -> None:
        self.some.set()
        if self.slow:
            self._waiting.append(on_disk)
        else:
            asyncio.get_running_loop().call_soon(on_disk)

    def synced(self) -> None:
        """The disk has everything."""
        waiting, self._waiting = self._waiting, []
        for on_disk in waiting:
            on_disk()

    def emptied(self) -> None:
        self.full = False
        for callback in self._for_room:
            callback()

    async def takes(self, count: int) -> None:
        """Until so many messages have come."""
        while len(self.taken) < count:
            self.some.clear()
            await asyncio.wait_for(self.some.wait(), 20)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
async def endpoint(disk: Disk) -> AsyncIterator[Endpoint]:
    here = Endpoint(disk, Gate(), limits=LIMITS, now_us=lambda: 1)
    yield here
    await here.stop()


@pytest.fixture
async def port(endpoint: Endpoint) -> int:
    return await endpoint.listen("127.0.0.1", 0)


def qos1(number: int, payload: bytes = b"1", topic: str = "plant/a") -> Publish:
    return Publish(topic, payload, 1, number)


@pytest.mark.parametrize("version", [V311, V5])
async def test_a_reading_is_acknowledged_when_it_is_on_disk_and_not_before(
    endpoint: Endpoint, disk: Disk, port: int, version: int
) -> None:
    disk.slow = True
    async with await Publisher.dial(port) as sensor:
        assert (await sensor.greet(version=version)).code == 0
        sensor.say(qos1(1), Publish("plant/b", b"2"), qos1(2), PingReq())
        assert isinstance(await sensor.hear(), PingResp), "nothing else was said before"
        assert disk.taken == [("plant/a", b"1"), ("plant/b", b"2"), ("plant/a", b"1")]
        disk.synced()
        assert [await sensor.hear(), await sensor.hear()] == [PubAck(1), PubAck(2)]
    assert endpoint.counts.messages == 3


async def test_a_welcome_says_what_is_granted(port: int) -> None:
    async with await Publisher.dial(port) as sensor:
        answer = await sensor.greet(client_id="", keep_alive_s=0)
        assert answer.code == 0
        assert answer.properties[Property.RECEIVE_MAXIMUM] == 8
        assert answer.properties[Property.MAXIMUM_QOS] == 1
        assert answer.properties[Property.MAXIMUM_PACKET_SIZE] == 4_096
        assert answer.properties[Property.SERVER_KEEP_ALIVE] == 3_600
        assert str(answer.properties[Property.ASSIGNED_CLIENT_ID]).startswith("auto-")


@pytest.mark.parametrize(("version", "code"), [(V311, 4), (V5, Code.BAD_CREDENTIALS)])
async def test_a_wrong_password_stays_outside(
    endpoint: Endpoint, port: int, version: int, code: int
) -> None:
    async with await Publisher.dial(port) as sensor:
        assert await sensor.greet(version=version, password=b"guess") == ConnAck(code)
        assert await sensor.hear() is None
    assert endpoint.counts.refused == {"not_signed_in": 1}
    assert "tester" in endpoint.counts.newest[0].detail


async def test_a_packet_may_come_in_any_pieces(disk: Disk, port: int) -> None:
    async with await Publisher.dial(port) as sensor:
        await sensor.greet()
        sensor.say(qos1(1, b"x" * 300))
        for byte in encode(qos1(2, b"y" * 300)):
            sensor.raw(bytes((byte,)))
            await sensor.writer.drain()
            await asyncio.sleep(0)
        assert [await sensor.hear(), await sensor.hear()] == [PubAck(1), PubAck(2)]
    assert [payload for _, payload in disk.taken] == [b"x" * 300, b"y" * 300]


@pytest.mark.parametrize("version", [V311, V5])
async def test_a_topic_that_is_not_its_own_is_set_aside_with_the_reason(
    disk: Disk, port: int, version: int
) -> None:
    async with await Publisher.dial(port) as sensor:
        await sensor.greet("a", version=version)
        sensor.say(qos1(1), qos1(2, b"2", "plant/other"), qos1(3, b"3"))
        answers = [await sensor.hear(), await sensor.hear(), await sensor.hear()]
        code = Code.NOT_AUTHORIZED if version == V5 else 0
        assert {(a.packet_id, a.code) for a in answers} == {(1, 0), (2, code), (3, 0)}
    assert disk.taken == [("plant/a", b"1"), ("plant/a", b"3")]
    assert [(item.address, item.code) for item in disk.aside] == [
        ("plant/other", "topic_not_allowed")
    ]


@pytest.mark.parametrize(
    ("raw", "code", "reason"),
    [
        (b"\x34\x06\0\1a\0\1x", "qos_not_supported", Code.QOS_NOT_SUPPORTED),
        (b"\x32\xff\xff\xff\x7f", "packet_too_large", Code.PACKET_TOO_LARGE),
        (b"\x30\x04\0\1#\0", "topic_invalid", Code.TOPIC_NAME_INVALID),
        (b"\xff" * 40, "mqtt_malformed", Code.MALFORMED),
        (b"\x10\x0d\0\4MQTT\5\2\0\x3c\0\0\0", "mqtt_protocol", Code.PROTOCOL_ERROR),
        (b"\x30\x07\0\1a\3\x23\0\1", "mqtt_protocol", Code.TOPIC_ALIAS_INVALID),
    ],
)
async def test_whoever_breaks_the_protocol_is_told_and_closed_and_its_readings_before_are_kept(
    endpoint: Endpoint, disk: Disk, port: int, raw: bytes, code: str, reason: Code
) -> None:
    async with await Publisher.dial(port) as sensor:
        await sensor.greet()
        sensor.say(Publish("plant/a", b"before"))
        sensor.raw(raw)
        assert await sensor.hear_all() == [Disconnect(reason)]
    assert disk.taken == [("plant/a", b"before")]
    assert endpoint.counts.refused == {code: 1}
    assert endpoint.counts.newest[0].client_id == "tester"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "mqtt_no_connect"),
        (b"\x10\xff\xff\xff\x7f", "packet_too_large"),
        (b"\x10\x0e\0\6MQIsdp\3\2\0\x3c\0\0", "mqtt_version"),
        (b"\x10\x0c\0\4MQTT\4\0\0\x3c\0\1", "mqtt_malformed"),
        (b"\x10\x0c\0\4MQTT\4\0\0\x3c\0\0", "client_id_invalid"),
        (b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3", "mqtt_no_connect"),
    ],
)
async def test_who_does_not_greet_stays_outside(
    endpoint: Endpoint, port: int, raw: bytes, code: str
) -> None:
    async with await Publisher.dial(port) as stranger:
        stranger.version = V311
        stranger.raw(raw)
        await stranger.hear_all()
    assert endpoint.counts.refused == {code: 1}


async def test_subscribers_are_told_that_there_is_nothing_for_them(port: int) -> None:
    async with await Publisher.dial(port) as sensor:
        await sensor.greet(version=V5)
        sensor.say(Subscribe(5, (("#", 1), ("a", 0))), Unsubscribe(6, ("#",)))
        assert await sensor.hear() == SubAck(5, (0x87, 0x87))
        assert await sensor.hear() == UnsubAck(6, (0x11,))
    async with await Publisher.dial(port) as sensor:
        await sensor.greet(version=V311)
        sensor.say(Subscribe(5, (("#", 1),)), Unsubscribe(6, ("#",)))
        assert await sensor.hear() == SubAck(5, (0x80,))
        assert await sensor.hear() == UnsubAck(6)


async def test_a_will_is_published_when_its_sensor_is_gone_without_a_word(
    disk: Disk, port: int
) -> None:
    will = Will("plant/a/state", b"gone", 1)
    async with await Publisher.dial(port) as polite:
        await polite.greet(will=will)
        polite.say(Disconnect())
        assert await polite.hear() is None
    assert not disk.taken
    async with await Publisher.dial(port) as sensor:
        await sensor.greet(will=will)
        sensor.hang_up()
    await disk.takes(1)
    assert disk.taken == [("plant/a/state", b"gone")]
    async with await Publisher.dial(port) as sensor:
        await sensor.greet(will=will)
        sensor.say(Disconnect(Code.DISCONNECT_WITH_WILL))
        assert await sensor.hear() is None
    assert len(disk.taken) == 2


async def test_a_will_to_a_topic_of_another_is_refused(port: int) -> None:
    async with await Publisher.dial(port) as sensor:
        answer = await sensor.greet("a", will=Will("plant/b", b"gone"))
        assert answer == ConnAck(Code.NOT_AUTHORIZED)


async def test_a_device_that_comes_anew_takes_its_session_over_and_another_does_not(
    endpoint: Endpoint, port: int
) -> None:
    async with await Publisher.dial(port) as first, await Publisher.dial(port) as second:
        await first.greet("a", client_id="x")
        assert (await second.greet("b", client_id="x")).code == Code.CLIENT_ID_NOT_VALID
        async with await Publisher.dial(port) as third:
            assert (await third.greet("a", client_id="x")).code == 0
            assert await first.hear_all() == [Disconnect(Code.SESSION_TAKEN_OVER)]
            assert endpoint.connected == 1
            third.say(PingReq())
            assert isinstance(await third.hear(), PingResp)


async def test_version_5_is_held_to_its_receive_maximum(
    endpoint: Endpoint, disk: Disk, port: int
) -> None:
    disk.slow = True
    async with await Publisher.dial(port) as sensor:
        await sensor.greet()
        sensor.say(*map(qos1, range(1, 10)))
        assert await sensor.hear_all() == [Disconnect(Code.RECEIVE_MAXIMUM_EXCEEDED)]
    assert endpoint.counts.refused == {"receive_maximum": 1}


async def test_version_3_is_not_read_while_too_much_waits(disk: Disk, port: int) -> None:
    disk.slow = True
    async with await Publisher.dial(port) as sensor:
        await sensor.greet(version=V311)
        sensor.say(*map(qos1, range(1, 10)))
        await disk.takes(9)
        sensor.say(qos1(10))
        await sensor.writer.drain()
        async with await Publisher.dial(port) as other:
            await other.greet("b")
            other.say(qos1(1, topic="plant/b"))
            await disk.takes(10)
        assert disk.taken[-1] == ("plant/b", b"1"), "the tenth is still in the socket"
        disk.slow = False
        disk.synced()
        assert [(await sensor.hear()).packet_id for _ in range(10)] == list(range(1, 11))


async def test_while_the_disk_is_full_nobody_is_read_and_nobody_is_closed(
    endpoint: Endpoint, disk: Disk, port: int
) -> None:
    async with await Publisher.dial(port) as sensor:
        await sensor.greet(keep_alive_s=1)
        disk.slow = disk.full = True
        sensor.say(qos1(1))
        await disk.takes(1)
        sensor.say(qos1(2))
        endpoint.look(endpoint.time() + 10)
        disk.slow = False
        disk.synced()
        disk.emptied()
        assert [await sensor.hear(), await sensor.hear()] == [PubAck(1), PubAck(2)]
    assert endpoint.counts.pauses == 1
    assert not endpoint.counts.refused


async def test_what_is_only_set_aside_waits_for_room_as_well(
    endpoint: Endpoint, disk: Disk, port: int
) -> None:
    async with await Publisher.dial(port) as sensor:
        await sensor.greet("a", version=V311)
        disk.slow = disk.full = True
        sensor.say(Publish("plant/other", b"1"))
        while not disk.aside:
            await disk.some.wait()
        assert endpoint.counts.pauses == 1
        sensor.say(Publish("plant/other", b"2"), qos1(1))
        disk.slow = False
        disk.synced()
        disk.emptied()
        assert await sensor.hear() == PubAck(1)
    assert [item.payload for item in disk.aside] == [b"1", b"2"]


async def test_the_window_of_version_3_counts_what_is_set_aside(disk: Disk, port: int) -> None:
    disk.slow = True
    async with await Publisher.dial(port) as sensor:
        await sensor.greet("a", version=V311)
        sensor.say(*(qos1(number, topic="plant/other") for number in range(1, 10)))
        while len(disk.aside) < 9:
            disk.some.clear()
            await disk.some.wait()
        sensor.say(qos1(10))
        async with await Publisher.dial(port) as other:
            await other.greet("b")
            other.say(qos1(1, topic="plant/b"))
            await disk.takes(1)
        assert disk.taken == [("plant/b", b"1")], "the tenth is still in the socket"
        disk.slow = False
        disk.synced()
        assert [(await sensor.hear()).packet_id for _ in range(10)] == list(range(1, 11))


async def test_who_was_closed_while_he_was_looked_at_does_not_come_in_after_all(
    disk: Disk,
) -> None:
    asked, may = asyncio.Event(), asyncio.Event()

    class Slow(Gate):
        async def admit(self, caller: Caller) -> Admission:
            asked.set()
            await may.wait()
            return await super().admit(caller)

    endpoint = Endpoint(disk, Slow(), limits=LIMITS, now_us=lambda: 1)
    port = await endpoint.listen("127.0.0.1", 0)
    async with await Publisher.dial(port) as sensor:
        greeting = asyncio.create_task(sensor.greet())
        await asked.wait()
        (connection,) = endpoint._every
        connection.refuse("connect_timeout", "", Code.KEEP_ALIVE_TIMEOUT)
        checking = connection._checking
        may.set()
        await asyncio.wait([checking])
        assert endpoint.connected == 0
        greeting.cancel()
        await asyncio.gather(greeting, return_exceptions=True)
    await endpoint.stop()


async def test_who_is_silent_for_longer_than_he_said_is_closed(
    endpoint: Endpoint, disk: Disk, port: int
) -> None:
    async with await Publisher.dial(port) as sensor:
        await sensor.greet(keep_alive_s=10, will=Will("plant/a", b"gone"))
        endpoint.look(endpoint.time() + 14)
        sensor.say(PingReq())
        assert isinstance(await sensor.hear(), PingResp)
        endpoint.look(endpoint.time() + 15.5)
        assert await sensor.hear_all() == [Disconnect(Code.KEEP_ALIVE_TIMEOUT)]
    assert disk.taken == [("plant/a", b"gone")]
    assert endpoint.counts.refused == {"keep_alive": 1}


async def test_who_sends_a_packet_drop_by_drop_is_closed(endpoint: Endpoint, port: int) -> None:
    async with await Publisher.dial(port) as slow, await Publisher.dial(port) as silent:
        await slow.greet(keep_alive_s=600)
        slow.say(PingReq())
        slow.raw(b"\x32\x7f\0\7plant/a")
        await slow.hear()
        silent.raw(b"\x10\x7f\0\4")
        await silent.writer.drain()
        slow.say()
        endpoint.look(endpoint.time() + 31)
        assert await silent.hear() is None
        heard = await slow.hear_all()
        assert heard in ([Disconnect(Code.KEEP_ALIVE_TIMEOUT)], [])
    assert endpoint.counts.refused.total() == 2


async def test_half_packets_of_many_do_not_fill_the_memory(endpoint: Endpoint, port: int) -> None:
    crowd = [await Publisher.dial(port) for _ in range(4)]
    for number, sensor in enumerate(crowd):
        await sensor.greet(client_id=f"c{number}")
        sensor.raw(b"\x32\xf0\x1f\0\7plant/a\0\1\0" + b"x" * 2_000)
    closed = [asyncio.create_task(sensor.hear_all()) for sensor in crowd]
    done, _ = await asyncio.wait(closed, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert done.pop().result() == [Disconnect(Code.QUOTA_EXCEEDED)]
    assert endpoint.half_packets.held <= LIMITS.half_packets_bytes
    for task, sensor in zip(closed, crowd, strict=True):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with sensor:
            pass
    assert endpoint.counts.refused["too_many_half_packets"] >= 1


async def test_more_connections_than_there_is_room_for_are_closed_at_once(disk: Disk) -> None:
    small = Endpoint(disk, Gate(), limits=EndpointLimits(connections=20, greeting=5))
    port = await small.listen("127.0.0.1", 0)
    crowd = [await Publisher.dial(port) for _ in range(200)]
    closed = await asyncio.gather(*(one.hear() for one in crowd[5:]))
    assert closed == [None] * 195
    assert small.counts.refused["too_many_connections"] == 195
    assert (await crowd[0].greet()).code == 0
    for one in crowd:
        async with one:
            pass
    await small.stop()


async def test_a_stop_tells_each_sensor_and_publishes_no_will(
    disk: Disk, endpoint: Endpoint, port: int
) -> None:
    async with await Publisher.dial(port) as sensor:
        await sensor.greet(will=Will("plant/a", b"gone"))
        await endpoint.stop()
        assert await sensor.hear_all() == [Disconnect(Code.SERVER_SHUTTING_DOWN)]
    assert not disk.taken


async def test_a_certificate_is_an_identity(endpoint: Endpoint, disk: Disk, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    port = await endpoint.listen("127.0.0.1", 0, authority.server())
    async with await Publisher.dial(port, authority.client("cold-1")) as sensor:
        assert (await sensor.greet("", password=None, client_id="any")).code == 0
        sensor.say(qos1(1, topic="plant/cold-1"), qos1(2, topic="plant/cold-2"))
        heard: list[Packet | None] = [await sensor.hear(), await sensor.hear()]
        assert {(one.packet_id, one.code) for one in heard} == {(1, 0), (2, 0x87)}
    assert disk.taken == [("plant/cold-1", b"1")]


async def test_a_revoked_certificate_is_turned_away_and_a_password_is_not(
    endpoint: Endpoint, disk: Disk, tmp_path: Path
) -> None:
    site = Authority(tmp_path)
    port = await endpoint.listen("127.0.0.1", 0, site.server())
    plain = await endpoint.listen("127.0.0.1", 0)
    will = Will("plant/freezer-3", b"gone")
    async with (
        await Publisher.dial(port, site.client("freezer-3")) as lost,
        await Publisher.dial(plain) as other,
    ):
        await lost.greet("", client_id="one", password=None, will=will)
        await other.greet("freezer-3", client_id="two")
        endpoint.turn_away(())
        assert endpoint.connected == 2
        endpoint.turn_away(("freezer-3",))
        assert await lost.hear_all() == [Disconnect(Code.NOT_AUTHORIZED)]
        other.say(qos1(1, topic="plant/freezer-3"))
        assert await other.hear() == PubAck(1)
    assert disk.taken == [("plant/freezer-3", b"1")]


async def test_a_client_that_others_wrote_publishes_here(
    endpoint: Endpoint, disk: Disk, port: int
) -> None:
    for version in (aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5):
        async with aiomqtt.Client(
            "127.0.0.1", port, username="tester", password=SECRET, protocol=version
        ) as client:
            for number in range(30):
                await client.publish("plant/a", f"{number}", qos=number % 2)
    assert sorted({int(payload) for _, payload in disk.taken}) == list(range(30))
    assert len(disk.taken) == 60
    assert not endpoint.counts.refused

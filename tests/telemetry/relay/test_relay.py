"""An endpoint in another process acknowledges no sooner than the gateway has it on disk (I2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contracts.errors import UnavailableError
from telemetry.mqtt.endpoint import Endpoint
from telemetry.mqtt.limits import Refusal
from telemetry.mqtt.packets import Code, Disconnect, PubAck, Publish
from telemetry.relay.back import Relay
from telemetry.relay.frames import Hello, Kind, frame
from telemetry.relay.front import RemotePath
from telemetry.relay.serving import listen, reached, run_front
from telemetry.segments.groups import Quarantined
from tests.support.publishers import Publisher
from tests.support.sensors import Gate
from tests.telemetry.disk import Disk

NOW_US = 1_795_000_000_000_000


async def true(ask: Callable[[], bool]) -> None:
    """Until the loop has come so far."""
    async with asyncio.timeout(20):
        while True:
            if ask():
                return
            await asyncio.sleep(0)


@dataclass
class House:
    """A gateway's back with a disk, and one front in the same loop."""

    disk: Disk
    relay: Relay
    socket: Path
    path: RemotePath
    acknowledged: list[str] = field(default_factory=list)

    def takes(self, *messages: tuple[str, bytes], name: str = "") -> None:
        self.path.take(messages, 0, lambda: self.acknowledged.append(name or messages[0][0]))

    async def until(self, *names: str) -> None:
        await true(lambda: self.acknowledged == list(names))

    async def heard(self, count: int) -> None:
        await true(lambda: len(self.disk.taken) + len(self.disk.aside) >= count)


@asynccontextmanager
async def house(
    folder: Path, *, at_once: bool = True, most_bytes: int = 1 << 20
) -> AsyncIterator[House]:
    disk = Disk(at_once=at_once)
    relay = Relay(disk, now_us=lambda: NOW_US, papers={"port": "1884"})
    socket = folder / "endpoints.sock"
    server = await listen(relay, socket)
    path = RemotePath(most_bytes=most_bytes)
    with reached(socket) as name:
        await asyncio.get_running_loop().create_unix_connection(lambda: path, name)
    assert (await path.greeted).papers == {"port": "1884"}
    try:
        yield House(disk, relay, socket, path)
    finally:
        path.close()
        await path.lost.wait()
        relay.close()
        server.close()
        await server.wait_closed()


async def test_nothing_is_acknowledged_before_the_back_has_it_on_disk(tmp_path):
    async with house(tmp_path, at_once=False) as here:
        here.takes(("plant/a", b"1"))
        here.takes(("plant/b", b"2"), ("plant/b", b"3"))
        await here.heard(3)
        assert here.acknowledged == []
        assert len(here.disk.waiting) == 1, "what was read in one turn goes as one"
        assert not here.path.idle.is_set()
        here.disk.waiting.pop()()
        await here.until("plant/a", "plant/b")
        assert here.disk.taken == [("plant/a", b"1"), ("plant/b", b"2"), ("plant/b", b"3")]
        await asyncio.wait_for(here.path.idle.wait(), 20)


async def test_what_may_not_be_published_is_set_aside_after_what_came_before_it(tmp_path):
    async with house(tmp_path) as here:
        item = Quarantined("plant/b", b"?", "topic_not_allowed", "a may not")
        here.takes(("plant/a", b"1"))
        here.path.set_aside([item], 0, lambda: here.acknowledged.append("aside"))
        await here.until("plant/a", "aside")
        assert here.disk.aside == [item]


async def test_a_front_whose_back_does_not_come_round_stops_reading(tmp_path):
    async with house(tmp_path, at_once=False, most_bytes=1_000) as here:
        gone_on: list[str] = []
        here.takes(("plant/a", bytes(600)))
        assert not here.path.full
        here.takes(("plant/a", bytes(600)))
        assert here.path.full
        here.path.when_room(lambda: gone_on.append("room"))
        await here.heard(2)
        assert gone_on == []
        here.disk.waiting.pop()()
        await here.until("plant/a", "plant/a")
        assert gone_on == ["room"]
        assert not here.path.full
        here.path.when_room(lambda: gone_on.append("at once"))
        await asyncio.sleep(0)
        assert gone_on == ["room", "at once"]


async def test_a_back_without_room_does_not_read_on(tmp_path):
    async with house(tmp_path) as here:
        here.disk.full = True
        here.takes(("plant/a", b"1"))
        await here.heard(1)
        await asyncio.wait_for(here.disk.asked_for_room.wait(), 20)
        here.takes(("plant/a", b"2"))
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(here.disk.taken) == 1
        here.disk.full = False
        for go_on in here.disk.room:
            go_on()
        await here.until("plant/a", "plant/a")


async def test_who_is_revoked_is_known_at_every_front(tmp_path):
    async with house(tmp_path) as here:
        here.relay.turn_away(["probe-7"])
        await true(lambda: here.path.revoked == {"probe-7"})
        late = RemotePath()
        with reached(here.socket) as name:
            await asyncio.get_running_loop().create_unix_connection(lambda: late, name)
        await late.greeted
        assert late.revoked == {"probe-7"}, "before anybody is let in"
        late.close()
        await late.lost.wait()


async def test_a_front_tells_what_it_does_and_is_counted_when_it_has_gone(tmp_path):
    opened = asyncio.get_running_loop().create_future()

    async def opens(hello: Hello, path: RemotePath) -> Endpoint:
        endpoint = Endpoint(path, Gate(), now_us=lambda: NOW_US)
        await endpoint.listen("127.0.0.1", 0)
        endpoint.counts.messages, endpoint.counts.accepted = 7, 2
        endpoint.counts.refused["not_signed_in"] = 1
        endpoint.counts.newest.append(Refusal(NOW_US, "not_signed_in", "no key", "peer", "x"))
        opened.set_result(hello)
        return endpoint

    async with house(tmp_path) as here:
        stop = asyncio.Event()
        front = asyncio.create_task(run_front(here.socket, opens, stop))
        await asyncio.wait_for(here.relay.until_open(1), 20)
        await true(lambda: here.relay.counts.messages > 0)
        stop.set()
        await asyncio.wait_for(front, 20)
        await true(lambda: not here.relay.open)
        counts = here.relay.counts
        assert (counts.messages, counts.accepted, counts.refused["not_signed_in"]) == (7, 2, 1)
        assert [each.detail for each in counts.newest] == ["no key"]
        assert here.relay.connected == 0


async def test_a_front_ends_with_its_gateway(tmp_path):
    async def opens(_: Hello, path: RemotePath) -> Endpoint:
        return Endpoint(path, Gate())

    async with house(tmp_path) as here:
        front = asyncio.create_task(run_front(here.socket, opens, asyncio.Event()))
        await asyncio.wait_for(here.relay.until_open(1), 20)
        here.relay.close()
        with pytest.raises(UnavailableError, match="gateway is gone"):
            await asyncio.wait_for(front, 20)


async def test_a_front_without_a_gateway_says_so(tmp_path):
    with pytest.raises(UnavailableError, match="does not answer"):
        await run_front(tmp_path / "nobody.sock", None, asyncio.Event())


async def test_who_says_what_nobody_understands_is_cut_off(tmp_path, caplog):
    async with house(tmp_path) as here:
        with reached(here.socket) as name:
            reader, writer = await asyncio.open_unix_connection(name)
        writer.write(frame(Kind.MESSAGES, 1, b"\xc1"))
        with pytest.raises(asyncio.IncompleteReadError):
            await asyncio.wait_for(reader.readexactly(1000), 20)
        writer.close()
        assert here.disk.taken == []
        assert "nobody understands" in caplog.text


async def test_a_folder_with_a_long_name_has_a_socket_too(tmp_path):
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    async with house(deep) as here:
        here.takes(("plant/a", b"1"))
        await here.until("plant/a")


@asynccontextmanager
async def front_of(here: House) -> AsyncIterator[int]:
    """One front more; the port that it listens at."""
    ports: list[int] = []

    async def opens(_: Hello, path: RemotePath) -> Endpoint:
        endpoint = Endpoint(path, Gate())
        ports.append(await endpoint.listen("127.0.0.1", 0))
        return endpoint

    stop, before = asyncio.Event(), len(here.relay.fronts)
    front = asyncio.create_task(run_front(here.socket, opens, stop))
    await true(lambda: bool(ports) and len(here.relay.fronts) > before)
    try:
        yield ports[0]
    finally:
        stop.set()
        await asyncio.wait_for(front, 20)


async def test_a_publisher_is_acknowledged_when_the_gateway_has_it(tmp_path):
    async with house(tmp_path, at_once=False) as here, front_of(here) as port:
        publisher = await Publisher.dial(port)
        await publisher.greet("probe-1")
        publisher.say(Publish("plant/probe-1", b"1", 1, 7), Publish("plant/other", b"2", 1, 8))
        assert await publisher.hear() == PubAck(8, Code.NOT_AUTHORIZED), "set aside, so at once"
        assert here.disk.taken == [("plant/probe-1", b"1")]
        here.disk.waiting.pop()()
        assert await publisher.hear() == PubAck(7)
        publisher.writer.close()


async def test_a_session_has_one_connection_whichever_front_it_comes_to(tmp_path):
    async with house(tmp_path) as here, front_of(here) as one, front_of(here) as other:
        first, second, third = [await Publisher.dial(port) for port in (one, other, one)]
        await first.greet("probe-1")
        await third.greet("probe-2")
        await second.greet("probe-1")
        assert await first.hear_all() == [Disconnect(Code.SESSION_TAKEN_OVER)]
        third.say(Publish("plant/probe-2", b"1", 1, 7))
        assert await third.hear() == PubAck(7), "another device's connection goes on"
        for publisher in (first, second, third):
            publisher.writer.close()

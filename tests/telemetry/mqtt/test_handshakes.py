"""Strangers that begin TLS or MQTT and never end it take neither room nor memory from sensors."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import uvloop

from telemetry.mqtt.endpoint import Endpoint
from telemetry.mqtt.limits import EndpointLimits
from telemetry.mqtt.packets import PubAck, Publish
from tests.support.publishers import Authority, Publisher
from tests.support.sensors import Gate
from tests.telemetry.disk import Disk

LIMITS = EndpointLimits(handshakes=3, half_connects_bytes=1_000)
LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])


def story(loop: Callable, tell: Callable[[], Awaitable[None]]) -> None:
    """On the loop that the gateway has, and on Python's own."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.wait_for(tell(), 60))


async def counted(endpoint: Endpoint, code: str, times: int = 1) -> None:
    async with asyncio.timeout(20):
        while endpoint.counts.refused[code] < times:  # noqa: ASYNC110 -- nobody tells of a count
            await asyncio.sleep(0.01)


async def publishes(sensor: Publisher, number: int) -> None:
    sensor.say(Publish("plant/cold-1", b"1", 1, number))
    assert await sensor.hear() == PubAck(number)


@LOOPS
def test_handshakes_that_nobody_ends_are_bounded_and_a_sensor_comes_in_beside_them(
    loop, tmp_path: Path
):
    async def tell() -> None:
        disk, site = Disk(), Authority(tmp_path)
        endpoint = Endpoint(disk, Gate(), limits=LIMITS)
        port = await endpoint.listen("127.0.0.1", 0, site.server())
        async with AsyncExitStack() as stack:
            crowd = [await stack.enter_async_context(await Publisher.dial(port)) for _ in range(2)]
            for stranger in crowd:
                stranger.raw(b"\x16\x03\x01")
            sensor = await stack.enter_async_context(
                await Publisher.dial(port, site.client("cold-1"))
            )
            assert (await sensor.greet("", password=None, client_id="c")).code == 0
            await publishes(sensor, 1)
            assert len(endpoint.handshakes) == 2
            more = [await stack.enter_async_context(await Publisher.dial(port)) for _ in range(20)]
            await counted(endpoint, "too_many_handshakes", 19)
            assert len(endpoint.handshakes) == 3
            assert [await one.hear() for one in more[1:]] == [None] * 19
            await publishes(sensor, 2)
        await counted(endpoint, "tls_failed", 3)
        await asyncio.sleep(0)
        assert len(endpoint.handshakes) == 0
        assert endpoint.counts.newest[-1].peer.startswith("127.0.0.1:")
        await endpoint.stop()

    story(loop, tell)


@LOOPS
def test_a_handshake_that_takes_too_long_or_is_none_has_a_reason(loop, tmp_path: Path):
    async def tell() -> None:
        site = Authority(tmp_path)
        endpoint = Endpoint(Disk(), Gate(), limits=EndpointLimits(connect_s=0.2))
        port = await endpoint.listen("127.0.0.1", 0, site.server())
        async with await Publisher.dial(port) as silent:
            await counted(endpoint, "tls_timeout")
            assert await silent.hear() is None
        async with await Publisher.dial(port) as plain:
            plain.raw(b"\x10\x0c\0\4MQTT\4\2\0\x3c\0\0")
            await counted(endpoint, "tls_failed")
        with pytest.raises((ssl.SSLError, OSError, AssertionError, TypeError)):
            # Without the certificate that this door asks for.
            async with await Publisher.dial(port, site.client()) as nobody:
                assert (await nobody.greet("", password=None)).code == 0
        await counted(endpoint, "tls_failed", 2)
        await endpoint.stop()

    story(loop, tell)


@LOOPS
def test_what_comes_with_the_last_of_the_handshake_is_not_lost(loop, tmp_path: Path):
    async def tell() -> None:
        site, disk = Authority(tmp_path), Disk()
        endpoint = Endpoint(disk, Gate())
        port = await endpoint.listen("127.0.0.1", 0, site.server())
        context = site.client("cold-1")
        for number in range(1, 30):
            async with await Publisher.dial(port, context) as sensor:
                assert (await sensor.greet("", password=None, client_id="c")).code == 0
                await publishes(sensor, number)
        assert len(disk.taken) == 29
        await endpoint.stop()

    story(loop, tell)


@LOOPS
def test_a_stop_ends_handshakes_too(loop, tmp_path: Path):
    async def tell() -> None:
        endpoint = Endpoint(Disk(), Gate(), limits=LIMITS)
        port = await endpoint.listen("127.0.0.1", 0, Authority(tmp_path).server())
        async with await Publisher.dial(port) as stranger:
            stranger.raw(b"\x16")
            async with asyncio.timeout(20):
                while not len(endpoint.handshakes):  # noqa: ASYNC110 -- as above
                    await asyncio.sleep(0.01)
            await endpoint.stop()
            assert await stranger.hear() is None

    story(loop, tell)


async def test_halves_of_strangers_spend_nothing_that_publishers_need():
    disk = Disk()
    endpoint = Endpoint(disk, Gate(), limits=LIMITS)
    port = await endpoint.listen("127.0.0.1", 0)
    async with AsyncExitStack() as stack:
        sensor = await stack.enter_async_context(await Publisher.dial(port))
        assert (await sensor.greet()).code == 0
        crowd = [await stack.enter_async_context(await Publisher.dial(port)) for _ in range(8)]
        for stranger in crowd:
            stranger.raw(b"\x10\xff\x1f\0\4MQTT" + b"x" * 300)
        await counted(endpoint, "too_many_half_packets", 5)
        assert endpoint.half_connects.held <= LIMITS.half_connects_bytes
        large = Publish("plant/a", b"x" * 50_000, 1, 1)
        sensor.say(large)
        assert await sensor.hear() == PubAck(1)
        assert endpoint.connected == 1
    await endpoint.stop()

"""The embedded Valkey and broker, real servers: kill -9, same address, own passwords and topics."""

import asyncio
import os
import signal
import socket
import stat
from pathlib import Path

import aiomqtt
import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from appliance.services.nats import EmbeddedNats, subject_of
from appliance.services.process import ChildProcess, ChildState
from appliance.services.valkey import EmbeddedValkey
from contracts.errors import UnavailableError

DEADLINE_S = 120.0


async def kill_and_wait(child: ChildProcess | None) -> None:
    assert child is not None
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    async with asyncio.timeout(DEADLINE_S):
        await child.wait_for(ChildState.WAITING)
        await child.wait_for(ChildState.READY)


def mqtt(broker: EmbeddedNats, role: str, **more) -> aiomqtt.Client:
    port = int((broker.folder / "port").read_text())
    return aiomqtt.Client(
        "127.0.0.1",
        port,
        username=role,
        password=broker.password(role),
        identifier=more.pop("identifier", role),
        **more,
    )


async def test_valkey_answers_only_to_its_password(tmp_path: Path):
    valkey = EmbeddedValkey(tmp_path)
    url = await valkey.start()
    try:
        async with Redis.from_url(url) as friend:
            assert await friend.set("carton", "1")
        port = int((tmp_path / "port").read_text())
        async with Redis(port=port, password="guess") as stranger:  # noqa: S106 -- a wrong one
            with pytest.raises(AuthenticationError):
                await stranger.ping()
    finally:
        await valkey.stop()
    for secret in ("password", "valkey.conf"):
        assert stat.S_IMODE((tmp_path / secret).stat().st_mode) == 0o600


async def test_valkey_comes_back_on_the_same_address_after_kill_9(tmp_path: Path):
    valkey = EmbeddedValkey(tmp_path)
    url = await valkey.start()
    try:
        await kill_and_wait(valkey.child)
        assert valkey.url == url
        async with Redis.from_url(url) as client:
            assert await client.ping()
    finally:
        await valkey.stop()


async def test_the_address_is_kept_from_one_start_to_the_next(tmp_path: Path):
    first = EmbeddedValkey(tmp_path)
    url = await first.start()
    await first.stop()
    second = EmbeddedValkey(tmp_path)
    try:
        assert await second.start() == url
    finally:
        await second.stop()


async def test_a_port_that_another_program_took_is_left_to_it(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        taken = foreign.getsockname()[1]
        (tmp_path / "port").write_text(f"{taken}\n")
        valkey = EmbeddedValkey(tmp_path)
        try:
            assert f":{taken}/" not in await valkey.start()
        finally:
            await valkey.stop()


async def test_two_appliances_on_one_machine_do_not_meet(tmp_path: Path):
    one, two = EmbeddedNats(tmp_path / "one"), EmbeddedNats(tmp_path / "two")
    try:
        assert await one.start() != await two.start()
    finally:
        await one.stop()
        await two.stop()


async def test_the_broker_keeps_what_it_acknowledged_through_kill_9(tmp_path: Path):
    broker = EmbeddedNats(tmp_path)
    await broker.start()
    try:
        async with mqtt(broker, "hub", identifier="hub-session", clean_session=False) as hub:
            await hub.subscribe("tallyman/+/lane", qos=1)
        async with mqtt(broker, "edge") as edge:
            await edge.publish("tallyman/dock-1/health", b"ok", qos=1, retain=True)
            for number in range(50):
                await edge.publish("tallyman/dock-1/lane", b"%d" % number, qos=1)
        await kill_and_wait(broker.child)
        async with mqtt(broker, "hub", identifier="hub-session", clean_session=False) as hub:
            await hub.subscribe("tallyman/+/health", qos=1)
            got: dict[str, set[bytes]] = {"lane": set(), "health": set()}
            async with asyncio.timeout(DEADLINE_S):
                async for message in hub.messages:
                    got[message.topic.value.rpartition("/")[2]].add(bytes(message.payload))
                    if len(got["lane"]) == 50 and got["health"]:
                        break
        assert got["health"] == {b"ok"}
    finally:
        await broker.stop()


async def test_a_role_keeps_to_its_topics_and_a_stranger_cannot_come_in(tmp_path: Path):
    broker = EmbeddedNats(tmp_path)
    await broker.start()
    try:
        async with mqtt(broker, "hub") as hub, mqtt(broker, "lane") as eye:
            await hub.subscribe("tallyman/#", qos=1)
            (refused,) = await eye.subscribe("tallyman/#", qos=1)
            assert refused.is_failure
            await eye.publish("tallyman/dock-1/lane", b"forged", qos=1)
            await eye.publish("tallyman/dock-1/trigger", b"honest", qos=1)
            async with asyncio.timeout(DEADLINE_S):
                heard = await anext(aiter(hub.messages))
                assert heard.payload == b"honest"
        port = int((tmp_path / "port").read_text())
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", port, username="hub", password="guess"):  # noqa: S106 -- a wrong one
                pass
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", port):
                pass
    finally:
        await broker.stop()


async def test_each_role_has_its_own_url(tmp_path: Path):
    broker = EmbeddedNats(tmp_path)
    hub = await broker.start()
    try:
        assert hub == broker.url("hub")
        assert broker.url("edge").startswith("mqtt://edge:")
        with pytest.raises(KeyError):
            broker.url("visitor")
    finally:
        await broker.stop()


async def test_a_broken_store_folder_is_a_clear_error(tmp_path: Path):
    (tmp_path / "store").write_text("not a folder")
    broker = EmbeddedNats(tmp_path)
    with pytest.raises(UnavailableError, match="nats ended with exit code"):
        await broker.start()


@pytest.mark.parametrize(
    ("topic", "subject"),
    [
        ("tallyman/dock-1/lane", "tallyman.dock-1.lane"),
        ("uagv/+/+/+/state", "uagv.*.*.*.state"),
        ("tallyman/#", "tallyman.>"),
        ("#", ">"),
        ("v1.1/x", "v1//1.x"),
    ],
)
def test_topic_filters_become_subjects(topic: str, subject: str):
    assert subject_of(topic) == subject

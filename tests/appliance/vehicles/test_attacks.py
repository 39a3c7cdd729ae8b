"""A vehicle that was taken over, or its password stolen: what it can do to the others on the real broker."""

import asyncio
import os
import signal
import socket

import aiomqtt
import pytest

from appliance.services.process import ChildState
from tests.support.vehicles import QC, WAIT_S, A, B, Site, heard_until, is_refused, is_thrown_out

ORDER_A, ORDER_B = "uagv/v2/maker/A/order", "uagv/v2/maker/B/order"
STATE_A, STATE_B = "vda5050/v3/maker/A/state", "vda5050/v3/maker/B/state"
CONNECTION_B = "uagv/v2/maker/B/connection"

FOREIGN = [
    "#",
    "+/+/+/+/order",
    "uagv/v2/maker/+/order",
    "uagv/v2/maker/B/#",
    ORDER_B,
    STATE_B,
    STATE_A,
    "tallyman/#",
    "sensors/#",
    f"{QC}/state",
    # What the broker itself uses: deliveries of QoS 1 to everybody, its streams, its events.
    "$MQTT/#",
    "$MQTT/sub/#",
    "$MQTT/+/+",
    "+/sub/#",
    "$JS/#",
    "$SYS/#",
    "_INBOX/#",
]


async def test_nobody_reads_what_is_not_for_them(site: Site):
    async with site.client(A) as a, site.client(B) as b, site.client("hub") as hub:
        await b.subscribe(ORDER_B, qos=1)
        for topic in FOREIGN:
            for qos in (0, 1):
                (answer,) = await a.subscribe(topic, qos=qos)
                assert answer.is_failure, topic
        await a.subscribe(ORDER_A, qos=1)
        await hub.publish(ORDER_B, b"for B", qos=1)
        await hub.publish(ORDER_A, b"for A", qos=1)
        assert await heard_until(b, b"for B") == [(ORDER_B, b"for B")]
        assert await heard_until(a, b"for A") == [(ORDER_A, b"for A")]


@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize("qos", [0, 1])
async def test_a_vehicle_cannot_speak_as_another_or_give_orders(
    site: Site, qos: int, *, retain: bool
):
    forged = [STATE_B, CONNECTION_B, ORDER_B, ORDER_A, "uagv/v2/maker/B/instantActions",
              "other/v2/maker/A/state", "uagv/v2/maker/A/B/state", "uagv/v4/maker/A/state",
              f"{QC}/state", "sensors/coldroom-1/climate", "tallyman/dock-1/trigger"]  # fmt: skip
    async with site.client(A) as a, site.client("hub") as hub:
        await hub.subscribe("#", qos=1)
        for topic in forged:
            await a.publish(topic, b"forged", qos=qos, retain=retain)
        await a.publish(STATE_A, b"honest", qos=1)
        assert await heard_until(hub, b"honest") == [(STATE_A, b"honest")]
    async with site.client("hub", identifier="late") as late:
        # Nothing forged was kept for whoever comes later.
        await late.subscribe("#", qos=1)
        await late.publish("tallyman/end", b"end", qos=1)
        assert await heard_until(late, b"end") == [("tallyman/end", b"end")]


async def dies(site: Site, will_topic: str) -> None:
    will = aiomqtt.Will(will_topic, b"broken", 1, retain=True)
    async with site.client(A, will=will, identifier="dies") as client:
        client._client.socket().shutdown(socket.SHUT_RDWR)
        assert await is_thrown_out(client)


async def test_a_last_will_is_spread_in_ones_own_name_only(site: Site):
    own = "uagv/v2/maker/A/connection"
    async with site.client("hub") as hub:
        await hub.subscribe("uagv/#", qos=1)
        await dies(site, CONNECTION_B)
        async with asyncio.timeout(WAIT_S):
            while CONNECTION_B not in {one.topic for one in site.office.refused()}:  # noqa: ASYNC110 -- a log has no event
                await asyncio.sleep(0.02)
        await dies(site, own)
        assert await heard_until(hub, b"broken") == [(own, b"broken")]


async def test_taking_over_anothers_session_gives_none_of_its_orders(site: Site):
    """A broker knows sessions by client id, which anybody may send."""
    async with site.client(B, identifier="b", clean_session=False) as b:
        await b.subscribe(ORDER_B, qos=1)
    async with site.client("hub") as hub:
        await hub.publish(ORDER_B, b"waiting for B", qos=1)
        async with site.client(A, identifier="b", clean_session=False) as thief:
            await hub.publish(ORDER_B, b"while A sits there", qos=1)
            await thief.subscribe(ORDER_A, qos=1)
            await hub.publish(ORDER_A, b"for A", qos=1)
            assert await heard_until(thief, b"for A") == [(ORDER_A, b"for A")]


async def test_a_station_keeps_below_its_prefix(site: Site):
    async with site.client(QC) as station, site.client("hub") as hub:
        await hub.subscribe("#", qos=1)
        for topic in ("module/v1/maker/QC-2/state", "module/v1/maker", "module/v1", STATE_A):
            await station.publish(topic, b"forged", qos=1)
            (answer,) = await station.subscribe(topic, qos=1)
            assert answer.is_failure, topic
        await station.subscribe(f"{QC}/order", qos=1)
        await station.publish(f"{QC}/state", b"honest", qos=1)
        assert await heard_until(hub, b"honest") == [(f"{QC}/state", b"honest")]
        await hub.publish(f"{QC}/order", b"check it", qos=1)
        assert await heard_until(station, b"check it") == [(f"{QC}/order", b"check it")]


async def test_an_enrolled_vehicle_comes_in_at_once_and_nobody_else_notices(site: Site):
    async with site.client(A) as a, site.client("hub") as hub:
        await a.subscribe(ORDER_A, qos=1)
        await hub.subscribe("uagv/#", qos=1)
        await site.enrol("maker/C")
        async with site.client("maker/C") as newcomer:
            await newcomer.publish("uagv/v2/maker/C/state", b"here", qos=1)
            await heard_until(hub, b"here")
        await hub.publish(ORDER_A, b"go on", qos=1)
        assert await heard_until(a, b"go on") == [(ORDER_A, b"go on")]
    assert site.office.is_in_force()


async def test_a_revoked_vehicle_is_thrown_out_and_refused(site: Site):
    async with site.client(A) as a, site.client(B) as b, site.client("hub") as hub:
        await b.subscribe(ORDER_B, qos=1)
        assert await site.office.revoke(A, by="ida", why="stolen from the yard")
        assert await is_thrown_out(a)
        assert await is_refused(site.client(A))
        await hub.publish(ORDER_B, b"still here", qos=1)
        await heard_until(b, b"still here")
    seen = {(one.what, one.who) for one in site.office.refused()}
    assert ("sign_in", A) in seen


async def test_another_password_ends_connections_under_the_old_one(site: Site):
    async with site.client(A) as a:
        old = site.passwords[A]
        await site.enrol(A)
        assert await is_thrown_out(a)
    assert await is_refused(site.client(A, password=old))
    async with site.client(A):
        pass


async def test_a_broker_killed_hard_comes_back_with_the_newest_rules(site: Site):
    await site.office.revoke(A, by="ida", why="sold")
    await site.enrol("maker/C")
    child = site.broker.child
    assert child is not None
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    async with asyncio.timeout(WAIT_S):
        await child.wait_for(ChildState.WAITING)
        await child.wait_for(ChildState.READY)
    assert await is_refused(site.client(A))
    async with site.client("maker/C"):
        pass


async def test_what_a_vehicle_tried_is_told_with_its_topic(site: Site):
    async with site.client(A) as a:
        for _ in range(3):
            await a.publish(STATE_B, b"forged", qos=1)
        await a.subscribe("+/+/+/+/order", qos=1)
    told = {(one.what, one.who, one.topic): one.count for one in site.office.refused()}
    assert told["publish", A, STATE_B] == 3
    assert told["subscribe", A, "+/+/+/+/order"] >= 1
    assert all(one.host == "127.0.0.1" for one in site.office.refused())


async def test_a_session_under_a_name_that_can_be_guessed_can_be_emptied(site: Site):
    """Why our own processes use names that cannot: a broker does not ask whose session it was."""
    async with site.client("hub", identifier="guessed", clean_session=False) as hub:
        await hub.subscribe(STATE_A, qos=1)
    async with site.client(A) as a:
        await a.publish(STATE_A, b"waiting for the hub", qos=1)
    async with site.client(B, identifier="guessed", clean_session=True):
        pass
    async with site.client("hub", identifier="guessed", clean_session=False) as hub:
        await hub.publish(STATE_A, b"end", qos=1)
        await hub.subscribe(STATE_A, qos=1)
        await hub.publish(STATE_A, b"after", qos=1)
        assert (STATE_A, b"waiting for the hub") not in await heard_until(hub, b"after")

"""Messages between the broker and the books: how many wait, and what is let go."""

from __future__ import annotations

import asyncio

from agv_bridge.bridge.modules import ModuleStations
from appliance.modules.inbox import Inbox
from telemetry.segments.groups import Quarantined


def test_what_is_too_long_is_counted_and_acknowledged():
    stations = ModuleStations(None, [])
    done: list[str] = []
    item = Quarantined("hall/1", b"x", "too_large", "2000000 bytes")
    Inbox(stations).set_aside([item], 0, lambda: done.append("acknowledged"))
    assert done == ["acknowledged"]
    assert stations.refused == {"module_message_too_large": 1}


async def test_the_broker_is_asked_to_hold_back_what_has_no_room_here():
    inbox, done = Inbox(ModuleStations(None, []), most=3), []
    for number in range(2):
        inbox.take([("elsewhere", b"{}")] * 2, 0, lambda number=number: done.append(number))
    assert inbox.full
    room = asyncio.Event()
    inbox.when_room(room.set)
    task = asyncio.create_task(inbox.run())
    async with asyncio.timeout(10):
        await room.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert done[0] == 0
    assert not inbox.full

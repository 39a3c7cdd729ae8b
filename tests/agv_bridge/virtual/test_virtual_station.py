"""A virtual check station speaks the shipped dialect: its verdicts reach the core as events."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

from agv_bridge.bridge.modules import ModuleStations
from agv_bridge.dialects.compiled import load_dialect
from agv_bridge.virtual.station import CheckStation
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from contracts.clock import FixedClock
from contracts.modules import ModuleEvent, ModuleWord


class Results:
    def __init__(self) -> None:
        self.events: list[ModuleEvent] = []

    async def module_event(self, event: ModuleEvent) -> None:
        self.events.append(event)


async def test_what_it_is_told_to_check_passes_or_fails_and_is_understood(clock: FixedClock):
    broker, results = MemoryBroker(), Results()
    modules = ModuleStations(results, [load_dialect(Path("module-factory"))])
    async with MemoryBus(broker) as ours, MemoryBus(broker) as theirs:
        station = CheckStation(theirs, bad={"carton-2"}, step_s=0, clock=clock)
        async with ours.subscribe(*modules.filters, qos=1) as said:
            working = asyncio.create_task(station.run())
            await asyncio.sleep(0)
            commands = [b"{", b"[]", json.dumps({"verb": "STORE", "tag": "carton-0"}).encode()]
            for load in ("carton-1", "carton-2"):
                told = {"verb": "CHECK", "tag": load, "job": "T-1"}
                commands.append(json.dumps(told).encode())
            for command in commands:
                await ours.publish(f"{station.prefix}/command", command, qos=1)
            async with asyncio.timeout(20):
                while len(results.events) < 2:
                    message = await anext(said)
                    await modules.hear(message.topic, message.payload, at=clock.now())
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working
    passed, failed = results.events
    assert (passed.what, passed.load_id, passed.order_id) == (
        ModuleWord.CHECK_PASSED,
        "carton-1",
        "T-1",
    )
    assert (failed.what, failed.load_id, failed.detail) == (
        ModuleWord.CHECK_FAILED,
        "carton-2",
        "corner crushed",
    )
    assert passed.event_id != failed.event_id
    assert not modules.refused

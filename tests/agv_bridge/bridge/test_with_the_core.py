"""The bridge in front of the real stock core: from an accepted carton to stock in its slot."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agv_bridge.bridge.bridge import AgvBridge
from agv_bridge.virtual.faults import Faults
from agv_bridge.virtual.vehicle import VirtualAgv
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from contracts.clock import FixedClock
from contracts.stock import TransportProgress
from erp_link.domain.places import SiteLayout, Slot
from erp_link.service.core import Core
from tests.erp_link.story import WATER, Station


class InThreads:
    """contracts.ports.StockMoves over the synchronous core."""

    def __init__(self, core: Core) -> None:
        self.core = core

    async def pending_transport(self):
        return await asyncio.to_thread(self.core.pending_transport)

    async def open_transport(self):
        return await asyncio.to_thread(self.core.open_transport)

    async def find_transport(self, order_id: str):
        return await asyncio.to_thread(self.core.find_transport, order_id)

    async def was_sent(self, order_id: str, vehicle: str) -> bool:
        return await asyncio.to_thread(self.core.was_sent, order_id, vehicle)

    async def transport_progress(self, progress: TransportProgress) -> None:
        await asyncio.to_thread(self.core.transport_progress, progress)


@pytest.fixture
def core(tmp_path: Path, clock: FixedClock):
    slots = tuple(Slot(f"A-{number}") for number in range(1, 7))
    made = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock, layout=SiteLayout(slots))
    yield made
    made.close()


@asynccontextmanager
async def running(*coroutines) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def eventually(check: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(check):  # noqa: ASYNC110 -- the core has no event
            await asyncio.sleep(0.01)


def bridge_on(bus: MemoryBus, core: Core, clock: FixedClock) -> AgvBridge:
    return AgvBridge(bus, InThreads(core), clock=clock, poll_s=0.02)


def vehicle_on(bus: MemoryBus, serial: str, clock: FixedClock, **more) -> VirtualAgv:
    more = {"step_s": 0.0, "heartbeat_s": 0.05} | more
    return VirtualAgv(bus, serial, clock=clock, **more)


def where(core: Core) -> dict[str, int]:
    return {line.location: line.quantity for line in core.stock_by_location() if line.quantity}


async def test_accepted_cartons_stand_in_slots_once_each(core: Core, clock: FixedClock):
    station = Station(core, clock)
    station.receives(water=5)
    for number in range(4):
        station.accepts(f"C{number}")
    broker = MemoryBroker()
    async with (
        MemoryBus(broker) as hub,
        MemoryBus(broker) as one,
        MemoryBus(broker) as two,
        running(
            vehicle_on(one, "a1", clock).run(),
            vehicle_on(two, "a2", clock, version="3.0.0").run(),
            bridge_on(hub, core, clock).run(),
        ),
    ):
        await eventually(lambda: not core.pending_transport() and not core.open_transport())
    moved = [event.what for event in core.batch_story(WATER)].count("moved")
    assert moved == 4
    assert sum(where(core).values()) == 4
    assert all(place.startswith("A-") for place in where(core))


async def test_a_hub_killed_in_mid_mission_puts_away_once(core: Core, clock: FixedClock):
    station = Station(core, clock)
    station.receives()
    station.accepts("C1")
    broker = MemoryBroker()
    async with MemoryBus(broker) as hub, MemoryBus(broker) as bus:
        agv = vehicle_on(bus, "a1", clock, step_s=0.1)
        async with running(agv.run()):
            async with running(bridge_on(hub, core, clock).run()):
                await eventually(core.open_transport)
            await eventually(lambda: len(agv.executed) == 2)
            assert core.open_transport()
            async with running(bridge_on(hub, core, clock).run()):
                await eventually(lambda: not core.open_transport())
    assert [event.what for event in core.batch_story(WATER)].count("moved") == 1
    assert core.pending_transport() == []


async def test_an_order_that_no_vehicle_takes_opens_a_ticket(core: Core, clock: FixedClock):
    station = Station(core, clock)
    station.receives()
    station.accepts("C1")
    broker = MemoryBroker()
    async with (
        MemoryBus(broker) as hub,
        MemoryBus(broker) as bus,
        running(
            vehicle_on(bus, "a1", clock, faults=Faults(reject_orders=True)).run(),
            bridge_on(hub, core, clock).run(),
        ),
    ):
        await eventually(core.tickets)
    (ticket,) = core.tickets()
    assert ticket.reason.params["why"] == "agv_refused_by_all"
    assert core.pending_transport() == []


async def test_a_vehicle_that_claims_anothers_order_moves_nothing(core: Core, clock: FixedClock):
    """Its own credentials let it speak, under its own name, of whatever it likes."""
    station = Station(core, clock)
    station.receives(water=5)
    station.accepts("C1")
    broker = MemoryBroker()
    async with (
        MemoryBus(broker) as hub,
        MemoryBus(broker) as one,
        MemoryBus(broker) as liar,
    ):
        bridge = bridge_on(hub, core, clock)
        honest = vehicle_on(one, "honest", clock, step_s=0.3)
        async with running(bridge.run(), honest.run()):
            await eventually(core.open_transport)
            (going,) = core.open_transport()
            claimed = [
                {"actionId": f"{going.order.order_id}.{kind}", "actionStatus": "FINISHED"}
                for kind in ("pick", "drop")
            ]
            claim = {
                "version": "2.1.0",
                "orderId": going.order.order_id,
                "actionStates": claimed,
                "loads": [],
            }
            await liar.publish("uagv/v2/tallyman/liar/state", json.dumps(claim).encode())
            await eventually(
                lambda: [one for one in core.tickets() if one.reason.code == "strange_vehicle"]
            )
            assert going.order.target not in where(core)
            await eventually(lambda: going.order.target in where(core))
    assert honest.executed == [f"{going.order.order_id}.{kind}" for kind in ("pick", "drop")]

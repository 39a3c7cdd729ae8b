"""The hub's fleet view in front of bridge, vehicles and the real core: a journey as it was driven."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from agv_bridge.bridge.bridge import AgvBridge
from agv_bridge.virtual.faults import Faults
from agv_bridge.virtual.vehicle import VirtualAgv
from appliance.config import Config
from appliance.fleet.desk import JourneyDesk
from appliance.fleet.notebook import Notebook
from appliance.fleet.watch import FleetWatch
from appliance.hub.fleet import NotedMoves, open_fleet
from appliance.layout import Layout
from appliance.live.memory import MemoryLiveView
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from contracts.clock import SystemClock
from contracts.stock import TransportState
from erp_link.domain.places import SiteLayout, Slot
from erp_link.service.core import Core
from tests.erp_link.story import Station

S = TransportState


async def until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(check):  # noqa: ASYNC110 -- the core has no event
            await asyncio.sleep(0.01)


async def test_a_driven_journey_is_told_with_the_load_as_read_and_its_places(
    tmp_path: Path, clock
) -> None:
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock, layout=SiteLayout((Slot("A-1"),)))
    station = Station(core, clock)
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    notebook, broker, ticking = Notebook(tmp_path / "fleet.db"), MemoryBroker(), SystemClock()
    desk = JourneyDesk(core, notebook)
    async with MemoryBus(broker) as hub, MemoryBus(broker) as vehicle_bus:
        watch = FleetWatch(hub, notebook, clock=ticking)
        moves = NotedMoves(core, MemoryLiveView(), watch.told)
        bridge = AgvBridge(hub, moves, clock=ticking, poll_s=0.02, heard=watch.heard)
        watch.follow(bridge)
        vehicle = VirtualAgv(
            vehicle_bus, "a1", step_s=0.0, heartbeat_s=0.05, frame_s=0.02, clock=ticking,
            faults=Faults(load_alias="RFID-9"),
        )  # fmt: skip
        work = [asyncio.create_task(each) for each in (watch.run(), bridge.run(), vehicle.run())]
        try:
            await until(lambda: desk.one(order.order_id).journey.state is S.DROPPED)
            await until(lambda: desk.one(order.order_id).journey.load_read)
            await until(lambda: watch.board.factsheet("tallyman/a1"))
            await until(lambda: {"A-1"} <= {code for _, code in watch.board.places()})
            (row,) = watch.rows()
            assert row.x is not None
        finally:
            for each in work:
                each.cancel()
            await asyncio.gather(*work, return_exceptions=True)
    view = desk.one(order.order_id)
    assert [stage.at is not None for stage in view.journey.stages] == [True] * 5
    assert view.journey.read_another
    assert "agv_load_mismatch" in [each.code for each in view.journey.troubles]
    assert [each.order.order_id for each in desk.of_vehicle("tallyman/a1", most=5)] == [
        order.order_id
    ]
    notebook.close()
    core.close()


async def test_without_a_broker_there_are_journeys_and_no_vehicles(tmp_path: Path, clock) -> None:
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    layout = Layout(tmp_path)
    async with open_fleet(Config(), layout, core, MemoryLiveView(), clock) as fleet:
        assert (fleet.bus, fleet.bridge, fleet.watch) == (None, None, None)
        fleet.wake()
        assert JourneyDesk(core, fleet.notebook).listed("", states=(), skip=0, most=5).total == 0
    core.close()

"""A vehicle that is not ours carries a carton whose batch is frozen: it is stopped, and brings the goods
to quarantine itself, by an order with nothing but a drop. The real core, a real broker.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agv_bridge.bridge.bridge import AgvBridge
from appliance.services.mqtt import MqttBus
from contracts.clock import FixedClock
from contracts.reason import Reason
from contracts.stock import HoldKind, TransportKind, TransportProgress, TransportState
from erp_link.domain.places import SiteLayout, Slot
from erp_link.service.core import Core
from tests.agv_bridge.bridge.test_with_the_core import InThreads
from tests.brokers import NatsBroker
from tests.erp_link.story import WATER, Station
from tests.support.another_vehicle import AnotherVehicle

_LONG_S = 60.0


@pytest.fixture
def core(tmp_path: Path, clock: FixedClock) -> Iterator[Core]:
    # On that vehicle's map it lies far from the dock: time to stop it on the way.
    layout = SiteLayout((Slot("G-35"),))
    made = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock, layout=layout)
    yield made
    made.close()


class FrozenOnceTaken(InThreads):
    """Quality freezes the batch the moment that the vehicle has picked its carton."""

    async def transport_progress(self, progress: TransportProgress) -> None:
        await super().transport_progress(progress)
        if progress.state is TransportState.PICKED and not self.core.holds():
            reason = Reason("said_by_quality")
            self.core.add_hold(HoldKind.BATCH, reason=reason, by="q", batch=WATER)


async def eventually(check: Callable[[], object]) -> None:
    async with asyncio.timeout(_LONG_S):
        while not await asyncio.to_thread(check):  # noqa: ASYNC110 -- the core has no event
            await asyncio.sleep(0.02)


def stands(core: Core) -> dict[str, str]:
    return {line.location: line.status.value for line in core.stock_by_location() if line.quantity}


async def test_another_makers_vehicle_brings_frozen_goods_to_quarantine(
    core: Core, clock: FixedClock, tmp_path: Path
):
    station = Station(core, clock)
    station.receives()
    station.accepts("C1")
    with NatsBroker(tmp_path) as broker:
        async with MqttBus(broker.url, client_id="hub", wait_s=0.5) as bus:
            bridge = AgvBridge(bus, FrozenOnceTaken(core), poll_s=0.05)
            task = asyncio.create_task(bridge.run())
            try:
                with AnotherVehicle(broker.url, "a1", times_faster=5.0):
                    await eventually(lambda: "QUARANTINE" in stands(core))
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
    assert stands(core) == {"QUARANTINE": "blocked"}
    recall, put_away = core.transports()
    assert (recall.order.kind, recall.order.on_board) == (TransportKind.RECALL, "others/a1")
    assert put_away.state is TransportState.CANCELLED

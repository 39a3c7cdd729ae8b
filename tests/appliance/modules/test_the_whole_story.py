"""A carton is put away, fails its check, and is brought to quarantine; its recording says the same."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from agv_bridge.bridge.bridge import AgvBridge
from agv_bridge.bridge.modules import ModuleStations
from agv_bridge.dialects.compiled import load_dialect
from agv_bridge.recordings.findings import Quality, StockMove
from agv_bridge.recordings.replay import Placer, replay_file
from agv_bridge.virtual.vehicle import VirtualAgv
from appliance.hub.moves import CoreMoves
from appliance.hub.news import HubNews
from appliance.live.memory import MemoryLiveView
from appliance.modules.listener import CoreModules
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from contracts.clock import FixedClock, SystemClock
from contracts.modules import FailedCheck
from contracts.ports import BusMessage
from contracts.stock import TicketState
from erp_link.domain.places import QUARANTINE
from erp_link.service.core import Core
from tests.agv_bridge.bridge.test_modules import TOPIC, checked
from tests.agv_bridge.bridge.test_with_the_core import eventually, running
from tests.erp_link.story import Station


async def test_a_failed_check_brings_the_carton_to_quarantine(tmp_path: Path, clock: FixedClock):
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    station = Station(core, clock)
    station.receives()
    station.accepts("C1")
    broker, live, lines = MemoryBroker(), MemoryLiveView(), []
    dialect = load_dialect(Path("module-factory"))

    async with contextlib.AsyncExitStack() as stack:
        recorder, hub, car, bench = [
            await stack.enter_async_context(MemoryBus(broker)) for _ in range(4)
        ]
        bridge = AgvBridge(hub, CoreMoves(core, live), clock=clock, poll_s=0.02)
        news = HubNews(live, wake=bridge.wake)
        stations = ModuleStations(
            CoreModules(core, news, failed_check=FailedCheck.CARTON), [dialect]
        )
        recorded = await stack.enter_async_context(recorder.subscribe("#"))
        heard = await stack.enter_async_context(hub.subscribe(*stations.filters, qos=1))

        def note(message: BusMessage) -> None:
            at, payload = SystemClock().now().isoformat(), message.payload.decode()
            lines.append({"topic": message.topic, "payload": payload, "timestamp": at})

        async def record() -> None:
            async for message in recorded:
                note(message)

        async def listen() -> None:
            async for message in heard:
                await stations.hear(message.topic, message.payload, at=clock.now())

        async with running(
            record(),
            listen(),
            bridge.run(),
            VirtualAgv(car, "a1", clock=clock, step_s=0.0, heartbeat_s=0.05).run(),
        ):
            await eventually(lambda: [x.location for x in core.stock_by_location()] == ["A-01-1"])
            await bench.publish(TOPIC, checked("NOT_OK", tag="C1"), qos=1)
            await eventually(lambda: QUARANTINE in [x.location for x in core.stock_by_location()])
            await bench.publish("the/end", b"")
            await eventually(lambda: "the/end" in [line["topic"] for line in lines])
    (hold,) = core.holds()
    assert hold.cartons == ("C1",)
    (ticket,) = core.tickets()
    assert ticket.state is TicketState.CONTAINED
    core.close()

    session = tmp_path / "session.jsonl"
    told = [line for line in lines if line["topic"] != "the/end"]
    session.write_text("".join(json.dumps(line) + "\n" for line in told), encoding="utf-8")
    placer = Placer(dialect)
    found = list(replay_file(session, placer))
    moves = [(m.source, m.target) for m in found if isinstance(m, StockMove)]
    assert moves == [("DOCK/dock-1", "A-01-1"), ("A-01-1", QUARANTINE)]
    assert [q.passed for q in found if isinstance(q, Quality)] == [False]
    assert placer.unplaced == 0

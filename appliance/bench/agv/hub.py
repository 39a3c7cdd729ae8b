"""The hub's side of vehicles in a process of its own: the real bridge, fleet view and core.

    python -m appliance.bench.agv.hub mqtt://127.0.0.1:1883 FOLDER [PATIENCE] < COMMANDS

PATIENCE: 1 is the bridge's own; a campaign that kills makes it shorter.

One line of JSON on standard input says what is wanted, one answers each (see `serve`).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar

from agv_bridge.bridge.bridge import AgvBridge
from agv_bridge.missions.following import Limits
from agv_bridge.vda5050.codec import Received
from agv_bridge.vda5050.messages import State
from appliance.bench.agv.goods import LAYOUT, Dock
from appliance.bench.agv.lines import commands, log_elsewhere, say
from appliance.bench.facts import percentile, rss_mb
from appliance.fleet.notebook import Notebook
from appliance.fleet.watch import FleetWatch
from appliance.hub.fleet import NotedMoves
from appliance.live.memory import MemoryLiveView
from appliance.services.mqtt import MqttBus
from contracts.clock import SystemClock
from contracts.stock import TransportProgress, TransportState
from erp_link.service.core import Core

_T = TypeVar("_T")


@dataclass(slots=True)
class Seen:
    """What went by since the last reset."""

    lags_ms: list[float] = field(default_factory=list)
    """From a state's own time until the bridge had taken it in."""
    asked_at: dict[str, float] = field(default_factory=dict)
    """By load: when its order stood in the core, seconds since 1970."""
    dropped_at: list[float] = field(default_factory=list)

    def heard(self, received: Received) -> None:
        message = received.message
        if isinstance(message, State) and message.timestamp is not None:
            self.lags_ms.append((time.time() - message.timestamp.timestamp()) * 1000)

    def told(self, progress: TransportProgress) -> None:
        if progress.state is TransportState.DROPPED:
            self.dropped_at.append(time.time())


async def serve(url: str, folder: Path, patience: float = 1.0) -> None:
    """Commands: {"reset": true}, {"orders": N, "gap_s": S}, {"report": true}; the input's end."""
    clock, seen = SystemClock(), Seen()
    core = Core(f"sqlite:///{folder / 'core.db'}", clock=clock, layout=LAYOUT)
    dock = Dock(core, clock)
    notebook = Notebook(folder / "fleet.db")
    async with MqttBus(url, client_id="bench-hub") as bus:
        watch = FleetWatch(bus, notebook, clock=clock)
        told = _both(watch.told, seen.told)
        moves = NotedMoves(core, MemoryLiveView(), told)
        bridge = AgvBridge(
            bus,
            moves,
            clock=clock,
            limits=_shorter(patience),
            heard=_both(watch.heard, seen.heard),
        )
        watch.follow(bridge)
        tasks = [asyncio.create_task(bridge.run()), asyncio.create_task(watch.run())]
        say({"ready": True})
        async for command in commands():
            if "reset" in command:
                seen.lags_ms.clear()
                seen.asked_at.clear()
                seen.dropped_at.clear()
            if "orders" in command:
                await _ask_for(
                    int(command["orders"]), float(command["gap_s"]), dock, seen, bridge.wake
                )
            say(_report(seen, bridge) | await asyncio.to_thread(_open_in, core))
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
    notebook.close()
    core.close()


def _shorter(patience: float) -> Limits:
    limits = Limits()
    return Limits(**{one.name: getattr(limits, one.name) * patience for one in fields(Limits)})


def _open_in(core: Core) -> dict[str, object]:
    """Orders that somebody still has to do something for; those for a person are not among them."""
    under_way = [one for one in core.open_transport() if one.state is not TransportState.FAILED]
    return {"pending": len(core.pending_transport()), "under_way": len(under_way)}


async def _ask_for(
    count: int, gap_s: float, dock: Dock, seen: Seen, wake: Callable[[], None]
) -> None:
    """Accept cartons one after the other, as a station's entries reach the core."""
    for _ in range(count):
        load = await asyncio.to_thread(dock.accepts)
        seen.asked_at[load] = time.time()
        wake()
        if gap_s:
            await asyncio.sleep(gap_s)


def _report(seen: Seen, bridge: AgvBridge) -> dict[str, object]:
    lags = seen.lags_ms
    return {
        "states": len(lags),
        "lag_p50_ms": round(percentile(lags, 50), 2),
        "lag_p95_ms": round(percentile(lags, 95), 2),
        "lag_max_ms": round(max(lags, default=0.0), 2),
        "asked_at": seen.asked_at,
        "dropped": len(seen.dropped_at),
        "dropped_first": min(seen.dropped_at, default=0.0),
        "dropped_last": max(seen.dropped_at, default=0.0),
        "vehicles": len(bridge.vehicles()),
        "unreadable": bridge.unreadable,
        "refused": bridge.refused,
        "rss_mb": round(rss_mb(), 1),
    }


def _both(first: Callable[[_T], None], second: Callable[[_T], None]) -> Callable[[_T], None]:
    def told(value: _T) -> None:
        first(value)
        second(value)

    return told


if __name__ == "__main__":
    log_elsewhere()
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]) if sys.argv[3:] else 1.0))

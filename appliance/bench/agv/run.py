"""`tallyman bench agv`: the parts, each on brokers and processes of its own."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from appliance.bench.agv.codec import codec
from appliance.bench.agv.lines import Child, child
from appliance.bench.facts import commit, machine, percentile
from appliance.bench.ingest.peers import node
from appliance.bench.ingest.processes import cpu_s, mosquitto
from appliance.services.nats.server import EmbeddedNats

_HERE: Final = Path(__file__).parent
_STEP_S: Final = 0.2
_WARM_UP_S: Final = 3.0
_DONE_WITHIN_S: Final = 240.0
PEER_VERSION: Final = "2.0.0"
"""All that vda-5050-lib 1.4 speaks; our bridge gets the same states."""
NO_PEER: Final = "not installed: sh scripts/peers.sh agv"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure, and with how much."""

    parts: frozenset[str]
    broker: str = "nats"
    vehicles: int = 1000
    rate_per_s: float = 1000.0
    """States a second of all vehicles together."""
    seconds: float = 30.0
    working: int = 20
    orders: int = 100
    put_aways: int = 300
    peers: Path | None = None


async def measure(
    wanted: Wanted, folder: Path, *, told: Callable[[str], None]
) -> dict[str, object]:
    """One object; a part that was not asked for is missing."""
    settings = asdict(wanted) | {"parts": sorted(wanted.parts), "peers": wanted.peers is not None}
    found: dict[str, object] = {
        "machine": machine(),
        "commit": commit(),
        "model_set": "",
        "input": settings,
    }
    if "codec" in wanted.parts:
        told("codec")
        found["codec"] = codec()
    if "load" in wanted.parts:
        told(f"{wanted.vehicles} vehicles, {wanted.rate_per_s:.0f} states a second")
        found["load"] = await load(wanted, _below(folder, "load"))
    if "rate" in wanted.parts:
        told(f"{wanted.put_aways} put-aways as fast as they go")
        found["rate"] = await put_away_rate(wanted, _below(folder, "rate"))
    if "peer" in wanted.parts:
        told("vda-5050-lib's master control on the same states")
        found["peers"] = {"vda_5050_lib": await peer(wanted, _below(folder, "peer"))}
    return found


async def load(wanted: Wanted, folder: Path) -> dict[str, object]:
    """The bridge's processor share, how late it takes states, and how soon a vehicle has its order."""
    async with _plant(wanted, folder) as (url, traffic), _hub(url, folder) as hub:
        await traffic.ask(work=wanted.working, step_s=_STEP_S)
        await traffic.ask(road=wanted.vehicles, rate=wanted.rate_per_s, version=PEER_VERSION)
        await asyncio.sleep(_WARM_UP_S)
        await hub.ask(reset=True)
        sent = (await traffic.ask())["sent"]
        before, began = cpu_s(hub.pid), time.monotonic()
        gap_s = wanted.seconds / wanted.orders
        asked = asyncio.create_task(hub.ask(orders=wanted.orders, gap_s=gap_s))
        # Asking and measuring end together, or the share would be of an idle bridge.
        report = await asked
        lasted_s = time.monotonic() - began
        share = (cpu_s(hub.pid) - before) / lasted_s
        sent = (await traffic.ask())["sent"] - sent
        report = await _until_dropped(hub, wanted.orders)
        heard = (await traffic.ask(report=True))["orders"]
        late = _to_vehicle_ms(report["asked_at"], heard)
        traffic_said = await traffic.ask(stop=True)
    return {
        "broker": wanted.broker,
        "states_per_s": round(sent / lasted_s, 1),
        "state_bytes": traffic_said["bytes"],
        "seconds": round(lasted_s, 1),
        "bridge_cpu_percent_of_a_core": round(share * 100, 1),
        "cpu_us_per_state": round(share * lasted_s / max(1, sent) * 1e6, 1),
        "lag_p50_ms": report["lag_p50_ms"],
        "lag_p95_ms": report["lag_p95_ms"],
        "lag_max_ms": report["lag_max_ms"],
        "orders": len(late),
        "order_to_vehicle_p50_ms": round(percentile(late, 50), 1),
        "order_to_vehicle_p95_ms": round(percentile(late, 95), 1),
        "put_away": report["dropped"],
        "unreadable": report["unreadable"],
        "refused": report["refused"],
        "rss_mb": report["rss_mb"],
    }


async def put_away_rate(wanted: Wanted, folder: Path) -> dict[str, object]:
    """Vehicles that need no time, an order for each carton waiting: what bridge and core carry."""
    async with _plant(wanted, folder) as (url, traffic), _hub(url, folder) as hub:
        await hub.ask(orders=wanted.put_aways, gap_s=0)
        before, began = cpu_s(hub.pid), time.time()
        await traffic.ask(work=wanted.working, step_s=0.0)
        report = await _until_dropped(hub, wanted.put_aways)
        spent = cpu_s(hub.pid) - before
    lasted_s = report["dropped_last"] - report["dropped_first"]
    return {
        "put_aways": report["dropped"],
        "vehicles": wanted.working,
        "per_s": round((report["dropped"] - 1) / lasted_s, 1) if lasted_s else 0.0,
        "hub_cpu_ms_each": round(spent / max(1, report["dropped"]) * 1000, 1),
        "started_after_s": round(report["dropped_first"] - began, 2),
    }


async def peer(wanted: Wanted, folder: Path) -> dict[str, object]:
    """vda-5050-lib's MasterController on the same states. It has no core, no stock and no orders."""
    program = node()
    if wanted.peers is None or program is None:
        return {"left_out": NO_PEER}
    command = [program, _HERE / "peers" / "master.mjs"]
    async with _plant(wanted, folder) as (url, traffic):
        environ = {"PEERS": str(wanted.peers)}
        async with child([*command, url], folder / "master.log", environ) as master:
            await traffic.ask(road=wanted.vehicles, rate=wanted.rate_per_s, version=PEER_VERSION)
            await asyncio.sleep(_WARM_UP_S)
            await master.ask(reset=True)
            before, began = cpu_s(master.pid), time.monotonic()
            await asyncio.sleep(wanted.seconds)
            lasted_s = time.monotonic() - began
            spent = cpu_s(master.pid) - before
            report = await master.ask(report=True)
    states = int(report["states"])
    return {
        "states_per_s": round(states / lasted_s, 1),
        "cpu_percent_of_a_core": round(spent / lasted_s * 100, 1),
        "cpu_us_per_state": round(spent / max(1, states) * 1e6, 1),
        "lag_p95_ms": report["lag_p95_ms"],
        "checks_schema": True,
    }


@asynccontextmanager
async def _plant(wanted: Wanted, folder: Path) -> AsyncIterator[tuple[str, Child]]:
    """A broker and the traffic on it."""
    async with _broker(wanted.broker, folder) as url:
        command = [sys.executable, "-m", "appliance.bench.agv.traffic", url]
        async with child(command, folder / "traffic.log") as traffic:
            yield url, traffic


@asynccontextmanager
async def _broker(kind: str, folder: Path) -> AsyncIterator[str]:
    if kind == "mosquitto":
        with mosquitto(folder) as (url, _):
            yield url
        return
    nats = EmbeddedNats(folder / "nats")
    await nats.start()
    try:
        yield nats.url("hub")
    finally:
        await nats.stop()


@asynccontextmanager
async def _hub(url: str, folder: Path) -> AsyncIterator[Child]:
    command = [sys.executable, "-m", "appliance.bench.agv.hub", url, folder]
    async with child(command, folder / "hub.log") as hub:
        yield hub


async def _until_dropped(hub: Child, count: int) -> dict[str, Any]:
    """What the hub tells once all put-aways are booked, or what it has after a long wait."""
    until = time.monotonic() + _DONE_WITHIN_S
    while True:
        report = await hub.ask(report=True)
        if report["dropped"] >= count or time.monotonic() > until:
            return report
        await asyncio.sleep(0.5)


def _to_vehicle_ms(asked_at: Mapping[str, float], heard: Mapping[str, float]) -> list[float]:
    """From the order in the core to the order on the vehicle's side of the broker."""
    return [(heard[load] - at) * 1000 for load, at in asked_at.items() if load in heard]


def _below(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made

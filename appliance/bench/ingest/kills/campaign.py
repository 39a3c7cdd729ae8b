"""Kill, freeze and fill up a gateway at random moments while its sensors speak, then count.

    python -m appliance.bench.ingest.kills.campaign OUT --kills 1000

Gateway, endpoint processes (every other chunk has two), tailer, Valkey and broker are killed with -9;
gateway, endpoints and tailer are frozen; the disk takes nothing for a while. Sensors by MQTT, by the broker and by CoAP
send what was not acknowledged again. In chunks, each with a seed and one JSON file in OUT, so that
a campaign that was stopped goes on where it was. Exit 1 where one reading or alarm is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import httpx
import typer

from appliance.bench.chunks import Told, account, run_missing
from appliance.bench.ingest.kills.judge import Verdict, judge, judge_history
from appliance.bench.ingest.kills.papers import PASSWORD, cold_room, write_papers
from appliance.bench.ingest.kills.plant import Plant, Victim
from appliance.bench.ingest.kills.senders import Account, CoapSender, MqttSender
from appliance.gateway.tailer import keeping_of, read_status
from appliance.layout import Layout
from appliance.sensor_config import HistoryConfig
from appliance.services.address import LOOPBACK
from contracts.clock import SystemClock
from contracts.errors import UnavailableError
from telemetry.history.reader import History
from telemetry.segments.reading import durable_position

DIRECT: Final = ("probe-1", "probe-2")
BY_BROKER: Final = ("probe-3",)
BY_COAP: Final = ("probe-4",)
_CHUNK: Final = 50
_COUNTED: Final = (
    "kills",
    "sent",
    "acknowledged",
    "stored",
    "lost",
    "twice",
    "alarms",
    "alarms_wrong",
)
_SETTLED_S: Final = 150.0
# What happens, and how often of a hundred.
WEIGHTS: Final = {
    "gateway": 38,
    "gateway while it starts": 12,
    "tailer": 18,
    "broker": 14,
    "valkey": 8,
    "frozen gateway": 3,
    "frozen tailer": 4,
    "full disk": 3,
}
# With endpoint processes, of a hundred and forty.
AT_THE_DOORS: Final = {"endpoint": 30, "all endpoints": 6, "frozen endpoint": 4}


class Campaign:
    """One plant, its senders, and what happens to it."""

    def __init__(
        self, layout: Layout, seed: int, *, pause_s: float = 0.002, endpoints: int = 0
    ) -> None:
        self._layout = layout
        self.weights = {**WEIGHTS, **AT_THE_DOORS} if endpoints else WEIGHTS
        self._random = random.Random(seed)  # noqa: S311 -- a story told again by its seed
        self._pause_s = pause_s
        begin = int(time.time() * 1000)
        self.accounts = {name: Account(name, begin) for name in (*DIRECT, *BY_BROKER, *BY_COAP)}
        write_papers(layout, (*DIRECT, *BY_BROKER), coap=BY_COAP, fences=(cold_room(),))
        self.plant = Plant(layout, endpoints=endpoints)
        self.done: Counter[str] = Counter()
        self._senders: list[MqttSender | CoapSender] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Everything runs and speaks."""
        await self.plant.start()
        plant, accounts = self.plant, self.accounts
        # A broker keeps nothing for a session that has never been.
        await self._until(self._is_subscribed, "subscription")
        for name in DIRECT:
            sender = MqttSender(accounts[name], plant.mqtt_port, user=name, password=PASSWORD)
            self._senders.append(sender)
        for name in BY_BROKER:
            sender = MqttSender(
                accounts[name],
                plant.broker_port,
                user="sensors",
                password="sensors",  # noqa: S106 -- of this run
            )
            self._senders.append(sender)
        self._senders += [CoapSender(accounts[name], plant.coap_port) for name in BY_COAP]
        self._tasks = [asyncio.create_task(each.run(self._pause_s)) for each in self._senders]

    async def harm(self, what: str = "") -> None:
        """One thing happens at a random moment, a random one where none of `weights` is named."""
        what = what or self._random.choices([*self.weights], [*self.weights.values()])[0]
        await asyncio.sleep(self._random.uniform(0.0, 0.6))
        plant = self.plant
        match what:
            case "gateway":
                await _again(plant.gateway)
            case "gateway while it starts":
                await plant.gateway.kill()
                await plant.gateway.launch()
                await asyncio.sleep(self._random.uniform(0.0, 2.5))
                await _again(plant.gateway)
            case "tailer":
                self._signal(plant.tailer_pid(), signal.SIGKILL)
            case "endpoint" | "all endpoints" | "frozen endpoint":
                await self._at_the_doors(what)
            case "broker" | "valkey":
                victim = plant.broker if what == "broker" else plant.valkey
                assert victim is not None  # noqa: S101 -- this plant has both
                await _again(victim)
            case "frozen gateway" | "frozen tailer":
                pid = plant.gateway.pid if what == "frozen gateway" else plant.tailer_pid()
                await self._freeze(pid)
            case _:
                plant.fill_disk()
                await asyncio.sleep(self._random.uniform(0.2, 1.5))
                if self._random.random() < 0.5:  # noqa: PLR2004 -- half of the full disks end by a kill
                    await _again(plant.gateway)
                else:
                    plant.free_disk()
        self.done[what] += 1

    async def _at_the_doors(self, what: str) -> None:
        pids = self.plant.endpoint_pids()
        if what != "all endpoints" and pids:
            pids = [self._random.choice(pids)]
        for pid in pids:
            if what == "frozen endpoint":
                await self._freeze(pid)
            else:
                self._signal(pid, signal.SIGKILL)

    async def end(self) -> Verdict:
        """Nothing new is sent, what is open still is; then everything stops and is counted.

        Raises UnavailableError where a sender is not acknowledged within a minute, or the history
        does not get there.
        """
        for each in self._senders:
            each.pausing = True
        await self._until(self._all_acknowledged, "senders")
        await self._delivered()
        await self._until(self._history_is_there, "history")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.plant.stop()
        verdict = await asyncio.to_thread(judge, self._layout, self.accounts.values())
        judge_history(verdict, await asyncio.to_thread(_history_rows, self._layout))
        return verdict

    async def stop(self) -> None:
        """Whatever happened: no process is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for victim in self.plant.victims:
            await victim.kill()

    async def _freeze(self, pid: int | None) -> None:
        self._signal(pid, signal.SIGSTOP)
        await asyncio.sleep(self._random.uniform(0.2, 2.0))
        self._signal(pid, signal.SIGCONT)

    @staticmethod
    def _signal(pid: int | None, number: int) -> None:
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    async def _all_acknowledged(self) -> bool:
        return not any(each.open() for each in self.accounts.values())

    async def _delivered(self) -> None:
        """What the broker acknowledged comes in its own time; what never comes, the account tells."""
        end = time.monotonic() + _SETTLED_S
        accounts = [self.accounts[name] for name in BY_BROKER]
        while time.monotonic() < end:
            if not (await asyncio.to_thread(judge, self._layout, accounts, alarms=False)).lost:
                return
            await asyncio.sleep(1.0)

    async def _is_subscribed(self) -> bool:
        url = f"http://{LOOPBACK}:{self.plant.read_port}/sensors/data/status"
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient() as client:
                return bool((await client.get(url)).json()["doors"]["broker"]["connected"])
        return False

    async def _history_is_there(self) -> bool:
        status = read_status(self._layout.sensor_history)
        end = durable_position(self._layout.segments)
        if status is None or end is None:
            return False
        return (status.segment, status.offset) >= tuple(end) and not status.waiting

    @staticmethod
    async def _until(done: Callable[[], Awaitable[bool]], what: str) -> None:
        end = time.monotonic() + _SETTLED_S
        while not await done():
            if time.monotonic() > end:
                raise UnavailableError(f"The {what} did not come to rest in {_SETTLED_S:.0f} s")
            await asyncio.sleep(0.1)


async def _again(victim: Victim) -> None:
    await victim.kill()
    await victim.launch()
    await victim.until_ready()


def _history_rows(layout: Layout) -> int:
    history = History(layout.sensor_history, keeping_of(HistoryConfig(raw_days=0)), SystemClock())
    try:
        return sum(size.rows for size in history.stored().levels if size.level == "raw")
    finally:
        history.close()


async def run_chunk(folder: Path, seed: int, kills: int) -> Told:
    """One plant from its first start to its account."""
    campaign = Campaign(Layout(folder), seed, endpoints=seed % 2 * 2)
    began = time.monotonic()
    try:
        await campaign.begin()
        for _ in range(kills):
            await campaign.harm()
        verdict = await campaign.end()
    finally:
        await campaign.stop()
    told = asdict(verdict) | {"holds": verdict.holds}
    seconds = round(time.monotonic() - began, 1)
    return {"seed": seed, "kills": kills, "harm": dict(campaign.done), "seconds": seconds, **told}


def run(
    out: Annotated[Path, typer.Argument(help="Folder of the campaign; made, or continued.")],
    kills: Annotated[
        int, typer.Option(min=1, help="How many times something is done to it.")
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Of the first chunk; each has the next.")] = 1,
) -> None:
    """Run what is missing of the campaign, and tell its account."""
    run_missing(out, kills, seed=seed, size=_CHUNK, run_chunk=run_chunk, quiet=("faults",))
    raise typer.Exit(account(out, _COUNTED))


if __name__ == "__main__":
    typer.run(run)
    sys.exit()

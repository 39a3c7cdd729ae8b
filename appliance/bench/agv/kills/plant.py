"""A hub, a broker and two fleets as real processes that may be killed at any moment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from appliance.bench.agv.lines import Child, Line, child
from appliance.services.nats.server import EmbeddedNats
from contracts.errors import UnavailableError

FLEETS: Final = ("a", "b")
VEHICLES: Final = 3
PATIENCE: Final = 0.1
"""Of the bridge's own: what takes a minute there takes six seconds here."""
_STEP_S: Final = 0.25
_HEARTBEAT_S: Final = 0.3


class Plant:
    """`folder` holds the core, the broker's store and what the vehicles really did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.witness = folder / "witness.txt"
        self._nats = EmbeddedNats(folder / "nats")
        self._children: dict[str, Child] = {}
        self._stacks: dict[str, AsyncExitStack] = {}
        self._launches = 0

    async def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        await self._nats.start()
        for name in ("hub", *FLEETS):
            await self._launch(name)

    async def kill(self, name: str) -> None:
        """Kill -9, and start it again. Raises UnavailableError where it does not come back."""
        if name == "broker":
            # Its own supervisor starts it again, as in the product.
            self._signal(self._nats.child.pid if self._nats.child is not None else None)
            return
        self._signal(self._children[name].pid)
        await self._stacks.pop(name).aclose()
        await self._launch(name)

    async def ask(self, **command: object) -> Line:
        """A command for the hub. Raises UnavailableError."""
        try:
            return await self._children["hub"].ask(**command)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise UnavailableError("The hub is gone", mend="Ask again") from error

    async def stop(self) -> None:
        """Whatever happened: no process is left."""
        for stack in self._stacks.values():
            await stack.aclose()
        self._stacks.clear()
        await self._nats.stop()

    async def _launch(self, name: str) -> None:
        self._launches += 1
        log = self.folder / f"{name}-{self._launches:04d}.log"
        url = self._nats.url("hub")
        module = "appliance.bench.agv.hub" if name == "hub" else "appliance.bench.agv.traffic"
        command: list[object] = [sys.executable, "-m", module, url]
        if name == "hub":
            command += [self.folder, PATIENCE]
        stack = AsyncExitStack()
        self._stacks[name] = stack
        self._children[name] = await stack.enter_async_context(child(command, log))
        if name != "hub":
            await self._children[name].ask(
                work=VEHICLES,
                step_s=_STEP_S,
                heartbeat_s=_HEARTBEAT_S,
                name=name,
                witness=str(self.witness),
            )

    @staticmethod
    def _signal(pid: int | None) -> None:
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


async def within(seconds: float, plant: Plant) -> Line:
    """What the hub says once nothing is open any more, or when the time is over."""
    until = asyncio.get_running_loop().time() + seconds
    while True:
        told = await plant.ask(report=True)
        if not told["pending"] and not told["under_way"]:
            return told
        if asyncio.get_running_loop().time() > until:
            return told
        await asyncio.sleep(0.3)

"""A virtual quality-check station on the vehicles' broker, in the words of the shipped dialect
`module-factory`: it checks what it is told to, and what should fail does.

Told `{"verb": "CHECK", "tag": LOAD, "job": ORDER}` on its command topic, it says BUSY, then DONE with
its verdict, at QoS 1.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Collection

import msgspec

from contracts.clock import Clock, SystemClock
from contracts.errors import UnavailableError
from contracts.ports import MessageBus

_NOTE = "corner crushed"
_AREA = "hall1"


def prefix_of(station: str, area: str = _AREA) -> str:
    """Below which a station's topics lie."""
    return f"factory/v1/{area}/{station}"


class CheckStation:
    """One station.

    step_s: time for one check. bad: loads that fail; may be changed while it runs. alive_s: how
    often it says that it is there.
    """

    def __init__(
        self,
        bus: MessageBus,
        station: str = "CHECK-1",
        *,
        area: str = _AREA,
        bad: Collection[str] = (),
        step_s: float = 0.3,
        alive_s: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        self.prefix = prefix_of(station, area)
        self.bad = set(bad)
        self._bus = bus
        self._step_s = step_s
        self._alive_s = alive_s
        self._clock = clock or SystemClock()
        # A number that comes again after a restart would be taken for a repetition.
        self._boot = secrets.token_hex(4)
        self._checks = 0

    async def run(self) -> None:
        """Check what is asked for until cancelled."""
        async with (
            self._bus.subscribe(f"{self.prefix}/command", qos=1) as commands,
            asyncio.TaskGroup() as tasks,
        ):
            alive = tasks.create_task(self._live())
            async for message in commands:
                load, order = _asked(message.payload)
                if load:
                    await self.check(load, order)
            alive.cancel()

    async def check(self, load: str, order: str = "") -> bool:
        """One check now, with its messages. Whether the load passed."""
        self._checks += 1
        task = {"id": f"{self._boot}-{self._checks}", "verb": "CHECK", "phase": "BUSY"}
        await self._say(task, load, order)
        await asyncio.sleep(self._step_s)
        passed = load not in self.bad
        done = task | {"phase": "DONE", "verdict": "OK" if passed else "NOT_OK"}
        if not passed:
            done["note"] = _NOTE
        await self._say(done, load, order)
        return passed

    async def _say(self, task: dict[str, str], load: str, order: str) -> None:
        told = {"stamp": self._stamp(), "job": order, "task": task, "loads": [{"tag": load}]}
        try:
            await self._bus.publish(f"{self.prefix}/state", msgspec.json.encode(told), qos=1)
        except UnavailableError:
            # A check without a broker is a check that nobody heard of; it is asked for again.
            return

    async def _live(self) -> None:
        while True:
            alive = msgspec.json.encode({"stamp": self._stamp(), "checks": self._checks})
            with contextlib.suppress(UnavailableError):
                await self._bus.publish(f"{self.prefix}/alive", alive)
            await asyncio.sleep(self._alive_s)

    def _stamp(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _asked(payload: bytes) -> tuple[str, str]:
    """Load and order of a command; empty where it is none."""
    try:
        command = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return "", ""
    if not isinstance(command, dict) or command.get("verb") != "CHECK":
        return "", ""
    return str(command.get("tag") or ""), str(command.get("job") or "")

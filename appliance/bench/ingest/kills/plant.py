"""A gateway with everything around it, as real processes that may be killed at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from appliance.layout import Layout
from appliance.services.address import LOOPBACK, free_port
from appliance.services.nats import ROLES, configure, users
from appliance.services.nats import find_server as find_nats
from appliance.services.valkey import find_server as find_valkey
from contracts.errors import UnavailableError

_READY_S: Final = 60.0
_LOOK_S: Final = 0.02
_FULL_BYTES: Final = 4096
_ROLES = {name: ROLES[name] for name in ("gateway", "sensors")}


class Victim:
    """One process. It is started again by whoever killed it."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        ready: Callable[[], Awaitable[bool]],
        env: dict[str, str],
    ) -> None:
        self.name = name
        self._command = command
        self._ready = ready
        self._env = env
        self.process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Raises UnavailableError where it does not run."""
        if self.process is None or self.process.returncode is not None:
            raise UnavailableError(f"{self.name} does not run")
        return self.process.pid

    async def launch(self) -> None:
        """Start it and do not wait."""
        # Not a file: a full disk is told by limiting how long files may become.
        self.process = await asyncio.create_subprocess_exec(
            *self._command,
            env={**os.environ, **self._env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def until_ready(self) -> None:
        """Raises UnavailableError when it ends first, or takes longer than a minute."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _READY_S
        while loop.time() < end:
            assert self.process is not None  # noqa: S101 -- launched
            if self.process.returncode is not None:
                raise UnavailableError(f"{self.name} ended with {self.process.returncode}")
            with contextlib.suppress(OSError, TimeoutError):
                if await self._ready():
                    return
            await asyncio.sleep(_LOOK_S)
        raise UnavailableError(f"{self.name} did not answer within {_READY_S:.0f} s")

    async def kill(self) -> None:
        """Kill -9, as a power cut would."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def end(self) -> None:
        """SIGTERM, and wait."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                async with asyncio.timeout(20):
                    await self.process.wait()
            except TimeoutError:
                await self.kill()


class Plant:
    """`gateway` (with its tailer, and endpoint processes where `endpoints` are wanted), and `broker`
    and `valkey` where wanted.
    """

    def __init__(
        self, layout: Layout, *, broker: bool = True, valkey: bool = True, endpoints: int = 0
    ) -> None:
        self.layout = layout
        self._endpoints = endpoints
        self.mqtt_port, self.coap_port, self.read_port = free_port(), free_port(), free_port()
        self.broker_port = free_port() if broker else 0
        self.broker = self._broker() if broker else None
        valkey_port = free_port() if valkey else 0
        self.valkey = self._valkey(valkey_port) if valkey else None
        self.gateway = self._gateway(valkey_port)

    @property
    def victims(self) -> list[Victim]:
        return [each for each in (self.broker, self.valkey, self.gateway) if each is not None]

    async def start(self) -> None:
        for each in self.victims:
            await each.launch()
        for each in self.victims:
            await each.until_ready()

    async def stop(self) -> None:
        for each in reversed(self.victims):
            await each.end()

    def tailer_pid(self) -> int | None:
        """None while there is none."""
        return next(iter(self._children("gateway-tailer")), None)

    def endpoint_pids(self) -> list[int]:
        """Those that run at present."""
        return self._children("gateway-endpoint")

    def _children(self, command: str) -> list[int]:
        found = []
        with contextlib.suppress(OSError, UnavailableError):
            pid = self.gateway.pid
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
            for child in map(int, text.split()):
                with contextlib.suppress(OSError):
                    line = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                    if command.encode() in line:
                        found.append(child)
        return found

    def fill_disk(self) -> None:
        """From now on no file of the gateway grows: EFBIG, as a quota's EDQUOT or ENOSPC would be."""
        _, hard = resource.prlimit(self.gateway.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.gateway.pid, resource.RLIMIT_FSIZE, (_FULL_BYTES, hard))

    def free_disk(self) -> None:
        _, hard = resource.prlimit(self.gateway.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.gateway.pid, resource.RLIMIT_FSIZE, (hard, hard))

    def _gateway(self, valkey_port: int) -> Victim:
        env = {
            "TALLYMAN_SITE_DATA": str(self.layout.root),
            "TALLYMAN_GATEWAY_LISTEN": f"{LOOPBACK}:{self.read_port}",
            "TALLYMAN_GATEWAY_MQTT_LISTEN": f"{LOOPBACK}:{self.mqtt_port}",
            "TALLYMAN_GATEWAY_MQTT_PROCESSES": str(self._endpoints),
            "TALLYMAN_GATEWAY_COAP_LISTEN": f"{LOOPBACK}:{self.coap_port}",
            # No hub: the gateway works for days without one (I6).
            "TALLYMAN_GATEWAY_HUB_URL": f"https://{LOOPBACK}:9",
            "TALLYMAN_BROKER_URL": f"mqtt://gateway:gateway@{LOOPBACK}:{self.broker_port}"
            if self.broker
            else "",
            # The campaign's sensors tell of last year, and all of it is counted at the end.
            "TALLYMAN_HISTORY_RAW_DAYS": "0",
            "TALLYMAN_HISTORY_FLUSH_S": "1",
            "TALLYMAN_LIVE_URL": f"redis://{LOOPBACK}:{valkey_port}/0" if self.valkey else "",
        }
        command = [sys.executable, "-m", "appliance", "gateway"]
        # Endpoint processes open one after the other; the page comes last of all.
        port = self.read_port if self._endpoints else self.mqtt_port
        return Victim("gateway", command, ready=lambda: _listens(port), env=env)

    def _broker(self) -> Victim:
        folder = self.layout.root / "broker"
        folder.mkdir(parents=True, exist_ok=True)
        text = configure(port=self.broker_port, store=folder / "store", store_mb=256)
        # By itself it waits half a minute before it delivers again what was not acknowledged.
        text = text.replace("mqtt {\n", 'mqtt {\n  ack_wait: "2s"\n')
        (folder / "nats.conf").write_text(text, encoding="utf-8")
        known = users(_ROLES, {name: name for name in _ROLES})
        (folder / "users.conf").write_text(known, encoding="utf-8")
        command = [str(find_nats()), "-c", str(folder / "nats.conf")]
        return Victim("broker", command, ready=lambda: _listens(self.broker_port), env={})

    def _valkey(self, port: int) -> Victim:
        options = ["--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no"]
        command = [str(find_valkey()), *options]
        return Victim("valkey", command, ready=lambda: _listens(port), env={})


async def _listens(port: int) -> bool:
    _, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.close()
    return True

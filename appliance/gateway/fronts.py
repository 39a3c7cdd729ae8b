"""MQTT and TLS in processes of their own, so that they do not wait for decoding and rules (ADR 0030).

The gateway holds the port, so a second gateway is refused at once, and the system deals connections
out to the processes. One that dies takes its connections with it; publishers come back, to it or to
another, and send again what was not acknowledged.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket as sockets
import ssl
import sys
from collections.abc import Collection
from functools import partial
from pathlib import Path

from appliance.config import Config
from appliance.layout import Layout
from appliance.services.process import ChildProcess, ChildSpec
from telemetry.ingest.intake import Intake
from telemetry.ingest.tuning import prepare_process
from telemetry.mqtt.endpoint import Endpoint
from telemetry.mqtt.limits import EndpointCounts
from telemetry.now import system_us
from telemetry.relay.back import Relay
from telemetry.relay.frames import Hello
from telemetry.relay.front import RemotePath
from telemetry.relay.serving import listen, run_front

SOCKET = "endpoints.sock"
_TRIES = 20
_TRY_AGAIN_S = 0.1


class Fronts:
    """In the gateway, in the face of an Endpoint: all of its endpoint processes."""

    def __init__(
        self, config: Config, intake: Intake, ca_pem: str, config_file: Path | None
    ) -> None:
        self._config, self._config_file = config, config_file
        self._layout = Layout(config.data)
        self._relay = Relay(intake, now_us=system_us, papers={"authority": ca_pem})
        self._children: list[ChildProcess] = []
        self._server: asyncio.Server | None = None
        self._port: sockets.socket | None = None

    async def start(self, host: str, port: int) -> int:
        """The port, when all processes are open. Raises OSError, UnavailableError."""
        self._port = await _reserved(host, port)
        bound: int = self._port.getsockname()[1]
        self._relay.papers["port"] = str(bound)
        self._layout.gateway.mkdir(parents=True, exist_ok=True)
        self._server = await listen(self._relay, self._layout.gateway / SOCKET)
        numbers = range(1, self._config.gateway.mqtt_processes + 1)
        self._children = [self._child(number) for number in numbers]
        await asyncio.gather(*(child.start() for child in self._children))
        return bound

    async def stop(self) -> None:
        """What they have taken is still acknowledged when it is on disk."""
        await asyncio.gather(*(child.stop() for child in self._children))
        self._relay.close()
        if self._server is not None:
            self._server.close()
        if self._port is not None:
            self._port.close()

    @property
    def connected(self) -> int:
        return self._relay.connected

    @property
    def counts(self) -> EndpointCounts:
        return self._relay.counts

    @property
    def pids(self) -> list[int]:
        """Of the processes that run."""
        return [child.pid for child in self._children if child.pid is not None]

    def turn_away(self, devices: Collection[str]) -> None:
        """As `Endpoint.turn_away`; each process closes within a second."""
        self._relay.turn_away(devices)

    def _child(self, number: int) -> ChildProcess:
        name = f"gateway-endpoint-{number}"

        async def ready() -> bool:
            return child.pid in self._relay.open

        spec = ChildSpec(
            name=name,
            command=[
                *(sys.executable, "-m", "appliance", "gateway-endpoint"),
                str(self._layout.gateway / SOCKET),
            ],
            log_file=self._layout.logs / f"{name}.log",
            ready=ready,
            env={"TALLYMAN_CONFIG": str(self._config_file)} if self._config_file else None,
        )
        child = ChildProcess(spec)
        return child


async def _reserved(host: str, port: int) -> sockets.socket:
    """As `reserve`: the endpoint processes of a gateway that was killed end a moment after it."""
    for _ in range(_TRIES):
        try:
            return reserve(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        await asyncio.sleep(_TRY_AGAIN_S)
    return reserve(host, port)


def reserve(host: str, port: int) -> sockets.socket:
    """Hold a port without listening, for processes that share it. Raises OSError."""
    family, kind, protocol, _, address = sockets.getaddrinfo(
        host, port, type=sockets.SOCK_STREAM, flags=sockets.AI_PASSIVE
    )[0]
    if port:
        # Processes that share a port refuse nobody: whoever has it for himself must be found first.
        with sockets.socket(family, kind, protocol) as alone:
            alone.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
            alone.bind(address)
    held = sockets.socket(family, kind, protocol)
    held.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEPORT, 1)
    held.bind(address)
    return held


async def run_endpoint(config: Config, socket: Path) -> None:
    """The life of one endpoint process: until SIGTERM, or until its gateway is gone.

    Raises UnavailableError.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run_front(socket, partial(_open, config), stop)


async def _open(config: Config, hello: Hello, path: RemotePath) -> Endpoint:
    from appliance.gateway.credentials import SensorCredentials
    from appliance.gateway.doors import credentials_file, mqtt_address, mqtt_tls

    host, _ = mqtt_address(config)
    tls: ssl.SSLContext | None = mqtt_tls(config.gateway, hello.papers["authority"])
    doorman = SensorCredentials(credentials_file(config), revoked=lambda: path.revoked)
    endpoint = Endpoint(path, doorman)
    await endpoint.listen(host, int(hello.papers["port"]), tls, shared=True)
    prepare_process()
    return endpoint

"""The endpoint: who is connected, how long they may be silent, and what was refused.

Bounded in everything that a stranger can ask for: connections, those that have not signed in, half
packets, silence, length. What is refused is counted by reason and the newest are kept for the page.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import secrets
import ssl
from collections.abc import Callable, Collection
from contextlib import suppress

from telemetry.mqtt.connection import Connection, State
from telemetry.mqtt.half import HalfPackets
from telemetry.mqtt.handshakes import Handshakes
from telemetry.mqtt.limits import EndpointCounts, EndpointLimits, Refusal
from telemetry.mqtt.packets import Code, MqttError
from telemetry.now import system_us
from telemetry.ports import Admission, Doorman, DurablePath

_log = logging.getLogger(__name__)
_SWEEP_S = 1.0
_SPARE_FILES = 256


class Endpoint:
    """For publishers of MQTT 3.1.1 and 5. One durable path, one doorman, any number of listeners."""

    def __init__(
        self,
        path: DurablePath,
        doorman: Doorman,
        *,
        limits: EndpointLimits = EndpointLimits(),  # noqa: B008 -- frozen
        now_us: Callable[[], int] = system_us,
    ) -> None:
        self.path = path
        self.doorman = doorman
        self.limits = limits
        self.now_us = now_us
        self.counts = EndpointCounts()
        self.on_enter: Callable[[str, str], None] | None = None
        """Told the client identifier and the device of each that signs in."""
        self.half_packets = HalfPackets(limits.half_packets_bytes)
        self.half_connects = HalfPackets(limits.half_connects_bytes)
        self.handshakes = Handshakes(limits.handshakes, limits.connect_s, self._note_stranger)
        self.time = asyncio.get_running_loop().time
        self._every: set[Connection] = set()
        self._sessions: dict[str, Connection] = {}
        self._servers: list[asyncio.Server] = []
        self._sweeper: asyncio.Task[None] | None = None

    # The life of it

    async def listen(
        self, host: str, port: int, tls: ssl.SSLContext | None = None, *, shared: bool = False
    ) -> int:
        """Open one door more; the port that it got. Raises OSError.

        `tls`: a server context that asks for certificates where devices sign in with them. `shared`:
        other processes of ours listen at the same port.
        """
        _raise_file_limit(self.limits.connections + _SPARE_FILES)
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep())
        if tls is not None:
            return await self.handshakes.listen(
                host, port, tls, lambda: Connection(self), shared=shared
            )
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), host, port, backlog=4096, reuse_port=shared or None
        )
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """No more doors; each client is told. What was taken and is not acknowledged yet comes
        again, and is known.
        """
        for server in self._servers:
            server.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeper
        self.handshakes.close()
        for connection in list(self._every):
            connection.forget_will()  # it is us who go, the sensor is well
            connection.refuse("stopping", "the gateway stops", Code.SERVER_SHUTTING_DOWN)

    # What the page asks

    @property
    def connected(self) -> int:
        """Publishers signed in at present."""
        return len(self._sessions)

    def turn_away(self, devices: Collection[str]) -> None:
        """Close those that came in with the certificate of one of `devices`; no will is published."""
        for connection in list(self._sessions.values()) if devices else ():
            if connection.certified and connection.device in devices:
                connection.forget_will()
                connection.refuse("forbidden", "it was revoked", Code.NOT_AUTHORIZED)

    # What connections call

    def joined(self, connection: Connection) -> bool:
        """False: no room for one more."""
        self._every.add(connection)
        waiting = len(self._every) - len(self._sessions)
        if len(self._every) <= self.limits.connections and waiting <= self.limits.greeting:
            return True
        self.note(connection, "too_many_connections", f"{len(self._every)} are open")
        return False

    def left(self, connection: Connection) -> None:
        self._every.discard(connection)
        if self._sessions.get(connection.client_id) is connection:
            del self._sessions[connection.client_id]

    def enter(self, connection: Connection, admission: Admission) -> None:
        """Signed in. The same device under the same client id closes its older connection (3.1.4);
        another device's is not its to close. Raises MqttError.
        """
        older = self._sessions.get(connection.client_id)
        if older is not None and older is not connection:
            if older.device != admission.device:
                raise MqttError(
                    f"client identifier {connection.client_id[:40]!r} belongs to another device",
                    code="client_id_taken",
                    reason=Code.CLIENT_ID_NOT_VALID,
                )
            older.refuse("taken_over", "the same device came anew", Code.SESSION_TAKEN_OVER)
        connection.device = admission.device
        self._sessions[connection.client_id] = connection
        self.counts.accepted += 1
        if self.on_enter is not None:
            self.on_enter(connection.client_id, admission.device)

    def came_elsewhere(self, client_id: str, device: str) -> None:
        """The same at another process of the same door: its older connection here is over."""
        older = self._sessions.get(client_id)
        if older is not None and older.device == device:
            older.refuse("taken_over", "the same device came anew", Code.SESSION_TAKEN_OVER)

    def note(self, connection: Connection, code: str, detail: str) -> None:
        """Count a refusal and keep it for the page."""
        self._count(Refusal(self.now_us(), code, detail, connection.peer, connection.client_id))

    def _note_stranger(self, peer: str, code: str, detail: str) -> None:
        """One that never spoke MQTT."""
        self._count(Refusal(self.now_us(), code, detail, peer))

    def _count(self, refusal: Refusal) -> None:
        self.counts.refused[refusal.code] += 1
        self.counts.newest.append(refusal)

    def new_client_id(self) -> str:
        return f"auto-{secrets.token_hex(8)}"

    # Time

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            self.look(self.time())

    def look(self, now: float) -> None:
        """Close who is silent for too long, at the loop's time `now` in seconds."""
        for connection in list(self._every):
            self._look_at(connection, now)

    def _look_at(self, connection: Connection, now: float) -> None:
        limits, since = self.limits, now - connection.since
        match connection.state:
            case State.GREETING | State.CHECKING:
                if since > limits.connect_s:
                    connection.refuse(
                        "connect_timeout", "no CONNECT in time", Code.KEEP_ALIVE_TIMEOUT
                    )
            case State.OPEN:
                if connection.flow.stands:
                    return
                if len(connection.half) and since > limits.packet_s:
                    connection.refuse(
                        "slow_packet",
                        f"{len(connection.half)} bytes of a packet in {since:.0f} s",
                        Code.KEEP_ALIVE_TIMEOUT,
                    )
                elif now - connection.heard > connection.silence_s:
                    connection.refuse(
                        "keep_alive",
                        f"silent for {now - connection.heard:.0f} s",
                        Code.KEEP_ALIVE_TIMEOUT,
                    )
            case State.CLOSING:
                if since > limits.linger_s:
                    connection.abort()


def _raise_file_limit(wanted: int) -> None:
    """Each connection is a file; the soft limit of many systems is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    if limit < wanted:
        _log.warning("Only %d files may be open, %d are wanted for all connections", limit, wanted)

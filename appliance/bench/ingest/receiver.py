"""The gateway's receiving half in a process of its own, as the bench measures it.

    python -m appliance.bench.ingest.receiver FOLDER [--tls CERT KEY CA] [--broker URL] [--processes N]

The same parts as `tallyman gateway`: endpoint, subscriber, CoAP, decode, rules, segments, synced
before anything is acknowledged; alarms go into a signed journal. Says "ready" and its ports as JSON;
when it is ended, what it took and how long alarms took, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket as sockets
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import uvloop

from appliance.bench.facts import percentile, rss_mb
from appliance.bench.ingest.front import opened
from appliance.bench.ingest.site import catalogue, fence
from appliance.gateway.alarms import JournalSink
from appliance.gateway.fronts import reserve
from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from contracts.clock import SystemClock
from contracts.telemetry import AlarmChange, AlarmChanged
from telemetry.coap.endpoint import CoapEndpoint
from telemetry.ingest.intake import Intake
from telemetry.ingest.tuning import prepare_process
from telemetry.mqtt.endpoint import Endpoint
from telemetry.now import system_us
from telemetry.relay.back import Relay
from telemetry.relay.serving import listen
from telemetry.subscriber.subscriber import BrokerLink, Subscriber
from telemetry.watching.engine import Engine

_START_S = 20.0


class Listening(msgspec.Struct):
    """The line that a receiver says when it is ready."""

    mqtt: int
    mqtts: int
    coap: int


class Report(msgspec.Struct):
    """The last line of a receiver."""

    accepted: int
    duplicates: int
    quarantined: int
    commits: int
    sync_p50_us: float
    alarms: int
    alarm_p50_ms: float
    alarm_p99_ms: float
    rss_mb: float


class _Timed:
    """The journal, and how old each alarm's reading was when the alarm stood in it."""

    def __init__(self, sink: JournalSink) -> None:
        self._sink = sink
        self.waited_ms: list[float] = []

    async def tell(self, changes: Sequence[AlarmChanged]) -> None:
        await self._sink.tell(changes)
        now = system_us()
        self.waited_ms += [
            (now - each.since_us) / 1000 for each in changes if each.change is AlarmChange.RAISED
        ]


async def receive(folder: Path, tls: Sequence[str] | None, broker: str, processes: int = 0) -> None:
    """Until SIGTERM. `processes`: so many endpoint processes before the durable path; 0: none."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    identity = DeviceIdentity.open_or_create(folder / "identity", "bench-gateway")
    with Journal.open(folder / "journal.db", identity=identity, clock=SystemClock()) as journal:
        sink = _Timed(await JournalSink.open(journal))
        known = catalogue()
        engine = Engine((fence(),), book=known.series, now_us=system_us())
        intake = Intake(folder, catalogue=known, engine=engine, sink=sink)
        await intake.start()
        papers = dict(zip(("certificate", "key", "ca"), tls or (), strict=False))
        fronts = _Fronts(intake, papers, folder / "endpoints.sock")
        endpoint: Endpoint | None = None
        if processes:
            plain, secure = await fronts.start(processes)
        else:
            endpoint, plain, secure = await opened(intake, papers, shared=False)
        coap = CoapEndpoint(intake)
        coap.open("127.0.0.1", 0)
        following = _follow(intake, broker, plain, secure, coap.address[1]) if broker else None
        prepare_process()
        if following is None:
            _say(Listening(plain, secure, coap.address[1]))
        await stop.wait()
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        if endpoint is not None:
            await endpoint.stop()
        await fronts.stop()
        coap.close()
        await intake.stop()
        counts = intake.counts
        _say(
            Report(
                accepted=counts.accepted,
                duplicates=counts.duplicates,
                quarantined=sum(counts.quarantined.values()),
                commits=counts.commits,
                sync_p50_us=round(counts.sync_s / max(counts.commits, 1) * 1e6, 1),
                alarms=len(sink.waited_ms),
                alarm_p50_ms=round(percentile(sink.waited_ms, 50), 2),
                alarm_p99_ms=round(percentile(sink.waited_ms, 99), 2),
                rss_mb=round(rss_mb(), 1),
            )
        )


class _Fronts:
    """Endpoint processes, as many as wanted."""

    def __init__(self, intake: Intake, papers: dict[str, str], socket: Path) -> None:
        self._relay = Relay(intake, now_us=system_us, papers=papers)
        self._socket = socket
        self._held: list[sockets.socket] = []
        self._children: list[asyncio.subprocess.Process] = []

    async def start(self, processes: int) -> tuple[int, int]:
        """Their ports, without and with TLS, when all are open."""
        for name in ("mqtt", "mqtts"):
            held = reserve("127.0.0.1", 0)
            self._held.append(held)
            self._relay.papers[name] = str(held.getsockname()[1])
        await listen(self._relay, self._socket)
        module = ("-m", "appliance.bench.ingest.front", str(self._socket))
        for _ in range(processes):
            self._children.append(await asyncio.create_subprocess_exec(sys.executable, *module))
        async with asyncio.timeout(_START_S):
            await self._relay.until_open(processes)
        return int(self._relay.papers["mqtt"]), int(self._relay.papers["mqtts"])

    async def stop(self) -> None:
        for child in self._children:
            child.terminate()
        for child in self._children:
            await child.wait()


def _follow(intake: Intake, broker: str, plain: int, secure: int, coap: int) -> asyncio.Task[None]:
    at = urlsplit(broker)
    link = BrokerLink(at.hostname or "127.0.0.1", at.port or 1883, "bench-gateway", ("sensors/#",))
    subscriber = Subscriber(intake, link)

    def changed() -> None:
        if subscriber.connected:
            _say(Listening(plain, secure, coap))

    subscriber.on_change = changed
    return asyncio.create_task(subscriber.run())


def _say(what: msgspec.Struct) -> None:
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="receiver", allow_abbrev=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tls", nargs=3, metavar=("CERTIFICATE", "KEY", "CA"))
    parser.add_argument("--broker", default="")
    parser.add_argument("--processes", type=int, default=0)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    uvloop.run(receive(given.folder, given.tls, given.broker, given.processes))


if __name__ == "__main__":
    main()

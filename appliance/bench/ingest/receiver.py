"""The gateway's receiving half in a process of its own, as the bench measures it.

    python -m appliance.bench.ingest.receiver FOLDER [--tls CERT KEY CA] [--broker URL]

The same parts as `tallyman gateway`: endpoint, subscriber, CoAP, decode, rules, segments, synced
before anything is acknowledged; alarms go into a signed journal. Says "ready" and its ports as JSON;
when it is ended, what it took and how long alarms took, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import uvloop

from appliance.bench.facts import percentile, rss_mb
from appliance.bench.ingest.site import catalogue, fence, server_context
from appliance.gateway.alarms import JournalSink
from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from contracts.clock import SystemClock
from contracts.telemetry import AlarmChange, AlarmChanged
from telemetry.coap.endpoint import CoapEndpoint
from telemetry.ingest.intake import Intake
from telemetry.ingest.tuning import prepare_process
from telemetry.mqtt.endpoint import Endpoint
from telemetry.now import system_us
from telemetry.ports import Admission, Caller
from telemetry.subscriber.subscriber import BrokerLink, Subscriber
from telemetry.watching.engine import Engine


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


class _Anybody:
    async def admit(self, caller: Caller) -> Admission:
        return Admission(caller.common_name or caller.client_id, ("sensors/#",))


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


async def receive(folder: Path, tls: Sequence[str] | None, broker: str) -> None:
    """Until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    identity = DeviceIdentity.open_or_create(folder / "identity", "bench-gateway")
    with Journal.open(folder / "journal.db", identity=identity, clock=SystemClock()) as journal:
        sink = _Timed(await JournalSink.open(journal))
        known = catalogue()
        engine = Engine((fence(),), book=known.series, now_us=system_us())
        intake = Intake(folder, catalogue=known, engine=engine, sink=sink)
        await intake.start()
        endpoint = Endpoint(intake, _Anybody())
        plain = await endpoint.listen("127.0.0.1", 0)
        secure = 0
        if tls:
            context = server_context(*(Path(each) for each in tls))
            secure = await endpoint.listen("127.0.0.1", 0, context)
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
        await endpoint.stop()
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
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    uvloop.run(receive(given.folder, given.tls, given.broker))


if __name__ == "__main__":
    main()

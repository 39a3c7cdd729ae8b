"""Our own receiving half under load: straight to it, over TLS, through a broker, and to an alarm."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from appliance.bench.facts import median
from appliance.bench.ingest.load import LoadReport, generate
from appliance.bench.ingest.load_worker import Load
from appliance.bench.ingest.processes import (
    Started,
    cpu_s,
    family_cpu_s,
    mosquitto,
    started,
)
from appliance.bench.ingest.publish import publisher
from appliance.bench.ingest.receiver import Listening, Report
from appliance.bench.ingest.site import Certificates
from appliance.bench.ingest.stream import SENSORS
from contracts.errors import UnavailableError
from telemetry.segments.files import Position
from telemetry.segments.reading import read_groups

_START_S = 30.0
_LOOK_S = 0.01
_WITHIN_S = 180.0
_ALARM_CONNECTIONS = 40
_ALARM_ROWS = 20


@dataclass(frozen=True, slots=True)
class Direct:
    """Medians of the rounds, and of all of them: what lies on the disk against what was acknowledged."""

    connections: int
    processes: int
    """Endpoint processes before the durable path; 0: in its own."""
    rows: int
    window: int
    tls: bool
    durable_rate_per_s: float
    rounds_per_s: tuple[float, ...]
    cpu_us_per_message: float
    generator_us_per_message: float
    puback_p50_ms: float
    acknowledged: int
    on_disk: int
    lost: int
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Alarms:
    """From the time that a reading tells to its alarm in the gateway's signed journal."""

    offered_per_s: float
    acknowledged_per_s: float
    alarms: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Behind:
    """Behind a Mosquitto: ours, and a subscriber that only counts and acknowledges, in turns."""

    rate_per_s: float
    bare_rate_per_s: float
    share: float
    cpu_us_per_message: float
    bare_cpu_us_per_message: float


@dataclass(slots=True)
class Receiver:
    """A running receiver, and after the block what it says of itself."""

    child: Started
    ports: Listening
    folder: Path
    report: Report | None = None

    @property
    def told(self) -> Report:
        """Raises UnavailableError where it ended without a word."""
        if self.report is None:
            raise UnavailableError("The receiver has not ended", mend="Read its log")
        return self.report


@contextmanager
def receiver(
    folder: Path,
    *,
    certificates: Certificates | None = None,
    broker: str = "",
    processes: int = 0,
) -> Iterator[Receiver]:
    """Our receiving half until the block ends, with its data in `folder`."""
    command = [sys.executable, "-m", "appliance.bench.ingest.receiver", str(folder)]
    command += ["--processes", str(processes)]
    if certificates is not None:
        files = (certificates.server_certificate, certificates.server_key, certificates.ca)
        command += ["--tls", *(str(each) for each in files)]
    if broker:
        command += ["--broker", broker]
    folder.mkdir(parents=True)
    with started(command, folder.parent, folder.name) as child:
        found = Receiver(child, msgspec.json.decode(_line(child, 0), type=Listening), folder)
        yield found
    found.report = msgspec.json.decode(_line(child, -1), type=Report)


def _line(child: Started, at: int) -> str:
    until = time.monotonic() + _START_S
    while True:
        lines = child.said.read_text(encoding="utf-8").splitlines()
        if lines and lines[at].startswith("{"):
            return lines[at]
        if child.process.poll() not in (None, 0) or time.monotonic() > until:
            raise UnavailableError(
                f"The receiver did not come up: {' '.join(lines)[-1000:]}", mend="Read its log"
            )
        time.sleep(_LOOK_S)


def direct(
    folder: Path,
    *,
    connections: int,
    rows: int,
    window: int,
    seconds: float,
    rounds: int,
    processes: int = 0,
    certificates: Certificates | None = None,
) -> Direct:
    """QoS 1, each PUBACK after the disk. `rows` messages leave a connection in one write, `window`
    of them may wait for their acknowledgement. Each round has a receiver and a folder of its own, and
    `processes` endpoint processes before it; 0: its own does that.
    """
    reports, told, spent, on_disk = list[LoadReport](), list[Report](), list[float](), 0
    for at in range(rounds):
        place = folder / f"round-{at}"
        with receiver(place, certificates=certificates, processes=processes) as ours:
            port = ours.ports.mqtts if certificates is not None else ours.ports.mqtt
            load = _load(port, rows, window, seconds, certificates)
            before = family_cpu_s(ours.child.pid)
            reports.append(
                generate(load, connections=connections, sensors=max(SENSORS, connections))
            )
            spent.append((family_cpu_s(ours.child.pid) - before) / reports[-1].acked * 1e6)
        told.append(ours.told)
        on_disk += sum(len(group.messages) for group in read_groups(place / "readings", None))
        # A round leaves a gigabyte and more behind.
        shutil.rmtree(place)
    acknowledged = sum(each.acked for each in reports)
    return Direct(
        connections=connections,
        processes=processes,
        rows=rows,
        window=window,
        tls=certificates is not None,
        durable_rate_per_s=median([each.acked_per_s for each in reports]),
        rounds_per_s=tuple(each.acked_per_s for each in reports),
        cpu_us_per_message=round(median(spent), 3),
        generator_us_per_message=median([each.generator_us_per_message for each in reports]),
        puback_p50_ms=median([each.median_ms for each in reports]),
        acknowledged=acknowledged,
        on_disk=on_disk,
        lost=max(0, acknowledged - on_disk),
        rss_mb=max(each.rss_mb for each in told),
    )


def alarms(folder: Path, *, rate: float, seconds: float) -> Alarms:
    """So many readings a second over forty connections, one in a thousand beyond its fence.

    A window of one write: what leaves was built a moment before, so its time is that of its sending.
    """
    with receiver(folder) as ours:
        load = replace(_load(ours.ports.mqtt, _ALARM_ROWS, _ALARM_ROWS, seconds, None), rate=rate)
        report = generate(load, connections=_ALARM_CONNECTIONS)
    told = ours.told
    return Alarms(rate, report.acked_per_s, told.alarms, told.alarm_p50_ms, told.alarm_p99_ms)


def behind_a_broker(folder: Path, *, count: int, rounds: int) -> Behind:
    """The same stream through the same kind of broker, ours and the bare subscriber in turns.

    Every receiver has a broker of its own, so that none takes the other's messages.
    """
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    spent: dict[str, list[float]] = {"ours": [], "bare": []}
    for at in range(rounds):
        for name in ("ours", "bare") if at % 2 else ("bare", "ours"):
            place = folder / f"{name}-{at}"
            place.mkdir(parents=True)
            with mosquitto(place) as (url, _), _subscribed(name, place, url, count) as child:
                before, began = cpu_s(child.pid), time.monotonic()
                with publisher(url) as sends:
                    sends.send(count)
                    _all_in(name, place, child, count)
                rates[name].append(count / (time.monotonic() - began))
                spent[name].append((cpu_s(child.pid) - before) / count * 1e6)
            shutil.rmtree(place)
    mine, bare = median(rates["ours"]), median(rates["bare"])
    return Behind(
        rate_per_s=round(mine),
        bare_rate_per_s=round(bare),
        share=round(mine / bare, 3),
        cpu_us_per_message=round(median(spent["ours"]), 2),
        bare_cpu_us_per_message=round(median(spent["bare"]), 2),
    )


@contextmanager
def _subscribed(name: str, place: Path, url: str, count: int) -> Iterator[Started]:
    if name == "ours":
        with receiver(place / "gateway", broker=url) as ours:
            yield ours.child
        return
    module = [sys.executable, "-m", "appliance.bench.ingest.bare_subscriber", url, str(count)]
    with started(module, place, "bare") as child:
        child.wait_for("ready")
        yield child


def _all_in(name: str, place: Path, child: Started, count: int) -> None:
    """Until every message is on the disk (ours), or was counted and acknowledged (bare)."""
    if name == "bare":
        child.wait_for(f"seen {count}", within_s=_WITHIN_S)
        return
    segments, until = place / "gateway" / "readings", time.monotonic() + _WITHIN_S
    after: Position | None = None
    found = 0
    while found < count:
        for group in read_groups(segments, after):
            found += len(group.messages)
            after = group.position
        if time.monotonic() > until:
            raise UnavailableError(
                f"Only {found} of {count} readings came through the broker", mend="Read its log"
            )
        time.sleep(_LOOK_S)


def _load(
    port: int, rows: int, window: int, seconds: float, certificates: Certificates | None
) -> Load:
    if certificates is None:
        return Load("127.0.0.1", port, (), rows, window, seconds)
    return Load(
        "127.0.0.1",
        port,
        (),
        rows,
        window,
        seconds,
        ca=str(certificates.ca),
        certificate=str(certificates.certificate),
        key=str(certificates.key),
    )

"""`tallyman bench station`: from a carton's frames to the durable verdict and the hold in the core.

Real parts on one machine: both engines, journal and evidence on disk, uplink over TLS to a hub in a
process of its own, its core on SQLite. Each carton freezes a batch of its own, of which as many were
defective before it as that takes; the clock runs from the decoded frames until another process (this
one, asking the core's database) sees the hold.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import track

from appliance.bench import facts
from appliance.bench.dock import BenchCarton, bench_asn, bench_cartons, good_pictures
from appliance.cameras.frame import Frame, make_frame
from appliance.cartons.view import CartonView
from appliance.config import Config, EdgeConfig, ReaderConfig, SiteConfig
from appliance.demo.run import HubApi
from appliance.demo.samples import asn_csv
from appliance.demo.story import COOKIES
from appliance.engines import load_engines
from appliance.evidence import EvidenceStore
from appliance.goods import needed_to_freeze
from appliance.hub_config import HubConfig
from appliance.identity.device import DeviceIdentity
from appliance.identity.introduce import introduce
from appliance.journal.journal import Journal
from appliance.judge import JudgePolicy
from appliance.profiles import ProfileFolder
from appliance.sensor_config import GatewayConfig
from appliance.services.address import free_address
from appliance.station import Station
from appliance.station_parts import OneOfEach, StationParts
from appliance.station_pictures import INSPECT, LABEL
from appliance.up import everything
from appliance.uplink.sender import Uplink
from contracts.clock import SystemClock
from contracts.errors import UnavailableError
from erp_link.service.core import Core
from vision.frames import decode_frame

_VISIBLE_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.002
_GOOD = 64


@dataclass(frozen=True, slots=True)
class StationFigures:
    """Times in milliseconds over `cartons` cartons, after `warm` more that are not counted."""

    cartons: int
    warm: int
    seed: int
    frame_to_verdict_p50_ms: float
    frame_to_verdict_p95_ms: float
    frame_to_hold_p50_ms: float
    frame_to_hold_p95_ms: float
    journal_commit_p50_ms: float
    journal_commit_p95_ms: float
    station_cold_start_s: float
    """From starting the edge's process until its page answers: engines, journal, enrolment."""
    engines_load_s: float
    rss_mb: float
    idle_rss_mb: float
    """Everything that `tallyman up` starts, idle, the supervisor (here this bench) left out."""
    not_held: int
    machine: str
    commit: str
    model_set: str
    peers: dict[str, float]


async def measure(*, cartons: int, warm: int, seed: int, threads: int) -> StationFigures:
    """Run the bench in a folder of its own on free ports. Raises UnavailableError."""
    with tempfile.TemporaryDirectory(prefix="tallyman-bench-") as folder:
        return await _measure(Path(folder), cartons, warm, seed, threads)


async def _measure(
    folder: Path, cartons: int, warm: int, seed: int, threads: int
) -> StationFigures:
    clock = SystemClock()
    config = _config(folder, threads)
    asn = bench_asn(cartons + warm, datetime.now(UTC).date(), number="BENCH")
    pictures = await asyncio.to_thread(bench_cartons, asn, seed=seed)
    console = Console(stderr=True)
    cold_start_s, idle_mb = await _cold(config, folder)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(everything(config))
        # The edge of this bench is this process: it uses the identity that `up` introduced.
        identity = DeviceIdentity.open_or_create(running.layout.identity, config.edge.device)
        edge = replace(
            config.edge, enrolment=str(running.layout.enrolment), hub_url=running.hub_url
        )
        await introduce(
            identity, hub_url=edge.hub_url, claim_file=edge.enrolment, setting="edge.enrolment"
        )
        began = time.perf_counter()
        engines = await asyncio.to_thread(load_engines, threads, ReaderConfig())
        engines_load_s = time.perf_counter() - began
        reader, inspector = engines.reader, engines.inspectors
        profile = await asyncio.to_thread(
            inspector.newest.enrol, good_pictures(_GOOD, seed=seed + 1), product=COOKIES.gtin
        )
        profiles = ProfileFolder(running.layout.profiles)
        await asyncio.to_thread(profiles.keep, profile)
        await asyncio.to_thread(profile.save, profiles.path(COOKIES.gtin))
        journal = stack.enter_context(
            Journal.open(running.layout.journal, identity=identity, clock=clock)
        )
        evidence = EvidenceStore(running.layout.edge_evidence)
        uplink = Uplink(
            journal, evidence, running.hub_url, identity, folder=running.layout.uplink, clock=clock
        )
        sending = asyncio.create_task(uplink.run())
        stack.callback(sending.cancel)
        api = HubApi(running.pages_url, running.api_token)
        stack.push_async_callback(api.close)
        await api.announce("BENCH", asn_csv(asn).encode(), dock=edge.station)
        await _until_expected(uplink, len(asn.lines))
        station = Station(
            edge.station,
            StationParts(
                sets=OneOfEach(reader, inspector),
                profiles=profiles,
                expectations=lambda: uplink.expectations,
                journal=journal,
                evidence=evidence,
                lane=None,
                policy=JudgePolicy(),
                time_zone=ZoneInfo(config.site.time_zone),
            ),
        )
        core = Core(config.database_url, clock=clock)
        stack.callback(core.close)
        needed = needed_to_freeze(profile, 1, JudgePolicy().freeze_percent)
        before = needed - 1 if needed else 0
        verdicts: list[float] = []
        holds: list[float] = []
        not_held = 0
        for index, carton in enumerate(
            track(pictures, description="cartons", console=console, transient=True)
        ):
            for number in range(before):
                await station.judge_carton(_view(carton, f"{index:04d}-{number}", clock))
            verdict_ms, hold_ms = await _one(station, core, carton, index, clock)
            if index < warm:
                station.commit_ms.clear()
                continue
            if hold_ms is None:
                not_held += 1
                continue
            verdicts.append(verdict_ms)
            holds.append(hold_ms)
        return StationFigures(
            cartons=len(holds),
            warm=warm,
            seed=seed,
            frame_to_verdict_p50_ms=round(facts.median(verdicts), 1),
            frame_to_verdict_p95_ms=round(facts.percentile(verdicts, 95), 1),
            frame_to_hold_p50_ms=round(facts.median(holds), 1),
            frame_to_hold_p95_ms=round(facts.percentile(holds, 95), 1),
            journal_commit_p50_ms=round(facts.median(list(station.commit_ms)), 2),
            journal_commit_p95_ms=round(facts.percentile(list(station.commit_ms), 95), 2),
            station_cold_start_s=round(cold_start_s, 2),
            engines_load_s=round(engines_load_s, 2),
            rss_mb=round(facts.peak_rss_mb()),
            idle_rss_mb=round(idle_mb),
            not_held=not_held,
            machine=facts.machine(),
            commit=facts.commit(),
            model_set=reader.model_set,
            peers={"fdatasync_ms": round(_fdatasync_ms(folder), 3)},
        )


async def _cold(config: Config, folder: Path) -> tuple[float, float]:
    """Seconds of a station's first start, and the megabytes of all that `up` started by then."""
    nothing = folder / "nothing"
    await asyncio.to_thread(nothing.mkdir)
    async with everything(config, replay=nothing) as running:
        began = time.perf_counter()
        await running.start_edge()
        cold_start_s = time.perf_counter() - began
        return cold_start_s, await asyncio.to_thread(_family_mb)


async def _one(
    station: Station, core: Core, carton: BenchCarton, index: int, clock: SystemClock
) -> tuple[float, float | None]:
    view = _view(carton, f"{index:04d}", clock)
    began = time.perf_counter()
    card = await station.judge_carton(view)
    verdict_ms = 1000 * (time.perf_counter() - began)
    if card.verdict.freezes is None:
        return verdict_ms, None
    while time.perf_counter() - began < _VISIBLE_WITHIN_S:
        held = {hold.batch for hold in await asyncio.to_thread(core.holds)}
        if card.verdict.freezes in held:
            return verdict_ms, 1000 * (time.perf_counter() - began)
        await asyncio.sleep(_LOOK_EVERY_S)
    raise UnavailableError(
        f"The hold on {carton.lot} did not reach the core in {_VISIBLE_WITHIN_S:.0f} s",
        mend="Run the bench again on a quiet machine",
    )


def _view(carton: BenchCarton, name: str, clock: SystemClock) -> CartonView:
    now = clock.now()

    def frame(camera: str, data: bytes) -> Frame:
        return make_frame(
            data, camera=camera, at=now, name=carton.lot, number=1, decode=decode_frame
        )

    frames: dict[str, tuple[Frame, ...]] = {
        LABEL: (frame(LABEL, carton.label),),
        INSPECT: (frame(INSPECT, carton.goods),),
    }
    return CartonView(f"bench-{name}", now, "trigger", frames, now)


async def _until_expected(uplink: Uplink, lines: int) -> None:
    deadline = time.perf_counter() + _VISIBLE_WITHIN_S
    while len(uplink.expectations.lines) < lines:
        if time.perf_counter() > deadline:
            raise UnavailableError("The hub does not say what is expected", mend="Run it again")
        await asyncio.sleep(0.05)


def _config(folder: Path, threads: int) -> Config:
    return Config(
        site=SiteConfig(data=str(folder), time_zone="UTC"),
        hub=HubConfig(listen=free_address(), device_listen=free_address()),
        edge=EdgeConfig(station="bench", threads=threads, listen=free_address()),
        # The bench is about the dock: no sensors beside it.
        gateway=GatewayConfig(listen=""),
    )


def _family_mb() -> float:
    """Memory of every process below this one (Linux)."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    family, grown = {os.getpid()}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    total = 0.0
    for pid in family - {os.getpid()}:
        try:
            total += facts.rss_mb(pid)
        except OSError:
            continue
    return total


def _fdatasync_ms(folder: Path) -> float:
    """What this disk asks for one small durable write: the floor under every commit."""
    times = []
    with (folder / "sync.bin").open("wb") as file:
        for _ in range(50):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            times.append(1000 * (time.perf_counter() - began))
    return facts.median(times)

"""Composition of a gateway: readings in by three doors, one durable path, alarms out to the hub.

    doors (MQTT, CoAP, a broker) -> Intake (decode, rules, segment, sync, acknowledge)
        -> alarms -> journal (signed) -> uplink -> hub
    hub -> bundle (book, templates, fences, whereabouts) -> Knowledge -> between two groups

The hub may be away for days (I6), the tailer and Valkey may be killed: what was acknowledged is on
this machine's disk (I2).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path

import structlog

from appliance.config import Config
from appliance.evidence import EvidenceStore
from appliance.fences.guard import FenceGuard
from appliance.gateway.alarms import JournalSink
from appliance.gateway.doors import open_doors
from appliance.gateway.fronts import Fronts
from appliance.gateway.knowledge import Knowledge
from appliance.gateway.room import make_room
from appliance.gateway.status import GatewayStatus, Rate
from appliance.gateway.tailer import keeping_of
from appliance.gateway.web import gateway_app
from appliance.identity.device import DeviceIdentity
from appliance.identity.introduce import introduce
from appliance.journal.journal import Journal
from appliance.journal.stamp import to_us
from appliance.layout import Layout
from appliance.services.datalock import hold
from appliance.services.process import ChildProcess, ChildSpec
from appliance.serving import Serving
from appliance.teaching.trust import TrustedKeys
from appliance.uplink.sender import Uplink
from contracts.clock import Clock, SystemClock
from contracts.errors import JournalFullError
from contracts.events import DeviceStarted
from telemetry.history.reader import History
from telemetry.ingest.intake import Intake
from telemetry.ingest.limits import Limits
from telemetry.ingest.tuning import prepare_process
from telemetry.mqtt.endpoint import Endpoint
from telemetry.watching.trials.api import watching_router

_RATE_S = 1.0
_ASK_EVERY_S = 2.5
"""No carton waits for what the hub says: twice as often as the bundle is due is enough."""
_TAILER_AGAIN_S = 5.0
_START_AGAIN_S = 10.0

log = structlog.get_logger(__name__)


async def run_gateway(
    config: Config, *, config_file: Path | None = None, clock: Clock | None = None
) -> None:
    """Run until SIGTERM. Raises BadInputError, AlreadyRunningError, UnavailableError."""
    clock = clock or SystemClock()
    layout, gateway = Layout(config.data), config.gateway

    def now_us() -> int:
        return to_us(clock.now())

    make_room(layout)
    async with AsyncExitStack() as stack:
        stack.enter_context(hold(layout.gateway))
        identity = DeviceIdentity.open_or_create(
            layout.gateway / "identity", gateway.device, serial=gateway.serial
        )
        await introduce(
            identity,
            hub_url=gateway.hub_url,
            claim_file=gateway.enrolment,
            setting="gateway.enrolment",
        )
        journal = stack.enter_context(
            Journal.open(layout.gateway / "journal.db", identity=identity, clock=clock)
        )
        guard = FenceGuard(layout.gateway / "fences", TrustedKeys(layout.gateway / "trust"))
        knowledge = await asyncio.to_thread(Knowledge, layout, identity, guard)
        sink = await JournalSink.open(journal)
        intake = Intake(
            layout.ingest,
            catalogue=knowledge.catalogue,
            engine=knowledge.begin(now_us()),
            sink=sink,
            limits=Limits(
                in_flight_bytes=gateway.in_flight_mb << 20, spare_bytes=gateway.spare_mb << 20
            ),
            now_us=now_us,
        )
        await intake.start()
        stack.push_async_callback(intake.stop)
        knowledge.watch_over(intake)
        uplink = _uplink(journal, identity, layout, gateway.hub_url, clock)
        uplink.inbox = knowledge
        doors = await open_doors(
            config,
            intake,
            ca_pem=identity.ca_pem or "",
            revoked=lambda: knowledge.bundle.revoked,
            config_file=config_file,
        )
        stack.push_async_callback(doors.close)
        history = History(layout.sensor_history, keeping_of(config.history), clock)
        stack.callback(history.close)
        rate = Rate()
        status = GatewayStatus(
            device=gateway.device,
            version=version("tallyman-appliance"),
            layout=layout,
            intake=intake,
            doors=doors,
            knowledge=knowledge,
            sink=sink,
            uplink=uplink,
            rate=rate,
            now_us=now_us,
            started_us=now_us(),
        )
        serving = Serving()
        app = gateway_app(
            status.tell,
            quarantine=layout.quarantine,
            history=history,
            open_alarms=lambda: knowledge.engine.open_alarms() if knowledge.engine else [],
            routers=(watching_router(history),),
        )
        serving.http(app, gateway.listen, where="gateway.listen")
        serving.job("started", lambda: _tell_start(journal, gateway.device))
        serving.job("uplink", uplink.run)
        serving.job("rate", lambda: _note_rate(rate, lambda: intake.counts.accepted))
        if doors.mqtt is not None:
            serving.job("revoked", partial(_turn_away, doors.mqtt, knowledge))
        if doors.subscriber is not None:
            serving.job("broker", doors.subscriber.run)
        if doors.observer is not None:
            serving.job("observed sensors", doors.observer.run)
        tailer = _tailer(layout, config_file)
        stack.push_async_callback(tailer.stop)
        serving.side_job("tailer", tailer.start, again_s=_TAILER_AGAIN_S)
        prepare_process()
        await serving.run()


def _uplink(
    journal: Journal, identity: DeviceIdentity, layout: Layout, hub_url: str, clock: Clock
) -> Uplink:
    # A gateway judges no pictures: its store of them stays empty.
    evidence = EvidenceStore(layout.gateway / "evidence")
    folder = layout.gateway / "uplink"
    return Uplink(
        journal, evidence, hub_url, identity, folder=folder, clock=clock, poll_s=_ASK_EVERY_S
    )


def _tailer(layout: Layout, config_file: Path | None) -> ChildProcess:
    """The second process: it ends with this one and is started again when it dies."""

    async def ready() -> bool:
        return True

    spec = ChildSpec(
        name="gateway-tailer",
        command=[sys.executable, "-m", "appliance", "gateway-tailer"],
        log_file=layout.logs / "gateway-tailer.log",
        ready=ready,
        env={"TALLYMAN_CONFIG": str(config_file)} if config_file else None,
    )
    return ChildProcess(spec)


async def _tell_start(journal: Journal, device: str) -> None:
    """As soon as the disk takes it: readings that wait for room must not wait for a line."""
    while True:
        try:
            await journal.append(DeviceStarted(device, version("tallyman-appliance")))
        except JournalFullError as error:
            log.warning("the start is not written down yet", why=str(error))
            await asyncio.sleep(_START_AGAIN_S)
        else:
            break
    await asyncio.Event().wait()


async def _note_rate(rate: Rate, accepted: Callable[[], int]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        rate.note(loop.time(), accepted())
        await asyncio.sleep(_RATE_S)


async def _turn_away(endpoint: Endpoint | Fronts, knowledge: Knowledge) -> None:
    """Who was revoked while it is connected."""
    while True:
        endpoint.turn_away(knowledge.bundle.revoked)
        await asyncio.sleep(_RATE_S)

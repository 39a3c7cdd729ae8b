"""Composition of an edge box: opens its parts, starts its servers and jobs, closes them in order.

Everything a station needs to judge stands on this machine; the hub, the broker and Valkey may come
and go (I6). What the box does with its parts is edge/box.py's.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack
from pathlib import Path

from appliance.accounts.session import SessionVerifier
from appliance.cartons.lane import LaneOutput
from appliance.config import Config, EdgeConfig
from appliance.edge.box import EdgeBox, EdgeParts
from appliance.edge.cameras import Eyes, open_eyes
from appliance.edge.enrolling import open_enrolling
from appliance.edge.memory import Memory
from appliance.edge.several import open_several, serve_several
from appliance.edge.web import edge_app
from appliance.evidence import EvidenceStore, keep_room
from appliance.foreign_reader import SocketPlace, paddle_process
from appliance.identity.device import DeviceIdentity
from appliance.identity.introduce import introduce
from appliance.journal.journal import Journal
from appliance.layout import Layout
from appliance.learning.folders import edge_dataset
from appliance.learning.keeper import Keeper
from appliance.learning.keeping import Privacy
from appliance.learning.making import sees
from appliance.learning.shipping import ExampleUpload
from appliance.live.connect import open_live
from appliance.outside import ConditionFolder
from appliance.pinning.desk import PinDesk
from appliance.pinning.kept import KeptPins
from appliance.pinning.open_frames import open_frames
from appliance.profiles import ProfileFolder
from appliance.services.datalock import hold
from appliance.services.mqtt import MqttBus, broker_trust
from appliance.serving import Serving
from appliance.sets.running import RunningInspector
from appliance.teaching.guard import ProfileGuard
from appliance.teaching.inbox import ProfileInbox
from appliance.teaching.pinned import PinnedProfiles
from appliance.teaching.ports import Teaches
from appliance.teaching.teacher import Teacher
from appliance.teaching.trust import TrustedKeys
from appliance.uplink.sender import Uplink
from contracts.clock import Clock, SystemClock
from vision.engine import PADDLE


async def run_edge(config: Config, *, clock: Clock | None = None) -> None:
    """Run until SIGTERM. Raises BadInputError, AlreadyRunningError, ArtefactRefusedError, and
    UnavailableError for a reader that is wanted and not installed.
    """
    clock = clock or SystemClock()
    layout, edge = Layout(config.data), config.edge
    async with AsyncExitStack() as stack:
        stack.enter_context(hold(layout.edge))
        socket: Path | None = None
        if config.reader.engine == PADDLE:
            socket = stack.enter_context(SocketPlace(layout.edge / "reader"))
        loading = asyncio.create_task(
            asyncio.to_thread(open_several, config, layout, socket, clock)
        )
        identity = DeviceIdentity.open_or_create(layout.identity, edge.device, serial=edge.serial)
        await introduce(
            identity,
            hub_url=edge.hub_url,
            claim_file=edge.enrolment,
            setting="edge.enrolment",
        )
        journal = stack.enter_context(Journal.open(layout.journal, identity=identity, clock=clock))
        evidence = EvidenceStore(layout.edge_evidence)
        live = open_live(config.live.url)
        bus: MqttBus | None = None
        if config.broker.url:
            bus = MqttBus(
                config.broker.url,
                client_id=f"tallyman-{edge.device}-{secrets.token_hex(6)}",
                tls_context=broker_trust(config.broker.authority),
            )
            await stack.enter_async_context(bus)
        dataset = edge_dataset(config)
        uplink = Uplink(
            journal,
            evidence,
            edge.hub_url,
            identity,
            folder=layout.uplink,
            clock=clock,
            station=edge.station,
            examples=ExampleUpload(
                dataset,
                bytes_per_s=1000 * config.learning.ship_kb_s,
                told=layout.edge_learning / "told.json",
            ),
        )
        lane = _lane(bus, edge, clock, stack) if bus else None
        # Cameras report to the box, which is made of them: they run only once it is there.
        eyes = open_eyes(
            edge,
            bus=bus,
            clock=clock,
            views=layout.edge / "views",
            on_change=lambda name, health: box.camera_changed(name, health),  # noqa: PLW0108 -- box is made later
        )
        trust = TrustedKeys(layout.trust)
        guard = ProfileGuard(trust, station=edge.station)
        profiles = ProfileFolder(
            Path(edge.profiles) if edge.profiles else layout.profiles, check=guard
        )
        memory = await asyncio.to_thread(Memory.open, journal, layout)
        stack.callback(memory.save)
        several = await loading
        sets, reader = several.sets, several.sets.reader
        profiles.fleet = lambda: sets.engines.profiles
        pins = PinDesk(await asyncio.to_thread(KeptPins, layout.pins), uplink)
        parts = EdgeParts(
            config=config,
            sets=sets,
            pins=pins,
            notes=several.notes,
            profiles=profiles,
            conditions=ConditionFolder(profiles.folder, check=guard),
            memory=memory,
            journal=journal,
            evidence=evidence,
            live=live,
            lane=lane,
            uplink=uplink,
            eyes=eyes,
        )
        box = EdgeBox(parts)
        await box.begin()
        inspector = RunningInspector(sets)
        teacher = await _teaching(layout, config, box, trust, inspector, uplink)
        enrolling = open_enrolling(parts, box, inspector, teacher, clock=clock)

        serving = Serving()
        app = edge_app(
            config,
            box.desk,
            live,
            evidence,
            eyes,
            teaching=teacher,
            sessions=SessionVerifier(lambda: uplink.account_facts, clock=clock),
            clock=clock,
            enrolling=enrolling,
        )
        serving.http(app, edge.listen, where="edge.listen")
        _serve_station(serving, box, uplink, eyes)
        await serve_several(serving, several, box, layout=layout, pins=pins, clock=clock)
        if socket is not None and several.paddle_models is not None:
            _serve_paddle(serving, stack, config, socket, several.paddle_models)
        keeper = Keeper(
            journal,
            evidence,
            dataset,
            sees(reader),
            seen_by=reader.model_set,
            privacy=Privacy(config.learning.keep),
            cursor=layout.edge_learning / "followed.json",
            clock=clock,
            idle=box.idle,
        )
        serving.side_job("examples", keeper.run)
        serving.side_job("learning cracks", enrolling.cracks.run)
        serving.job(
            "room for pictures",
            lambda: keep_room(
                evidence,
                days=edge.keep_pictures_days,
                free_mb=edge.free_space_mb,
                clock=clock,
                most_mb=edge.pictures_mb,
                last=lambda: open_frames(journal, pins.is_open, uplink.expectations.rejudge),
            ),
        )
        await serving.run()


async def _teaching(
    layout: Layout,
    config: Config,
    box: EdgeBox,
    trust: TrustedKeys,
    inspector: Teaches,
    uplink: Uplink,
) -> Teacher:
    """Lessons at this station, and the signed profiles that come back for them (I5, I6)."""
    parts = box.parts
    teacher = Teacher(
        config.edge.station,
        journal=parts.journal,
        evidence=parts.evidence,
        profiles=parts.profiles,
        inspector=inspector,
        folder=layout.teaching,
    )
    teacher.listen(box.tell_lesson)
    await teacher.begin()
    inbox = ProfileInbox(
        layout.uplink, teacher=teacher, trust=trust, profiles=parts.profiles.folder
    )
    inbox.pinned = PinnedProfiles(
        station=config.edge.station,
        trust=trust,
        wanted=lambda: parts.pins.profiles_asked(parts.profiles.has),
        keep=parts.profiles.keep,
    )
    await inbox.begin()
    uplink.inbox = inbox
    return teacher


def _lane(bus: MqttBus, edge: EdgeConfig, clock: Clock, stack: AsyncExitStack) -> LaneOutput:
    lane = LaneOutput(bus, station=edge.station, clock=clock, deadline_ms=edge.lane_deadline_ms)
    stack.push_async_callback(lane.close)
    return lane


def _serve_station(serving: Serving, box: EdgeBox, uplink: Uplink, eyes: Eyes) -> None:
    serving.job("uplink", uplink.run)
    serving.job("cartons", box.take_cartons)
    serving.job("judge", box.judge_cartons)
    serving.finish(box.finish)
    serving.job("places", box.follow_places)
    serving.job("pulse", box.pulse)
    for camera in eyes.cameras:
        serving.job(f"camera {camera.name}", camera.run)
    for name, work in eyes.jobs:
        serving.job(name, work)


def _serve_paddle(
    serving: Serving, stack: AsyncExitStack, config: Config, socket: Path, models: Path
) -> None:
    """It takes its time, or several tries: the page is up before, and cartons until then go to
    review.
    """
    paddle = paddle_process(
        config.reader.paddle_python,
        socket,
        models,
        threads=config.edge.threads,
        log_file=Layout(config.data).logs / "paddleocr.log",
    )
    stack.push_async_callback(paddle.stop)
    serving.side_job("paddleocr", paddle.start)

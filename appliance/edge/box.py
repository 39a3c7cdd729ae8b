"""What an edge box does with its parts: judge cartons as they come, remember, tell the live view.

The live view is a courtesy: it may be away, and nothing here waits for it (I6).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog

from appliance import __version__
from appliance.bench.facts import percentile, rss_mb
from appliance.cameras.camera import Camera
from appliance.cameras.watch import Health
from appliance.cartons.view import CartonView
from appliance.clock_sync import is_synchronised
from appliance.config import Config
from appliance.desk import CameraCard, CartonCard
from appliance.edge.cameras import Eyes
from appliance.edge.desk import StationDesk
from appliance.edge.memory import Memory
from appliance.evidence import EvidenceStore
from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from appliance.judge import JudgePolicy
from appliance.label_zpl import PRINTER_PORT, LabelPrinter, carton_zpl
from appliance.outside import ConditionFolder, OutsideJudge
from appliance.pinning.desk import PinDesk
from appliance.profiles import ProfileFolder
from appliance.pulse import EVERY_S, pulse_key
from appliance.sets.running import RunningSets
from appliance.station import Station
from appliance.station_parts import Lane, StationParts
from appliance.uplink.sender import Uplink
from contracts.errors import JournalError, JournalFullError
from contracts.events import KIND_OF, CameraChanged, CartonJudged, DeviceStarted
from contracts.ports import LiveView
from contracts.reason import Reason

# Journal entries read back at start: more than the desk remembers cartons.
_RESTORED = 600
_SESSION_WITHIN_S = 30.0
_WAITING = 4
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """The opened parts of an edge box; edge/run.py opens and closes them."""

    config: Config
    sets: RunningSets
    pins: PinDesk
    notes: tuple[Reason, ...]
    """What a person should know about the engines."""
    profiles: ProfileFolder
    conditions: ConditionFolder
    memory: Memory
    journal: Journal
    evidence: EvidenceStore
    live: LiveView
    lane: Lane | None
    uplink: Uplink
    eyes: Eyes


class EdgeBox:
    """Owns the station and its desk."""

    def __init__(self, parts: EdgeParts) -> None:
        config = parts.config
        self._parts = parts
        self._name = config.edge.station
        self._waiting: asyncio.Queue[CartonView] = asyncio.Queue()
        self._ending = False
        self.refused: Callable[[], Collection[Reason]] = tuple
        """Sets that were to run or to be tried and could not, with why."""
        self._telling: set[asyncio.Task[None]] = set()
        self.station = Station(
            self._name,
            StationParts(
                sets=parts.sets,
                pins=parts.pins,
                budget_ms=config.edge.lane_deadline_ms,
                profiles=parts.profiles,
                book=parts.memory.book.book,
                watch_for=parts.memory.watches.of,
                outside=OutsideJudge(parts.conditions, wanted=config.policy.condition),
                expectations=lambda: parts.uplink.expectations,
                journal=parts.journal,
                evidence=parts.evidence,
                lane=parts.lane,
                policy=JudgePolicy(
                    inspection_required=config.policy.inspection_required,
                    warn_days=config.policy.warn_days,
                    short_dated_days=config.policy.short_dated_days,
                    audit_one_in=config.policy.audit_one_in,
                    freeze_percent=config.policy.freeze_percent,
                ),
                time_zone=ZoneInfo(config.site.time_zone),
                clock_is_kept=is_synchronised if config.policy.clock_synchronised else lambda: True,
            ),
        )
        self.desk = StationDesk(
            self._name,
            parts.journal,
            expectations=lambda: parts.uplink.expectations,
            cameras=self._cameras,
            live_jpeg=self._live_jpeg,
            uplink=lambda: (parts.uplink.online, parts.uplink.lag),
            stopped_because=lambda: self.station.stopped_because,
            print_label=_printer(config.edge.printer),
        )

    async def begin(self) -> None:
        """Remember what was judged before, and record what runs now (I4).

        A full journal does not keep the page from coming up: the station says that it stopped.
        """
        parts = self._parts
        tail = max(0, parts.journal.head().seq - _RESTORED)
        entries = await asyncio.to_thread(parts.journal.entries, tail, _RESTORED)
        self.desk.restore(entries)
        told = parts.journal.head().seq - parts.uplink.lag
        for entry in entries:
            if entry.seq > told and entry.kind == KIND_OF[CartonJudged]:
                body = decode_body(entry.kind, entry.body)
                if isinstance(body, CartonJudged) and body.verdict.freezes is not None:
                    self.station.remember_frozen(body.verdict.freezes)
        started = DeviceStarted(
            station=self._name,
            version=__version__,
            model_sets={
                "read": parts.sets.reader.model_set,
                "inspect": parts.sets.inspector.model_set,
            },
            notes=parts.notes,
        )
        try:
            await parts.journal.append(started)
        except JournalFullError as error:
            self.station.stopped_because = str(error)

    async def take_cartons(self) -> None:
        """Take cartons as they leave; the diverter's deadline counts from then (lane.py)."""
        parts = self._parts
        judged_before = await self._judged_in_this_session() if parts.eyes.replay else set()
        async for view in parts.eyes.cartons():
            if self._ending:
                return
            if view.name and view.name in judged_before:
                continue
            if parts.lane is not None:
                parts.lane.expect(view.carton_id, left_at=view.closed_at)
            busy = self._waiting.qsize() >= _WAITING
            # A station that cannot keep up must not hoard pictures: a person looks instead.
            faults = (*view.faults, Reason("station_busy"))
            self._waiting.put_nowait(replace(view, frames={}, faults=faults) if busy else view)
            if parts.eyes.replay:
                # A replayed belt stops for the station; a real one does not.
                await self._waiting.join()

    async def judge_cartons(self) -> None:
        """Judge cartons in the order in which they left."""
        while True:
            await self._judge(await self._waiting.get())
            self._waiting.task_done()

    async def finish(self) -> None:
        """Take no more cartons and judge those that wait: called before the process ends."""
        self._ending = True
        await self._waiting.join()

    async def idle(self) -> None:
        """Return when no carton waits to be judged or is being judged."""
        await self._waiting.join()

    async def _judge(self, view: CartonView) -> None:
        try:
            card = await self.station.judge_carton(view)
        except JournalError as error:
            log.warning("carton not judged", carton=view.carton_id, error=str(error))
            await self._parts.live.publish("health", {"station": self._name, "stopped": str(error)})
            return
        self.desk.remember(card, self._parts.uplink.expectations.session)
        await self.tell(card, name=view.name)
        await self._parts.memory.keep_up()

    async def tell(self, card: CartonCard, *, name: str = "") -> None:
        """Pages ask again for what changed; the event says which carton and how it was judged."""
        await self._parts.live.publish(
            "carton",
            {
                "station": self._name,
                "carton": card.carton_id,
                "name": name,
                "decision": str(card.verdict.decision),
                "lot": card.verdict.batch.lot if card.verdict.batch else "",
                "elapsed_ms": round(card.elapsed_ms),
                "at": card.at.isoformat(),
            },
        )

    @property
    def parts(self) -> EdgeParts:
        return self._parts

    async def tell_lesson(self, gtin: str) -> None:
        """Something was taught, taken back or signed: pages ask again."""
        await self._parts.live.publish("lesson", {"station": self._name, "gtin": gtin})

    async def follow_places(self) -> None:
        """Show the slot that the core has given a carton."""
        async for event in self._parts.live.events(["transport"]):
            load, target = event.data.get("load"), event.data.get("target")
            if isinstance(load, str) and isinstance(target, str):
                self.desk.place(load, target)

    async def pulse(self) -> None:
        """Leave this box's figures in the live view, for the health page."""
        parts = self._parts
        while True:
            await parts.live.set_last(
                pulse_key(parts.config.edge.device),
                {
                    "at": datetime.now(UTC).isoformat(),
                    "rss_mb": round(rss_mb()),
                    "commit_p95_ms": round(percentile(list(self.station.commit_ms), 95), 1),
                    "lag": parts.uplink.lag,
                    "trouble": parts.uplink.trouble,
                    "stopped": self.station.stopped_because,
                    "notes": [
                        {"code": each.code, "params": each.params}
                        for each in (*parts.notes, *self.refused())
                    ],
                },
            )
            await asyncio.sleep(EVERY_S)

    def camera_changed(self, camera: str, health: Health) -> None:
        """Into the journal and to the pages; called on the loop when a camera's state changes."""
        task = asyncio.create_task(self._record_camera(camera, health))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _record_camera(self, camera: str, health: Health) -> None:
        state = str(health.state)
        try:
            await self._parts.journal.append(
                CameraChanged(self._name, camera, state, health.detail)
            )
        except JournalError as error:
            log.warning("camera change not recorded", camera=camera, error=str(error))
        await self._parts.live.publish(
            "camera", {"station": self._name, "camera": camera, "state": state}
        )

    async def _judged_in_this_session(self) -> set[str]:
        """A replay that was cut off goes on where it stopped, so that nothing counts twice (I2).

        It waits for the hub's word on what is expected; without one it begins with what is known.
        """
        deadline = time.monotonic() + _SESSION_WITHIN_S
        uplink = self._parts.uplink
        while not (uplink.online and uplink.expectations.session) and time.monotonic() < deadline:  # noqa: ASYNC110 -- two states, no event for both
            await asyncio.sleep(0.05)
        return await asyncio.to_thread(self._names_judged, uplink.expectations.session)

    def _names_judged(self, session: str | None) -> set[str]:
        """Names of the cartons judged in `session`, read back to where another session ends."""
        names: set[str] = set()
        before = self._parts.journal.head().seq
        while before > 0:
            after = max(0, before - _RESTORED)
            for entry in self._parts.journal.entries(after, before - after):
                if entry.kind != KIND_OF[CartonJudged]:
                    continue
                body = decode_body(entry.kind, entry.body)
                if isinstance(body, CartonJudged) and body.session == session:
                    names.add(body.name)
                else:
                    after = 0
            before = after
        return names - {""}

    def _cameras(self) -> tuple[CameraCard, ...]:
        return tuple(_card(camera) for camera in self._parts.eyes.cameras)

    def _live_jpeg(self, name: str) -> bytes | None:
        for camera in self._parts.eyes.cameras:
            if camera.name == name:
                frame = camera.latest()
                return frame.jpeg if frame else None
        return self._parts.eyes.last_picture(name)


def _card(camera: Camera) -> CameraCard:
    return CameraCard(camera.name, str(camera.state), camera.health.detail, camera.age_s)


def _printer(address: str) -> Callable[[CartonCard], Awaitable[None]] | None:
    if not address:
        return None
    host, _, port = address.rpartition(":")
    printer = LabelPrinter(host or address, int(port) if host else PRINTER_PORT)

    async def print_label(card: CartonCard) -> None:
        await printer.print(carton_zpl(card))

    return print_label

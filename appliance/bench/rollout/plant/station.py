"""A light station: real journal, evidence, pins and rules, and one small real network in place of reader
and inspector. It follows what the agent says, tells what really runs, judges again what the hub asks.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.bench.rollout.plant.network import LANE, USE, LightNetwork, installed
from appliance.evidence import EvidenceStore
from appliance.journal.journal import Journal
from appliance.journal.stamp import to_us
from appliance.pinning.desk import PinDesk
from appliance.uplink.sender import Uplink
from contracts.clock import Clock
from contracts.errors import TallymanError
from contracts.events import CartonJudged, CartonRejudged, ModelSetsActivated, ShadowJudged
from contracts.inspection import InspectDecision, Inspection
from contracts.judging import RejudgeTask, Watermark
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence
from contracts.verdict import Decision, Verdict
from ota.agent.files import Files
from ota.agent.handover import (
    Active,
    LaneRunning,
    Running,
    held_folder,
    read_active,
    write_running,
)
from ota.judging.station import Course, Way, decide, rejudge

VARIANT = "onnxruntime-cpu"
_LOOK_S = 0.25
_LOT_S = 10
"""So long a lot is received before the next one comes."""
_SEEN = (Reason("defect_seen", {"score": 0.9}),)


@dataclass(slots=True)
class LightStation:
    """Start `run`; `frames` are pictures of goods, `threshold` the score from which one is bad."""

    name: str
    files: Files
    sets: Path
    journal: Journal
    evidence: EvidenceStore
    uplink: Uplink
    pins: PinDesk
    clock: Clock
    frames: Sequence[bytes]
    threshold: float
    gap_s: float
    draw: random.Random
    _digest: str = ""
    _own: str = ""
    _networks: dict[str, LightNetwork] = field(default_factory=dict)
    _active: Active = field(default_factory=Active)
    _refused: dict[str, Reason] = field(default_factory=dict)
    _lane: LaneRunning = field(default_factory=lambda: LaneRunning("", VARIANT))
    _boot: str = field(default_factory=lambda: secrets.token_hex(6))
    _cartons: int = 0
    _done: set[tuple[str, int]] = field(default_factory=set)

    async def run(self) -> None:
        """Until cancelled."""
        base = await asyncio.to_thread(installed)
        self._own = base.digest
        self._networks[self._own] = await asyncio.to_thread(LightNetwork, base.folder)
        await self._follow(read_active(self.files), why="start")
        async with asyncio.TaskGroup() as jobs:
            jobs.create_task(self._agent())
            jobs.create_task(self._goods())
            jobs.create_task(self._again())
            jobs.create_task(self.pins.settle())

    # What the agent says, and what it is told

    async def _agent(self) -> None:
        while True:
            active = await asyncio.to_thread(read_active, self.files)
            if active.change != self._active.change:
                await self._follow(active, why=_why(active))
            await self._tell()
            await asyncio.sleep(_LOOK_S)

    async def _follow(self, active: Active, *, why: str) -> None:
        wanted = active.digest(LANE) or self._own
        before, self._refused = self._digest, {}
        try:
            await asyncio.to_thread(self._network, wanted)
        except Exception as error:  # noqa: BLE001 -- whatever a set does to its engine, the one before runs
            self._refused[wanted] = Reason("set_not_loaded", {"why": str(error)[:200]})
            wanted = before or self._own
        if wanted != before:
            self._digest = wanted
            now_us = to_us(self.clock.now())
            self._lane = LaneRunning(wanted, VARIANT, since_us=now_us)
            body = ModelSetsActivated(
                self.name,
                {LANE: before} if before else {},
                {LANE: wanted},
                {LANE: VARIANT},
                why,
                active.epoch,
                active.sequence,
                active.lanes[LANE].rollout if LANE in active.lanes else "",
            )
            await self.journal.append(body)
        self._active = active
        await self._tell()

    async def _tell(self) -> None:
        self.pins.learn(self.uplink.expectations)
        running = Running(
            at_us=to_us(self.clock.now()),
            boot=self._boot,
            change=self._active.change,
            lanes={LANE: self._lane},
            refused=self._refused,
            open_pins=self.pins.open_sets(),
        )
        await asyncio.to_thread(write_running, self.files, running)

    def _has(self, digest: str) -> bool:
        return digest == self._own or (self.sets / held_folder(digest)).is_dir()

    def _network(self, digest: str) -> LightNetwork:
        if digest not in self._networks:
            self._networks[digest] = LightNetwork(self.sets / held_folder(digest))
        return self._networks[digest]

    # Goods

    async def _goods(self) -> None:
        while True:
            if self.uplink.expectations.session is not None:
                await self._carton()
            await asyncio.sleep(self.gap_s * self.draw.uniform(0.5, 1.5))

    async def _carton(self) -> None:
        expected = self.uplink.expectations
        self.pins.learn(expected)
        self._cartons += 1
        # Deliveries come one after the other to all stations of a cell.
        at = int(self.clock.now().timestamp()) // _LOT_S % len(expected.lines)
        line = expected.lines[at].line
        carton, frame = f"{self._boot}-{self._cartons}", self.draw.choice(self.frames)
        course = await self._course(line.key)
        digest = course.parts.get(USE, "")
        said = await self._look(digest, frame) if digest else InspectDecision.REVIEW
        await self._record(carton, line.number, line.key, frame, course, said)
        self._lane = replace(self._lane, cartons=self._lane.cartons + 1)
        if digest == self._digest:
            await self._beside(carton, frame, said)

    async def _course(self, batch: BatchKey) -> Course:
        running = {USE: self._digest}
        course = decide(batch, self.pins.book, running, self._has, may_ask=self.pins.may_ask)
        if course.way is Way.ASK:
            await self.pins.ask(batch, running)
            course = decide(batch, self.pins.book, running, self._has, may_ask=False)
        alone = course.way is Way.PROVISIONAL
        await self.pins.begin(batch, course.parts if alone else None)
        return course

    async def _look(self, digest: str, frame: bytes) -> InspectDecision:
        network = await asyncio.to_thread(self._network, digest)
        score = await asyncio.to_thread(network.score, frame)
        return InspectDecision.DEFECT if score > self.threshold else InspectDecision.PASS

    async def _record(
        self,
        carton: str,
        line: int,
        batch: BatchKey,
        frame: bytes,
        course: Course,
        said: InspectDecision,
    ) -> None:
        sha256 = await asyncio.to_thread(self.evidence.put, frame)
        decision = {
            InspectDecision.PASS: Decision.ACCEPT,
            InspectDecision.DEFECT: Decision.HOLD,
            InspectDecision.REVIEW: Decision.REVIEW,
        }[said]
        digest = course.parts.get(USE, "")
        body = CartonJudged(
            carton_id=carton,
            station=self.name,
            session=self.uplink.expectations.session,
            opened_at=self.clock.now(),
            opened_by="replay",
            verdict=Verdict(decision, course.reasons or _SEEN, batch=batch, asn_line=line),
            reading=None,
            inspection=_inspection(sha256, said, digest) if digest else None,
            evidence=(Evidence("inspect", sha256, camera="inspect"),),
            model_sets={USE: digest} if digest else {},
            variant=VARIANT,
            under=course.under,
        )
        await self.journal.append(body)

    async def _beside(self, carton: str, frame: bytes, stood: InspectDecision) -> None:
        """Candidates, or the set before one, on the same frame."""
        for each in self._active.shadow:
            digest = each.model_set or self._own
            if each.lane != LANE or not self._has(digest):
                continue
            said = await self._look(digest, frame)
            body = ShadowJudged(
                station=self.name,
                carton_id=carton,
                rollout=each.rollout,
                lane=each.lane,
                model_set=each.model_set,
                running=self._digest,
                said=str(said),
                stood=str(stood),
                harmful=said is not stood,
                late=False,
            )
            await self.journal.append(body)

    # What the hub wants judged again

    async def _again(self) -> None:
        while True:
            for task in self.uplink.expectations.rejudge:
                if (task.carton_id, task.pin.generation) not in self._done:
                    await self._judge_again(task)
            await asyncio.sleep(_LOOK_S)

    async def _judge_again(self, task: RejudgeTask) -> None:
        frame = await asyncio.to_thread(self.evidence.get, task.picture)
        course = rejudge(task, self._has, frame_kept=frame is not None)
        if course.way is Way.REVIEW and frame is not None:
            return  # the set is on its way
        said, digest = InspectDecision.REVIEW, course.parts.get(USE, "")
        try:
            if frame is not None:
                said = await self._look(digest, frame)
        except TallymanError:
            return
        body = CartonRejudged(
            carton_id=task.carton_id,
            station=self.name,
            batch=task.pin.batch,
            under=course.under or Watermark(task.pin.judge, task.pin.generation),
            decision=said,
            reasons=course.reasons or _SEEN,
            inspection=_inspection(task.picture, said, digest) if frame is not None else None,
            picture=task.picture,
            model_sets={USE: digest} if digest else {},
            variant=VARIANT,
        )
        await self.journal.append(body)
        self._done.add((task.carton_id, task.pin.generation))


def _inspection(image: str, said: InspectDecision, digest: str) -> Inspection:
    return Inspection(
        image=image,
        score=0.0,
        threshold=0.5,
        decision=said,
        reasons=_SEEN,
        regions=(),
        model_set=digest,
        elapsed_ms=0.0,
    )


def _why(active: Active) -> str:
    words = {"ota_returned": "returned", "ota_stopped": "stopped"}
    return words.get(active.why.code, "assignment")

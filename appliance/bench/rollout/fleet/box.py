"""A box of the fleet: the real agent over a disk that loses power, and an edge that follows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from appliance.bench.rollout.fleet.hub import LANE_OF_SETS, FleetHub
from appliance.bench.rollout.world.account import Account
from appliance.bench.rollout.world.agenda import MINUTE_US, SECOND_US, Agenda
from appliance.bench.rollout.world.box import Box
from appliance.bench.rollout.world.core import VirtualCore
from appliance.bench.rollout.world.deliveries import Carton
from appliance.bench.rollout.world.network import Network
from appliance.bench.rollout.world.station import VirtualStation
from contracts.errors import NotFoundError, UnavailableError
from contracts.events import ShadowJudged
from contracts.ota import BoxReport
from contracts.reason import Reason
from ota.agent.agent import Agent, AgentSettings
from ota.agent.handover import (
    INSTALLATION,
    LaneRunning,
    Running,
    held_folder,
    read_active,
    write_running,
)
from ota.agent.memory_disk import Loss, MemoryDisk, PowerCut
from ota.agent.ports import Polled

T = TypeVar("T")
USE = "cracks"
_SYNC_US = 10 * MINUTE_US
_MOST_STEPS = 400
_LEAST_LOAD_US, _MOST_LOAD_US = 2 * SECOND_US, 30 * SECOND_US
SETTINGS = AgentSettings(
    poll_s=600, longest_wait_s=1200, report_s=900, watch_s=120, probation_cartons=3, probation_s=300
)


class SkewedClock:
    """The box's own clock: off by so much, and now and then somebody sets it back."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self.off = timedelta()

    def now(self) -> datetime:
        return self._agenda.now() + self.off


class Line:
    """The agent's hub port, through the weather."""

    def __init__(self, hub: FleetHub, box: str, network: Network) -> None:
        self._hub, self._box, self._network = hub, box, network

    def poll(self, etag: str) -> Polled:
        return self._ask(lambda: self._hub.poll(self._box, etag))

    def report(self, report: BoxReport) -> None:
        self._ask(lambda: self._hub.report(report))

    def get(self, path: str, *, offset: int = 0, most: int) -> bytes:
        # Nothing comes whole: the agent goes on where a line was cut.
        return self._ask(lambda: self._hub.get(path, offset=offset, most=min(most, 64 << 10)))

    def _ask(self, question: Callable[[], T]) -> T:
        return self._network.ask(self._box, self._hub.agenda.now_us, question)


class Prover:
    """Golden frames: a few sets fail on a few boxes."""

    def __init__(self, refuses: Callable[[str], bool]) -> None:
        self._refuses = refuses

    def prove(self, lane: str, digest: str, folder: str) -> Reason | None:
        del lane, folder
        return Reason("ota_golden_differs") if self._refuses(digest) else None


class RealBox(Box):
    """`harm`: of a set beside the running one, how often it disagrees harmfully here."""

    def __init__(
        self,
        station: VirtualStation,
        *,
        hub: FleetHub,
        installed: str,
        harm: Callable[[str], float],
        refuses: Callable[[str], bool],
        parts: Mapping[str, str],
        core: VirtualCore,
        network: Network,
        agenda: Agenda,
        account: Account,
        draw: Random,
    ) -> None:
        super().__init__(station, core=core, network=network, agenda=agenda, draw=draw)
        self.disk = MemoryDisk()
        self.clock = SkewedClock(agenda)
        self._hub, self._installed, self._harm = hub, installed, harm
        self._prover, self._parts, self._account = Prover(refuses), dict(parts), account
        self._lane = LaneRunning(installed, "onnxruntime-cpu", since_us=agenda.now_us)
        self._change = self._boot = self._seen = self._seq = 0
        self._cut_in = 0
        """After so many calls of the agent on its disk the power goes; 0: not at all."""
        self._agent = self._new_agent()
        station.running = {**self._parts, USE: installed}
        station.holds = self._holds

    def begin(self, until_us: int) -> None:
        """Agent and expectations, until that moment."""
        self._agenda.after(self._draw.randrange(_SYNC_US), self._step)
        self._agenda.every(_SYNC_US, self._follow_core, until_us=until_us)

    def cut_power(self) -> None:
        """At one of the next calls that the agent makes on its disk."""
        self._cut_in = self._draw.randint(1, 60)

    def _stopped(self) -> None:
        loss = self._draw.choice(list(Loss))
        self.disk = self.disk.after_power_cut(loss, random=self._draw)

    def _started(self) -> None:
        self._agent = self._new_agent()
        self._boot += 1
        active = read_active(self.disk)
        self._load(active.digest(LANE_OF_SETS), active.change)
        self._agenda.after(SECOND_US, self._still(self._step))

    def _new_agent(self) -> Agent:
        return Agent(
            device=self.name,
            version="bench",
            files=self.disk,
            hub=Line(self._hub, self.name, self._network),
            prover=self._prover,
            clock=self.clock,
            trust=self._hub.trust,
            installed={LANE_OF_SETS: self._installed},
            settings=SETTINGS,
            random=self._draw,
            monotonic=lambda: self._agenda.now_us / SECOND_US,
        )

    def _follow_core(self) -> None:
        if not self.up:
            return
        try:
            self._sync()
        except UnavailableError:
            self._unreached()

    def _step(self) -> None:
        if not self.up:
            return
        wait = 0.0
        self._tell()
        calls = self.disk.calls
        self.disk.cut_at = calls + self._cut_in if self._cut_in else None
        try:
            for _ in range(_MOST_STEPS):
                if (wait := self._agent.step()) > 0:
                    break
            else:
                self._account.happened["agent without end"] += 1
                wait = 60.0
        except PowerCut:
            self._account.happened["power cut in the agent"] += 1
            self._cut_in = 0
            self.crash()
            return
        self._cut_in = max(0, self._cut_in - self.disk.calls + calls)
        self.disk.cut_at = None
        self._follow_agent()
        self._agenda.after(int(max(wait, 1.0) * SECOND_US), self._still(self._step))

    def _follow_agent(self) -> None:
        active = self._agent.active
        if active.change != self._change:
            delay_us = self._draw.randint(_LEAST_LOAD_US, _MOST_LOAD_US)
            self._agenda.after(delay_us, self._still(self._switch))

    def _switch(self) -> None:
        active = read_active(self.disk)
        self._load(active.digest(LANE_OF_SETS), active.change)
        self._agenda.after(SECOND_US, self._still(self._step))

    def _load(self, digest: str, change: int) -> None:
        """What an edge loads is whole, or it does not run."""
        wanted = self._installed if digest == INSTALLATION else digest
        if not self._holds(wanted):
            self._account.happened["told to run what is not there"] += 1
            wanted = self._installed
        if wanted != self._lane.model_set:
            self._lane = LaneRunning(wanted, "onnxruntime-cpu", since_us=self._agenda.now_us)
            self._seen = self.station.cartons
        self._change = change
        self.station.running = {**self._parts, USE: wanted}

    def _tell(self) -> None:
        lane = LaneRunning(
            self._lane.model_set,
            self._lane.variant,
            since_us=self._lane.since_us,
            cartons=self.station.cartons - self._seen,
        )
        pins = tuple(sorted(self.station.book.sets()))
        running = Running(
            at_us=self._agenda.now_us,
            boot=f"boot-{self._boot}",
            change=self._change,
            lanes={LANE_OF_SETS: lane},
            open_pins=pins,
        )
        write_running(self.disk, running)

    def _holds(self, digest: str) -> bool:
        own = (self._installed, *self._parts.values())
        return digest in own or self.disk.is_folder(held_folder(digest))

    def comes_by(self, carton: Carton) -> None:
        super().comes_by(carton)
        if self.up:
            self._beside(carton)

    def _beside(self, carton: Carton) -> None:
        """What is in shadow judges the same carton."""
        for each in self._agent.active.shadow:
            if not self._holds(each.model_set or self._installed):
                continue
            self._seq += 1
            # A candidate that runs is looked at by the set before it: they disagree just as often.
            judged = max(each.model_set, self._lane.model_set, key=self._harm)
            body = ShadowJudged(
                self.name,
                carton.carton_id,
                each.rollout,
                each.lane,
                each.model_set,
                self._lane.model_set,
                "pass",
                "pass",
                harmful=self._draw.random() < self._harm(judged),
                late=False,
            )
            self._hub.evidence.judged(self.name, self._seq, body)


def whole(box: RealBox) -> bool:
    """Whether what the box is told to run stands on its disk, as promised at every moment."""
    try:
        digest = read_active(box.disk).digest(LANE_OF_SETS)
    except NotFoundError:
        return False
    return digest == INSTALLATION or box.disk.is_folder(held_folder(digest))

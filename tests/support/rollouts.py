"""A fleet of boxes on paper: they accept signed assignments by the real rules and report what an
agent would, one poll at a time. Time stands still until a test moves it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.ota.desk.desk import Rollouts
from appliance.ota.desk.engine import Around, DeskPolicy, Engine
from contracts.clock import FixedClock
from contracts.events import ShadowJudged
from contracts.ota import Assignment, BoxReport, BoxStep
from contracts.reason import Reason
from ota.director.accept import Accepted, Floors, ImagePlane, accept
from ota.director.dsse import Director, verify
from ota.rollout.boxes import Box
from ota.rollout.evidence import MemoryEvidence
from ota.rollout.memory import MemoryRollouts
from ota.rollout.plan import Plan, Wave
from ota.rollout.ports import Issued, RolloutStore
from ota.rollout.state import Phase

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


OLD, NEW, NEWER = digest("0"), digest("a"), digest("b")


@dataclass
class PaperBox:
    """One box. `refuses`: digests that fail their golden frames here; `falls_back`: those that it
    goes back from in probation; `bad_one_in`: how often the candidate disagrees harmfully in shadow.
    """

    device: str
    running: dict[str, str]
    refuses: set[str] = field(default_factory=set)
    falls_back: set[str] = field(default_factory=set)
    floors: Floors = field(default_factory=Floors)
    staged: set[str] = field(default_factory=set)
    trouble: dict[str, Reason] = field(default_factory=dict)
    step: BoxStep = BoxStep.IDLE
    assignment: Assignment | None = None
    previous: dict[str, str] = field(default_factory=dict)
    tried: int = 0

    def takes(self, assignment: Assignment) -> None:
        """What an agent does with an accepted assignment, all at once."""
        if assignment.attempts > self.tried:
            self.tried, self.trouble = assignment.attempts, {}
        self.assignment = assignment
        self.step = BoxStep.IDLE
        for wanted in (*assignment.stage.values(), *assignment.run.values()):
            self._stage(wanted)
        for lane, wanted in assignment.run.items():
            self._run(lane, wanted)

    def _stage(self, wanted: str) -> None:
        if wanted in self.refuses:
            self.trouble[wanted] = Reason("ota_golden_differs")
        if wanted in self.trouble:
            self.step = BoxStep.FAILED
            return
        self.staged.add(wanted)

    def _run(self, lane: str, wanted: str) -> None:
        if wanted in self.trouble or wanted not in self.staged:
            return
        if wanted in self.falls_back:
            self.trouble[wanted] = Reason("ota_probation_errors", {"errors": 3})
            self.step = BoxStep.RETURNED
            return
        if self.running[lane] != wanted:
            self.previous[lane] = self.running[lane]
        self.running[lane] = wanted

    def says(self, at_us: int) -> BoxReport:
        return BoxReport(
            self.device,
            at_us,
            "1",
            epoch=self.floors.epoch,
            sequence=self.floors.sequence,
            step=self.step,
            running=dict(self.running),
            variant=dict.fromkeys(self.running, "onnxruntime-cpu"),
            staged=tuple(sorted(self.staged)),
            held=tuple(sorted(self.staged)),
            trouble=dict(self.trouble),
        )


class Dock:
    """The hub's desk and its boxes. `poll` lets the boxes that are not `away` ask, act and report."""

    def __init__(
        self,
        devices: Sequence[str],
        *,
        lane: str = "inspect",
        cells: Mapping[str, str] | None = None,
        store: RolloutStore | None = None,
        second_person: bool = False,
    ) -> None:
        self.clock = FixedClock(NOON)
        self.lane = lane
        self.store = store or MemoryRollouts()
        self.key = Ed25519PrivateKey.generate()
        self.evidence = MemoryEvidence()
        self.boxes = {name: PaperBox(name, {lane: OLD}) for name in devices}
        self.away: set[str] = set()
        self.reopened: list[dict[str, str]] = []
        self.woken: list[Issued] = []
        self.pinned: Collection[str] = frozenset()
        self.withdrawn: set[str] = set()
        self.snapshot = 1
        self.second_person = second_person
        self.desk = self.start()
        for name, cell in (cells or {}).items():
            self.desk.place(Box(name, cell, "here"), by="ops")
        self._seq = 0

    def start(self) -> Rollouts:
        """The hub's process, for the first time or again."""
        self.desk = Rollouts(
            Engine(
                self.store,
                Director(self.key),
                self.evidence,
                Around(
                    admitted=lambda: frozenset(self.boxes),
                    assignable=lambda _digest, _lane: None,
                    snapshot=lambda: self.snapshot,
                    pinned=lambda: self.pinned,
                    withdrawn=lambda: self.withdrawn,
                    reopen=self._reopen,
                    issued=self.woken.extend,
                ),
                clock=self.clock,
                policy=DeskPolicy(second_person=self.second_person, site="here"),
            )
        )
        return self.desk

    def roll(self, plan: Plan) -> str:
        """Draft and approve it; the boxes have reported before."""
        self.poll()
        name = self.desk.draft(plan, by="ops").rollout
        self.desk.approve(name, by="quality")
        self.poll()
        return name

    def poll(self, times: int = 1) -> None:
        """Each poll: the hub ticks, every box takes its assignment and reports, the hub ticks."""
        for _ in range(times):
            self.clock.at += timedelta(seconds=60)
            self.desk.tick()
            for box in self.boxes.values():
                if box.device not in self.away:
                    self.ask(box)
            self.desk.tick()

    def ask(self, box: PaperBox) -> None:
        envelope = self.desk.envelope(box.device)
        if envelope is not None:
            self.accept(box, envelope.body)
        self.desk.reported(box.says(int(self.clock.at.timestamp() * 1e6)))

    def accept(self, box: PaperBox, envelope: bytes) -> None:
        signed = verify(envelope, [self.key.public_key()])
        verdict = accept(
            signed,
            device=box.device,
            floors=box.floors,
            images=ImagePlane(self.snapshot, {self.lane: (NEW, NEWER)}),
            now_us=int(self.clock.at.timestamp() * 1e6),
            own=(OLD, *box.previous.values(), ""),
        )
        assert isinstance(verdict, Accepted), verdict
        box.floors = verdict.floors
        if not verdict.again:
            box.takes(verdict.assignment)

    def judge(self, frames: int, *, bad: Mapping[str, int] | None = None) -> None:
        """Each box with a shadow judges so many frames; of `bad`, so many disagree harmfully."""
        for box in self.boxes.values():
            for shadow in box.assignment.shadow if box.assignment else ():
                for number in range(frames):
                    self._seq += 1
                    self.evidence.judged(
                        box.device,
                        self._seq,
                        ShadowJudged(
                            box.device,
                            f"carton-{self._seq}",
                            shadow.rollout,
                            shadow.lane,
                            shadow.model_set,
                            box.running[self.lane],
                            "pass",
                            "pass",
                            harmful=number < (bad or {}).get(box.device, 0),
                            late=False,
                        ),
                    )

    def running(self) -> dict[str, str]:
        return {name: box.running[self.lane] for name, box in self.boxes.items()}

    def shadowed(self) -> set[str]:
        return {n for n, box in self.boxes.items() if box.assignment and box.assignment.shadow}

    def _reopen(self, bad: Mapping[str, str], by: str, why: str) -> int:
        self.reopened.append(dict(bad))
        return 1 if len(self.reopened) == 1 else 0


BOXES = [f"box-{number:02d}" for number in range(8)]
CELLS = {name: f"dock-{number // 4 + 1}" for number, name in enumerate(BOXES)}


def plan(**changes: object) -> Plan:
    """A quarter of the boxes, then all."""
    facts: dict[str, object] = {
        "waves": (Wave(25.0), Wave(100.0)),
        "soak_s": 120,
        "seed": 7,
        **changes,
    }
    return Plan("inspect", NEW, **facts)


def phase(dock: Dock, name: str) -> Phase:
    return dock.desk.rollout(name).phase


def happened(dock: Dock, name: str) -> list[str]:
    return [type(each.event).__name__ for each in dock.desk.history(name)]

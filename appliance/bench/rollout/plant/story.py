"""A good set comes to every box; a broken one, rightly signed, is stopped in its first wave; meanwhile
boxes and hub are killed. At the end the core says whether any batch was judged by two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from appliance.bench.rollout.plant import network
from appliance.bench.rollout.plant.network import LANE
from appliance.bench.rollout.plant.plant import Plant
from contracts.clock import SystemClock
from erp_link.service.core import Core
from erp_link.service.judging.desk import Judging
from erp_link.service.proof.verify import verify
from ota.rollout.plan import Plan, Wave
from ota.rollout.state import Phase

Told = Callable[[str], None]
_STEADY = 2
"""Cartons of each box before anything is changed."""
_BEGUN = "SELECT count(*) FROM judge_pin AS begun WHERE begun.parts LIKE '%' || :digest || '%'"
_LEFT = (
    " AND NOT EXISTS (SELECT 1 FROM judge_pin AS later"
    " WHERE later.batch_id = begun.batch_id AND later.generation > begun.generation)"
)


@dataclass(slots=True)
class Account:
    """What came of it. Times in seconds."""

    boxes: int = 0
    started_s: float = 0.0
    updated_s: float = 0.0
    """From the approval until every box attested the new set and the rollout was done."""
    stopped_s: float = 0.0
    """From the approval of the broken set until its gate stopped it."""
    returned_s: float = 0.0
    """From then until no box ran it."""
    why_stopped: str = ""
    first_wave: tuple[str, ...] = ()
    ran_broken: tuple[str, ...] = ()
    killed: list[str] = field(default_factory=list)
    cartons: int = 0
    pins: int = 0
    begun_under_broken: int = 0
    """Batches whose judge was the broken set. None, where the gate was faster than the next batch."""
    left_under_broken: int = 0
    """Of these, those that no later generation was opened for."""
    waiting: int = 0
    mixed_batches: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the promise was kept."""
        stopped_at_first = set(self.ran_broken) <= set(self.first_wave)
        return stopped_at_first and not (self.mixed_batches or self.findings)


class Story:
    """One plant from its first start to its account."""

    def __init__(self, plant: Plant, *, told: Told = lambda _: None) -> None:
        self.plant, self._tell = plant, told
        self.account = Account(boxes=plant.boxes)
        self.good = self.broken = ""

    def prepare(self) -> None:
        """Everything that stands before the first process; both sets are published."""
        self.plant.prepare()
        base = (network.installed().folder / network.FILE).read_bytes()
        with self.plant.sets() as desk:
            self.good, self.broken = (
                self._publish(desk, self.plant.folder / "made" / name, data, version)
                for name, data, version in (
                    ("good", network.with_metadata(base, "trained on"), "1.1.0"),
                    ("broken", network.broken(base), "1.2.0"),
                )
            )

    def begin(self) -> None:
        """Until every box judges and reports."""
        own = network.installed().digest
        self.account.started_s = self.plant.until("every box judges", lambda: self._judges(own))
        self.plant.place()
        self._tell(f"{self.plant.boxes} boxes judge after {self.account.started_s:.1f} s")

    def update(self) -> None:
        """The good set to everybody, at once."""
        everybody = (Wave(100.0, certify=False),)
        plan = Plan(LANE, self.good, waves=everybody, shadow=False, watch=False, soak_s=0, seed=1)
        began = time.monotonic()
        name = self.plant.roll_out(plan)
        self.plant.until("every box runs the good set", lambda: self._all_run(self.good))
        self.plant.until("the rollout is done", lambda: self._phase(name) is Phase.DONE)
        self.account.updated_s = time.monotonic() - began
        self._tell(f"updated in {self.account.updated_s:.1f} s")

    def spoil(self, *, kill: tuple[str, ...] = ()) -> None:
        """The broken set, in waves; `kill` once its first wave runs it."""
        waves = (Wave(25.0), Wave(100.0))
        plan = Plan(LANE, self.broken, waves=waves, shadow=False, soak_s=5, seed=2)
        began = time.monotonic()
        name = self.plant.roll_out(plan)
        self.plant.until("a box runs the broken set", lambda: self._some_run(self.broken))
        for each in kill:
            self.plant.kill(each)
            self.account.killed.append(each)
        self.plant.until("the gate stops it", lambda: self._stopped(name))
        self.account.stopped_s = time.monotonic() - began
        state = self.plant.rollout(name)
        self.account.why_stopped = f"{state.why.code} {state.why.params}" if state.why else ""
        self.account.first_wave = tuple(each.device for each in state.of_wave(0))
        self._tell(f"stopped after {self.account.stopped_s:.1f} s: {self.account.why_stopped}")
        began = time.monotonic()
        self.plant.until("the fleet is back", lambda: self._all_run(self.good))
        self.plant.until("it returned", lambda: self._phase(name) is Phase.RETURNED)
        self.account.returned_s = time.monotonic() - began
        self.account.ran_broken = tuple(sorted(self.plant.ran(self.broken)))
        self._tell(f"{len(self.account.ran_broken)} boxes ran it; all are back")

    def settle(self) -> None:
        """Until what must be judged again was judged."""
        with closing(self._core()) as core:
            judging = Judging(core)
            self.plant.until("no batch is the broken set's", lambda: self._left(core) == 0)
            self.plant.until("it was judged again", lambda: self._waits(judging) == 0)

    def add_up(self) -> Account:
        """After the processes have ended: what the core says."""
        account = self.account
        with closing(self._core()) as core:
            judging = Judging(core)
            account.mixed_batches = len(judging.mixed())
            account.waiting = self._waits(judging)
            account.left_under_broken = self._left(core)
            verified = verify(core.engine)
            account.findings = [f"{each.check}: {each.found}" for each in verified.findings]
            with core.engine.connect() as connection:
                account.cartons = _count(connection, "SELECT count(*) FROM carton")
                account.pins = _count(connection, "SELECT count(*) FROM judge_pin")
                account.begun_under_broken = _count(connection, _BEGUN, digest=self.broken)
        return account

    def _publish(self, desk: object, folder: Path, data: bytes, version: str) -> str:
        made = network.made_set(folder, data, version)
        desk.propose(made.folder, by="bench")  # type: ignore[attr-defined]
        desk.publish(made.digest, by="bench", why="bench")  # type: ignore[attr-defined]
        return made.digest

    def _core(self) -> Core:
        return Core(self.plant.config.database_url, clock=SystemClock())

    def _left(self, core: Core) -> int:
        with core.engine.connect() as connection:
            return _count(connection, _BEGUN + _LEFT, digest=self.broken)

    def _judges(self, digest: str) -> bool:
        reports = self.plant.reports()
        running = [each.running.get(LANE) for each in reports.values()]
        return running.count(digest) == self.plant.boxes

    def _all_run(self, digest: str) -> bool:
        running = self.plant.running_sets()
        return list(running.values()).count(digest) == self.plant.boxes

    def _some_run(self, digest: str) -> bool:
        return digest in self.plant.running_sets().values()

    def _phase(self, name: str) -> Phase:
        return self.plant.rollout(name).phase

    def _stopped(self, name: str) -> bool:
        return self._phase(name) in (Phase.RETURNING, Phase.RETURNED)

    @staticmethod
    def _waits(judging: Judging) -> int:
        return len(judging.waiting())


def _count(connection: object, query: str, **values: str) -> int:
    from sqlalchemy import text

    return int(connection.execute(text(query), values).scalar() or 0)  # type: ignore[attr-defined]

"""A fleet's days: goods, cuts, crashes, wrong clocks, and rollouts of good and bad candidates through
the real hub and the real agents. The check is that of the plain worlds, and that a verified set ran
after each crash.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

from appliance.bench.rollout.fleet.box import USE, RealBox, whole
from appliance.bench.rollout.fleet.hub import LANE_OF_SETS, FleetHub
from appliance.bench.rollout.world.account import Account
from appliance.bench.rollout.world.agenda import (
    BEGAN_US,
    DAY_US,
    HOUR_US,
    MINUTE_US,
    Agenda,
)
from appliance.bench.rollout.world.core import VirtualCore
from appliance.bench.rollout.world.deliveries import Carton, Habits, cartons
from appliance.bench.rollout.world.network import Network, Weather, drawn_cuts
from appliance.bench.rollout.world.station import VirtualStation
from contracts.errors import TallymanError
from contracts.inspection import InspectDecision
from contracts.judging import Pin
from contracts.stock import BatchKey
from ota.rollout.plan import Plan, Wave
from ota.rollout.state import Phase

_PROFILE = {"profile": "sha256:" + hashlib.sha256(b"profile").hexdigest()}
_INSTALLED = "sha256:" + hashlib.sha256(b"installed").hexdigest()
_DRAIN_US = 3 * DAY_US
_GOOD, _BAD = 0.004, 0.4
_WAVES = (Wave(25.0), Wave(100.0))


@dataclass(frozen=True, slots=True)
class Size:
    """Of a fleet. Days beyond `days` only settle what is open."""

    batches: int = 400
    cells: int = 4
    boxes_a_cell: int = 3
    days: int = 3
    update_every_us: int = 18 * HOUR_US


@dataclass(frozen=True, slots=True)
class Troubles:
    """How rough these days are; gaps are means."""

    weather: Weather = field(default_factory=Weather)
    cut_gap_us: int = 18 * HOUR_US
    cut_us: int = 90 * MINUTE_US
    power_gap_us: int = 24 * HOUR_US
    clock_gap_us: int = 36 * HOUR_US
    bad_candidates: float = 0.4
    refused: float = 0.02
    """Of a set on a box: its golden frames fail there."""
    taken_back: float = 0.2
    """Of rollouts that were done: a person takes them back later."""


class Fleet:
    """Everything that is made up in it follows from `seed`; keys are new each time."""

    def __init__(self, size: Size, troubles: Troubles, folder: Path, *, seed: int) -> None:
        self._size, self._troubles = size, troubles
        self._draw = Random(seed)  # noqa: S311 -- repeatable, not secret
        self.agenda, self.account = Agenda(), Account()
        self._end_us = BEGAN_US + size.days * DAY_US
        self._cells = {
            f"cell-{cell}": [f"box-{cell}-{box}" for box in range(size.boxes_a_cell)]
            for cell in range(size.cells)
        }
        self._cell_of = {box: cell for cell, boxes in self._cells.items() for box in boxes}
        self.core = VirtualCore(self.account, self._cell_of)
        self._network = Network(troubles.weather, self._draw)
        self.hub = FleetHub(self._cells, agenda=self.agenda, core=self.core, folder=folder)
        self._bad: set[str] = set()
        self._version = 0
        self.boxes = {name: self._box(name) for name in self._cell_of}
        self.not_whole = 0

    def run(self) -> dict[str, object]:
        """Until nothing is open; what came of it."""
        drained_us = self._end_us + _DRAIN_US
        for box in self.boxes.values():
            box.begin(drained_us)
            self._trouble(box)
        self._goods()
        self.agenda.every(2 * MINUTE_US, self._tick, until_us=drained_us)
        self.agenda.every(HOUR_US, self.hub.keep_signed, until_us=drained_us)
        self.agenda.every(HOUR_US, self._look, until_us=drained_us)
        for number in range((self._end_us - BEGAN_US) // self._size.update_every_us):
            self.agenda.after((2 + 18 * number) * HOUR_US, self._roll_out)
        self.agenda.run(drained_us)
        return self._told()

    def _tick(self) -> None:
        self.hub.engine.tick()

    def _told(self) -> dict[str, object]:
        told = self.account.told()
        phases = Counter(str(each.phase) for each in self.hub.desk.rollouts())
        waits = self.core.waiting()
        running = {box.station.running[USE] for box in self.boxes.values()}
        return {
            **told,
            "boxes": len(self.boxes),
            "undecided": waits,
            "rollouts": dict(phases),
            "bad_candidates": len(self._bad),
            "bad_ones_finished": sum(
                each.phase is Phase.DONE and each.plan.candidate in self._bad
                for each in self.hub.desk.rollouts()
            ),
            "still_running_bad": len(running & self._bad),
            "not_whole": self.not_whole,
            "exchanges": self._network.exchanges,
            "lost_exchanges": self._network.failed,
            "served_mb": round(self.hub.served_bytes / 1e6, 2),
            "holds": bool(told["holds"]) and not (waits or self.not_whole or running & self._bad),
        }

    def _box(self, name: str) -> RealBox:
        def ask(question: object) -> Pin:
            return self._network.ask(name, self.agenda.now_us, question)  # type: ignore[arg-type]

        station = VirtualStation(
            name,
            self._cell_of[name],
            core=self.core,
            ask=ask,
            eyes=_eyes,
            account=self.account,
            now_us=lambda: self.agenda.now_us,
        )
        return RealBox(
            station,
            hub=self.hub,
            installed=_INSTALLED,
            harm=lambda digest: _BAD if digest in self._bad else _GOOD,
            refuses=lambda digest: _unlucky(f"{name}{digest}", self._troubles.refused),
            parts=_PROFILE,
            core=self.core,
            network=self._network,
            agenda=self.agenda,
            account=self.account,
            draw=self._draw,
        )

    def _trouble(self, box: RealBox) -> None:
        troubles, draw = self._troubles, self._draw
        cuts = drawn_cuts(
            draw,
            begin_us=BEGAN_US,
            end_us=self._end_us,
            mean_gap_us=troubles.cut_gap_us,
            mean_cut_us=troubles.cut_us,
        )
        self._network.cut(box.name, cuts)
        for begin, end in cuts:
            self.agenda.at(begin, lambda end=end: _unwell(box, end))  # type: ignore[misc]  # bound now
        for at_us in self._moments(troubles.power_gap_us):
            self.agenda.at(at_us, draw.choice((box.cut_power, box.crash)))
        for at_us in self._moments(troubles.clock_gap_us):
            off = timedelta(hours=draw.choice((-48, -2, 1, 0)))
            self.agenda.at(at_us, lambda off=off: setattr(box.clock, "off", off))  # type: ignore[misc]  # bound now
        self.agenda.at(self._end_us, lambda: setattr(box.clock, "off", timedelta()))

    def _moments(self, mean_gap_us: int) -> list[int]:
        found, at_us = [], BEGAN_US
        while (at_us := at_us + 1 + int(self._draw.expovariate(1 / mean_gap_us))) < self._end_us:
            found.append(at_us)
        return found

    def _goods(self) -> None:
        last_us: dict[BatchKey, int] = {}
        for carton in cartons(
            self._draw,
            self._cells,
            batches=self._size.batches,
            begin_us=BEGAN_US,
            end_us=self._end_us,
            habits=Habits(longest_us=12 * HOUR_US),
        ):
            box = self.boxes[carton.station]
            self.agenda.at(carton.at_us, lambda box=box, carton=carton: box.comes_by(carton))  # type: ignore[misc]  # bound now
            last_us[carton.batch] = max(carton.at_us, last_us.get(carton.batch, 0))
        for batch, at_us in last_us.items():
            self.agenda.at(at_us + HOUR_US, lambda batch=batch: self._over(batch))  # type: ignore[misc]  # bound now

    def _over(self, batch: BatchKey) -> None:
        if not self.core.over(batch):
            self.agenda.after(HOUR_US, lambda: self._over(batch))

    def _roll_out(self) -> None:
        self._version += 1
        record = self.hub.publish(self._version)
        if self._draw.random() < self._troubles.bad_candidates:
            self._bad.add(record.digest)
        for each in self.hub.desk.rollouts():
            if each.under_way:
                self._try(lambda name=each.rollout: self.hub.desk.abort(name, by="ops", why="next"))
        plan = Plan(LANE_OF_SETS, record.digest, waves=_WAVES, soak_s=1800, seed=self._version)
        name = self.hub.desk.draft(plan, by="ops").rollout
        self.hub.desk.approve(name, by="quality")
        if self._draw.random() < self._troubles.taken_back:
            self.agenda.after(
                12 * HOUR_US,
                lambda: self._try(
                    lambda: self.hub.desk.roll_back(name, by="ops", why="taken back")
                ),
            )

    def _try(self, command: object) -> None:
        """What a person asks for at a moment when it makes no sense is refused, and that is fine."""
        try:
            command()  # type: ignore[operator]
        except TallymanError as refused:
            self.account.happened[f"command refused: {refused.code}"] += 1

    def _look(self) -> None:
        for box in self.boxes.values():
            if not whole(box):
                self.not_whole += 1


def run_one(size: Size, troubles: Troubles, *, seed: int) -> dict[str, object]:
    """One fleet from its first carton to its account."""
    with tempfile.TemporaryDirectory(prefix="tallyman-fleet-") as folder:
        return Fleet(size, troubles, Path(folder), seed=seed).run()


def _unlucky(what: str, share: float) -> bool:
    drawn = hashlib.blake2b(what.encode(), digest_size=4).digest()
    return int.from_bytes(drawn) < share * 2**32


def _unwell(box: RealBox, until_us: int) -> None:
    box.station.well_since_us = max(until_us, box.station.well_since_us)


def _eyes(carton: Carton, parts: Mapping[str, str]) -> InspectDecision:
    strange = _unlucky(f"{parts[USE]}{carton.carton_id}", 0.02)
    return InspectDecision.DEFECT if carton.bad or strange else InspectDecision.PASS

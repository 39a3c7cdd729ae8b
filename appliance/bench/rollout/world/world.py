"""One world from its first carton to its account: a few cells, some days of goods, and updates."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from appliance.bench.rollout.world.account import Account
from appliance.bench.rollout.world.agenda import (
    BEGAN_US,
    DAY_US,
    HOUR_US,
    MINUTE_US,
    Agenda,
)
from appliance.bench.rollout.world.box import PlainBox
from appliance.bench.rollout.world.conductor import Conductor, Way
from appliance.bench.rollout.world.core import VirtualCore
from appliance.bench.rollout.world.deliveries import Carton, Habits, cartons
from appliance.bench.rollout.world.network import Network, Weather, drawn_cuts
from appliance.bench.rollout.world.station import VirtualStation
from contracts.inspection import InspectDecision
from contracts.judging import Pin
from contracts.stock import BatchKey
from ota.judging.goods import Ablation

USE = "inspect"
_PROFILE = {"profile": "sha256:" + hashlib.sha256(b"profile").hexdigest()}
_DRAIN_US = 5 * DAY_US


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens in a world besides goods."""

    name: str
    update_every_us: int = 12 * HOUR_US
    cell_every_us: int = HOUR_US
    taken_back: float = 0.3
    """Share of updates that turn out bad and are taken back."""
    cut_gap_us: int = 24 * HOUR_US
    """Mean time between two cuts of a box's network."""
    cut_us: int = HOUR_US
    """Mean length of a cut."""
    crash_gap_us: int = 48 * HOUR_US
    """Mean time between two crashes of a box."""
    weather: Weather = field(default_factory=Weather)
    way: Way = Way.GRAY


SCHEDULES = (
    Schedule("gray", cell_every_us=2 * HOUR_US),
    Schedule("rolling", update_every_us=6 * HOUR_US, cell_every_us=10 * MINUTE_US),
    Schedule("rollback", update_every_us=8 * HOUR_US, taken_back=0.9),
    Schedule(
        "partition",
        cut_gap_us=8 * HOUR_US,
        cut_us=6 * HOUR_US,
        crash_gap_us=12 * HOUR_US,
        weather=Weather(0.05, 0.05, 0.05),
    ),
)


MakesCore = Callable[[Account, Mapping[str, str], Agenda], VirtualCore]


@dataclass(frozen=True, slots=True)
class Without:
    """What an ablation leaves out."""

    pin: bool = False
    watermark: bool = False
    barrier: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """Of a world. Days beyond `days` only settle what is open."""

    batches: int = 2_000
    cells: int = 4
    boxes_a_cell: int = 5
    days: int = 3


class World:
    """Everything in it follows from `seed`."""

    def __init__(
        self,
        schedule: Schedule,
        size: Size,
        *,
        seed: int,
        without: Without | None = None,
        core: MakesCore | None = None,
    ) -> None:
        """`core`: another one than that over stores in memory."""
        without = without or Without()
        self.schedule, self._size = schedule, size
        self._draw = Random(f"{schedule.name}/{seed}")  # noqa: S311 -- repeatable, not secret
        self.agenda = Agenda()
        self.account = Account()
        self._end_us = BEGAN_US + size.days * DAY_US
        self._cells = {
            f"cell-{cell}": [f"box-{cell}-{box}" for box in range(size.boxes_a_cell)]
            for cell in range(size.cells)
        }
        self._cell_of = {box: cell for cell, boxes in self._cells.items() for box in boxes}
        if core is None:
            self.core = VirtualCore(self.account, self._cell_of, ablation=_ablation(without))
        else:
            self.core = core(self.account, self._cell_of, self.agenda)
        self._network = Network(schedule.weather, self._draw)
        self._made = 0
        self._installed = self._new_set()
        self._conductor = Conductor(
            self._cells,
            core=self.core,
            agenda=self.agenda,
            use=USE,
            installed=self._installed,
            way=Way.ROLLING if without.barrier else schedule.way,
        )
        self._boxes = {box: self._box(box, asks=not without.pin) for box in self._cell_of}

    def run(self) -> dict[str, object]:
        """Until nothing is open; the account with the world's name."""
        drained_us = self._end_us + _DRAIN_US
        for box in self._boxes.values():
            box.begin(drained_us)
            self._troubles(box)
        self._goods()
        self._updates()
        self.agenda.run(drained_us)
        told = self.account.told()
        waits = self.core.waiting()
        happened = Counter({"exchanges": self._network.exchanges, "lost": self._network.failed})
        return {
            **told,
            "schedule": self.schedule.name,
            "boxes": len(self._boxes),
            "undecided": waits,
            "network": dict(happened),
            "holds": bool(told["holds"]) and not waits,
        }

    def _box(self, name: str, *, asks: bool) -> PlainBox:
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
            asks=asks,
        )
        return PlainBox(
            station,
            installed={USE: self._installed, **_PROFILE},
            hub=self._conductor.poll,
            core=self.core,
            network=self._network,
            agenda=self.agenda,
            draw=self._draw,
        )

    def _troubles(self, box: PlainBox) -> None:
        schedule, draw = self.schedule, self._draw
        cuts = drawn_cuts(
            draw,
            begin_us=BEGAN_US,
            end_us=self._end_us,
            mean_gap_us=schedule.cut_gap_us,
            mean_cut_us=schedule.cut_us,
        )
        self._network.cut(box.name, cuts)
        for begin, end in cuts:
            self.agenda.at(begin, lambda end=end: _unwell(box, end))  # type: ignore[misc]  # bound now
        at_us = BEGAN_US
        while (
            at_us := at_us + 1 + int(draw.expovariate(1 / schedule.crash_gap_us))
        ) < self._end_us:
            self.agenda.at(at_us, box.crash)

    def _goods(self) -> None:
        last_us: dict[BatchKey, int] = {}
        for carton in cartons(
            self._draw,
            self._cells,
            batches=self._size.batches,
            begin_us=BEGAN_US,
            end_us=self._end_us,
            habits=Habits(),
        ):
            box = self._boxes[carton.station]
            self.agenda.at(carton.at_us, lambda box=box, carton=carton: box.comes_by(carton))  # type: ignore[misc]  # bound now
            leaves_us = carton.at_us + int(self._draw.expovariate(1 / (12 * HOUR_US)))
            last_us[carton.batch] = max(carton.at_us, last_us.get(carton.batch, 0))
            if self._draw.random() < 0.3:  # noqa: PLR2004 -- some goods leave soon
                self.agenda.at(leaves_us, lambda name=carton.carton_id: self.core.leave(name))  # type: ignore[misc]  # bound now

        for batch, at_us in last_us.items():
            self.agenda.at(at_us + HOUR_US, lambda batch=batch: self._over(batch))  # type: ignore[misc]  # bound now

    def _over(self, batch: BatchKey) -> None:
        if not self.core.over(batch):
            self.agenda.after(HOUR_US, lambda: self._over(batch))

    def _updates(self) -> None:
        at_us = BEGAN_US + self.schedule.update_every_us // 2
        while at_us < self._end_us:
            self.agenda.at(at_us, self._update)
            at_us += self.schedule.update_every_us

    def _update(self) -> None:
        schedule, draw = self.schedule, self._draw
        candidate = self._new_set()
        order = sorted(self._cells)
        draw.shuffle(order)
        self._conductor.roll_out(candidate, order, cell_every_us=schedule.cell_every_us)
        if draw.random() < schedule.taken_back:
            longest_us = max(2 * HOUR_US, len(order) * schedule.cell_every_us)
            self.agenda.after(
                draw.randint(HOUR_US, longest_us), lambda: self._conductor.take_back(candidate)
            )

    def _new_set(self) -> str:
        self._made += 1
        return "sha256:" + hashlib.sha256(f"set {self._made}".encode()).hexdigest()


def _ablation(without: Without) -> Ablation:
    if without.pin:
        return Ablation.NO_PIN
    return Ablation.NO_WATERMARK if without.watermark else Ablation.NONE


def _unwell(box: PlainBox, until_us: int) -> None:
    box.station.well_since_us = max(until_us, box.station.well_since_us)


def _eyes(carton: Carton, parts: Mapping[str, str]) -> InspectDecision:
    """Each set has an eye of its own: one in fifty cartons looks otherwise to it."""
    said = hashlib.blake2b(f"{parts[USE]}{carton.carton_id}".encode(), digest_size=2).digest()
    strange = int.from_bytes(said) % 50 == 0
    return InspectDecision.DEFECT if carton.bad or strange else InspectDecision.PASS

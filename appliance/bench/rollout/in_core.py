"""Worlds whose goods and pins are the real core's, on a database: entries applied, stock booked."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from appliance.bench.rollout.world.account import Account
from appliance.bench.rollout.world.agenda import Agenda
from appliance.bench.rollout.world.core import VirtualCore
from appliance.bench.rollout.world.world import SCHEDULES, USE, Size, World
from contracts.events import (
    KIND_OF,
    CartonJudged,
    CartonRejudged,
    CartonSettled,
    EventBody,
    JournalEntry,
)
from contracts.inspection import InspectDecision, Inspection
from contracts.judging import Pin
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence, StockStatus
from contracts.verdict import Decision, Verdict
from erp_link.adapters import tables as t
from erp_link.service.core import Core
from erp_link.service.judging.desk import Judging
from erp_link.service.proof.verify import verify
from ota.judging.goods import Result, Stand

_SEEN = (Reason("defect_seen", {"score": 1}),)
_PICTURE = "cd" * 32
_DOCK = "dock-1"
_VERDICTS = {
    InspectDecision.PASS: Decision.ACCEPT,
    InspectDecision.DEFECT: Decision.HOLD,
    InspectDecision.REVIEW: Decision.REVIEW,
}


@dataclass(slots=True)
class CoreGoods:
    """Meets `world.core.Goods` over a core: each result is an entry of a device's journal."""

    core: Core
    agenda: Agenda
    _known: dict[str, BatchKey] = field(default_factory=dict)
    _heads: dict[str, tuple[int, str]] = field(default_factory=lambda: defaultdict(lambda: (0, "")))

    def judged(self, result: Result) -> Stand:
        first = result.carton not in self._known
        self._known[result.carton] = result.batch
        self._apply(self._first(result) if first else self._again(result))
        return self.stand(result.carton) or Stand.WAITS

    def next_generation(
        self, batch: BatchKey, parts: Mapping[str, str], *, after: int, by: str, why: str
    ) -> tuple[Pin, tuple[str, ...]]:
        pin = Judging(self.core).next_generation(batch, parts, after=after, by=by, why=why)
        again = [name for name, of in self._known.items() if of == batch]
        return pin, tuple(name for name in again if self.stand(name) is Stand.WAITS)

    def leave(self, carton: str) -> bool:
        """Goods stay: which carton a reservation takes is the core's choice."""
        del carton
        return False

    def decided(self, carton: str, *, release: bool) -> Stand:
        batch = self._known[carton]
        how = "keyed" if release else "refused"
        self._apply(CartonSettled(carton, _DOCK, None, "op", batch.gtin, batch.lot, "", None, how))
        return self.stand(carton) or Stand.WAITS

    def stand(self, carton: str) -> Stand | None:
        row = self._row(carton)
        if row is None:
            return None
        state, status = row
        if status == StockStatus.UNRESTRICTED:
            return Stand.FREE
        return Stand.HELD if state in ("damaged", "refused") else self._held(carton, status)

    def asks_person(self, carton: str) -> bool:
        row = self._row(carton)
        return row is not None and row[0] == "review"

    def _held(self, carton: str, status: str) -> Stand:
        del carton
        return Stand.HELD if status == StockStatus.BLOCKED else Stand.WAITS

    def _row(self, carton: str) -> tuple[str, str] | None:
        query = select(t.carton.c.state, t.carton.c.status).where(t.carton.c.carton_id == carton)
        found = self.core.read(lambda connection: connection.execute(query).first())
        return None if found is None else (str(found[0]), str(found[1]))

    def _first(self, result: Result) -> CartonJudged:
        return CartonJudged(
            carton_id=result.carton,
            station=_DOCK,
            session=None,
            opened_at=self.agenda.now(),
            opened_by="replay",
            verdict=Verdict(_VERDICTS[result.decision], _SEEN, batch=result.batch),
            reading=None,
            inspection=_inspection(result),
            evidence=(Evidence("inspect", _PICTURE),),
            model_sets=dict(result.parts),
            variant="cpu",
            under=result.mark,
        )

    def _again(self, result: Result) -> CartonRejudged:
        return CartonRejudged(
            carton_id=result.carton,
            station=_DOCK,
            batch=result.batch,
            under=result.mark,
            decision=result.decision,
            reasons=_SEEN,
            inspection=_inspection(result),
            picture=_PICTURE,
            model_sets=dict(result.parts),
            variant="cpu",
        )

    def _apply(self, body: EventBody) -> None:
        device = "edge-1"
        seq, previous = self._heads[device]
        text = hashlib.sha256(f"{device}{seq + 1}{previous}{body}".encode()).hexdigest()
        entry = JournalEntry(
            device=device,
            seq=seq + 1,
            boot="b1",
            at_us=(self.agenda.now() - datetime(1970, 1, 1, tzinfo=UTC))
            // timedelta(microseconds=1),
            uncertainty_us=1000,
            kind=KIND_OF[type(body)],
            body="{}",
            previous=previous,
            hash=text,
            signature="",
        )
        self.core.apply(entry, body)
        self._heads[device] = (seq + 1, text)


def run(folder: Path, *, batches: int, seed: int, each: int = 1_000) -> dict[str, object]:
    """`batches` in worlds of every schedule in turn, each over a database of its own (SQLite)."""
    worlds = [
        _world(folder / f"core-{number}", number, min(each, batches - number * each), seed)
        for number in range(-(-batches // each))
    ]
    names = ("batches", "cartons", "mixed", "nobody_could_judge", "lost", "undecided")
    sums = {name: sum(int(str(one[name])) for one in worlds) for name in names}
    return {**sums, "holds": all(one["holds"] for one in worlds), "worlds": worlds}


def _world(folder: Path, number: int, batches: int, seed: int) -> dict[str, object]:
    folder.mkdir(parents=True)
    world_agenda = Agenda()
    with closing(Core(f"sqlite:///{folder / 'core.db'}", clock=world_agenda)) as core:

        def made(account: Account, cell_of: Mapping[str, str], agenda: Agenda) -> VirtualCore:
            agenda.follow(world_agenda)
            goods = CoreGoods(core, agenda)
            return VirtualCore(account, cell_of, pins=Judging(core), goods=goods)

        schedule = SCHEDULES[number % len(SCHEDULES)]
        size = Size(batches, cells=3, boxes_a_cell=3, days=2)
        told = World(schedule, size, seed=seed + number, core=made).run()
        counted = Judging(core).mixed()
        verified = verify(core.engine)
    findings = [f"{each.check}: {each.found}" for each in verified.findings]
    mixed = max(int(str(told["mixed"])), len(counted))
    holds = bool(told["holds"]) and not counted and not findings
    return {**told, "mixed": mixed, "findings": findings, "holds": holds}


def _inspection(result: Result) -> Inspection | None:
    if not result.parts:
        return None
    return Inspection(
        image="ab" * 32,
        score=0.3,
        threshold=0.5,
        decision=result.decision,
        reasons=(),
        regions=(),
        model_set=result.parts[USE],
        elapsed_ms=9.0,
        profile=result.parts.get("profile", ""),
    )

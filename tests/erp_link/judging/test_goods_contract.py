"""One contract for what becomes of goods by their results: the books of a simulation answer as the
core does over both databases (I3). What millions of batches are simulated on is held to it here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from sqlalchemy import select

from contracts.clock import FixedClock
from contracts.errors import ConflictError
from contracts.events import CartonJudged, CartonRejudged, CartonSettled
from contracts.inspection import InspectDecision, Inspection
from contracts.judging import Pin, Watermark, judge_digest
from contracts.reading import FieldValue, LabelFields, LabelReading, ReadDecision
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence, UsageDecision
from contracts.verdict import Decision, Verdict
from erp_link.adapters import tables as t
from erp_link.service.core import Core
from erp_link.service.judging.desk import Judging
from erp_link.service.proof.verify import verify
from ota.judging.goods import MemoryGoods, Result, Stand
from ota.judging.memory import MemoryPins
from tests.erp_link.story import Station
from tests.support.deciding import decided

BATCHES = (BatchKey("", "06933132577789", "L1"), BatchKey("", "08809609245438", "L2"))
JUDGES = tuple({"inspect": f"sha256:{name * 64}"} for name in "abc")
PASS, DEFECT, REVIEW = InspectDecision.PASS, InspectDecision.DEFECT, InspectDecision.REVIEW
STEPS = int(os.environ.get("TALLYMAN_BOOK_STEPS", "80"))
"""A campaign sets more."""


class Goods(Protocol):
    def judged(self, result: Result) -> Stand: ...

    def next_generation(
        self, batch: BatchKey, parts: Mapping[str, str], *, after: int, by: str, why: str
    ) -> tuple[Pin, tuple[str, ...]]: ...

    def leave(self, carton: str) -> bool: ...

    def decided(self, carton: str, *, release: bool) -> Stand: ...

    def stand(self, carton: str) -> Stand | None: ...


@dataclass
class CoreGoods:
    """The core, met as `MemoryGoods` is."""

    core: Core
    station: Station
    known: set[str] = field(default_factory=set)

    def judged(self, result: Result) -> Stand:
        """A carton that is known comes from its kept frame."""
        book = self._first if result.carton not in self.known else self._again
        self.known.add(result.carton)
        book(result, _seen(result))
        return self.stand(result.carton) or Stand.WAITS

    def _first(self, result: Result, seen: Inspection) -> None:
        verdicts = {PASS: Decision.ACCEPT, DEFECT: Decision.HOLD, REVIEW: Decision.REVIEW}
        reasons = (Reason("defect_seen", {"score": 1}),)
        self.station.sends(
            CartonJudged(
                carton_id=result.carton,
                station="dock-1",
                session=None,
                opened_at=self.station.clock.now(),
                opened_by="replay",
                verdict=Verdict(verdicts[result.decision], reasons, batch=result.batch),
                reading=_read(result.batch),
                inspection=seen,
                evidence=(Evidence("inspect", "cd" * 32),),
                model_sets=dict(result.parts),
                variant="cpu",
                under=result.mark,
            )
        )

    def _again(self, result: Result, seen: Inspection) -> None:
        self.station.sends(
            CartonRejudged(
                carton_id=result.carton,
                station="dock-1",
                batch=result.batch,
                under=result.mark,
                decision=result.decision,
                reasons=(Reason("defect_seen", {"score": 1}),),
                inspection=seen,
                picture="cd" * 32,
                model_sets=dict(result.parts),
                variant="cpu",
            )
        )

    def next_generation(
        self, batch: BatchKey, parts: Mapping[str, str], *, after: int, by: str, why: str
    ) -> tuple[Pin, tuple[str, ...]]:
        pin = Judging(self.core).next_generation(batch, parts, after=after, by=by, why=why)
        told = self.core.expectations("dock-1").rejudge
        return pin, tuple(sorted(task.carton_id for task in told if task.pin == pin))

    def leave(self, carton: str) -> bool:
        if self.stand(carton) is not Stand.FREE:
            return False
        batch = self._row(carton).batch
        (taken,) = self.core.reserve("SO", batch, 1, by="op")
        self.core.pick(taken.reservation_id, by="op")
        self.core.ship(taken.reservation_id, by="op")
        return True

    def decided(self, carton: str, *, release: bool) -> Stand:
        row = self._row(carton)
        if row.state == "review":
            how = "keyed" if release else "refused"
            self.station.sends(
                CartonSettled(
                    carton, "dock-1", None, "op", row.batch.gtin, row.batch.lot, "", None, how
                )
            )
        else:
            decision = UsageDecision.RELEASE if release else UsageDecision.SCRAP
            for ticket in self.core.tickets():
                if carton == ticket.carton_id and ticket.decision is None:
                    decided(
                        self.core, ticket.ticket_id, decision, by="q", role="quality", reason="x"
                    )
        return self.stand(carton) or Stand.WAITS

    def stand(self, carton: str) -> Stand | None:
        row = self._row(carton)
        if row is None:
            return None
        if row.location == "@customer":
            return Stand.LEFT
        stands = {"unrestricted": Stand.FREE, "inspection": Stand.WAITS, "blocked": Stand.HELD}
        return stands[row.status]

    def _row(self, carton: str) -> _Row | None:
        query = (
            select(t.carton, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
            .join(t.batch, t.batch.c.id == t.carton.c.batch_id)
            .where(t.carton.c.carton_id == carton)
        )
        row = self.core.read(lambda c: c.execute(query).one_or_none())
        if row is None:
            return None
        key = BatchKey(row.supplier, row.gtin, row.lot)
        return _Row(key, row.status, row.location, row.state)


@dataclass(frozen=True)
class _Row:
    batch: BatchKey
    status: str
    location: str
    state: str


def _seen(result: Result) -> Inspection:
    return Inspection(
        image="ab" * 32, score=0.5, threshold=0.5, decision=result.decision, reasons=(),
        regions=(), model_set=result.parts["inspect"], elapsed_ms=1.0,
    )  # fmt: skip


def _read(batch: BatchKey) -> LabelReading:
    """Read for sure: only then a result in doubt gives its batch to a judge."""
    gtin, lot = FieldValue(batch.gtin, 1.0, "symbol"), FieldValue(batch.lot, 1.0, "symbol")
    return LabelReading(
        frame="f", fields=LabelFields(gtin, lot), symbols=(), asn_line=None, confidence=1.0,
        decision=ReadDecision.ACCEPT, reasons=(), model_set="r", elapsed_ms=1.0,
    )  # fmt: skip


class Day:
    """Random results, rollbacks, shipments and decisions; the same for both books."""

    def __init__(self, seed: str) -> None:
        self.rng = Random(seed)  # noqa: S311 -- repeatable, not secret
        self.of: dict[str, BatchKey] = {}
        self.scrapped: set[str] = set()

    def result(self, pins: MemoryPins) -> Result:
        rng = self.rng
        new = len(self.of) < 14 and rng.random() < 0.5
        carton = f"C{len(self.of):02d}" if new or not self.of else rng.choice(sorted(self.of))
        batch = self.of.setdefault(carton, rng.choice(BATCHES))
        parts = rng.choice(JUDGES)
        pin = pins.find(batch)
        if pin is not None and rng.random() < 0.6:
            parts = pin.parts
        generation = pin.generation if pin is not None and rng.random() < 0.8 else rng.randint(1, 3)
        claimed = parts if rng.random() < 0.9 else rng.choice(JUDGES)
        mark = Watermark(judge_digest(claimed), generation, provisional=rng.random() < 0.3)
        decision = rng.choice((PASS, PASS, PASS, PASS, DEFECT, REVIEW))
        return Result(carton, batch, mark, decision, judge_digest(parts), parts)


def test_the_core_answers_as_the_books_of_a_simulation_do(core: Core, clock: FixedClock) -> None:
    pins = MemoryPins()
    told, books = CoreGoods(core, Station(core, clock)), MemoryGoods(pins)
    day = Day("goods/1")
    for number in range(STEPS):
        _step(number, day, pins, told, books)
        stands = [(name, books.stand(name), told.stand(name)) for name in sorted(day.of)]
        assert [s for s in stands if s[1] is not s[2]] == [], f"after step {number}"
    assert books.mixed() == []
    assert verify(core.engine).findings == ()


def _step(number: int, day: Day, pins: MemoryPins, told: Goods, books: MemoryGoods) -> None:
    what = day.rng.choices(("judge", "generation", "leave", "decide"), (14, 2, 3, 2))[0]
    if what == "judge" or not day.of:
        result = day.result(pins)
        assert (number, told.judged(result)) == (number, books.judged(result))
    elif what == "generation":
        batch, parts = day.rng.choice(BATCHES), day.rng.choice(JUDGES)
        pin = pins.find(batch)
        after = pin.generation if pin is not None else 1
        answers = []
        for each in (told, books):
            try:
                answers.append(each.next_generation(batch, parts, after=after, by="x", why="y"))
            except ConflictError as refused:
                answers.append(refused.code)
        assert (number, answers[0]) == (number, answers[1])
    elif what == "leave":
        batch = day.rng.choice(BATCHES)
        free = [n for n in sorted(day.of) if day.of[n] == batch and books.stand(n) is Stand.FREE]
        if free:
            assert (number, told.leave(free[0])) == (number, books.leave(free[0]))
    else:
        _decide(number, day, told, books)


def _decide(number: int, day: Day, told: Goods, books: MemoryGoods) -> None:
    """An operator settles what its first look left in doubt; quality decides on what is held."""
    open_ = [
        name
        for name in sorted(day.of)
        if name not in day.scrapped and (books.stand(name) is Stand.HELD or books.asks_person(name))
    ]
    if not open_:
        return
    name, release = day.rng.choice(open_), day.rng.random() < 0.7
    if not release:
        day.scrapped.add(name)
    answers = (told.decided(name, release=release), books.decided(name, release=release))
    assert (number, name, answers[0]) == (number, name, answers[1])

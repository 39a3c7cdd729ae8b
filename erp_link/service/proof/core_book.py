"""The core, met as any books of stock (`domain.books.port.StockBook`): for the contract suite that
holds it to the same answers as the books in memory.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, select

from contracts.errors import ConflictError, NotFoundError
from contracts.events import KIND_OF, CartonJudged, CartonRejudged, JournalEntry
from contracts.inspection import InspectDecision, Inspection
from contracts.judging import Watermark, judge_digest
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence, HoldKind, StockStatus, UsageDecision
from contracts.verdict import Decision, Verdict
from erp_link.adapters import tables as t
from erp_link.domain.books.port import (
    Named,
    Question,
    SetAside,
    Snapshot,
    Standing,
    Wanted,
)
from erp_link.domain.moves import Place
from erp_link.domain.tickets import TicketKind
from erp_link.service import decisions
from erp_link.service.core import Core
from erp_link.service.judging.desk import Judging
from erp_link.service.work import key_of

_ASKED = {TicketKind.HOLD.value: "hold", TicketKind.APART.value: "apart"}
_BY, _QUALITY = "op", "quality"
_FRAME = "cd" * 32


class SetClock:
    """A clock that goes on by a second with every command, and by days where it is told to."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def on(self, by: timedelta) -> None:
        self._at += by


class CoreBook:
    """Meets `StockBook` over a core that nobody else writes to. `clock` is the core's own."""

    def __init__(self, core: Core, clock: SetClock) -> None:
        self.core = core
        self._clock = clock
        self._reservations: list[int] = []
        self._questions: list[str] = []
        self._entries: list[JournalEntry] = []

    def receive(
        self, batch: BatchKey, quantity: int, location: str, expiry: date | None
    ) -> StockStatus:
        self._tick()
        status = self.core.receive(batch, quantity, location=location, expiry=expiry, by=_BY)
        self._ask()
        return status

    def receive_carton(self, carton: str, batch: BatchKey) -> None:
        self._tick()
        body = CartonJudged(
            carton_id=carton,
            station="dock-1",
            session=None,
            opened_at=self._clock.now(),
            opened_by="replay",
            verdict=Verdict(Decision.ACCEPT, (), batch=batch),
            reading=None,
            inspection=None,
            evidence=(),
            model_sets={},
            variant="cpu",
        )
        self.core.apply(self._entry(body), body)

    def judge_carton(self, carton: str, batch: BatchKey, judge: str, generation: int) -> None:
        self._tick()
        sets = _sets_of(judge)
        body = CartonJudged(
            carton_id=carton,
            station="dock-1",
            session=None,
            opened_at=self._clock.now(),
            opened_by="replay",
            verdict=Verdict(Decision.ACCEPT, (), batch=batch),
            reading=None,
            inspection=_looked(sets, InspectDecision.PASS),
            evidence=(Evidence("inspect", _FRAME),),
            model_sets=sets,
            variant="cpu",
            under=Watermark(judge_digest(sets), generation),
        )
        self.core.apply(self._entry(body), body)

    def rejudge(
        self, carton: str, batch: BatchKey, judge: str, generation: int, decision: InspectDecision
    ) -> None:
        self._tick()
        sets = _sets_of(judge)
        body = CartonRejudged(
            carton_id=carton,
            station="dock-1",
            batch=batch,
            under=Watermark(judge_digest(sets), generation),
            decision=decision,
            reasons=(Reason("defect_seen"),),
            inspection=_looked(sets, decision),
            picture=_FRAME,
            model_sets=sets,
            variant="cpu",
        )
        self.core.apply(self._entry(body), body)
        self._ask()

    def next_generation(self, batch: BatchKey, judge: str) -> None:
        self._tick()
        desk = Judging(self.core)
        newest = desk.find(batch)
        after = newest.generation if newest is not None else 1
        desk.next_generation(batch, _sets_of(judge), after=after, by=_BY, why="another look")

    def reserve(self, batch: BatchKey, quantity: int) -> None:
        self._tick()
        made = self.core.reserve("SO", batch, quantity, by=_BY)
        self._reservations += [each.reservation_id for each in made]

    def pick(self, number: int) -> None:
        self._tick()
        self.core.pick(self._reservation(number), by=_BY)

    def ship(self, number: int) -> None:
        self._tick()
        self.core.ship(self._reservation(number), by=_BY)

    def return_picked(self, number: int) -> None:
        self._tick()
        self.core.return_picked(self._reservation(number), by=_BY)
        self._ask()

    def move(self, batch: BatchKey, quantity: int, source: Place, target: str) -> None:
        self._tick()
        self.core.move(
            batch,
            quantity,
            source=source.location,
            status=source.status,
            target=target,
            by=_BY,
        )
        self._ask()

    def hold(self, wanted: Wanted) -> None:
        self._tick()
        self.core.add_hold(
            wanted.kind,
            reason=Reason("defect_seen"),
            by="q",
            batch=wanted.batch,
            cartons=wanted.cartons,
            location=wanted.location,
            supplier=wanted.supplier,
            quantity=wanted.quantity,
        )
        self._ask()

    def decide(self, number: int, decision: UsageDecision) -> None:
        self._tick()
        if not 0 < number <= len(self._questions):
            raise ConflictError(f"Question {number} was never asked", mend="Look again")
        ticket = self._questions[number - 1]
        self.core.command(
            "decide",
            {},
            by="q",
            key=None,
            guards_of=None,
            act=lambda w: decisions.decide(w, ticket, decision, role=_QUALITY, reason="seen"),
        )

    def new_day(self, days: int) -> None:
        self._clock.on(timedelta(days=days))

    def snapshot(self) -> Snapshot:
        return self.core.read(self._snapshot)

    def _snapshot(self, connection: Connection) -> Snapshot:
        keys = {row.id: key_of(row) for row in connection.execute(select(t.batch))}
        return Snapshot(
            _stock(connection, keys),
            self._set_aside(connection, keys),
            _cartons(connection, keys),
            _holds(connection, keys),
            self._asked(connection, keys),
        )

    def _set_aside(self, connection: Connection, keys: dict[int, BatchKey]) -> tuple[SetAside, ...]:
        rows = {row.id: row for row in connection.execute(select(t.reservation))}
        found = []
        for number, reservation_id in enumerate(self._reservations, start=1):
            row = rows[reservation_id]
            found.append(
                SetAside(number, keys[row.batch_id], row.location, row.quantity, row.state)
            )
        return tuple(found)

    def _asked(self, connection: Connection, keys: dict[int, BatchKey]) -> tuple[Question, ...]:
        rows = {row.ticket_id: row for row in connection.execute(select(t.ticket))}
        found = []
        for number, ticket_id in enumerate(self._questions, start=1):
            row = rows[ticket_id]
            if row.decision is None:
                batch = None if row.batch_id is None else keys[row.batch_id]
                about = _ASKED[row.kind]
                found.append(
                    Question(number, about, batch, tuple(sorted(row.cartons)), row.quantity)
                )
        return tuple(found)

    def _ask(self) -> None:
        """Keep the numbers of the tickets in the order in which they were opened: one a command."""
        query = (
            select(t.ticket.c.ticket_id)
            .where(t.ticket.c.kind.in_(list(_ASKED)), t.ticket.c.opened_at == self._clock.now())
            .order_by(t.ticket.c.ticket_id)
        )
        self._questions += self.core.read(lambda c: list(c.execute(query).scalars()))

    def _reservation(self, number: int) -> int:
        if not 0 < number <= len(self._reservations):
            raise NotFoundError(f"There is no reservation {number}", mend="Look again")
        return self._reservations[number - 1]

    def _tick(self) -> None:
        self._clock.on(timedelta(seconds=1))

    def _entry(self, body: CartonJudged | CartonRejudged) -> JournalEntry:
        seq = len(self._entries) + 1
        previous = self._entries[-1].hash if self._entries else ""
        moment = self._clock.now() - datetime(1970, 1, 1, tzinfo=UTC)
        entry = JournalEntry(
            device="edge-1",
            seq=seq,
            boot="b1",
            at_us=moment // timedelta(microseconds=1),
            uncertainty_us=1000,
            kind=KIND_OF[type(body)],
            body="{}",
            previous=previous,
            hash=hashlib.sha256(f"{seq}{previous}{body.carton_id}".encode()).hexdigest(),
            signature="",
        )
        self._entries.append(entry)
        return entry


def _sets_of(judge: str) -> dict[str, str]:
    return {"inspect": f"sha256:{judge * 64}"}


def _looked(sets: dict[str, str], decision: InspectDecision) -> Inspection:
    return Inspection(
        image=_FRAME, score=0.5, threshold=0.5, decision=decision, reasons=(), regions=(),
        model_set=sets["inspect"], elapsed_ms=1.0,
    )  # fmt: skip


def _stock(connection: Connection, keys: dict[int, BatchKey]) -> tuple[Standing, ...]:
    rows = connection.execute(select(t.stock).where(t.stock.c.quantity != 0))
    found = [
        Standing(
            keys[row.batch_id],
            Place(row.location, StockStatus(row.status)),
            row.quantity,
            row.reserved,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda s: (s.batch, s.place.location, s.place.status.value)))


def _cartons(connection: Connection, keys: dict[int, BatchKey]) -> tuple[Named, ...]:
    rows = connection.execute(select(t.carton).where(t.carton.c.batch_id.is_not(None)))
    found = [
        Named(
            row.carton_id,
            keys[row.batch_id],
            Place(row.location, StockStatus(row.status)),
            row.cause,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda named: named.carton))


def _holds(
    connection: Connection, keys: dict[int, BatchKey]
) -> tuple[tuple[HoldKind, BatchKey | None, str, str, tuple[str, ...], int], ...]:
    rows = connection.execute(select(t.hold).where(t.hold.c.released_at.is_(None)))
    found = [
        (
            HoldKind(row.kind),
            None if row.batch_id is None else keys[row.batch_id],
            row.location,
            row.supplier,
            tuple(sorted(row.cartons)),
            row.quantity,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=str))

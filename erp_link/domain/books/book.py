"""The books in memory: commands checked by the domain's own rules, facts appended, state folded."""

from __future__ import annotations

from datetime import date, timedelta

from contracts.errors import (
    BadInputError,
    ConflictError,
    InsufficientStockError,
)
from contracts.inspection import InspectDecision
from contracts.stock import BatchKey, HoldKind, StockStatus, UsageDecision
from erp_link.domain.books import covers, judging
from erp_link.domain.books.facts import (
    CartonIs,
    DayIs,
    Decided,
    Held,
    Lifted,
    Pinned,
    ReservationIs,
    Reserved,
    Said,
)
from erp_link.domain.books.facts import Reservation as Row
from erp_link.domain.books.keeping import MEND, Keeping
from erp_link.domain.books.port import DOCK, Snapshot, Wanted
from erp_link.domain.books.view import snapshot
from erp_link.domain.holds import Part
from erp_link.domain.judging import Result, ResultKind
from erp_link.domain.moves import Place
from erp_link.domain.places import (
    CUSTOMER_ACCOUNT,
    QUARANTINE,
    STAGING,
    SUPPLIER_ACCOUNT,
    is_account,
)
from erp_link.domain.receiving import accepted
from erp_link.domain.tickets import lifts_hold

_STAGED = Place(STAGING, StockStatus.IN_TRANSIT)
_GONE = Place(CUSTOMER_ACCOUNT, StockStatus.IN_TRANSIT)


class Book(Keeping):
    """Meets `StockBook`."""

    # Goods in

    def receive(
        self, batch: BatchKey, quantity: int, location: str, expiry: date | None
    ) -> StockStatus:
        _positive(quantity)
        if is_account(location):
            raise BadInputError(f"{location} is no place in the house", mend="Name a place")
        batch_id = self._learn(batch, expiry)
        held = covers.is_held(self.state, batch_id)
        receipt = accepted(held=held or location == QUARANTINE, expired=self._expired(batch_id))
        status = receipt.status or StockStatus.INSPECTION
        self._move(batch_id, quantity, Place(SUPPLIER_ACCOUNT, status), Place(location, status))
        if location == QUARANTINE:
            self._set_apart(batch_id, quantity, ())
        return status

    def receive_carton(self, carton: str, batch: BatchKey) -> None:
        batch_id = self._learn(batch, None)
        held = covers.is_held(self.state, batch_id) or carton in covers.held_by_name(
            self.state, batch_id
        )
        receipt = accepted(held=held, expired=self._expired(batch_id))
        status = receipt.status or StockStatus.INSPECTION
        place = Place(DOCK, status)
        self._move(batch_id, 1, Place(SUPPLIER_ACCOUNT, status), place)
        self._add(CartonIs(carton, batch_id, place, receipt.cause))

    # One judge

    def judge_carton(self, carton: str, batch: BatchKey, judge: str, generation: int) -> None:
        batch_id = self._learn(batch, None)
        if not self.state.pins[batch_id]:
            self._add(Pinned(batch_id, judge))
        counts = judging.counts(self.state, batch_id, judge, generation)
        held = covers.is_held(self.state, batch_id)
        expired = self._expired(batch_id)
        receipt = accepted(held=held, expired=expired, unjudged=not counts)
        place = Place(DOCK, receipt.status or StockStatus.INSPECTION)
        self._move(batch_id, 1, Place(SUPPLIER_ACCOUNT, place.status), place)
        self._add(CartonIs(carton, batch_id, place, receipt.cause))
        said = Result(ResultKind.JUDGED, generation, counts, InspectDecision.PASS)
        self._add(Said(carton, said))

    def rejudge(
        self,
        carton: str,
        batch: BatchKey,  # noqa: ARG002 -- the port's: a carton that is known says its batch itself
        judge: str,
        generation: int,
        decision: InspectDecision,
    ) -> None:
        batch_id = self.state.carton_of[carton]
        self._all(list(judging.let_in_before(self.state, carton)))
        counts = judging.counts(self.state, batch_id, judge, generation)
        self._add(Said(carton, Result(ResultKind.REJUDGED, generation, counts, decision)))
        if decision is InspectDecision.DEFECT:
            self._found_bad(batch_id, carton)
        elif counts:
            self._come_free(batch_id, [carton])

    def next_generation(self, batch: BatchKey, judge: str) -> None:
        batch_id = self.state.by_key.get(batch)
        if batch_id is None or not self.state.pins[batch_id]:
            raise ConflictError(f"Nobody judges {batch} yet", mend=MEND)
        self._add(Pinned(batch_id, judge))
        self._all(list(judging.come_back(self.state, batch_id)))

    # Goods out

    def reserve(self, batch: BatchKey, quantity: int) -> None:
        batch_id = self._known(batch)
        _positive(quantity)
        self._check_leaving(batch_id, Place("", StockStatus.UNRESTRICTED))
        parts: list[Part] = []
        left = quantity
        for place, there in sorted(self.state.standing(batch_id)):
            free = there - self.state.reserved.get((batch_id, place.location), 0)
            may = place.status is StockStatus.UNRESTRICTED and place.location != QUARANTINE
            if left and free > 0 and may and not covers.is_place_held(self.state, place.location):
                parts.append(Part(place.location, min(left, free)))
                left -= parts[-1].quantity
        if left:
            raise InsufficientStockError(f"{quantity - left} of {quantity} are free", mend=MEND)
        for part in parts:
            number = self._next("reservation")
            self._add(Reserved(number, batch_id, part.location, part.quantity))

    def pick(self, number: int) -> None:
        row = self._reservation(number)
        source = Place(row.location, StockStatus.UNRESTRICTED)
        self._check_leaving(row.batch_id, source)
        self._check_named(row.batch_id, source, row.quantity)
        _check_state(row, "reserved")
        self._add(ReservationIs(number, "picked"))
        self._move(row.batch_id, row.quantity, source, _STAGED)
        self._relocate(row.batch_id, row.quantity, source, _STAGED)

    def ship(self, number: int) -> None:
        row = self._reservation(number)
        self._check_leaving(row.batch_id, _STAGED, came_from=row.location)
        self._check_named(row.batch_id, _STAGED, row.quantity)
        _check_state(row, "picked")
        self._add(ReservationIs(number, "shipped"))
        self._move(row.batch_id, row.quantity, _STAGED, _GONE)
        self._relocate(row.batch_id, row.quantity, _STAGED, _GONE)

    def return_picked(self, number: int) -> None:
        row = self._reservation(number)
        _check_state(row, "picked")
        target = Place(QUARANTINE, StockStatus.BLOCKED)
        self._add(ReservationIs(number, "released"))
        self._move(row.batch_id, row.quantity, _STAGED, target)
        gone = self._relocate(row.batch_id, row.quantity, _STAGED, target)
        self._set_apart(row.batch_id, row.quantity, gone)

    def move(self, batch: BatchKey, quantity: int, source: Place, target: str) -> None:
        batch_id = self._known(batch)
        _positive(quantity)
        if is_account(target) or is_account(source.location):
            raise BadInputError(f"{target} is no place in the house", mend="Issue the goods")
        if source.status is StockStatus.IN_TRANSIT:
            raise BadInputError("Picked goods are not moved by hand", mend="Ship or return them")
        if target != QUARANTINE:
            self._check_leaving(batch_id, source)
        reserved = 0
        if source.status is StockStatus.UNRESTRICTED:
            reserved = self.state.reserved.get((batch_id, source.location), 0)
        if self.state.at(batch_id, source) - reserved < quantity:
            raise InsufficientStockError(f"Less than {quantity} are free", mend=MEND)
        contains = target == QUARANTINE and source.status is StockStatus.UNRESTRICTED
        to = Place(target, StockStatus.BLOCKED if contains else source.status)
        self._move(batch_id, quantity, source, to)
        gone = self._relocate(batch_id, quantity, source, to)
        if contains:
            self._set_apart(batch_id, quantity, gone)

    # Holds and decisions

    def hold(self, wanted: Wanted) -> None:
        batch_id = self._held_batch(wanted)
        number = self._next("hold")
        held = Held(number, wanted, batch_id)
        match wanted.kind:
            case HoldKind.BATCH | HoldKind.SUPPLIER:
                self._cover(held)
            case HoldKind.LOCATION:
                for each in self.state.batches:
                    self._all(covers.let_go(self.state, each, wanted.location, keep=0))
            case HoldKind.CARTONS if batch_id is not None:
                cartons = [self.state.cartons[batch_id].get(name) for name in wanted.cartons]
                known = [carton for carton in cartons if carton is not None]
                for carton in sorted(known, key=lambda c: (c.place.location, c.name)):
                    self._all(covers.block_carton(self.state, carton))
            case HoldKind.QUANTITY if batch_id is not None:
                held = self._hold_quantity(held, batch_id)
            case _:
                raise AssertionError(f"a hold of kind {wanted.kind} without its batch")
        self._add(held)
        self._ask("hold", batch_id, number, (), 0)

    def decide(self, number: int, decision: UsageDecision) -> None:
        question = self.state.questions.get(number)
        if question is None or number in self.state.decided:
            raise ConflictError(f"Question {number} is not open", mend=MEND)
        self._add(Decided(number, decision))
        if not lifts_hold([decision]):
            return
        named = self._named(question)
        free = {question.batch_id} if question.batch_id is not None else set()
        if question.hold is not None:
            held = self.state.holds[question.hold]
            free.update(covers.covered(self.state, held))
            self._add(Lifted(question.hold))
        self._free(free)
        self._answered(question.batch_id, named)
        self._free(free)

    def new_day(self, days: int) -> None:
        self._add(DayIs(self.state.today + timedelta(days=days)))

    def snapshot(self) -> Snapshot:
        return snapshot(self.state)


def _positive(quantity: int) -> None:
    if quantity < 1:
        raise BadInputError(f"A quantity of {quantity}", mend="Give a quantity of at least 1")


def _check_state(row: Row, wanted: str) -> None:
    if row.state != wanted:
        raise ConflictError(f"Reservation {row.number} is {row.state}", mend=MEND)

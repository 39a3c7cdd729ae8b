"""The books in memory: commands checked by the domain's own rules, facts appended, state folded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from contracts.errors import (
    BadInputError,
    ConflictError,
    HeldError,
    InsufficientStockError,
    NotFoundError,
)
from contracts.stock import BatchKey, HoldKind, StockStatus, UsageDecision
from erp_link.domain.books import covers
from erp_link.domain.books.facts import (
    Asked,
    BatchKnown,
    CartonIs,
    DayIs,
    Decided,
    Fact,
    Held,
    Lifted,
    Moved,
    ReservationIs,
    Reserved,
    State,
)
from erp_link.domain.books.facts import Reservation as Row
from erp_link.domain.books.port import DOCK, Snapshot, Wanted
from erp_link.domain.books.view import snapshot
from erp_link.domain.expiry import safer
from erp_link.domain.holds import Part, set_apart
from erp_link.domain.leaving import LeaveFacts, may_this_leave
from erp_link.domain.moves import Place, transfer
from erp_link.domain.places import (
    CUSTOMER_ACCOUNT,
    QUARANTINE,
    STAGING,
    SUPPLIER_ACCOUNT,
    is_account,
)
from erp_link.domain.receiving import Cause, accepted
from erp_link.domain.tickets import lifts_hold

_STAGED = Place(STAGING, StockStatus.IN_TRANSIT)
_GONE = Place(CUSTOMER_ACCOUNT, StockStatus.IN_TRANSIT)
_MEND = "Ask the books again"


class Book:
    """Meets `StockBook`. `facts` is the record; `state` follows from it."""

    def __init__(self, today: date) -> None:
        self.began = today
        self.facts: list[Fact] = []
        self.state = State(today)
        self._numbers = dict.fromkeys(("batch", "reservation", "hold", "question"), 0)

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
            raise InsufficientStockError(f"{quantity - left} of {quantity} are free", mend=_MEND)
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
            raise InsufficientStockError(f"Less than {quantity} are free", mend=_MEND)
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
            raise ConflictError(f"Question {number} is not open", mend=_MEND)
        self._add(Decided(number, decision))
        if not lifts_hold([decision]):
            return
        free = {question.batch_id} if question.batch_id is not None else set()
        if question.hold is not None:
            held = self.state.holds[question.hold]
            free.update(covers.covered(self.state, held))
            self._add(Lifted(question.hold))
        for batch_id in sorted(free):
            if not covers.is_held(self.state, batch_id) and not self._expired(batch_id):
                self._all(covers.free_batch(self.state, batch_id))

    def new_day(self, days: int) -> None:
        self._add(DayIs(self.state.today + timedelta(days=days)))

    def snapshot(self) -> Snapshot:
        return snapshot(self.state)

    # What the commands share

    def _cover(self, held: Held) -> None:
        for batch_id in covers.covered(self.state, held):
            for fact in list(covers.block_batch(self.state, batch_id)):
                self._add(fact)

    def _hold_quantity(self, held: Held, batch_id: int) -> Held:
        """Where not so many units can be set apart, the whole batch is held."""
        wanted = held.wanted
        free = [
            Part(place.location, quantity)
            for place, quantity in self.state.standing(batch_id)
            if place.status is StockStatus.UNRESTRICTED
        ]
        apart = set_apart(wanted.quantity, free, location=wanted.location)
        if not apart.parts:
            whole = Held(held.number, replace(wanted, kind=HoldKind.BATCH, location=""), batch_id)
            self._cover(whole)
            return whole
        named: list[str] = []
        for part in apart.parts:
            facts, names = covers.block_part(self.state, batch_id, part)
            self._all(facts)
            named += names
        location = wanted.location or apart.parts[0].location
        kept = replace(wanted, cartons=tuple(sorted(named)), location=location)
        return Held(held.number, kept, batch_id)

    def _held_batch(self, wanted: Wanted) -> int | None:
        match wanted.kind:
            case HoldKind.BATCH if wanted.batch is not None:
                return self._known(wanted.batch)
            case HoldKind.QUANTITY if wanted.batch is not None and wanted.quantity > 0:
                return self._known(wanted.batch)
            case HoldKind.CARTONS if wanted.cartons:
                carton_of = self.state.carton_of
                owners = {carton_of[name] for name in wanted.cartons if name in carton_of}
                if len(owners) != 1:
                    raise NotFoundError("The cartons are not of one batch", mend="Hold each batch")
                return owners.pop()
            case HoldKind.LOCATION if wanted.location:
                return None
            case HoldKind.SUPPLIER if wanted.supplier:
                return None
            case _:
                raise BadInputError("The hold covers nothing", mend="Say what it covers")

    def _check_leaving(self, batch_id: int, place: Place, *, came_from: str = "") -> None:
        places = [code for code in (place.location, came_from) if code]
        held = covers.is_held(self.state, batch_id) or covers.is_place_held(self.state, *places)
        expired = self.state.batches[batch_id].expiry if self._expired(batch_id) else None
        reasons = may_this_leave(LeaveFacts(place.status, ("-",) if held else (), expired))
        if reasons:
            raise HeldError("It may not leave", mend=_MEND, reasons=[r.code for r in reasons])

    def _check_named(self, batch_id: int, place: Place, quantity: int) -> None:
        named = covers.held_by_name(self.state, batch_id)
        held = named.intersection(covers.cartons_at(self.state, batch_id, place)) if named else ()
        if held and quantity > self.state.at(batch_id, place) - len(held):
            raise HeldError("Cartons on hold would go along", mend=_MEND)

    def _relocate(
        self, batch_id: int, quantity: int, source: Place, target: Place
    ) -> tuple[str, ...]:
        """Units cannot be told apart: the first cartons by name go along. What is held by name goes
        first to quarantine, and never elsewhere.
        """
        there = covers.cartons_at(self.state, batch_id, source)
        if not there:
            return ()
        named = covers.held_by_name(self.state, batch_id)
        if target.location == QUARANTINE:
            there.sort(key=lambda name: name not in named)
        else:
            there = [name for name in there if name not in named]
        blocks = target.status is StockStatus.BLOCKED and source.status is not StockStatus.BLOCKED
        gone = tuple(there[:quantity])
        for name in gone:
            cause = self.state.cartons[batch_id][name].cause
            if blocks:
                cause = Cause.EXPIRED if self._expired(batch_id) else Cause.HOLD
            self._add(CartonIs(name, batch_id, target, cause))
        return gone

    def _set_apart(self, batch_id: int, quantity: int, cartons: tuple[str, ...]) -> None:
        if covers.is_held(self.state, batch_id) or self._expired(batch_id):
            return
        named = covers.held_by_name(self.state, batch_id)
        own = tuple(name for name in cartons if name not in named)
        units = max(0, quantity - len(cartons))
        if own or units:
            self._ask("apart", batch_id, None, own, units)

    def _ask(
        self,
        about: str,
        batch_id: int | None,
        hold: int | None,
        cartons: tuple[str, ...],
        quantity: int,
    ) -> None:
        number = self._next("question")
        self._add(Asked(number, about, batch_id, hold, tuple(sorted(cartons)), quantity))

    def _learn(self, key: BatchKey, seen: date | None) -> int:
        batch_id = self.state.by_key.get(key)
        known = None if batch_id is None else self.state.batches[batch_id].expiry
        if batch_id is None or safer(known, seen) != known:
            batch_id = batch_id or self._next("batch")
            self._add(BatchKnown(batch_id, key, safer(known, seen)))
        return batch_id

    def _known(self, key: BatchKey) -> int:
        batch_id = self.state.by_key.get(key)
        if batch_id is None:
            raise NotFoundError(f"Batch {key} is not known here", mend=_MEND)
        return batch_id

    def _reservation(self, number: int) -> Row:
        row = self.state.reservations.get(number)
        if row is None:
            raise NotFoundError(f"There is no reservation {number}", mend=_MEND)
        return row

    def _expired(self, batch_id: int) -> bool:
        expiry = self.state.batches[batch_id].expiry
        return expiry is not None and expiry < self.state.today

    def _move(self, batch_id: int, quantity: int, source: Place, target: Place) -> None:
        self._add(Moved(transfer(batch_id, quantity, source, target)))

    def _next(self, what: str) -> int:
        self._numbers[what] += 1
        return self._numbers[what]

    def _all(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._add(fact)

    def _add(self, fact: Fact) -> None:
        self.facts.append(fact)
        self.state.add(fact)


def _positive(quantity: int) -> None:
    if quantity < 1:
        raise BadInputError(f"A quantity of {quantity}", mend="Give a quantity of at least 1")


def _check_state(row: Row, wanted: str) -> None:
    if row.state != wanted:
        raise ConflictError(f"Reservation {row.number} is {row.state}", mend=_MEND)

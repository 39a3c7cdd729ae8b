"""What the commands of the books in memory share: facts added, goods followed, questions asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date

from contracts.errors import (
    BadInputError,
    HeldError,
    NotFoundError,
)
from contracts.stock import BatchKey, HoldKind, StockStatus
from erp_link.domain.books import covers, judging
from erp_link.domain.books.facts import (
    Asked,
    BatchKnown,
    CartonIs,
    Fact,
    Found,
    Held,
    Moved,
    State,
)
from erp_link.domain.books.facts import Reservation as Row
from erp_link.domain.books.port import Wanted
from erp_link.domain.expiry import safer
from erp_link.domain.holds import Part, set_apart
from erp_link.domain.leaving import LeaveFacts, may_this_leave
from erp_link.domain.moves import Place, transfer
from erp_link.domain.places import (
    QUARANTINE,
    is_account,
)
from erp_link.domain.receiving import Cause

MEND = "Ask the books again"


class Keeping:
    """`facts` is the record; `state` follows from it."""

    def __init__(self, today: date) -> None:
        self.began = today
        self.facts: list[Fact] = []
        self.state = State(today)
        self._numbers = dict.fromkeys(("batch", "reservation", "hold", "question"), 0)

    def _free(self, batches: Iterable[int]) -> None:
        for batch_id in sorted(batches):
            if not covers.is_held(self.state, batch_id) and not self._expired(batch_id):
                self._all(covers.free_batch(self.state, batch_id))

    def _named(self, question: Asked) -> set[str]:
        """The cartons that a question is about one by one."""
        if question.hold is None:
            return set(question.cartons)
        wanted = self.state.holds[question.hold].wanted
        return set(wanted.cartons) if wanted.kind is HoldKind.CARTONS else set()

    def _answered(self, batch_id: int | None, named: set[str]) -> None:
        """Quality looked at what it released by name: no machine needs to."""
        if batch_id is None:
            return
        names = named.intersection(self.state.cartons[batch_id])
        names -= covers.held_by_name(self.state, batch_id)
        self._all([judging.person(self.state, name) for name in sorted(names)])
        self._come_free(batch_id, names)

    def _come_free(self, batch_id: int, names: Collection[str]) -> None:
        held = covers.is_held(self.state, batch_id)
        fate = Cause.EXPIRED if self._expired(batch_id) else Cause.HOLD if held else Cause.NONE
        self._all(list(judging.come_free(self.state, batch_id, names, fate)))

    def _found_bad(self, batch_id: int, name: str) -> None:
        carton = self.state.cartons[batch_id][name]
        if carton.cause is Cause.DEFECT or is_account(carton.place.location):
            return
        if carton.place.status is not StockStatus.IN_TRANSIT:
            self._all(list(judging.block(self.state, carton)))
            self._add(Found(name))
        elif name in covers.held_by_name(self.state, batch_id):
            self._add(Found(name))
        else:
            number = self._next("hold")
            self._add(Held(number, Wanted(HoldKind.CARTONS, cartons=(name,)), batch_id))
            self._ask("hold", batch_id, number, (), 0)

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
            raise HeldError("It may not leave", mend=MEND, reasons=[r.code for r in reasons])

    def _check_named(self, batch_id: int, place: Place, quantity: int) -> None:
        named = covers.held_by_name(self.state, batch_id)
        held = named.intersection(covers.cartons_at(self.state, batch_id, place))
        held |= covers.stopped_at(self.state, batch_id, place)
        if held and quantity > self.state.at(batch_id, place) - len(held):
            raise HeldError("Cartons that may not would go along", mend=MEND)

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
        named |= covers.stopped_at(self.state, batch_id, source)
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
            raise NotFoundError(f"Batch {key} is not known here", mend=MEND)
        return batch_id

    def _reservation(self, number: int) -> Row:
        row = self.state.reservations.get(number)
        if row is None:
            raise NotFoundError(f"There is no reservation {number}", mend=MEND)
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

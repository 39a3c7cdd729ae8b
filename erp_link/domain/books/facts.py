"""What happened, as facts that are only ever added, and the state that they make.

The state changes by `State.add` and by nothing else, so the facts alone give it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from contracts.stock import BatchKey, UsageDecision
from erp_link.domain.books.port import Wanted
from erp_link.domain.judging import FIRST, Result, waits
from erp_link.domain.moves import Line, Place
from erp_link.domain.receiving import Cause


@dataclass(frozen=True, slots=True)
class BatchKnown:
    """A batch is known, with the date that counts for it."""

    batch_id: int
    key: BatchKey
    expiry: date | None


@dataclass(frozen=True, slots=True)
class Moved:
    """The lines of one move; they sum to zero."""

    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Reserved:
    """A reservation was made."""

    number: int
    batch_id: int
    location: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ReservationIs:
    """A reservation came to another state."""

    number: int
    state: str


@dataclass(frozen=True, slots=True)
class CartonIs:
    """A carton stands somewhere, and why it is blocked."""

    name: str
    batch_id: int
    place: Place
    cause: Cause


@dataclass(frozen=True, slots=True)
class Held:
    """A hold, in force from now on."""

    number: int
    wanted: Wanted
    batch_id: int | None


@dataclass(frozen=True, slots=True)
class Lifted:
    """A hold that is in force no more."""

    number: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A question for quality: about a hold, or about goods set apart."""

    number: int
    about: str
    batch_id: int | None
    hold: int | None
    cartons: tuple[str, ...]
    quantity: int


@dataclass(frozen=True, slots=True)
class Decided:
    """Quality's answer."""

    number: int
    decision: UsageDecision


@dataclass(frozen=True, slots=True)
class Pinned:
    """The next generation of a batch, and its judge."""

    batch_id: int
    judge: str


@dataclass(frozen=True, slots=True)
class Said:
    """One word on a carton's goods."""

    carton: str
    result: Result


@dataclass(frozen=True, slots=True)
class Found:
    """A ticket says that a carton is defective."""

    carton: str


@dataclass(frozen=True, slots=True)
class DayIs:
    """The site's calendar."""

    today: date


Fact = (
    BatchKnown
    | Moved
    | Reserved
    | ReservationIs
    | CartonIs
    | Held
    | Lifted
    | Asked
    | Decided
    | Pinned
    | Said
    | Found
    | DayIs
)


@dataclass(slots=True)
class Batch:
    """A batch by its number."""

    batch_id: int
    key: BatchKey
    expiry: date | None


@dataclass(slots=True)
class Reservation:
    """Goods set aside; `state` is reserved, picked, shipped or released."""

    number: int
    batch_id: int
    location: str
    quantity: int
    state: str = "reserved"


@dataclass(slots=True)
class State:
    """Stock by batch and place, accounts outside the house included: each batch sums to zero."""

    today: date
    batches: dict[int, Batch] = field(default_factory=dict)
    by_key: dict[BatchKey, int] = field(default_factory=dict)
    stock: dict[int, dict[Place, int]] = field(default_factory=lambda: defaultdict(dict))
    reserved: dict[tuple[int, str], int] = field(default_factory=dict)
    reservations: dict[int, Reservation] = field(default_factory=dict)
    waiting: dict[tuple[int, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    """The reservations not picked yet, by batch and place, in the order they were made."""
    cartons: dict[int, dict[str, CartonIs]] = field(default_factory=lambda: defaultdict(dict))
    carton_of: dict[str, int] = field(default_factory=dict)
    holds: dict[int, Held] = field(default_factory=dict)
    """Those in force."""
    questions: dict[int, Asked] = field(default_factory=dict)
    """Those undecided, and those about goods set apart that were decided otherwise than by a
    release: the goods stay where they are.
    """
    decided: set[int] = field(default_factory=set)
    pins: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The judges of each batch's generations, from the first on."""
    said: dict[str, list[Result]] = field(default_factory=lambda: defaultdict(list))
    found: set[str] = field(default_factory=set)
    """Cartons found defective, and answered by nobody."""

    def add(self, fact: Fact) -> None:
        """Take a fact in."""
        match fact:
            case Moved(lines):
                for line in lines:
                    there = self.stock[line.batch_id]
                    left = there.get(line.place, 0) + line.quantity
                    if left:
                        there[line.place] = left
                    else:
                        there.pop(line.place, None)
            case CartonIs(name, batch_id):
                self.cartons[batch_id][name] = fact
                self.carton_of[name] = batch_id
            case Reserved(number, batch_id, location, quantity):
                self.reservations[number] = Reservation(number, batch_id, location, quantity)
                self.waiting[batch_id, location].append(number)
                self._reserve(batch_id, location, quantity)
            case ReservationIs(number, state):
                self._reservation(self.reservations[number], state)
            case BatchKnown(batch_id, key, expiry):
                self.batches[batch_id] = Batch(batch_id, key, expiry)
                self.by_key[key] = batch_id
            case _:
                self._judged(fact)

    def _reservation(self, row: Reservation, state: str) -> None:
        if row.state == "reserved":
            self.waiting[row.batch_id, row.location].remove(row.number)
            self._reserve(row.batch_id, row.location, -row.quantity)
        row.state = state

    def _reserve(self, batch_id: int, location: str, change: int) -> None:
        at = (batch_id, location)
        left = self.reserved.get(at, 0) + change
        if left:
            self.reserved[at] = left
        else:
            self.reserved.pop(at, None)

    def _judged(
        self, fact: Held | Lifted | Asked | Decided | Pinned | Said | Found | DayIs
    ) -> None:
        match fact:
            case Pinned(batch_id, judge):
                self.pins[batch_id].append(judge)
            case Said(carton, result):
                self.said[carton].append(result)
            case Found(carton):
                self.found.add(carton)
            case Held():
                self.holds[fact.number] = fact
            case Lifted(number):
                del self.holds[number]
            case Asked():
                self.questions[fact.number] = fact
            case Decided(number, decision):
                self.decided.add(number)
                about = self.questions[number].about
                if decision is UsageDecision.RELEASE or about == "hold":
                    del self.questions[number]
            case DayIs(today):
                self.today = today

    def generation(self, batch_id: int) -> int:
        """The newest generation of a batch."""
        return max(FIRST, len(self.pins[batch_id]))

    def awaits(self, carton: str) -> bool:
        """Does a carton lack a pass of its batch's newest generation?"""
        return waits(self.said[carton], self.generation(self.carton_of[carton]))

    def at(self, batch_id: int, place: Place) -> int:
        """Units of a batch in a place."""
        return self.stock[batch_id].get(place, 0)

    def standing(self, batch_id: int) -> Iterator[tuple[Place, int]]:
        """Where a batch stands in the house."""
        for place, quantity in self.stock[batch_id].items():
            if not place.location.startswith("@"):
                yield place, quantity


def replay(today: date, facts: Iterable[Fact]) -> State:
    """The state that the facts make, from nothing."""
    state = State(today)
    for fact in facts:
        state.add(fact)
    return state

"""Random days in a warehouse: what people, programs and quality might do next, sensible and not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import cast

from contracts.errors import TallymanError
from contracts.inspection import InspectDecision
from contracts.stock import BatchKey, HoldKind, StockStatus, UsageDecision
from erp_link.domain.books.book import Book
from erp_link.domain.books.port import StockBook, Wanted
from erp_link.domain.moves import Place
from erp_link.domain.places import QUARANTINE, STAGING

_WATER, _JUICE = "06933132577789", "08809609245438"
BATCHES = (
    BatchKey("ACME", _WATER, "L1"),
    BatchKey("BOLT", _WATER, "L1"),
    BatchKey("", _WATER, "L1"),
    BatchKey("ACME", _WATER, "L2"),
    BatchKey("ACME", _JUICE, "L1"),
    BatchKey("BOLT", _JUICE, "L3"),
)
"""Two suppliers with one lot number, and goods of it that are anybody's."""
PLACES = ("A-01-1", "A-01-2", "B-01-1")
_MOST_CARTONS = 40
_JUDGES = ("a", "b", "c")
_WEIGHTS: dict[str, int] = {
    "receive": 18,
    "receive_carton": 4,
    "judge_carton": 8,
    "rejudge": 9,
    "next_generation": 2,
    "reserve": 22,
    "pick": 18,
    "ship": 14,
    "return_picked": 4,
    "move": 10,
    "hold": 8,
    "decide": 12,
    "new_day": 1,
}


@dataclass(frozen=True, slots=True)
class Step:
    """A method of `StockBook` and its arguments."""

    what: str
    args: tuple[object, ...]


def perform(book: StockBook, step: Step) -> str:
    """Do it; `done`, or the code of the refusal."""
    try:
        getattr(book, step.what)(*step.args)
    except TallymanError as refused:
        return refused.code
    return "done"


class Steps:
    """Draws steps from a seed and from what the books say at that moment."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._names = tuple(_WEIGHTS)
        self._weights = tuple(_WEIGHTS.values())
        self._drawers: dict[str, Callable[[Book], tuple[object, ...]]] = {
            "receive": self._receive,
            "receive_carton": self._carton,
            "judge_carton": self._judged,
            "rejudge": self._rejudged,
            "next_generation": lambda _: (self._batch(), self._rng.choice(_JUDGES)),
            "reserve": lambda _: (self._batch(), self._quantity()),
            "pick": lambda book: (self._reservation(book, "reserved"),),
            "ship": lambda book: (self._reservation(book, "picked"),),
            "return_picked": lambda book: (self._reservation(book, "picked"),),
            "move": self._move,
            "hold": lambda book: (self._wanted(book),),
            "decide": self._decide,
            "new_day": lambda _: (self._rng.choice((1, 1, 3)),),
        }

    def draw(self, book: Book) -> Step:
        """The next step."""
        what = self._rng.choices(self._names, self._weights)[0]
        if what == "rejudge" and not book.state.carton_of:
            what = "judge_carton"
        return Step(what, self._drawers[what](book))

    def _often(self, percent: int) -> bool:
        return self._rng.randrange(100) < percent

    def _batch(self) -> BatchKey:
        return self._rng.choice(BATCHES)

    def _quantity(self) -> int:
        return self._rng.choice((0, 1, 1, 2, 2, 3, 5, 8))

    def _receive(self, book: Book) -> tuple[object, ...]:
        expiry = None
        if self._often(5):
            expiry = book.state.today + timedelta(days=self._rng.randint(-1, 60))
        place = self._rng.choice((*PLACES, *PLACES, *PLACES, QUARANTINE, "@supplier"))
        return self._batch(), self._quantity(), place, expiry

    def _carton(self, book: Book) -> tuple[object, ...]:
        if len(book.state.carton_of) >= _MOST_CARTONS:
            # Nothing comes twice, and a world of ever more cartons says no more than one of some.
            return f"C{len(book.facts)}", BATCHES[-1]
        return f"C{len(book.state.carton_of):03d}", self._batch()

    def _judged(self, book: Book) -> tuple[object, ...]:
        carton, batch = self._carton(book)
        return carton, batch, *self._word(book, cast("BatchKey", batch))

    def _rejudged(self, book: Book) -> tuple[object, ...]:
        """Mostly what waits, under the judge that counts."""
        known = sorted(book.state.carton_of)
        waiting = [name for name in known if book.state.awaits(name)]
        carton = self._rng.choice(waiting if waiting and self._often(70) else known)
        batch = book.state.batches[book.state.carton_of[carton]].key
        decision = InspectDecision.PASS if self._often(80) else InspectDecision.DEFECT
        return carton, batch, *self._word(book, batch), decision

    def _word(self, book: Book, batch: BatchKey) -> tuple[str, int]:
        """A judge and a generation, mostly those that count."""
        batch_id = book.state.by_key.get(batch)
        pins = book.state.pins[batch_id] if batch_id is not None else []
        if pins and self._often(70):
            return pins[-1], len(pins)
        return self._rng.choice(_JUDGES), self._rng.randint(1, 2)

    def _reservation(self, book: Book, state: str) -> int:
        """Mostly one of the last made, in the state that fits; sometimes any, or none at all."""
        made = len(book.state.reservations)
        if self._often(90):
            for number in range(made, max(0, made - 30), -1):
                row = book.state.reservations[number]
                if row.state == state and self._often(60):
                    return number
        return self._rng.randint(1, made + 1)

    def _place(self) -> Place:
        status = self._rng.choice((StockStatus.UNRESTRICTED, StockStatus.BLOCKED))
        code = self._rng.choice((*PLACES, QUARANTINE, "DOCK/dock-1", STAGING))
        return Place(code, StockStatus.IN_TRANSIT if code == STAGING else status)

    def _move(self, book: Book) -> tuple[object, ...]:
        batch, source = self._batch(), self._place()
        batch_id = book.state.by_key.get(batch)
        if batch_id is not None and self._often(70):
            standing = sorted(place for place, _ in book.state.standing(batch_id))
            if standing:
                source = self._rng.choice(standing)
        target = self._rng.choice((*PLACES, QUARANTINE, QUARANTINE))
        return batch, self._quantity(), source, target

    def _wanted(self, book: Book) -> Wanted:
        kind = self._rng.choice(tuple(HoldKind))
        match kind:
            case HoldKind.BATCH:
                return Wanted(kind, batch=self._batch())
            case HoldKind.SUPPLIER:
                return Wanted(kind, supplier=self._rng.choice(("ACME", "BOLT")))
            case HoldKind.LOCATION:
                return Wanted(kind, location=self._rng.choice((*PLACES, STAGING)))
            case HoldKind.QUANTITY:
                place = self._rng.choice(("", *PLACES))
                return Wanted(kind, batch=self._batch(), location=place, quantity=self._quantity())
            case HoldKind.CARTONS:
                known = sorted(book.state.carton_of)
                some = self._rng.sample(known, min(len(known), self._rng.randint(0, 2)))
                return Wanted(kind, cartons=tuple(some))

    def _decide(self, book: Book) -> tuple[object, ...]:
        state = book.state
        waiting = [number for number in state.questions if number not in state.decided]
        number = self._rng.choice(waiting) if waiting else 1
        answers = (UsageDecision.RELEASE, *(UsageDecision.RELEASE,) * 7, UsageDecision.SCRAP)
        return number, self._rng.choice(answers)

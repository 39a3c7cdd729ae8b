"""What any books of stock can be asked and told. The books in memory and the core over a database
both meet it, and one contract suite holds them to the same answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from contracts.inspection import InspectDecision
from contracts.stock import BatchKey, HoldKind, StockStatus, UsageDecision
from erp_link.domain.moves import Place


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a hold covers; each kind reads its own fields."""

    kind: HoldKind
    batch: BatchKey | None = None
    cartons: tuple[str, ...] = ()
    location: str = ""
    supplier: str = ""
    quantity: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Standing:
    """Units of a batch in one place; `reserved` of them are set aside."""

    batch: BatchKey
    place: Place
    quantity: int
    reserved: int


@dataclass(frozen=True, slots=True, order=True)
class SetAside:
    """A reservation, as it stands. `number` counts the reservations ever made, from 1."""

    number: int
    batch: BatchKey
    location: str
    quantity: int
    state: str


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """A carton in the books."""

    carton: str
    batch: BatchKey
    place: Place
    cause: str


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """Something quality has to decide: a hold, or goods set apart in quarantine. By `number`."""

    number: int
    about: str
    """`hold` or `apart`."""
    batch: BatchKey | None
    cartons: tuple[str, ...]
    quantity: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the books say, in one order: two books that agree have equal snapshots."""

    stock: tuple[Standing, ...]
    reservations: tuple[SetAside, ...]
    cartons: tuple[Named, ...]
    open_holds: tuple[tuple[HoldKind, BatchKey | None, str, str, tuple[str, ...], int], ...]
    questions: tuple[Question, ...]
    """Those that wait for a decision."""


class StockBook(Protocol):
    """Commands raise the errors of `contracts.errors`; then nothing has changed."""

    def receive(
        self, batch: BatchKey, quantity: int, location: str, expiry: date | None
    ) -> StockStatus:
        """Goods came, without cartons in the books: an observation, never refused for a hold."""
        ...

    def receive_carton(self, carton: str, batch: BatchKey) -> None:
        """A sound carton of one unit came, at the dock."""
        ...

    def judge_carton(self, carton: str, batch: BatchKey, judge: str, generation: int) -> None:
        """A carton of one unit came at the dock, and a machine passed its goods. A batch that has
        no judge is given to this one.
        """
        ...

    def rejudge(
        self, carton: str, batch: BatchKey, judge: str, generation: int, decision: InspectDecision
    ) -> None:
        """A machine looked at a carton again, which is known: a pass or a defect."""
        ...

    def next_generation(self, batch: BatchKey, judge: str) -> None:
        """The batch has another judge from now on; what was free waits for its word."""
        ...

    def reserve(self, batch: BatchKey, quantity: int) -> None:
        """Set units aside, all or none."""
        ...

    def pick(self, number: int) -> None:
        """A reservation's goods to staging."""
        ...

    def ship(self, number: int) -> None:
        """A reservation's goods out of the building."""
        ...

    def return_picked(self, number: int) -> None:
        """A reservation's goods from staging to quarantine."""
        ...

    def move(self, batch: BatchKey, quantity: int, source: Place, target: str) -> None:
        """Goods from place to place in the house."""
        ...

    def hold(self, wanted: Wanted) -> None:
        """Nothing that it covers leaves from now on; a question asks for the decision."""
        ...

    def decide(self, number: int, decision: UsageDecision) -> None:
        """Quality answers a question."""
        ...

    def new_day(self, days: int) -> None:
        """The calendar goes on."""
        ...

    def snapshot(self) -> Snapshot:
        """What the books say now."""
        ...


DOCK = "DOCK/dock-1"
"""Where cartons come in."""

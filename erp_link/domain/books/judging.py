"""One batch, one judge, in the books: what counts, what waits, what comes free (I1, I3).

Each function reads a state and says which facts follow, as those of `covers` do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from contracts.inspection import InspectDecision
from contracts.stock import StockStatus
from erp_link.domain.books import covers
from erp_link.domain.books.facts import CartonIs, Fact, Moved, Said, State
from erp_link.domain.judging import Result, ResultKind
from erp_link.domain.moves import Place, transfer
from erp_link.domain.places import is_account
from erp_link.domain.receiving import Cause


def counts(state: State, batch_id: int, judge: str, generation: int) -> bool:
    """Is this the newest generation, and its judge?"""
    pins = state.pins[batch_id]
    return bool(pins) and generation == len(pins) and judge == pins[-1]


def let_in_before(state: State, carton: str) -> Iterator[Fact]:
    """A carton that came in by the site's policy, before any machine looked."""
    if not state.said[carton]:
        yield person(state, carton)


def person(state: State, carton: str) -> Fact:
    """Somebody speaks for the generation of the day."""
    generation = state.generation(state.carton_of[carton])
    return Said(
        carton, Result(ResultKind.PERSON, generation, counts=True, decision=InspectDecision.PASS)
    )


def come_free(state: State, batch_id: int, names: Collection[str], fate: Cause) -> Iterator[Fact]:
    """Those of the cartons that wait for their judge alone go on: free, or blocked for `fate`."""
    held = covers.held_by_name(state, batch_id)
    for name in sorted(names):
        carton = state.cartons[batch_id].get(name)
        if carton is None or carton.cause is not Cause.JUDGING or state.awaits(name):
            continue
        if carton.place.status is StockStatus.IN_TRANSIT:
            yield CartonIs(name, batch_id, carton.place, Cause.NONE)
        elif carton.place.status is StockStatus.INSPECTION and not is_account(
            carton.place.location
        ):
            cause = Cause.HOLD if name in held else fate
            status = StockStatus.UNRESTRICTED if cause is Cause.NONE else StockStatus.BLOCKED
            to = Place(carton.place.location, status)
            yield Moved(transfer(batch_id, 1, carton.place, to))
            yield CartonIs(name, batch_id, to, cause)


def come_back(state: State, batch_id: int) -> Iterator[Fact]:
    """What lacks a pass of the newest generation waits again; reservations give way."""
    by_place: dict[Place, list[str]] = {}
    for carton in list(state.cartons[batch_id].values()):
        if not state.awaits(carton.name) or is_account(carton.place.location):
            continue
        if carton.place.status is StockStatus.IN_TRANSIT:
            yield CartonIs(carton.name, batch_id, carton.place, Cause.JUDGING)
        elif carton.place.status is StockStatus.UNRESTRICTED:
            by_place.setdefault(carton.place, []).append(carton.name)
    for place, names in sorted(by_place.items()):
        there = state.at(batch_id, place)
        to = Place(place.location, StockStatus.INSPECTION)
        yield from covers.let_go(state, batch_id, place.location, keep=there - len(names))
        yield Moved(transfer(batch_id, len(names), place, to))
        for name in names:
            yield CartonIs(name, batch_id, to, Cause.JUDGING)


def block(state: State, carton: CartonIs) -> Iterator[Fact]:
    """A carton in the house is defective: blocked for itself, whatever it waited for."""
    place, batch_id = carton.place, carton.batch_id
    to = Place(place.location, StockStatus.BLOCKED)
    if place.status is StockStatus.UNRESTRICTED:
        keep = state.at(batch_id, place) - 1
        yield from covers.let_go(state, batch_id, place.location, keep=keep)
    if place != to:
        yield Moved(transfer(batch_id, 1, place, to))
    yield CartonIs(carton.name, batch_id, to, Cause.DEFECT)

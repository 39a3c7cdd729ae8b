"""What must hold of books in memory at every moment, asked without their own commands (I1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from contracts.stock import BatchKey, HoldKind, StockStatus
from erp_link.domain.books.book import Book
from erp_link.domain.books.facts import Moved, State, replay
from erp_link.domain.books.port import Snapshot
from erp_link.domain.books.steps import Step
from erp_link.domain.books.view import snapshot
from erp_link.domain.moves import Place, is_balanced
from erp_link.domain.places import QUARANTINE, is_account
from erp_link.domain.receiving import Cause

_LEAVING = ("reserve", "pick", "ship")


def broken(state: State) -> Iterator[str]:
    """Every contradiction in a state, in words."""
    for batch_id, places in state.stock.items():
        yield from _stock(state, batch_id, places)
    yield from _reserved(state)
    for batch_id in sorted(_held(state)):
        if any(at[0] == batch_id and left for at, left in state.reserved.items()):
            yield f"batch {batch_id} is held, and reserved"
        if any(p.status is StockStatus.UNRESTRICTED for p, _ in state.standing(batch_id)):
            yield f"batch {batch_id} is held, and free"
    yield from _unjudged(state)


def _unjudged(state: State) -> Iterator[str]:
    """I3: what may go on was passed by its batch's one judge, by a person, or by no machine at all."""
    for name, batch_id in state.carton_of.items():
        carton = state.cartons[batch_id][name]
        out = carton.place.status in (StockStatus.UNRESTRICTED, StockStatus.IN_TRANSIT)
        stopped = carton.cause is Cause.JUDGING or is_account(carton.place.location)
        if out and not stopped and state.awaits(name):
            yield f"carton {name} of batch {batch_id} may go on, and nobody who counts passed it"


def _stock(state: State, batch_id: int, places: dict[Place, int]) -> Iterator[str]:
    if sum(places.values()):
        yield f"batch {batch_id}: its lines do not sum to zero"
    for place, quantity in places.items():
        if quantity < 0 and not is_account(place.location):
            yield f"batch {batch_id} in {place.location}: {quantity} units"
    named: dict[Place, int] = {}
    for carton in state.cartons[batch_id].values():
        named[carton.place] = named.get(carton.place, 0) + 1
    for place, cartons in named.items():
        if places.get(place, 0) < cartons and not is_account(place.location):
            yield f"batch {batch_id}: {cartons} cartons where {places.get(place, 0)} units are"


def _reserved(state: State) -> Iterator[str]:
    wanted: dict[tuple[int, str], int] = {}
    for at, numbers in state.waiting.items():
        for number in numbers:
            wanted[at] = wanted.get(at, 0) + state.reservations[number].quantity
    if wanted != state.reserved:
        yield f"{state.reserved} count as reserved, {wanted} are"
    for (batch_id, location), reserved in state.reserved.items():
        free = sum(
            quantity
            for place, quantity in state.stock[batch_id].items()
            if place.location == location and place.status is StockStatus.UNRESTRICTED
        )
        if not 0 <= reserved <= free or location == QUARANTINE:
            yield f"batch {batch_id} in {location}: {reserved} of {free} reserved"


def _held(state: State) -> set[int]:
    """Batches with a name of their own under a hold on themselves or on their supplier."""
    found: set[int] = set()
    for held in state.holds.values():
        match held.wanted.kind:
            case HoldKind.BATCH if held.batch_id is not None:
                found.add(held.batch_id)
            case HoldKind.SUPPLIER:
                supplier = held.wanted.supplier
                found |= {b for key, b in state.by_key.items() if key.supplier == supplier}
            case _:
                pass
    return found


def left_under_a_hold(book: Book, step: Step, held: frozenset[int]) -> bool:
    """Was a step done that took goods towards the door while a hold stood? `held` is from before."""
    if step.what not in _LEAVING:
        return False
    if step.what == "reserve":
        batch_id = book.state.by_key.get(cast("BatchKey", step.args[0]))
    else:
        batch_id = book.state.reservations[cast("int", step.args[0])].batch_id
    return batch_id in held


def held_now(book: Book) -> frozenset[int]:
    """The batches that a hold covers, for `left_under_a_hold`."""
    return frozenset(_held(book.state))


def replayed(book: Book) -> Snapshot:
    """What the record alone says."""
    return snapshot(replay(book.began, book.facts))


def unbalanced(book: Book) -> int:
    """How many moves do not sum to zero."""
    return sum(isinstance(f, Moved) and not is_balanced(f.lines) for f in book.facts)

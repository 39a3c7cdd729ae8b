"""What a hold covers, and what that does to goods: block, free, let reservations go (I1).

Each function reads a state and says which facts follow; the book adds them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from contracts.stock import BatchKey, HoldKind, StockStatus
from erp_link.domain.books.facts import (
    Asked,
    CartonIs,
    Fact,
    Held,
    Moved,
    ReservationIs,
    State,
)
from erp_link.domain.holds import Carton, Part, come_free, stays_blocked
from erp_link.domain.moves import Place, transfer
from erp_link.domain.places import QUARANTINE
from erp_link.domain.receiving import Cause

_BY_NAME = (HoldKind.CARTONS, HoldKind.QUANTITY)


def is_namesake(nameless: BatchKey, other: BatchKey) -> bool:
    """Goods of a supplier whom nobody could name may be another's of the same GTIN and lot."""
    return not nameless.supplier and (nameless.gtin, nameless.lot) == (other.gtin, other.lot)


def covered(state: State, held: Held) -> list[int]:
    """The batches that a hold covers as a whole; one that names some of a batch, that batch."""
    match held.wanted.kind:
        case HoldKind.LOCATION:
            return []
        case HoldKind.SUPPLIER:
            keys = [key for key in state.by_key if key.supplier == held.wanted.supplier]
        case HoldKind.BATCH:
            keys = [state.batches[held.batch_id].key] if held.batch_id is not None else []
        case _:
            return [held.batch_id] if held.batch_id is not None else []
    return sorted(
        batch_id
        for key, batch_id in state.by_key.items()
        if any(key == own or is_namesake(key, own) for own in keys)
    )


def is_held(state: State, batch_id: int) -> bool:
    """Does an open hold cover the batch, by itself or by its supplier?"""
    key = state.batches[batch_id].key
    for held in state.holds.values():
        wanted = held.wanted
        if wanted.kind is HoldKind.BATCH and held.batch_id is not None:
            own = state.batches[held.batch_id].key
            if key == own or is_namesake(key, own):
                return True
        if wanted.kind is HoldKind.SUPPLIER and _of_supplier(state, key, wanted.supplier):
            return True
    return False


def _of_supplier(state: State, key: BatchKey, supplier: str) -> bool:
    return key.supplier == supplier or any(
        own.supplier == supplier and is_namesake(key, own) for own in state.by_key
    )


def is_place_held(state: State, *locations: str) -> bool:
    """Is a place on hold?"""
    return any(
        held.wanted.kind is HoldKind.LOCATION and held.wanted.location in locations
        for held in state.holds.values()
    )


def held_by_name(state: State, batch_id: int) -> set[str]:
    """The cartons of a batch that open holds name."""
    return {
        name
        for held in state.holds.values()
        if held.batch_id == batch_id and held.wanted.kind in _BY_NAME
        for name in held.wanted.cartons
    }


def let_go(state: State, batch_id: int, location: str, *, keep: int) -> list[Fact]:
    """Blocking beats reservations made earlier: the latest go first, until `keep` units remain."""
    reserved = state.reserved.get((batch_id, location), 0)
    facts: list[Fact] = []
    for number in reversed(state.waiting[batch_id, location]):
        if reserved <= keep:
            break
        reserved -= state.reservations[number].quantity
        facts.append(ReservationIs(number, "released"))
    return facts


def block_batch(state: State, batch_id: int) -> Iterator[Fact]:
    """Everything free of a batch becomes blocked where it stands."""
    for place, quantity in sorted(state.standing(batch_id)):
        if place.status is StockStatus.UNRESTRICTED:
            yield from let_go(state, batch_id, place.location, keep=0)
            yield Moved(transfer(batch_id, quantity, place, _blocked(place)))
    for carton in list(state.cartons[batch_id].values()):
        if carton.place.status is StockStatus.UNRESTRICTED:
            yield CartonIs(carton.name, batch_id, _blocked(carton.place), Cause.HOLD)


def block_carton(state: State, carton: CartonIs) -> list[Fact]:
    """A named carton that is free becomes blocked where it stands."""
    if carton.place.status is not StockStatus.UNRESTRICTED:
        return []
    batch_id, place = carton.batch_id, carton.place
    there = state.at(batch_id, place)
    return [
        *let_go(state, batch_id, place.location, keep=there - 1),
        Moved(transfer(batch_id, 1, place, _blocked(place))),
        CartonIs(carton.name, batch_id, _blocked(place), Cause.HOLD),
    ]


def block_part(state: State, batch_id: int, part: Part) -> tuple[list[Fact], list[str]]:
    """So many units in one place become blocked, and the cartons that stand for them."""
    place = Place(part.location, StockStatus.UNRESTRICTED)
    names = cartons_at(state, batch_id, place)[: part.quantity]
    facts: list[Fact] = [
        *let_go(state, batch_id, part.location, keep=state.at(batch_id, place) - part.quantity),
        Moved(transfer(batch_id, part.quantity, place, _blocked(place))),
        *(CartonIs(name, batch_id, _blocked(place), Cause.HOLD) for name in names),
    ]
    return facts, names


def cartons_at(state: State, batch_id: int, place: Place) -> list[str]:
    """The cartons of a batch that the books have in a place, by name."""
    return sorted(n for n, carton in state.cartons[batch_id].items() if carton.place == place)


def free_batch(state: State, batch_id: int) -> list[Fact]:
    """What only a hold blocked becomes free again; what is asked about, or held by name, stays.
    The caller has made sure that no hold covers the batch, and that it is not past its date.
    """
    asked = _apart(state, batch_id)
    names = {name for question in asked for name in question.cartons}
    names |= held_by_name(state, batch_id) | state.found
    cartons = [
        carton
        for carton in state.cartons[batch_id].values()
        if carton.place.status is StockStatus.BLOCKED
    ]
    stays = [c for c in cartons if c.cause is not Cause.HOLD or c.name in names]
    blocked = {
        place.location: quantity
        for place, quantity in state.standing(batch_id)
        if place.status is StockStatus.BLOCKED
    }
    kept: dict[str, int] = {QUARANTINE: sum(question.quantity for question in asked)}
    for carton in stays:
        kept[carton.place.location] = kept.get(carton.place.location, 0) + 1
    left = stays_blocked(dict(sorted(blocked.items())), kept, _units_on_hold(state, batch_id))
    freed = {place: there - left.get(place, 0) for place, there in sorted(blocked.items())}
    follow = [Carton(c.name, c.place.location, 1) for c in cartons if c not in stays]
    cartons_now = come_free(follow, freed)
    waits = {name for name in cartons_now if state.awaits(name)}
    facts: list[Fact] = []
    for place, units in freed.items():
        back = sum(state.cartons[batch_id][name].place.location == place for name in waits)
        for part, to in ((units - back, _free(place)), (back, _inspection(place))):
            if part > 0:
                facts.append(Moved(transfer(batch_id, part, Place(place, StockStatus.BLOCKED), to)))
    for name in cartons_now:
        location = state.cartons[batch_id][name].place.location
        to, cause = _free(location), Cause.NONE
        if name in waits:
            to, cause = _inspection(location), Cause.JUDGING
        facts.append(CartonIs(name, batch_id, to, cause))
    return facts


def _apart(state: State, batch_id: int) -> list[Asked]:
    """Questions about goods set apart that no release has answered."""
    mine: Collection[str] = state.cartons[batch_id]
    return [
        question
        for question in state.questions.values()
        if question.about == "apart"
        and (question.batch_id == batch_id or any(name in mine for name in question.cartons))
    ]


def _units_on_hold(state: State, batch_id: int) -> list[Part]:
    return [
        Part(held.wanted.location, max(0, held.wanted.quantity - len(held.wanted.cartons)))
        for _, held in sorted(state.holds.items())
        if held.batch_id == batch_id and held.wanted.kind is HoldKind.QUANTITY
    ]


def _free(location: str) -> Place:
    return Place(location, StockStatus.UNRESTRICTED)


def stopped_at(state: State, batch_id: int, place: Place) -> set[str]:
    """The cartons there that may not go on, since they wait for their judge."""
    if place.status not in (StockStatus.UNRESTRICTED, StockStatus.IN_TRANSIT):
        return set()
    return {
        name
        for name in cartons_at(state, batch_id, place)
        if state.cartons[batch_id][name].cause is Cause.JUDGING
    }


def _inspection(location: str) -> Place:
    return Place(location, StockStatus.INSPECTION)


def _blocked(place: Place) -> Place:
    return Place(place.location, StockStatus.BLOCKED)

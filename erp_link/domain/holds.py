"""Holds on a quantity: so many units of a batch are set apart as blocked, the rest stays free.

Where units cannot be told apart and not so many are there to be set apart, the bad ones may be
among those that are gone from the shelf: the whole batch is held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from erp_link.domain.places import QUARANTINE


@dataclass(frozen=True, slots=True)
class Part:
    """Units to block in one place."""

    location: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SetApart:
    """The parts to block; none where the whole batch must be held, with what was there."""

    parts: tuple[Part, ...]
    there: int


def set_apart(quantity: int, there: Sequence[Part], *, location: str = "") -> SetApart:
    """Where `quantity` units are blocked: in the place named, or in as few places as it takes."""
    known = [part for part in there if part.quantity > 0 and location in ("", part.location)]
    total = sum(part.quantity for part in known)
    if total < quantity:
        return SetApart((), total)
    parts: list[Part] = []
    left = quantity
    for part in sorted(known, key=lambda part: (-part.quantity, part.location)):
        if left:
            parts.append(Part(part.location, min(left, part.quantity)))
            left -= parts[-1].quantity
    return SetApart(tuple(parts), total)


def stays_blocked(
    blocked: Mapping[str, int], kept: Mapping[str, int], holds: Sequence[Part]
) -> dict[str, int]:
    """How many units stay blocked in each place when a batch comes free: `kept` for their own
    reason, and those of the quantity `holds` that are still open, which cannot be told from others.
    They are looked for in quarantine, then where they were set apart, then anywhere.
    """
    stays = {place: min(kept.get(place, 0), there) for place, there in blocked.items()}
    for hold in holds:
        left = hold.quantity
        order = [QUARANTINE, hold.location, *sorted(blocked)]
        for place in dict.fromkeys(order):
            part = min(left, blocked.get(place, 0) - stays.get(place, 0))
            if part > 0:
                stays[place] = stays.get(place, 0) + part
                left -= part
    return stays


@dataclass(frozen=True, slots=True)
class Carton:
    """A blocked carton of the books: its name, where it stands, and the units in it."""

    name: str
    location: str
    quantity: int


def come_free(cartons: Sequence[Carton], freed: Mapping[str, int]) -> list[str]:
    """Which cartons come free where so many units of each place do: never more than those units.
    A quantity on hold is looked for in quarantine first, so there cartons may have to stay for it.
    """
    left = dict(freed)
    names: list[str] = []
    for carton in sorted(cartons, key=lambda carton: carton.name):
        if carton.quantity <= left.get(carton.location, 0):
            left[carton.location] -= carton.quantity
            names.append(carton.name)
    return names

"""The merged state as a function of a set of entries (I6).

The union of the logs, by entry id, is the whole input: duplicates, order and the parts in which
logs came leave no trace. The core's desk (`service/merge`) books the same in steps, by the same
deciders; this is what it must come to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from contracts.canonical import canonical
from contracts.device_log import Flagged, Observed, Received, Released, Shipped, TicketOpened
from contracts.stock import BatchKey
from erp_link.domain.merge import conflicts as cf
from erp_link.domain.merge import counts, quotas, releases
from erp_link.domain.merge.conflicts import Conflict, ConflictKind
from erp_link.domain.merge.entries import CORE, Cell, Entry, Touch, counted_cell, knows, touches


@dataclass(frozen=True, slots=True)
class Facts:
    """What the core knows by itself: stock by cell, open holds, quotas by their ids, the
    roles with which devices are enrolled, and from which number on a device's log is suspect.
    """

    on_hand: Mapping[Cell, int] = field(default_factory=dict)
    open_holds: tuple[releases.HoldSeen, ...] = ()
    grants: Mapping[str, quotas.Grant] = field(default_factory=dict)
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    """Who enrolled each device: its log is theirs."""
    rule: releases.ReleaseRule = field(default_factory=releases.ReleaseRule)
    suspect_from: Mapping[str, int] = field(default_factory=dict)
    crossed: frozenset[str] = frozenset()
    """Counts of a cell in which the core itself had moved goods after the counter was told."""


@dataclass(frozen=True, slots=True)
class CellState:
    """`quantity` is what stands there by the books, `owed` what was taken beyond it."""

    taken: int
    added: int
    quantity: int
    owed: int


@dataclass(frozen=True, slots=True)
class Merged:
    """What a set of entries comes to."""

    cells: Mapping[Cell, CellState]
    open_holds: tuple[str, ...]
    lifted: tuple[str, ...]
    beyond: Mapping[str, int]
    expiry: Mapping[BatchKey, str]
    flags: tuple[str, ...]
    conflicts: tuple[Conflict, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the whole state in canonical JSON, hex."""
        return hashlib.sha256(canonical(_image(self))).hexdigest()


def merge(entries: Iterable[Entry], facts: Facts) -> Merged:
    """The state after all of `entries`, whatever their order, each counted once."""
    every = sorted({entry.entry_id: entry for entry in entries}.values(), key=_order)
    shipped = [entry for entry in every if isinstance(entry.fact, Shipped)]
    over = quotas.beyond(shipped, facts.grants)
    holds, lifted, disputes = _holds(every, facts)
    cells, found = _cells(every, over, facts)
    return Merged(
        cells=cells,
        open_holds=tuple(hold.hold_id for hold in holds),
        lifted=tuple(sorted(lifted)),
        beyond=over,
        expiry=_expiry(every),
        flags=tuple(
            entry.entry_id for entry in every if isinstance(entry.fact, Flagged | TicketOpened)
        ),
        conflicts=tuple(sorted([*disputes, *found, *_recalls(shipped, over, holds)])),
    )


def _order(entry: Entry) -> tuple[str, int, str]:
    return entry.device, entry.seq, entry.entry_id


def _cells(
    every: list[Entry], over: Mapping[str, int], facts: Facts
) -> tuple[dict[Cell, CellState], list[Conflict]]:
    moved: dict[Cell, list[Touch]] = {}
    counted: dict[Cell, list[Entry]] = {}
    for entry in every:
        for touch in (*touches(entry), *taken_beyond(entry, over.get(entry.entry_id, 0))):
            moved.setdefault(touch.cell, []).append(touch)
        cell = counted_cell(entry)
        if cell is not None:
            counted.setdefault(cell, []).append(entry)
    states: dict[Cell, CellState] = {}
    found: list[Conflict] = []
    for cell in sorted({*moved, *counted}):
        settled = counts.settle(counted.get(cell, ()))
        touched = moved.get(cell, [])
        taken = settled.taken + sum(touch.taken for touch in touched)
        added = settled.added + sum(touch.added for touch in touched)
        stands = facts.on_hand.get(cell, 0) - taken + added
        states[cell] = CellState(taken, added, max(0, stands), max(0, -stands))
        found.extend(
            disputes_of(cell, settled, touched, owed=max(0, -stands), by_core=facts.crossed)
        )
    return states, found


def taken_beyond(entry: Entry, over: int) -> tuple[Touch, ...]:
    """Goods shipped beyond a quota came from somewhere: from where the device says."""
    if not over or not isinstance(entry.fact, Shipped) or not entry.fact.location:
        return ()
    return (Touch(entry, Cell(entry.fact.batch, entry.fact.location), taken=over),)


def disputes_of(
    cell: Cell,
    settled: counts.Settled,
    touched: Iterable[Touch],
    *,
    owed: int,
    by_core: Collection[str],
) -> list[Conflict]:
    """What a person must look at in one cell."""

    def here(kind: ConflictKind, sides: Iterable[str], quantity: int = 0) -> Conflict:
        return cf.of(kind, sides, batch=cell.batch, location=cell.location, quantity=quantity)

    found: list[Conflict] = []
    heads = [head.entry_id for head in settled.heads]
    if settled.differ:
        found.append(here(ConflictKind.COUNTS_DIFFER, heads))
    crossed = counts.crossing(settled, list(touched))
    own = not set(heads).isdisjoint(by_core)
    if crossed or own:
        sides = {*heads, *(touch.entry.entry_id for touch in crossed), *([CORE] if own else ())}
        found.append(here(ConflictKind.COUNT_CROSSED, sides))
    if owed:
        found.append(here(ConflictKind.SHORT, (), owed))
    return found


def _holds(
    every: list[Entry], facts: Facts
) -> tuple[list[releases.HoldSeen], set[str], list[Conflict]]:
    def allowed(entry: Entry) -> bool:
        return releases.may_release(
            entry, facts.roles, facts.suspect_from, facts.owners, facts.rule
        )

    lifted, waiting = releases.released(every, allowed, facts.owners, facts.rule)
    known = [*facts.open_holds, *releases.holds_of(every)]
    still_open = sorted((h for h in known if h.hold_id not in lifted), key=lambda h: h.hold_id)
    found = [
        conflict
        for entry in every
        if isinstance(entry.fact, Released)
        for conflict in disputed_release(
            entry, known, still_open, allowed=allowed(entry), waiting=waiting
        )
    ]
    return still_open, lifted & {hold.hold_id for hold in known}, found


def disputed_release(
    entry: Entry,
    known: Iterable[releases.HoldSeen],
    still_open: Iterable[releases.HoldSeen],
    *,
    allowed: bool,
    waiting: Collection[str],
) -> Iterable[Conflict]:
    """A release by a device that may not, one that waits for a second person (`waiting` are the
    holds that do), or one that another hold overtook.
    """
    if not isinstance(entry.fact, Released):
        raise TypeError(f"{entry.entry_id} is no release")
    if not allowed:
        sides = [entry.entry_id, *entry.fact.holds]
        yield cf.of(ConflictKind.RELEASE_REFUSED, sides, device=entry.device)
        return
    second = [
        h.hold_id for h in still_open if h.hold_id in entry.fact.holds and h.hold_id in waiting
    ]
    if second:
        sides = [entry.entry_id, *second]
        yield cf.of(ConflictKind.RELEASE_SECOND, sides, device=entry.device)
    named = [hold for hold in known if hold.hold_id in entry.fact.holds]
    beside = releases.overtaken(entry, named, still_open)
    if beside:
        sides = [entry.entry_id, *(hold.hold_id for hold in beside)]
        yield cf.of(ConflictKind.RELEASE_OVERTAKEN, sides, device=entry.device)


def _recalls(
    shipped: list[Entry], over: Mapping[str, int], holds: list[releases.HoldSeen]
) -> list[Conflict]:
    return [
        found
        for entry in shipped
        for found in recalls_of(entry, over.get(entry.entry_id, 0), holds)
    ]


def recalls_of(
    entry: Entry, over: int, still_open: Iterable[releases.HoldSeen]
) -> Iterable[Conflict]:
    """What must be fetched of one shipment: what no quota covered, and what was on hold. A hold
    that was raised in knowledge of the shipment is not about goods that had left.
    """
    if not isinstance(entry.fact, Shipped):
        raise TypeError(f"{entry.entry_id} is no shipment")
    batch, quantity = entry.fact.batch, entry.fact.quantity
    if over:
        kind = ConflictKind.QUOTA_OVERUSED
        yield cf.of(kind, [entry.entry_id], batch=batch, device=entry.device, quantity=over)
    covering = [
        hold.hold_id
        for hold in still_open
        if hold.covers(batch) and (hold.entry is None or not knows(hold.entry, entry))
    ]
    if covering:
        sides = [entry.entry_id, *covering]
        kind = ConflictKind.SHIPPED_HELD
        yield cf.of(kind, sides, batch=batch, device=entry.device, quantity=quantity)


def _expiry(every: list[Entry]) -> dict[BatchKey, str]:
    earliest: dict[BatchKey, str] = {}
    for entry in every:
        if isinstance(entry.fact, Observed | Received) and entry.fact.expiry:
            batch, seen = entry.fact.batch, entry.fact.expiry
            earliest[batch] = min(seen, earliest.get(batch, seen))
    return earliest


def _image(merged: Merged) -> dict[str, object]:
    return {
        "cells": [
            [str(cell.batch), cell.location, s.taken, s.added, s.quantity, s.owed]
            for cell, s in sorted(merged.cells.items())
        ],
        "open_holds": list(merged.open_holds),
        "lifted": list(merged.lifted),
        "beyond": [[entry, n] for entry, n in sorted(merged.beyond.items())],
        "expiry": [[str(batch), day] for batch, day in sorted(merged.expiry.items())],
        "flags": list(merged.flags),
        "conflicts": [[c.conflict_id, c.quantity] for c in merged.conflicts],
    }

"""Holds and releases of devices that were offline (I1): holds are add-wins.

A release names the holds it saw. A hold that nobody named stands, whoever released its neighbours,
and a release by somebody who may not lifts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from contracts.device_log import Held, Released, hold_id_of
from contracts.stock import BatchKey, HoldKind
from erp_link.domain.merge.entries import Entry, knows

MAY_RELEASE = frozenset({"quality"})


@dataclass(frozen=True, slots=True)
class HoldSeen:
    """An open hold of the core or of a device. `entry` is the device's entry that added it."""

    hold_id: str
    kind: HoldKind
    batch: BatchKey | None = None
    supplier: str = ""
    entry: Entry | None = None

    def covers(self, batch: BatchKey) -> bool:
        """True when some goods of the batch are on hold by it, wherever they stand."""
        if self.kind is HoldKind.SUPPLIER:
            return self.supplier == batch.supplier
        return self.batch == batch


def holds_of(entries: Iterable[Entry]) -> list[HoldSeen]:
    """The holds that entries add, by their ids."""
    found = [
        HoldSeen(
            hold_id_of(entry.entry_id),
            entry.fact.kind,
            entry.fact.batch,
            entry.fact.supplier,
            entry,
        )
        for entry in entries
        if isinstance(entry.fact, Held)
    ]
    return sorted(found, key=lambda hold: hold.hold_id)


def may_release(
    entry: Entry, roles: Mapping[str, frozenset[str]], suspect_from: Mapping[str, int]
) -> bool:
    """Whether a device's word lifts holds: enrolled by quality, and not from a number on that two
    histories have.
    """
    limit = suspect_from.get(entry.device)
    trusted = limit is None or entry.seq < limit
    return trusted and bool(MAY_RELEASE & roles.get(entry.device, frozenset()))


def released(entries: Iterable[Entry], allowed: Callable[[Entry], bool]) -> set[str]:
    """The ids of the holds that releases name, those of holds not heard of yet included."""
    return {
        hold_id
        for entry in entries
        if isinstance(entry.fact, Released) and allowed(entry)
        for hold_id in entry.fact.holds
    }


def overtaken(
    release: Entry, named: Iterable[HoldSeen], still_open: Iterable[HoldSeen]
) -> tuple[HoldSeen, ...]:
    """The open holds on what a release freed that it did not see, and that did not see it."""
    if not isinstance(release.fact, Released):
        raise TypeError(f"{release.entry_id} is no release")
    freed = {hold.batch for hold in named if hold.batch is not None}
    return tuple(
        hold
        for hold in still_open
        if hold.hold_id not in release.fact.holds
        and hold.entry is not None
        and not knows(hold.entry, release)
        and not knows(release, hold.entry)
        and any(hold.covers(batch) for batch in freed)
    )

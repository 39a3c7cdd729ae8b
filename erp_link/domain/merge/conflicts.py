"""What the merge cannot settle by itself: a task for a person, with every side of it shown.

A conflict has its sides as identity: the same sides are the same conflict, in whatever order the
logs came in; with another side it is another one, and the one before is withdrawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from contracts.canonical import canonical
from contracts.stock import BatchKey


class ConflictKind(StrEnum):
    """`conflict.<kind>` are the words for it."""

    COUNTS_DIFFER = "counts_differ"
    """Two people counted the same goods, neither knew of the other, and they disagree."""
    COUNT_CROSSED = "count_crossed"
    """Goods were taken or brought beside a count: before or after it, nobody can say."""
    SHORT = "short"
    """More was taken than there was."""
    QUOTA_OVERUSED = "quota_overused"
    """More was shipped offline than had been granted: a recall."""
    SHIPPED_HELD = "shipped_held"
    """Goods on hold were shipped offline: a recall."""
    RELEASE_OVERTAKEN = "release_overtaken"
    """Released, while somebody else put it on hold."""
    RELEASE_REFUSED = "release_refused"
    """A release by a device that may not."""
    RELEASE_WAITS = "release_waits"
    """A release of a hold that another open ticket names."""
    RELEASE_SECOND = "release_second"
    """A release of a hold that two people have to release here."""
    DEVICE_SUSPECT = "device_suspect"
    """Two histories under one key, a broken entry, or a device that nobody enrolled."""
    UNREADABLE = "unreadable"
    """An entry of a kind, or with values, that cannot be used."""


RECALLS = frozenset({ConflictKind.QUOTA_OVERUSED, ConflictKind.SHIPPED_HELD})
"""Goods that left and must be fetched."""


@dataclass(frozen=True, slots=True, order=True)
class Conflict:
    """`sides` are ids of entries, holds or quotas, in one order; `quantity` in base units."""

    kind: ConflictKind
    sides: tuple[str, ...]
    batch: BatchKey | None = None
    location: str = ""
    device: str = ""
    quantity: int = 0

    @property
    def conflict_id(self) -> str:
        """The same for the same sides in the same place."""
        text = canonical(
            {
                "kind": self.kind.value,
                "sides": list(self.sides),
                "batch": str(self.batch or ""),
                "location": self.location,
                "device": self.device,
            }
        )
        return f"CF-{hashlib.sha256(text).hexdigest()[:16]}"


def of(
    kind: ConflictKind,
    sides: Iterable[str],
    *,
    batch: BatchKey | None = None,
    location: str = "",
    device: str = "",
    quantity: int = 0,
) -> Conflict:
    """A conflict with its sides in order."""
    return Conflict(kind, tuple(sorted(sides)), batch, location, device, quantity)

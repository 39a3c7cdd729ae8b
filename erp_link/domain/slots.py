"""Which slot takes a carton: one batch to a slot, started ones first, then in the site's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlotState:
    """`used` counts what stands there and what is on its way; `batch_id` is None when empty."""

    code: str
    capacity: int
    used: int
    batch_id: int | None


def allocate(slots: Sequence[SlotState], batch_id: int) -> str | None:
    """The slot for one more carton of a batch; None when the house is full."""
    for slot in slots:
        if slot.batch_id == batch_id and 0 < slot.used < slot.capacity:
            return slot.code
    return next((slot.code for slot in slots if slot.used == 0 < slot.capacity), None)

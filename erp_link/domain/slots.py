"""Which slot takes a carton, and why: only where its temperature is kept, the same batch together,
fast movers near and slow ones far, one batch to a slot.

"Near" is the site's own order of slots: the first ones are the nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.reason import Reason
from erp_link.domain.products import Mover, Temperature


@dataclass(frozen=True, slots=True)
class SlotState:
    """`used` counts what stands there and what is on its way; `batch_id` is None when empty."""

    code: str
    capacity: int
    used: int
    batch_id: int | None
    temperature: Temperature = Temperature.AMBIENT

    @property
    def room(self) -> int:
        return self.capacity - self.used


@dataclass(frozen=True, slots=True)
class Slotting:
    """The slot chosen and why; `code` is None where nothing fits."""

    code: str | None
    reason: Reason


def allocate(
    slots: Sequence[SlotState],
    batch_id: int,
    *,
    temperature: Temperature = Temperature.AMBIENT,
    mover: Mover = Mover.NORMAL,
) -> Slotting:
    """The slot for one more carton of a batch. `slots` stand in the site's order, nearest first."""
    kept = [slot for slot in slots if slot.temperature is temperature]
    for slot in kept:
        if slot.batch_id == batch_id and 0 < slot.used < slot.capacity:
            return Slotting(slot.code, Reason("slot_same_batch", {"slot": slot.code}))
    empty = [slot for slot in kept if slot.used == 0 < slot.capacity]
    if not empty:
        code = "slot_none_of_class" if not kept else "slot_none_free"
        return Slotting(None, Reason(code, {"temperature": temperature.value}))
    if mover is Mover.SLOW:
        return Slotting(empty[-1].code, Reason("slot_far", {"slot": empty[-1].code}))
    reason = "slot_near" if mover is Mover.FAST else "slot_next"
    return Slotting(empty[0].code, Reason(reason, {"slot": empty[0].code}))

"""When a cell may change over: not before every live box of it can judge with the new sets.

Without it a batch that began at a box which has the new set comes to a neighbour which has not, and
nobody there may judge it (I3).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BoxInCell:
    """`live`: it reported lately enough to take part. `staged`: digests that it holds, verified and
    proven on its golden frames.
    """

    device: str
    live: bool
    staged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Barrier:
    """`waits_for` are the live boxes that miss something; `absent` those that are away. An absent
    box holds nobody up: until it has the sets, it says review for what is pinned to them.
    """

    is_open: bool
    waits_for: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def barrier(boxes: Iterable[BoxInCell], wanted: Collection[str]) -> Barrier:
    """Whether the cell of these boxes may run the sets `wanted`. A cell with no live box waits:
    there is nobody who could be told.
    """
    every = sorted(boxes, key=lambda box: box.device)
    live = [box for box in every if box.live]
    waits = tuple(box.device for box in live if not box.staged.issuperset(wanted))
    absent = tuple(box.device for box in every if not box.live)
    return Barrier(bool(live) and not waits, waits, absent)


def to_keep(pinned: Iterable[str], *, running: Iterable[str], staged: Iterable[str]) -> list[str]:
    """The digests that a box must not let go, in order: open batches are pinned to them, or the box
    runs or is about to run them.
    """
    return sorted({*pinned, *running, *staged} - {""})

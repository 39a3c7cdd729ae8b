"""What applying an entry did, for whoever shows it or passes it on."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.reason import Reason
from contracts.stock import BatchKey


@dataclass(frozen=True, slots=True)
class Effect:
    """`kind`: received, in_review, settled, held, ticket, transport, moved, device, noted.

    `reference` is the id of what came to be: carton, hold, ticket, transport order, device.
    """

    kind: str
    reference: str
    text: Reason
    batch: BatchKey | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome of one journal entry. A duplicate changed nothing and has no effects."""

    duplicate: bool
    effects: tuple[Effect, ...] = ()

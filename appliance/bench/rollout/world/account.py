"""What really happened in a world, kept beside the books and never told to them.

The check of every campaign and of every ablation is the same one: no generation of a batch freed by
two judges, nobody at a loss who should have held the set, nothing lost, nothing left undecided.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from contracts.stock import BatchKey


@dataclass(slots=True)
class Account:
    """Filled by the world's parts as they act."""

    seen: dict[str, BatchKey] = field(default_factory=dict)
    """Every carton that came by, with its batch."""
    booked: Counter[str] = field(default_factory=Counter)
    """Cartons of which the books have heard."""
    freed: dict[tuple[BatchKey, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    """Who really judged what set cartons of a generation free."""
    at_a_loss: set[BatchKey] = field(default_factory=set)
    """Batches that came by a station which was up and connected all along, in the cell of those that
    began them, and did not hold their judge."""
    began: dict[BatchKey, str] = field(default_factory=dict)
    """The cell of the station that saw a batch first."""
    happened: Counter[str] = field(default_factory=Counter)

    def free(self, batch: BatchKey, generation: int, judge: str) -> None:
        """A carton was set free because `judge` had really looked at it."""
        self.freed[batch, generation].add(judge)

    def mixed(self) -> list[tuple[BatchKey, int]]:
        """Generations of batches whose cartons were freed on the word of two judges."""
        return [which for which, judges in self.freed.items() if len(judges) > 1]

    def lost(self) -> list[str]:
        """Cartons that a station saw and the books never heard of."""
        return [carton for carton in self.seen if not self.booked[carton]]

    def told(self) -> dict[str, object]:
        """For a JSON line; `holds` is the check."""
        mixed = {batch for batch, _ in self.mixed()}
        lost = len(self.lost())
        return {
            "batches": len(set(self.seen.values())),
            "cartons": len(self.seen),
            "mixed": len(mixed),
            "nobody_could_judge": len(self.at_a_loss),
            "lost": lost,
            "happened": dict(sorted(self.happened.items())),
            "holds": not (mixed or self.at_a_loss or lost),
        }

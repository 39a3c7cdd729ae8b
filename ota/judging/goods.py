"""What becomes of a carton's goods by its results: the core's rule, in memory, for simulations.

One contract suite holds it to the core's answers over a database (tests/ota/judging). The rule:
- A pass that counts frees a carton. One of another judge or generation, or of nobody's, is kept and
  the carton waits in inspection until a result that counts comes.
- A defect holds, whoever found it. What is held stays: only a person's decision lifts it.
- A new generation sends what is free back to wait. What left is at risk, and is judged again too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contracts.inspection import InspectDecision
from contracts.judging import Pin, Standing, Watermark, frees, standing
from contracts.ports import Pins
from contracts.stock import BatchKey


class Stand(StrEnum):
    """Where a carton's goods stand."""

    FREE = "free"
    WAITS = "waits"
    """In inspection, until a result that counts."""
    HELD = "held"
    LEFT = "left"


class Ablation(StrEnum):
    """What a simulation leaves out, to show that its check finds the mistake."""

    NONE = "none"
    NO_PIN = "no_pin"
    """Whoever judges counts."""
    NO_WATERMARK = "no_watermark"
    """Once a batch is pinned, every result counts as its judge's."""


@dataclass(frozen=True, slots=True)
class Result:
    """One look at a carton's goods. `judge` is who really looked, told by the simulation; `mark`
    what the result says of itself. `parts` are the judge's sets by use.
    """

    carton: str
    batch: BatchKey
    mark: Watermark
    decision: InspectDecision
    judge: str
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Carton:
    batch: BatchKey
    stand: Stand
    asks_person: bool = False
    """Its first look was in doubt: somebody settles it, no machine."""


class MemoryGoods:
    """Books results over a `Pins` store. Not for two threads at once."""

    def __init__(self, pins: Pins, *, ablation: Ablation = Ablation.NONE) -> None:
        self._pins = pins
        self._ablation = ablation
        self._cartons: dict[str, _Carton] = {}
        self._of_batch: dict[BatchKey, set[str]] = defaultdict(set)
        self._freed: dict[tuple[BatchKey, int], set[str]] = defaultdict(set)

    def judged(self, result: Result) -> Stand:
        """Book a station's first look at a carton, or its re-judging; where the carton stands then."""
        carton = self._cartons.get(result.carton)
        pin = self._pin_for(result, first=carton is None)
        passed = result.decision is InspectDecision.PASS
        free = frees(self._worth(pin, result), passed=passed)
        if free and pin is not None:
            self._freed[result.batch, pin.generation].add(result.judge)
        if carton is None:
            doubt = result.decision is InspectDecision.REVIEW
            carton = _Carton(result.batch, Stand.WAITS, doubt)
            self._cartons[result.carton] = carton
            self._of_batch[result.batch].add(result.carton)
        if carton.stand is Stand.LEFT:
            return carton.stand
        if result.decision is InspectDecision.DEFECT:
            carton.stand = Stand.HELD
            carton.asks_person = False
        elif free and carton.stand is Stand.WAITS and not carton.asks_person:
            carton.stand = Stand.FREE
        return carton.stand

    def next_generation(
        self, batch: BatchKey, parts: Mapping[str, str], *, after: int, by: str, why: str
    ) -> tuple[Pin, tuple[str, ...]]:
        """Open another generation; the pin, and the cartons to be judged again, those that left
        among them. Raises ConflictError.
        """
        before = len(self._pins.history(batch))
        pin = self._pins.next_generation(batch, parts, after=after, by=by, why=why)
        if before < pin.generation:
            for name in self._of_batch[batch]:
                if self._cartons[name].stand is Stand.FREE:
                    self._cartons[name].stand = Stand.WAITS
        return pin, tuple(sorted(n for n in self._of_batch[batch] if self._is_machines(n)))

    def leave(self, carton: str) -> bool:
        """Ship a carton; False where it may not."""
        known = self._cartons.get(carton)
        if known is None or known.stand is not Stand.FREE:
            return False
        known.stand = Stand.LEFT
        return True

    def decided(self, carton: str, *, release: bool) -> Stand:
        """A person's decision on what waits or is held."""
        known = self._cartons[carton]
        known.asks_person = False
        if known.stand is not Stand.LEFT:
            known.stand = Stand.FREE if release else Stand.HELD
        return known.stand

    def stand(self, carton: str) -> Stand | None:
        known = self._cartons.get(carton)
        return known.stand if known is not None else None

    def asks_person(self, carton: str) -> bool:
        """Whether somebody must settle a carton, since its first look was in doubt."""
        known = self._cartons.get(carton)
        return known is not None and known.asks_person

    def waiting(self, batch: BatchKey) -> tuple[str, ...]:
        """The cartons of a batch that wait for a result that counts, or for a person."""
        names = self._of_batch.get(batch, set())
        return tuple(sorted(n for n in names if self._cartons[n].stand is Stand.WAITS))

    def mixed(self) -> list[tuple[BatchKey, int]]:
        """Batch generations whose goods two judges freed: there must be none."""
        return [at for at, judges in self._freed.items() if len(judges) > 1]

    def forget(self, batch: BatchKey) -> None:
        """A batch that is over, of a simulation that has many."""
        for name in self._of_batch.pop(batch, set()):
            del self._cartons[name]

    def _pin_for(self, result: Result, *, first: bool) -> Pin | None:
        """The batch's pin; an unpinned one is given to whoever looked first, not to who judged a
        carton again.
        """
        pin = self._pins.find(result.batch)
        if pin is None and first and result.parts and result.judge == result.mark.judge:
            pin = self._pins.pin(result.batch, result.parts, by="core")
        return pin

    def _is_machines(self, carton: str) -> bool:
        """Judged again by a machine, not found bad before nor left to a person."""
        known = self._cartons[carton]
        return known.stand is not Stand.HELD and not known.asks_person

    def _worth(self, pin: Pin | None, result: Result) -> Standing:
        if self._ablation is Ablation.NO_PIN:
            return Standing.COUNTS
        if self._ablation is Ablation.NO_WATERMARK and pin is not None:
            return Standing.COUNTS
        found = standing(pin, result.mark)
        if found is Standing.COUNTS and result.judge != result.mark.judge:
            return Standing.OTHER_JUDGE
        return found

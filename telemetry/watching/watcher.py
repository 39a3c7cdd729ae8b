"""Everything that watches one series, and the band of values at which nothing can change."""

from __future__ import annotations

from array import array
from typing import Protocol

from telemetry.watching.conditions.condition import Condition
from telemetry.watching.conditions.memory import INFINITY, MOST_ABROAD


class Clocked(Protocol):
    """What a watcher needs of the engine."""

    now: int
    unusable: int
    quiet_low: array[float]
    quiet_high: array[float]


class Watcher:
    """Everything that watches one series. `low` to `high` is where nothing can change."""

    __slots__ = ("_engine", "_number", "conditions", "high", "low")

    def __init__(self, engine: Clocked, number: int) -> None:
        self._engine, self._number = engine, number
        self.conditions: list[Condition] = []
        self.low, self.high = -INFINITY, INFINITY

    def see(self, at_us: int, value: float) -> None:
        """A value outside of the quiet band, at its own time."""
        if not abs(value) <= MOST_ABROAD:
            self._engine.unusable += 1
            return
        # A sensor whose clock is ahead of ours has measured by now, whatever it says.
        at_us = min(at_us, self._engine.now)
        for condition in self.conditions:
            if condition.facts.number != self._number:
                if condition.low > condition.high:
                    condition.look(at_us)
            elif not condition.low <= value <= condition.high:
                condition.see(at_us, value)

    def fit(self) -> None:
        """Take over the bands of its conditions; one that is about another series listens only
        while it has to see every reading.
        """
        self.low, self.high = -INFINITY, INFINITY
        for each in self.conditions:
            if each.facts.number == self._number or each.low > each.high:
                self.low, self.high = max(self.low, each.low), min(self.high, each.high)
        # Who asks for other series must find them as they were when the reading came: none of those
        # is judged together with others.
        alone = not any(each.uses for each in self.conditions)
        number, engine = self._number, self._engine
        engine.quiet_low[number] = self.low if alone else INFINITY
        engine.quiet_high[number] = self.high if alone else -INFINITY

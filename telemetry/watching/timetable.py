"""Fences that hold at some hours only: their conditions are armed and disarmed by the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from telemetry.watching.conditions.condition import Condition, Surroundings
from telemetry.watching.conditions.memory import NEVER
from telemetry.watching.fences import Fence


class Timed(Protocol):
    """What the engine's clock wakes: a condition, or the schedule of a fence."""

    name: str
    wake: int

    def deadline(self) -> int: ...

    def due(self) -> None: ...


class Schedule:
    """The hours of one fence."""

    __slots__ = ("_conditions_of", "_engine", "_fence", "_next", "name", "wake")

    def __init__(
        self,
        fence: Fence,
        engine: Surroundings,
        conditions_of: Callable[[str], Sequence[Condition]],
    ) -> None:
        self.name = f"{fence.fence}@hours"
        self.wake = NEVER
        self._fence, self._engine, self._conditions_of = fence, engine, conditions_of
        self._look()

    def deadline(self) -> int:
        return self._next

    def due(self) -> None:
        holds = self._look()
        for condition in self._conditions_of(self._fence.fence):
            condition.arm(holds=holds)

    def _look(self) -> bool:
        hours = self._fence.hours
        assert hours is not None  # noqa: S101 -- only fences with hours have a schedule
        later = hours.next_change(self._engine.now)
        self._next = NEVER if later is None else later
        return hours.holds(self._engine.now)

"""Conditions that users write themselves, over quantities of one device or one place."""

from __future__ import annotations

from telemetry.describing.series import Series
from telemetry.watching.conditions.condition import Condition, Surroundings
from telemetry.watching.conditions.rules import Clearing, Limit
from telemetry.watching.formulas.formula import Formula

_FRESH_US = 900_000_000
"""A value older than a quarter of an hour beside the newest one says nothing of now."""


class Asked:
    """A formula with the values that it asks for."""

    __slots__ = ("_engine", "_formula", "_series")

    def __init__(self, formula: Formula, series: Series, engine: Surroundings) -> None:
        self._formula, self._series, self._engine = formula, series, engine

    def answer(self) -> bool | None:
        """None where one of the values is not known, or is not of now."""
        values: dict[str, float] = {}
        for quantity in self._formula.uses:
            number = self._engine.beside(self._series, quantity)
            if number is None:
                return None
            at_us, value = self._engine.newest(number)
            if at_us < self._engine.now - _FRESH_US:
                return None
            values[quantity] = value
        return self._formula(values)


class ClearWhen(Clearing):
    """What is not known keeps an alarm open."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def holds(self) -> bool:
        return self._asked.answer() is True


class Expression(Limit):
    """True while something is wrong."""

    __slots__ = ("_asked",)
    kind = rule = "expression"
    always = True

    def ask(self, formula: Formula) -> None:
        """To be called once, before anything is seen."""
        self._asked = Asked(formula, self.facts, self._engine)
        self.uses = tuple(each for each in formula.uses if each != self.fence.quantity)

    def see(self, at_us: int, value: float, *, sample: bool = True) -> None:
        answer = self._asked.answer()
        if answer is not None:
            self.judge(at_us, value, None, bad=answer, good=not answer, sample=sample)


def watch_clearing(condition: Condition, formula: Formula, engine: Surroundings) -> None:
    """A condition whose alarm ends only when `formula` is true as well."""
    if isinstance(condition, Limit):
        condition.clearing = ClearWhen(Asked(formula, condition.facts, engine))
        condition.uses = tuple({*condition.uses, *formula.uses} - {condition.fence.quantity})

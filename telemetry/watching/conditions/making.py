"""From a fence to its conditions on one series."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from contracts.telemetry import SeriesKey
from telemetry.describing.series import Series
from telemetry.watching.conditions.condition import Condition, Surroundings
from telemetry.watching.conditions.expressions import Expression, watch_clearing
from telemetry.watching.conditions.memory import name_head
from telemetry.watching.conditions.rules import Above, Below, Fall, Missing, Rise
from telemetry.watching.fences import Fence
from telemetry.watching.formulas.formula import Formula


@dataclass(frozen=True, slots=True)
class Prepared:
    """A fence with its digest and its expressions, compiled once."""

    fence: Fence
    sha256: str
    expression: Formula | None = None
    clear_when: Formula | None = None

    def names(self, key: SeriesKey) -> dict[str, type[Condition]]:
        """Each limit that the fence has, by the name of its condition on a series."""
        fence = self.fence
        wanted: tuple[tuple[type[Condition], bool], ...] = (
            (Above, fence.above is not None),
            (Below, fence.below is not None),
            (Rise, fence.rise is not None),
            (Fall, fence.fall is not None),
            (Missing, fence.missing_s > 0),
            (Expression, self.expression is not None),
        )
        head = name_head(fence, self.sha256)
        return {f"{head}/{rule.rule}/{key}": rule for rule, is_wanted in wanted if is_wanted}

    def make(self, rule: type[Condition], series: Series, engine: Surroundings) -> Condition:
        """One condition on one series."""
        made = rule(self.fence, self.sha256, series, engine)
        if isinstance(made, Expression) and self.expression is not None:
            made.ask(self.expression)
        if self.clear_when is not None:
            watch_clearing(made, self.clear_when, engine)
        return made


@lru_cache(maxsize=4096)
def prepare(fence: Fence) -> Prepared:
    """Raises ExpressionError for an expression that cannot be used."""
    return Prepared(
        fence,
        fence.sha256,
        Formula(fence.expression) if fence.expression else None,
        Formula(fence.clear_when) if fence.clear_when else None,
    )

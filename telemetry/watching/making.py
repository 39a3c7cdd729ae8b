"""From a fence to its conditions on one series."""

from __future__ import annotations

from dataclasses import dataclass

from telemetry.describing.series import Series
from telemetry.watching.condition import Condition, Surroundings
from telemetry.watching.expressions import Expression, watch_clearing
from telemetry.watching.fences import Fence
from telemetry.watching.formulas.formula import Formula
from telemetry.watching.rules import Above, Below, Fall, Missing, Rise


@dataclass(frozen=True, slots=True)
class Prepared:
    """A fence with its digest and its expressions, compiled once."""

    fence: Fence
    sha256: str
    expression: Formula | None = None
    clear_when: Formula | None = None

    def conditions(self, series: Series, engine: Surroundings) -> list[Condition]:
        """One for each limit that the fence has."""
        fence = self.fence
        wanted = (
            (Above, fence.above is not None),
            (Below, fence.below is not None),
            (Rise, fence.rise is not None),
            (Fall, fence.fall is not None),
            (Missing, fence.missing_s > 0),
        )
        made: list[Condition] = [
            rule(fence, self.sha256, series, engine) for rule, is_wanted in wanted if is_wanted
        ]
        if self.expression is not None:
            made.append(Expression(fence, self.sha256, series, engine, self.expression))
        if self.clear_when is not None:
            for condition in made:
                watch_clearing(condition, self.clear_when, engine)
        return made


def prepare(fence: Fence) -> Prepared:
    """Raises ExpressionError for an expression that cannot be used."""
    return Prepared(
        fence,
        fence.sha256,
        Formula(fence.expression) if fence.expression else None,
        Formula(fence.clear_when) if fence.clear_when else None,
    )

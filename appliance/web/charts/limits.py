"""What fences say of the lines of a chart: the limits that somebody signed, drawn where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from appliance.web.charts.gateway import SeriesCard
from contracts.telemetry import SeriesKey
from telemetry.describing.series import Series
from telemetry.watching.fences import Fence
from telemetry.watching.places import Whereabouts, covers


@dataclass(frozen=True, slots=True)
class Limit:
    """One side of one fence, in the unit of the series. `kind` is above or below."""

    fence: str
    title: str
    kind: str
    at: float
    severity: str


LimitsOf = Callable[[Sequence[SeriesCard]], Mapping[SeriesKey, Sequence[Limit]]]
"""May block."""


def no_limits(_: Sequence[SeriesCard]) -> Mapping[SeriesKey, Sequence[Limit]]:
    return {}


def limits_of(
    cards: Sequence[SeriesCard], fences: Iterable[Fence], where: Whereabouts
) -> dict[SeriesKey, list[Limit]]:
    """The limits of fences in force for each series that they watch now."""
    found: dict[SeriesKey, list[Limit]] = {}
    for fence in sorted(fences, key=lambda each: each.fence):
        sides = (("above", fence.above), ("below", fence.below))
        for card in cards:
            facts = Series(0, card.key, card.unit, place=card.place)
            alike = (fence.quantity, fence.unit) == (card.quantity, card.unit)
            if alike and covers(fence.scope, facts, where):
                found.setdefault(card.key, []).extend(
                    Limit(fence.fence, fence.title, kind, at, fence.severity.value)
                    for kind, at in sides
                    if at is not None
                )
    return found

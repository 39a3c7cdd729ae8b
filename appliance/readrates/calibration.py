"""What is known of each model set's confidence, and the one sentence about it. Pure (I7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance.readrates.drift import (
    CalibrationError,
    Sequential,
    Stability,
    calibration_error,
    overstated,
    stability,
    understated,
)
from contracts.reason import Reason
from erp_link.domain.reads import BANDS
from erp_link.service.read_queries import BandTally, Scored

FEW = 30
"""Fewer settled cartons say nothing about calibration."""
REFERENCE = 1000
"""The first whole weeks with so many readings together are what later weeks are compared with."""
_WEEKS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Calibration:
    """One model set's. `since` is when the sequential test's standing alarm was raised."""

    model_set: str
    settled: int
    error: CalibrationError | None
    over: Sequential
    under: Sequential
    since: datetime | None
    weeks: tuple[Stability, ...]

    @property
    def state(self) -> str:
        """`over`, `under`, `shifted`, `few` or `ok`: the first that applies."""
        if self.over.alarm:
            return "over"
        if self.under.alarm:
            return "under"
        if self.weeks and self.weeks[-1].shifted:
            return "shifted"
        return "few" if self.settled < FEW else "ok"

    @property
    def drifts(self) -> bool:
        return self.state in ("over", "under", "shifted")

    @property
    def reason(self) -> Reason:
        """What to tell, `reason.calibration_<state>`."""
        params: dict[str, str | int | float] = {"cartons": self.settled}
        match self.state:
            case "over" | "under" if self.error is not None:
                params["stated"] = f"{100 * self.error.stated:.1f}"
                params["right"] = f"{100 * self.error.right:.1f}"
            case "shifted":
                params = {"index": f"{self.weeks[-1].index:.2f}"}
            case "ok" if self.error is not None:
                params["error"] = f"{100 * self.error.error:.1f}"
                params["chance"] = f"{100 * self.error.chance:.1f}"
            case _:
                params["needed"] = FEW
        return Reason(f"calibration_{self.state}", params)


def calibrations(scored: Sequence[Scored], bands: Iterable[BandTally]) -> list[Calibration]:
    """One row a model set, the one with most settled cartons first. `scored` is oldest first."""
    by_set: dict[str, list[Scored]] = {}
    for each in scored:
        by_set.setdefault(each.model_set, []).append(each)
    weeks: dict[str, dict[int, list[int]]] = {}
    for tally in bands:
        week = weeks.setdefault(tally.model_set, {}).setdefault(tally.week, [0] * BANDS)
        week[tally.band] += tally.cartons
    rows = [
        _calibration(name, by_set.get(name, []), weeks.get(name, {}))
        for name in {*by_set, *weeks} - {""}
    ]
    return sorted(rows, key=lambda row: (-row.settled, row.model_set))


def _calibration(name: str, scored: Sequence[Scored], weeks: dict[int, list[int]]) -> Calibration:
    confidence = [each.confidence for each in scored]
    right = [each.was_right for each in scored]
    over, under = overstated(confidence, right), understated(confidence, right)
    since = over.since if over.alarm else under.since
    return Calibration(
        model_set=name,
        settled=len(scored),
        error=calibration_error(confidence, right),
        over=over,
        under=under,
        since=scored[since].at if since is not None else None,
        weeks=_stabilities(weeks),
    )


def _stabilities(weeks: dict[int, list[int]]) -> tuple[Stability, ...]:
    """Each week after the reference against it."""
    reference = [0] * BANDS
    found = []
    for week in sorted(weeks):
        if sum(reference) < REFERENCE:
            reference = [a + b for a, b in zip(reference, weeks[week], strict=True)]
            continue
        one = stability(reference, weeks[week], week=week)
        if one is not None:
            found.append(one)
    return tuple(found[-_WEEKS_SHOWN:])

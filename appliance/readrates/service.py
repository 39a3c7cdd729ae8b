"""Read rates over the core: what the page, the API and the health page ask.

Calibration is worked out every few minutes, not with every page: it weighs thousands of cartons.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import structlog

from appliance.readrates.calibration import Calibration, calibrations
from appliance.readrates.rates import (
    Bucket,
    Count,
    Row,
    by_cause,
    by_day,
    by_facet,
    by_hour_of_day,
    timeline,
    total,
)
from appliance.readrates.window import FACETS, Question, quarter_of
from contracts.clock import Clock
from contracts.errors import TallymanError
from erp_link.service.core import Core
from erp_link.service.read_queries import ReadFrame

CALIBRATION_DAYS = 90
_MOST_SCORED = 5000
_EVERY_S = 300.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to one question. `tables` has a table a facet, then `hour` and `day`."""

    total: Count
    tables: Mapping[str, Sequence[Row]]
    causes: Sequence[Row]
    timeline: Sequence[Bucket]


@dataclass(frozen=True, slots=True)
class Watched:
    """Every model set's calibration as of `at`, over the last `CALIBRATION_DAYS` days."""

    at: datetime
    sets: tuple[Calibration, ...]


class ReadRates:
    """Calls block for the core's database, and are safe from many threads."""

    def __init__(self, core: Core, *, clock: Clock, zone: tzinfo) -> None:
        self._core = core
        self._clock = clock
        self.zone = zone
        self._watched: Watched | None = None

    def now(self) -> datetime:
        return self._clock.now()

    def report(self, question: Question) -> Report:
        tallies, quarters = self._core.read_tallies(question.window())
        tables = {facet: by_facet(tallies, facet) for facet in FACETS}
        tables["hour"] = by_hour_of_day(quarters, self.zone)
        tables["day"] = by_day(quarters, self.zone)
        return Report(
            total=total(tallies),
            tables=tables,
            causes=by_cause(tallies),
            timeline=timeline(quarters, self.zone, since=question.since, until=question.until),
        )

    def frames(
        self, question: Question, *, most: int, skip: int = 0
    ) -> tuple[int, list[ReadFrame]]:
        """How many cartons the question finds, and `most` of them after `skip`, newest first."""
        return self._core.read_frames(question.window(), most=most, skip=skip)

    def choices(self) -> dict[str, list[str]]:
        """Every value that each facet has had, for the filter."""
        facets = self._core.read_facets()
        return {name: sorted({getattr(each, name) for each in facets}) for name in FACETS}

    @property
    def watched(self) -> Watched | None:
        """The last look at calibration; None before the first."""
        return self._watched

    def look(self) -> Watched:
        """Look at calibration now."""
        now = self._clock.now()
        since = quarter_of(now - timedelta(days=CALIBRATION_DAYS))
        scored = self._core.read_scored(since, most=_MOST_SCORED)
        self._watched = Watched(now, tuple(calibrations(scored, self._core.read_bands(since))))
        return self._watched

    async def watch(self) -> None:
        """Look again and again, for as long as the hub runs."""
        told: set[tuple[str, str]] = set()
        while True:
            try:
                watched = await asyncio.to_thread(self.look)
            except TallymanError as error:
                log.warning("calibration not looked at", error=str(error))
            else:
                drifting = {(each.model_set, each.state) for each in watched.sets if each.drifts}
                for model_set, state in sorted(drifting - told):
                    log.warning("confidence drifts", model_set=model_set, state=state)
                told = drifting
            await asyncio.sleep(_EVERY_S)

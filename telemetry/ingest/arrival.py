"""Times of arrival: they follow the machine's clock, also where somebody sets it.

A clock that slips back by a moment gives the same time again, so that groups stay in order. One that
was hours ahead and is set right must not make time stand still until those hours have passed: times
of arrival and the timers of the rules go back with it. One that leaps ahead, or a machine that slept,
says nothing of sensors: what is missing counts from then on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from telemetry.ingest.counts import Counts
from telemetry.ingest.judging import pass_time
from telemetry.ingest.sieve import Sieve
from telemetry.ports import Engine

SLIP_US: Final = 2_000_000
"""A clock that is so little behind has not been set: `Engine.turn_back` says the same."""
AHEAD_US: Final = 60_000_000
"""Time passes in steps of a tenth of a second: whoever misses a minute was not there."""

_log = logging.getLogger(__name__)


class Arrival:
    """Tells the rules what time it is. Same caller as the sieve and the engine."""

    def __init__(self, engine: Engine, sieve: Sieve, counts: Counts) -> None:
        self._engine, self._sieve, self._counts = engine, sieve, counts
        self.newest_us = 0

    def come_to(self, now_us: int, on_set: Callable[[], None] | None = None) -> int:
        """The time of arrival that counts for `now_us`; the rules know it.

        `on_set` is called where the clock was set or the machine slept: what the rules make of that
        does not come from the groups alone, so their state must be on disk before it is told. None:
        groups are gone through again, and time between two of them says nothing.
        """
        if not self._turned_back(now_us):
            if on_set is None or now_us - self.newest_us <= AHEAD_US:
                self.newest_us = max(now_us, self.newest_us)
                pass_time(self._engine, self.newest_us, self._counts)
                return self.newest_us
            self._leap(now_us)
        self.newest_us = now_us
        pass_time(self._engine, now_us, self._counts)
        if on_set is not None:
            self._counts.clock_steps += 1
            on_set()
        return now_us

    def begin(self, now_us: int) -> None:
        """After the groups of a start were gone through again: nobody listened meanwhile."""
        back = self._turned_back(now_us)
        self.newest_us = now_us if back else max(now_us, self.newest_us)
        self._engine.resume(self.newest_us)

    def _turned_back(self, now_us: int) -> bool:
        # At first nothing is known but what the rules remember of the time.
        if 0 < self.newest_us <= now_us:
            return False
        try:
            turned = self._engine.turn_back(now_us)
        except Exception:  # noqa: BLE001 -- one fence's fault must not stop the clock
            self._counts.rule_errors += 1
            _log.exception("The rules failed as the clock was set back; readings go on")
            return True
        if turned:
            _log.warning("The clock was set back to %d us", now_us)
            self._sieve.turn_back(now_us)
        return turned

    def _leap(self, now_us: int) -> None:
        _log.warning("The clock went ahead by %.0f s at once", (now_us - self.newest_us) / 1e6)
        try:
            self._engine.resume(now_us)
        except Exception:  # noqa: BLE001 -- as above
            self._counts.rule_errors += 1
            _log.exception("The rules failed as the clock leapt; readings go on")

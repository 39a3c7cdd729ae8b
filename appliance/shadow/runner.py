"""Candidates look at cartons while nobody waits, and never delay a verdict (I3).

Rules: a carton is offered after its verdict was told, and dropped where others wait already; a
candidate is opened and asked in one thread of the lowest priority, only while no carton is being
judged; whatever it does is counted against it or told as refused, and nothing else comes of it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from appliance.journal.journal import Journal
from appliance.sets.running import RunningSets
from appliance.shadow.comparing import Tallies
from appliance.shadow.looking import Candidate, Opens
from appliance.station import READ, Judged
from contracts.errors import JournalError
from contracts.ota import Shadow, ShadowReport
from contracts.reason import Reason

WAITING = 3
"""Cartons that wait for candidates; each keeps its frames in memory."""
_LOWEST = 19
_AGAIN_S = 60.0
"""So long a candidate that could not be opened is not tried again."""
_SILENT = 20
"""Inspected cartons after which it is told that a candidate says nothing of any."""
_TOLD = 200
T = TypeVar("T")
log = structlog.get_logger()


class ShadowRunner:
    """Start `run` as a side job. Everything but the candidates' own work runs in the event loop."""

    def __init__(
        self,
        room: Opens,
        sets: RunningSets,
        journal: Journal,
        *,
        station: str,
        budget_ms: float,
        idle: Callable[[], Awaitable[None]],
        cartons: Callable[[], int],
    ) -> None:
        """`idle` returns when no carton is judged or waits; `cartons` counts those begun."""
        self._room = room
        self._sets = sets
        self._journal = journal
        self._station = station
        self._budget_ms = budget_ms
        self._idle = idle
        self._cartons = cartons
        self._shadows: tuple[Shadow, ...] = ()
        self._waiting: deque[Judged] = deque()
        self._news = asyncio.Event()
        self._open: dict[Shadow, tuple[Mapping[str, str], Candidate]] = {}
        self._not_before: dict[Shadow, float] = {}
        self._silent: dict[Shadow, int] = {}
        self.tallies = Tallies()
        self.refused: dict[str, Reason] = {}
        self.dropped = 0
        """Cartons that no candidate saw: the station had more to do."""

    def follow(self, shadows: tuple[Shadow, ...]) -> None:
        """Which candidates look from now on."""
        if shadows == self._shadows:
            return
        self._shadows = shadows
        self._open = {each: known for each, known in self._open.items() if each in shadows}
        self._not_before, self._silent = {}, {}
        wanted = {each.model_set for each in shadows}
        self.refused = {each: why for each, why in self.refused.items() if each in wanted}
        self._waiting.clear()

    def offer(self, judged: Judged) -> None:
        """A carton whose verdict was told."""
        if not self._shadows:
            return
        if len(self._waiting) >= WAITING:
            self.dropped += 1
            return
        self._waiting.append(judged)
        self._news.set()

    def reports(self) -> tuple[ShadowReport, ...]:
        return self.tallies.reports(self._shadows)

    async def run(self) -> None:
        """Until cancelled."""
        thread = ThreadPoolExecutor(1, "shadow", initializer=_step_back)
        try:
            while True:
                await self._news.wait()
                if not self._waiting:
                    self._news.clear()
                    continue
                await self._look(self._waiting.popleft(), thread)
        finally:
            # Nobody waits for a candidate, not at the end either.
            thread.shutdown(wait=False, cancel_futures=True)

    async def _look(self, judged: Judged, thread: ThreadPoolExecutor) -> None:
        for shadow in self._shadows:
            candidate = await self._candidate(shadow, thread)
            if candidate is None or shadow not in self._shadows:
                continue
            await self._idle()
            begun = self._cartons()
            said = await _in(
                thread,
                lambda: candidate.look(  # noqa: B023 -- awaited before the next one
                    judged,
                    station=self._station,
                    budget_ms=self._budget_ms,
                    disturbed=lambda: self._cartons() != begun,  # noqa: B023 -- as above
                ),
            )
            if said is None:
                self._said_nothing(shadow, judged)
                continue
            self._silent.pop(shadow, None)
            try:
                await self._journal.append(said)
            except JournalError as error:
                log.warning("candidate's word not recorded", why=str(error))
                continue
            self.tallies.count(said)

    def _said_nothing(self, shadow: Shadow, judged: Judged) -> None:
        """A candidate for goods that none of the products' profiles let judge never fills its gate:
        that is told, or a rollout would wait for ever.
        """
        if shadow.lane == READ or judged.looked.inspection is None:
            return
        self._silent[shadow] = self._silent.get(shadow, 0) + 1
        if self._silent[shadow] >= _SILENT and not self.tallies.any(shadow):
            told = Reason("candidate_judges_nothing", {"lane": shadow.lane})
            self.refused[shadow.model_set] = told

    async def _candidate(self, shadow: Shadow, thread: ThreadPoolExecutor) -> Candidate | None:
        """Its engines beside those that run now; None where it cannot be opened."""
        running = self._sets.engines
        known = self._open.get(shadow)
        if known is not None and known[0] == running.wanted:
            return known[1]
        loop = asyncio.get_running_loop()
        if loop.time() < self._not_before.get(shadow, 0.0):
            return None
        wanted = {**running.wanted, shadow.lane: shadow.model_set}
        await self._idle()
        try:
            engines = await _in(thread, lambda: self._room.open(wanted, running))
        except Exception as error:  # whatever is wrong with it, the station goes on
            log.warning("candidate not opened", lane=shadow.lane, exc_info=True)
            self._not_before[shadow] = loop.time() + _AGAIN_S
            told: dict[str, str | int | float] = {
                "lane": shadow.lane,
                "why": (str(error) or type(error).__name__)[:_TOLD],
            }
            self.refused[shadow.model_set] = Reason("set_not_loaded", told)
            return None
        if shadow not in self._silent:
            self.refused.pop(shadow.model_set, None)
        candidate = Candidate(shadow, engines)
        self._open[shadow] = (running.wanted, candidate)
        return candidate


async def _in(thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(thread, work)


def _step_back() -> None:
    """Threads of engines that are opened here inherit it: the dock's own work goes first."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)

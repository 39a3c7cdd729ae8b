"""What this box says of the sets that judge: `running.json` for the agent, an entry in the journal
at each change for everybody else (I3, I4, I5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from appliance.journal.journal import Journal
from appliance.sets.running import RunningSets
from contracts.errors import JournalError
from contracts.events import ModelSetsActivated
from contracts.ota import ShadowReport
from contracts.reason import Reason
from ota.agent.files import Files
from ota.agent.handover import Active, Running, write_running

START = "start"
_WHY = {"ota_returned": "returned", "ota_stopped": "stopped"}
log = structlog.get_logger()


def why_of(active: Active) -> str:
    """As ModelSetsActivated says it."""
    return _WHY.get(active.why.code, "assignment")


@dataclass(slots=True)
class Word:
    """The parts of `running.json` that change."""

    boot: str
    change: int = 0
    loading: int = 0
    refused: dict[str, Reason] = field(default_factory=dict)


class Teller:
    """Writes what really runs. One for a box."""

    def __init__(
        self,
        files: Files,
        sets: RunningSets,
        journal: Journal,
        *,
        station: str,
        word: Word,
        now_us: Callable[[], int],
        open_sets: Callable[[], tuple[str, ...]],
        shadow: Callable[[], tuple[ShadowReport, ...]],
        shadow_refused: Callable[[], Mapping[str, Reason]],
    ) -> None:
        self.word = word
        self._files = files
        self._sets = sets
        self._journal = journal
        self._station = station
        self._now_us = now_us
        self._open_sets = open_sets
        self._shadow = shadow
        self._shadow_refused = shadow_refused
        self._writing = asyncio.Lock()

    def running(self) -> Running:
        """As it stands now."""
        word = self.word
        return Running(
            at_us=self._now_us(),
            boot=word.boot,
            change=word.change,
            loading=word.loading,
            lanes=self._sets.lanes(),
            refused={**self._shadow_refused(), **word.refused},
            open_pins=self._open_sets(),
            shadow=self._shadow(),
        )

    async def tell(self) -> None:
        """Write the file, whole and durable; a disk that refuses is told in the log."""
        async with self._writing:
            running = self.running()
            try:
                await asyncio.to_thread(write_running, self._files, running)
            except OSError as error:
                log.warning("running sets not told", why=str(error))

    async def record(self, before: Mapping[str, str], active: Active, *, why: str) -> None:
        """Into the journal: what judges from here on, as loaded."""
        engines = self._sets.engines
        rollouts = {each.rollout for each in active.lanes.values() if each.rollout}
        body = ModelSetsActivated(
            station=self._station,
            before=dict(before),
            after=engines.digests,
            variant=engines.variants,
            why=why,
            epoch=active.epoch,
            sequence=active.sequence,
            rollout=str(active.why.params.get("rollout", "")) or ",".join(sorted(rollouts)),
            notes=(*engines.notes, *self.word.refused.values()),
        )
        try:
            await self._journal.append(body)
        except JournalError as error:
            log.warning("switch not recorded", why=str(error))

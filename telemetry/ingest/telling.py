"""Alarms out, in order, until they have arrived."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from contracts.telemetry import AlarmChanged
from telemetry.ingest.counts import Counts
from telemetry.ports import AlarmSink

_log = logging.getLogger(__name__)
_AGAIN_S = 1.0
_LAST_S = 2.0


class Teller:
    """A queue in front of the sink. What is in `untold` also stands in each checkpoint."""

    def __init__(self, sink: AlarmSink, counts: Counts) -> None:
        self.untold: tuple[AlarmChanged, ...] = ()
        self._sink = sink
        self._counts = counts
        self._more = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    def start(self, untold: Sequence[AlarmChanged]) -> None:
        self._task = asyncio.create_task(self._run())
        if untold:
            self.tell(untold)

    def tell(self, changes: Sequence[AlarmChanged]) -> None:
        """Their readings are on disk: hand them on as soon as the sink takes them."""
        self.untold = (*self.untold, *changes)
        self._empty.clear()
        self._more.set()

    async def stop(self) -> None:
        """Waits a moment for the sink; what it has not taken is told at the next start."""
        if self._task is None:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), 0 if self._failing else _LAST_S)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            changes = self.untold
            try:
                await self._sink.tell(changes)
            except Exception:  # noqa: BLE001 -- one fault must not stop the others
                self._failing = True
                self._counts.alarm_failures += 1
                _log.exception("Alarms cannot be written down; they are tried again")
                await asyncio.sleep(_AGAIN_S)
                continue
            self._failing = False
            self._counts.alarms += len(changes)
            self.untold = self.untold[len(changes) :]
            if not self.untold:
                self._more.clear()
                self._empty.set()

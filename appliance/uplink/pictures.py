"""Pictures to the hub: as soon as they are stored, and at the latest before an entry names them.

Rules: a picture is on its way at most once at a time; what fails ahead of its entry is quiet, for
the entry asks again and says what is wrong.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from appliance.evidence import EvidenceStore
from appliance.uplink import wire
from appliance.uplink.client import HubClient
from contracts.errors import TallymanError

_log = logging.getLogger(__name__)
_AT_ONCE = 3
"""A carton has as many pictures; each needs a connection while it is sent."""
_AHEAD = 32


class PictureUpload:
    """One for an uplink; everything but the store's callback runs in one event loop."""

    def __init__(self, evidence: EvidenceStore) -> None:
        self._evidence = evidence
        self._on_their_way: dict[str, asyncio.Task[bool]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @property
    def busy(self) -> bool:
        """A picture is on its way."""
        return bool(self._on_their_way)

    async def ahead(self, hub: HubClient, *, worthwhile: Callable[[], bool]) -> None:
        """A job: send each picture when it is stored, while the engines still look at it.

        Until cancelled. Pictures stored while it is not `worthwhile` (no hub) or while many are on
        their way are left to `send`.
        """
        loop = asyncio.get_running_loop()
        stored: asyncio.Queue[str] = asyncio.Queue()

        def heard(sha256: str) -> None:
            # A picture may be stored while the process ends: its entry sends it next time.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(stored.put_nowait, sha256)

        stop = self._evidence.listen(heard)
        try:
            while True:
                sha256 = await stored.get()
                if worthwhile() and len(self._on_their_way) < _AHEAD:
                    self._start(hub, sha256)
        finally:
            stop()
            await self._give_up()

    async def send(self, hub: HubClient, pictures: Collection[str]) -> tuple[str, ...]:
        """Make sure that the hub has `pictures`; gives the ones that are lost here.

        Raises UnavailableError, HubRefusedError.
        """
        waiting = [
            self._on_their_way[sha256] for sha256 in pictures if sha256 in self._on_their_way
        ]
        await asyncio.gather(*waiting, return_exceptions=True)
        missing = await asyncio.to_thread(self._not_uploaded, pictures)
        kept = await asyncio.gather(*(self._start(hub, sha256) for sha256 in missing))
        return tuple(sha256 for sha256, here in zip(missing, kept, strict=True) if not here)

    async def _give_up(self) -> None:
        tasks = list(self._on_their_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, hub: HubClient, sha256: str) -> asyncio.Task[bool]:
        known = self._on_their_way.get(sha256)
        if known is not None:
            return known
        task = asyncio.create_task(self._one(hub, sha256))
        self._on_their_way[sha256] = task
        task.add_done_callback(lambda done: self._ended(sha256, done))
        return task

    def _ended(self, sha256: str, task: asyncio.Task[bool]) -> None:
        del self._on_their_way[sha256]
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, (TallymanError, OSError)):
            _log.debug("picture_not_sent", extra={"sha256": sha256, "why": str(error)})
        elif error is not None:
            _log.error("picture_not_sent", extra={"sha256": sha256}, exc_info=error)

    async def _one(self, hub: HubClient, sha256: str) -> bool:
        """Send one; False when it is lost here."""
        async with self._turns:
            data = await asyncio.to_thread(self._evidence.get, sha256)
            if data is None:
                _log.error("evidence_lost", extra={"sha256": sha256})
                return False
            await hub.ask("PUT", f"{wire.EVIDENCE_PATH}/{sha256}", body=data)
            await asyncio.to_thread(self._evidence.mark_uploaded, sha256)
            return True

    def _not_uploaded(self, pictures: Collection[str]) -> Sequence[str]:
        return [sha256 for sha256 in pictures if not self._evidence.is_uploaded(sha256)]

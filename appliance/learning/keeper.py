"""A station's job: follow its own journal and keep an example of each review that was settled.

Rules: what the journal holds is all that is needed, so a crash delays an example and loses none, and
the same entry gives the same example; nothing waits for this job, it works while no carton is being
judged, and its faults are its own; what was settled while `keep` was off is never gathered later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from appliance.durable import write_atomic
from appliance.evidence import EvidenceStore
from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from appliance.journal.stamp import to_us
from appliance.learning.dataset import Dataset
from appliance.learning.keeping import Privacy, why_not
from appliance.learning.making import Sees, make_example
from contracts.clock import Clock
from contracts.errors import BadFrameError, BadInputError, JournalError
from contracts.events import KIND_OF, CartonJudged, CartonSettled, JournalEntry

_log = logging.getLogger(__name__)
_BLOCK = 200
_LOOK_BACK = 20_000
_SAVE_EVERY = 1000
"""Entries after which the place in the journal is saved although nothing was kept."""
_THIN_OUT_EVERY_S = 3600.0


class Keeper:
    """Start `run()` as a job."""

    def __init__(
        self,
        journal: Journal,
        evidence: EvidenceStore,
        dataset: Dataset,
        see: Sees,
        *,
        seen_by: str,
        privacy: Privacy,
        cursor: Path,
        clock: Clock,
        idle: Callable[[], Awaitable[None]],
    ) -> None:
        """`idle` returns when no carton waits to be judged; `cursor` is the file that keeps the
        place in the journal; `seen_by` is the digest of the set behind `see`.
        """
        self._journal = journal
        self._evidence = evidence
        self._dataset = dataset
        self._see = see
        self._seen_by = seen_by
        self._privacy = privacy
        self._cursor = cursor
        self._clock = clock
        self._idle = idle
        self._saved = -1
        self._done = 0

    async def run(self) -> None:
        """Until cancelled."""
        loop, wake = asyncio.get_running_loop(), asyncio.Event()

        def heard(_seq: int) -> None:
            # The journal may outlive the loop by a commit at the end of the process.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(wake.set)

        stop, thin_out_at = self._journal.listen(heard), loop.time()
        # Before anything is awaited: what is settled while a thread is being found counts.
        begins_at = self._journal.head().seq
        try:
            await asyncio.to_thread(self._begin, begins_at)
            while True:
                wake.clear()
                try:
                    await self._catch_up()
                except JournalError as error:
                    _log.warning("journal_not_followed", extra={"why": str(error)})
                if loop.time() >= thin_out_at:
                    thin_out_at = loop.time() + _THIN_OUT_EVERY_S
                    await asyncio.to_thread(self._thin_out)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_THIN_OUT_EVERY_S):
                        await wake.wait()
        finally:
            stop()

    def _begin(self, head: int) -> None:
        """Where the last life of this job was; a new dataset begins with what is settled after
        `head`, the journal's when the job started.
        """
        try:
            self._done = msgspec.json.decode(self._cursor.read_bytes(), type=int)
            self._saved = self._done
        except (OSError, msgspec.MsgspecError):
            self._done = head
        # A journal that was begun anew has fewer entries than were followed in the old one.
        self._done = min(self._done, head)
        self._save()

    async def _catch_up(self) -> None:
        """Everything that the journal holds and this job has not followed yet."""
        while True:
            entries = await asyncio.to_thread(self._journal.entries, self._done, _BLOCK)
            for entry in entries:
                if entry.kind == KIND_OF[CartonSettled]:
                    await self._idle()
                    await asyncio.to_thread(self._try_to_keep, entry)
                self._done = entry.seq
            if self._done - self._saved >= _SAVE_EVERY:
                await asyncio.to_thread(self._save)
            if len(entries) < _BLOCK:
                return

    def _try_to_keep(self, entry: JournalEntry) -> None:
        """What cannot be kept is said and passed over: the record is the journal, not this."""
        try:
            self._keep(entry)
        except (BadFrameError, BadInputError, OSError) as error:
            _log.warning("example_not_kept", extra={"seq": entry.seq, "why": str(error)})
        except Exception:  # noqa: BLE001 -- an engine's own fault costs one example, not the job
            _log.warning("example_not_kept", extra={"seq": entry.seq}, exc_info=True)
        self._done = entry.seq
        self._save()

    def _keep(self, entry: JournalEntry) -> None:
        settled = decode_body(entry.kind, entry.body)
        if not isinstance(settled, CartonSettled) or self._privacy is Privacy.OFF:
            return
        judged = self._judged(settled.carton_id, entry.seq)
        if judged is None or why_not(judged, settled, self._privacy):
            return
        example = make_example(
            judged,
            settled,
            device=self._journal.device,
            at_us=entry.at_us,
            picture=self._evidence.get,
            see=self._see,
            seen_by=self._seen_by,
            privacy=self._privacy,
        )
        if example is not None:
            self._dataset.add(example, now_us=to_us(self._clock.now()))

    def _judged(self, carton_id: str, before: int) -> CartonJudged | None:
        """The carton's verdict, read back from its settlement."""
        wanted = KIND_OF[CartonJudged]
        for end in range(before - 1, max(0, before - _LOOK_BACK), -_BLOCK):
            start = max(0, end - _BLOCK)
            for entry in reversed(self._journal.entries(start, end - start)):
                if entry.kind == wanted and carton_id in entry.body:
                    body = decode_body(entry.kind, entry.body)
                    if isinstance(body, CartonJudged) and body.carton_id == carton_id:
                        return body
        return None

    def _thin_out(self) -> None:
        try:
            self._dataset.thin_out(now_us=to_us(self._clock.now()))
        except OSError as error:
            _log.warning("examples_not_removed", extra={"why": str(error)})

    def _save(self) -> None:
        try:
            write_atomic(self._cursor, msgspec.json.encode(self._done), mode=0o600)
            self._saved = self._done
        except OSError as error:
            # The entries are followed again at the next start, and give the same examples.
            _log.warning("place_not_saved", extra={"why": str(error)})

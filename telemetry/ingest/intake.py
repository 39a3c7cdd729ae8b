"""The one durable path of all readings (I2).

    take -> decode, rules -> segment -> synced -> acknowledged -> alarms out

1. Nobody is called back before the disk has what he sent; readings understood go to the segments,
   all others to the quarantine with the reason.
2. A message known already is acknowledged when the first one is on disk, and counted.
3. While the disk fails or is full nothing is acknowledged: `full` tells the endpoints to stop
   reading, and the same bytes are tried again until they are taken.
4. An alarm is told when the readings it comes from are on disk, and again after a restart if it may
   not have arrived.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from contracts.reason import Reason
from contracts.telemetry import AlarmChanged
from telemetry.describing.catalogue import Catalogue
from telemetry.ingest.arrival import Arrival
from telemetry.ingest.batch import Batch, OnDisk
from telemetry.ingest.counts import Counts
from telemetry.ingest.limits import Limits
from telemetry.ingest.reception import MANY, Reception
from telemetry.ingest.recovery import recover
from telemetry.ingest.sieve import Sieve
from telemetry.ingest.store import Store
from telemetry.ingest.telling import Teller
from telemetry.now import system_us
from telemetry.ports import AlarmSink, Engine
from telemetry.segments.files import START, Position
from telemetry.segments.groups import Message, Quarantined

_log = logging.getLogger(__name__)
_TIDY_S = 1.0
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LAST_S = 5.0
_MUCH = 1 << 20
"""Bytes worth a write of their own."""


class Intake:
    """All methods belong to the event loop that called `start`; nothing blocks it."""

    def __init__(
        self,
        folder: Path,
        *,
        catalogue: Catalogue,
        engine: Engine,
        sink: AlarmSink,
        limits: Limits = Limits(),  # noqa: B008 -- frozen
        now_us: Callable[[], int] = system_us,
    ) -> None:
        """`folder`: the gateway's own, for segments, quarantine and the state of the rules."""
        self.counts = Counts()
        self.trouble: Reason | None = None
        """Why nothing can be stored at present: `store_full` or `store_failed`."""
        self._folder = folder
        self._limits = limits
        self._clock = now_us
        self._engine = engine
        self._sieve = Sieve(catalogue, engine, self.counts)
        self._arrival = Arrival(engine, self._sieve, self.counts)
        self._teller = Teller(sink, self.counts)
        self._reception = Reception(self._sieve, self._arrival, limits, self._clock_set)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="segments")
        self._store: Store | None = None
        self._writing: Batch | None = None
        self._planned: asyncio.TimerHandle | asyncio.Handle | None = None
        self._last_write = 0.0
        self._last_checkpoint = 0.0
        self._checkpoint_due = False
        self._accepted_then = 0
        self._found: list[AlarmChanged] = []
        """By the start, and not on disk yet."""
        self._changed = False
        """Something came since the last checkpoint."""
        self._waiting_for_room: list[Callable[[], None]] = []
        self._timers: list[asyncio.Task[None]] = []
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    # The life of it

    async def start(self) -> None:
        """Repairs the segments, goes through them from the last checkpoint on, tells what was not
        told. Raises OSError where the folder cannot be used.
        """
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._store = await loop.run_in_executor(self._thread, Store, self._folder, self._limits)
        untold = await loop.run_in_executor(
            self._thread,
            recover, self._store, self._sieve, self._engine, self.counts, self._arrival,
            self._clock(),
        )  # fmt: skip
        # What the rules found at this start depends on when it was: it must stand on disk before
        # anybody hears of it.
        state, version = self._engine.save(), self._sieve.version
        try:
            await loop.run_in_executor(
                self._thread, self._store.checkpoint, state, version, tuple(untold)
            )
        except OSError as error:
            # A full disk: what was found waits, and is told with the first write that succeeds.
            _log.warning("The state of the rules cannot be kept at the start: %s", error)
            self._found, untold, self._checkpoint_due = untold, [], True
        self._last_checkpoint = loop.time()
        self._teller.start(untold)
        self._timers = [
            asyncio.create_task(self._every(self._limits.tick_s, self._tick)),
            asyncio.create_task(self._every(_TIDY_S, self._tidy)),
        ]

    async def stop(self) -> None:
        """Writes what was taken, calls back, tells, leaves a checkpoint. With a disk that takes
        nothing it gives up: what is lost so was never acknowledged.
        """
        for timer in self._timers:
            timer.cancel()
        await asyncio.gather(*self._timers, return_exceptions=True)
        self._stopping = True
        self._checkpoint_due = self._store is not None
        self._plan()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _LAST_S if self.trouble is None else 0)
        await self._teller.stop()
        if self._planned is not None:
            self._planned.cancel()
        store = self._store
        if store is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, store.close)
        self._thread.shutdown(wait=False)

    # What endpoints call

    def take(
        self,
        messages: Sequence[Message],
        received_us: int,
        on_disk: OnDisk,
        encoded: bytes | None = None,
    ) -> None:
        """Messages as (address, payload); `on_disk` is called once when all of them are durable.
        `encoded`: the same from `groups.encode_items`, where somebody has made it already.

        Never refuses: what is not understood is set aside and acknowledged as well. Ask `full`
        before reading more.
        """
        reception = self._reception
        if encoded is not None or len(messages) >= MANY:
            reception.sift_few()
            reception.sift(messages, received_us, [on_disk], encoded)
            self._came()
            return
        if reception.collect(messages, received_us, on_disk):
            self._idle.clear()
            self._loop.call_soon(self._sift_few)
        if reception.is_many:
            self._sift_few()

    def set_aside(self, items: Sequence[Quarantined], received_us: int, on_disk: OnDisk) -> None:
        """Messages that an endpoint itself cannot take for readings: a topic not allowed."""
        self._reception.set_aside(items, received_us, on_disk)
        self._plan()

    @property
    def full(self) -> bool:
        """No more should be read: memory is spent, or the disk takes nothing."""
        spent = self._reception.memory >= self._limits.in_flight_bytes
        return spent or self.trouble is not None

    def when_room(self, callback: Callable[[], None]) -> None:
        """Called once when `full` is over; at once where it is not."""
        if self.full:
            self._waiting_for_room.append(callback)
        else:
            self._loop.call_soon(callback)

    # What the gateway calls

    @property
    def position(self) -> Position:
        """How far the segments are on disk."""
        return self._store.position if self._store is not None else START

    @property
    def held_bytes(self) -> int:
        """Taken and not yet on disk."""
        return self._reception.held

    def between_groups(
        self, change: Callable[[], None], *, catalogue: Catalogue | None = None
    ) -> None:
        """Run `change` (other fences, another book, an acknowledged alarm: `Engine.swap`) between
        two groups, with the catalogue exchanged there; the rules' state is kept on disk before any
        alarm that comes from it is told.

        Raises what `change` raises, and then the catalogue is the old one.
        """
        self._reception.close_group()
        change()
        if catalogue is not None:
            self._sieve.exchange(catalogue)
        self._checkpoint_due = True
        self._plan()

    # Inside

    def _sift_few(self) -> None:
        """What single connections brought in this turn of the loop, all at once."""
        if self._reception.sift_few():
            self._came()

    def _came(self) -> None:
        """More waits to be written."""
        if self._writing is None:
            if self._reception.gathered > _MUCH and self.trouble is None:
                # Many connections may be read before the loop comes round again: do not let the
                # disk wait for all of them.
                self._write_now()
            elif self._planned is None:
                self._plan()

    def _clock_set(self) -> None:
        self._checkpoint_due = True

    def _tick(self) -> None:
        """Time passed; between groups, so that a restart comes to the same."""
        self._reception.close_group()
        self._arrival.come_to(self._clock(), self._clock_set)
        self._plan()

    def _tidy(self) -> None:
        self._sieve.tidy(self._limits.known_messages, self._loop.time())
        limits = self._limits
        since = self._loop.time() - self._last_checkpoint
        many = self.counts.accepted - self._accepted_then >= limits.checkpoint_messages
        if self._changed and (many or since >= limits.checkpoint_s):
            self._checkpoint_due = True

    def _plan(self) -> None:
        """A write as soon as the disk is free and the pause is over."""
        if self._writing is None and self._planned is None and self._store is not None:
            wait = self._last_write + self._limits.commit_every_s - self._loop.time()
            self._idle.clear()
            if wait > 0:
                self._planned = self._loop.call_later(wait, self._write)
            else:
                self._planned = self._loop.call_soon(self._write)

    def _write_now(self) -> None:
        if self._planned is not None:
            self._planned.cancel()
        self._idle.clear()
        self._write()

    def _write(self) -> None:
        self._planned = None
        self._reception.sift_few()
        self._last_write = self._loop.time()
        batch = self._reception.close()
        batch.changes = [*self._found, *self._engine.take_changes()]
        self._found = []
        self._changed = self._changed or bool(batch.groups or batch.changes)
        if self._checkpoint_due:
            batch.state = self._saved()
            self._checkpoint_due = self._changed = False
            self._accepted_then = self.counts.accepted
            self._last_checkpoint = self._loop.time()
        if not (batch.groups or batch.quarantine or batch.state):
            self._written(batch)
            return
        self._writing = batch
        self._thread.submit(self._write_in_thread, batch)

    def _saved(self) -> bytes | None:
        """None: these groups are written all the same, and a start goes through more of them."""
        try:
            return self._engine.save()
        except Exception:  # noqa: BLE001 -- the rules' fault must not cost a reading
            self.counts.rule_errors += 1
            _log.exception("The state of the rules cannot be kept; readings go on")
            return None

    def _write_in_thread(self, batch: Batch) -> None:
        assert self._store is not None  # noqa: S101 -- started
        problem: OSError | None = None
        try:
            self._store.write(batch)
            if batch.state is not None:
                untold = (*self._teller.untold, *batch.changes)
                self._store.checkpoint(batch.state, self._sieve.version, untold)
        except OSError as error:
            problem = error
        except Exception as error:  # noqa: BLE001 -- unacknowledged and told, not silent for ever
            _log.exception("Storing failed where it should not")
            problem = OSError(errno.EIO, repr(error))
        self._loop.call_soon_threadsafe(self._came_back, batch, problem)

    def _came_back(self, batch: Batch, problem: OSError | None) -> None:
        if problem is None:
            self._writing = None
            self._written(batch)
            return
        self.counts.store_failures += 1
        if self.trouble is None:
            _log.error("Nothing can be stored, so nothing is acknowledged: %s", problem)
        code = "store_full" if problem.errno in _FULL else "store_failed"
        self.trouble = Reason(code, {"problem": problem.strerror or str(problem)})
        if self._stopping:
            self._idle.set()
            return
        self._planned = self._loop.call_later(self._limits.retry_s, self._try_again, batch)

    def _try_again(self, batch: Batch) -> None:
        self._planned = None
        self._thread.submit(self._write_in_thread, batch)

    def _written(self, batch: Batch) -> None:
        """Everything of the batch is durable: count, call back, tell."""
        self._note(batch)
        for on_disk in batch.callbacks:
            try:
                on_disk()
            except Exception:  # noqa: BLE001 -- one fault must not stop the others
                _log.exception("An endpoint failed while it acknowledged")
        if batch.changes:
            self._teller.tell(batch.changes)
        if not self.full and self._reception.held <= self._limits.in_flight_bytes // 2:
            waiting, self._waiting_for_room = self._waiting_for_room, []
            for callback in waiting:
                callback()
        if self._reception or self._checkpoint_due:
            self._plan()
        elif self._planned is None:
            self._idle.set()

    def _note(self, batch: Batch) -> None:
        counts = self.counts
        if self.trouble is not None:
            _log.warning("Storing goes on after %d failures", counts.store_failures)
            self.trouble = None
        self._reception.held -= batch.held
        if not batch.held:
            return
        assert self._store is not None  # noqa: S101 -- started
        counts.written(batch.accepted, batch.refused, batch.held, self._store.sync_s)

    async def _every(self, seconds: float, action: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                action()
            except Exception:  # noqa: BLE001 -- one fault must not stop the others
                _log.exception("The ingest's timer failed; it goes on")

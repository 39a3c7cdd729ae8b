"""Chunks of a campaign's races, several at once: each has a process, a ring and a database of its own,
which is checked as a whole at its end (its state against its record, every move and hold).
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import Any

from appliance.bench.core.racing.place import Place
from appliance.bench.core.racing.plan import races
from appliance.bench.core.racing.ring import ring

_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Chunks:
    """So many races of a seed, `each` over one database."""

    seed: int
    races: int
    each: int

    def numbers(self, chunk: int) -> range:
        """The races of this chunk."""
        return range(chunk * self.each, min(self.races, (chunk + 1) * self.each))


class _StoppedError(Exception):
    """The campaign ends before this chunk did."""


class _Shared:
    """What the processes of a campaign have in common: how far they came, and whether to go on."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self._ended: Any = context.Value("q", 0)
        self._stopped: Event = context.Event()

    def one_ended(self) -> None:
        with self._ended.get_lock():
            self._ended.value += 1
        if self._stopped.is_set():
            raise _StoppedError

    def taken(self) -> int:
        """How many ended since this was asked before."""
        with self._ended.get_lock():
            ended, self._ended.value = int(self._ended.value), 0
        return ended

    def stop(self) -> None:
        self._stopped.set()


_shared: _Shared | None = None


def _join(shared: _Shared) -> None:
    global _shared  # noqa: PLW0603 -- what a pool's process is given when it starts
    _shared = shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run(databases: Place, seed: int, numbers: Sequence[int]) -> dict[str, Any]:
    """One chunk, as it is kept."""
    assert _shared is not None  # noqa: S101 -- set when the process began
    began = time.monotonic()
    with (
        databases.migrated(f"races_{numbers[0]}") as url,
        ring(url) as running,
    ):
        ended = running.run(races(seed, numbers), told=_shared.one_ended, until_lost=False)
        verified = running.verify()
    return {
        "database": databases.kind,
        "races": ended.races,
        "killed": ended.killed,
        "outcomes": dict(ended.outcomes),
        "lost": {str(race): words for race, words in ended.lost.items()},
        "findings": [f"{each.check}: {each.found}" for each in verified.findings],
        "state_sha256": verified.state_sha256,
        "changes": verified.changes,
        "seconds": time.monotonic() - began,
    }


class Beside:
    """Chunks under way."""

    def __init__(self, pool: ProcessPoolExecutor, shared: _Shared) -> None:
        self._pool, self._shared = pool, shared

    def start(self, databases: Place, seed: int, numbers: Sequence[int]) -> Future[dict[str, Any]]:
        return self._pool.submit(_run, databases, seed, numbers)

    def ended(
        self, jobs: Iterable[Future[dict[str, Any]]], *, told: Callable[[int], None]
    ) -> Iterator[Future[dict[str, Any]]]:
        """Those that ended, as they do; meanwhile `told` hears how many races did."""
        running = set(jobs)
        while running:
            done, running = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            told(self._shared.taken())
            yield from done


@contextmanager
def side_by_side(workers: int) -> Iterator[Beside]:
    """Room for `workers` chunks at once. With the block's end those under way are given up."""
    shared = _Shared()
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_join, initargs=(shared,))
    try:
        yield Beside(pool, shared)
    finally:
        shared.stop()
        pool.shutdown(cancel_futures=True)

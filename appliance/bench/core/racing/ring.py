"""Runs races: starts the processes, lets them go at once, kills some, asks again what they asked."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from random import Random
from typing import Any, cast

from appliance.bench.core.racing import worker
from appliance.bench.core.racing.floor import Amounts, lost
from appliance.bench.core.racing.plan import PROCESSES, Race
from appliance.bench.core.racing.worker import Ran, Worker
from erp_link.adapters.guards import Guarding
from erp_link.service.proof.verify import Verified

_AT_ONCE = 50
"""Races laid out in one transaction."""
_STANDARD, _MOST_OPEN = 3, 65_536


@dataclass(slots=True)
class Ended:
    """A round of races. `lost` says of each race what its hold did not stop; nothing, at best."""

    races: int = 0
    killed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    lost: dict[int, list[str]] = field(default_factory=dict)


class _Racer:
    """A process and the pipe to it."""

    def __init__(self, rehearsed: Worker) -> None:
        self._rehearsed = rehearsed
        self._start()

    def _start(self) -> None:
        # Forked, not spawned: thousands are killed and started again, and a fork is at once there.
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_child, args=(self._rehearsed, theirs))
        self._process.start()
        theirs.close()

    def send(self, name: str, *args: object) -> None:
        self._pipe.send((name, args))

    def answer(self) -> Any:
        """What came back. Raises EOFError where the process was killed."""
        found = self._pipe.recv()
        if isinstance(found, RuntimeError):
            raise found
        return found

    def ask(self, name: str, *args: object) -> Any:
        self.send(name, *args)
        return self.answer()

    def kill(self) -> None:
        self._process.kill()

    def start_again(self) -> None:
        self.end()
        self._start()

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()


def _child(rehearsed: Worker, pipe: Pipe) -> None:
    # Whatever else the parent has open is not ours: the other racers' pipes above all, which would
    # never end, and a database's connections.
    os.closerange(_STANDARD, pipe.fileno())
    os.closerange(pipe.fileno() + 1, _MOST_OPEN)
    worker.serve(rehearsed, pipe)


class Ring:
    """Eight racers and a clerk, who lays out and counts, over one database."""

    def __init__(self, url: str, *, guarding: Guarding = Guarding.LOCKED) -> None:
        self._racers: list[_Racer] = []
        rehearsed = Worker(url, guarding)
        rehearsed.rehearse()
        try:
            for _ in range(PROCESSES + 1):
                self._racers.append(_Racer(rehearsed))
        except BaseException:
            self.close()
            raise
        self._clerk = self._racers[-1]

    def run(
        self, races: Sequence[Race], *, told: Callable[[], None] = lambda: None, until_lost: bool
    ) -> Ended:
        """Run the races one after the other; `told` after each. With `until_lost` the first lost
        one ends it.
        """
        ended = Ended()
        for at in range(0, len(races), _AT_ONCE):
            part = races[at : at + _AT_ONCE]
            laid_out = cast("list[list[int]]", self._clerk.ask("lay_out", part))
            for race, numbers in zip(part, laid_out, strict=True):
                self._one(race, numbers, ended)
                told()
                if until_lost and ended.lost:
                    return ended
        return ended

    def verify(self) -> Verified:
        """The books against their record, and every move, reservation and hold."""
        return cast("Verified", self._clerk.ask("verify"))

    def close(self) -> None:
        """End every process."""
        for racer in self._racers:
            racer.end()
        self._racers = []

    def _one(self, race: Race, numbers: list[int], ended: Ended) -> None:
        order = list(range(PROCESSES))
        Random(race.number).shuffle(order)  # noqa: S311 -- repeatable, not secret
        for at in order:
            self._racers[at].send("run", race, race.racers[at], numbers, race.starts_s[at])
        if race.killed >= 0:
            time.sleep(race.killed_after_s)
            self._racers[race.killed].kill()
        ran = [self._ended(race, at, numbers, ended) for at in range(PROCESSES)]
        for each in ran:
            ended.outcomes.update(each.outcomes)
        last = cast("Amounts", self._clerk.ask("amounts", race))
        found = lost(race, ran[0].held, last)
        refused = sum(each.outcomes.count("refused_by_database") for each in ran)
        if refused:
            found.append(f"{refused} commands met the database's own checks")
        if found:
            ended.lost[race.number] = found
        ended.races += 1

    def _ended(self, race: Race, at: int, numbers: list[int], ended: Ended) -> Ran:
        """What a racer did. One who was killed is started again and asks for everything again, with
        the same keys, as a client does who never heard an answer.
        """
        racer = self._racers[at]
        try:
            ran = cast("Ran", racer.answer())
        except (EOFError, ConnectionError):
            if at != race.killed:
                raise
            ended.killed += 1
            racer.start_again()
            again = cast("Ran", racer.ask("run", race, race.racers[at], numbers, 0.0))
            # The first hold may have stood for a while: what its second maker sees is no bound.
            return Ran(again.outcomes)
        if at == race.killed:
            # It was faster than the knife.
            racer.start_again()
        return ran


@contextlib.contextmanager
def ring(url: str, *, guarding: Guarding = Guarding.LOCKED) -> Iterator[Ring]:
    """A ring over a migrated database, ended with the block."""
    made = Ring(url, guarding=guarding)
    try:
        yield made
    finally:
        made.close()

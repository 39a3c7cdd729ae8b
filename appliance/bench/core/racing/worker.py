"""A process of the race: has connections of its own, does what it is sent, and may die at any moment.

The core that it begins with was opened and used before it was forked: a killed process is replaced
at once by one that need not read every statement anew, as a program that has run for a while.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from typing import Any

from sqlalchemy.exc import IntegrityError

from appliance.bench.core.racing import floor
from appliance.bench.core.racing.plan import Command, Race, rehearsal
from contracts.clock import FixedClock
from contracts.errors import TallymanError
from contracts.reason import Reason
from contracts.stock import HoldKind
from erp_link.adapters.guards import Guarding
from erp_link.service.core import Core
from erp_link.service.proof.verify import Verified, verify

_NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a racer did: how each command ended, and what the holder saw once its hold stood."""

    outcomes: tuple[str, ...]
    held: floor.Amounts | None = None


class Worker:
    """The commands that the ring sends, by name."""

    def __init__(self, url: str, guarding: Guarding) -> None:
        self.core = Core(url, clock=FixedClock(_NOW), guarding=guarding)

    def rehearse(self) -> None:
        """Do once what racers do, and give the connections back: nothing is left to share."""
        races = rehearsal()
        try:
            for race, numbers in zip(races, self.lay_out(races), strict=True):
                early, late = race.racers[1:4], race.racers[4:]
                for commands in (*early, race.racers[0], *late):
                    self.run(race, commands, numbers, 0.0)
        finally:
            self.core.close()

    def lay_out(self, races: Sequence[Race]) -> list[list[int]]:
        return self.core.write(lambda work: floor.lay_out(work, races), by="op")

    def run(
        self, race: Race, commands: Sequence[Command], numbers: Sequence[int], wait_s: float
    ) -> Ran:
        if wait_s:
            time.sleep(wait_s)
        outcomes = []
        held = None
        for command in commands:
            outcomes.append(self._tried(race, command, numbers))
            if command.what == "hold" and outcomes[-1] == "done":
                held = self.amounts(race)
        return Ran(tuple(outcomes), held)

    def amounts(self, race: Race) -> floor.Amounts:
        return self.core.read(lambda connection: floor.amounts(connection, race))

    def verify(self) -> Verified:
        return verify(self.core.engine)

    def _tried(self, race: Race, command: Command, numbers: Sequence[int]) -> str:
        try:
            self._do(race, command, numbers)
        except TallymanError as refused:
            return refused.code
        except IntegrityError:
            # Without guards a racer runs into the database's own checks: the last line of defence.
            return "refused_by_database"
        return "done"

    def _do(self, race: Race, command: Command, numbers: Sequence[int]) -> None:
        core, key = self.core, command.key
        match command.what:
            case "hold":
                self._hold(race, key)
            case "ship":
                core.ship(numbers[command.at], by="op", key=key)
            case "pick":
                core.pick(numbers[command.at], by="op", key=key)
            case "reserve":
                core.reserve("SO-late", race.batch, command.quantity, by="op", key=key)
            case _:
                core.receive(race.batch, command.quantity, location=race.place, by="op", key=key)

    def _hold(self, race: Race, key: str) -> None:
        reason = Reason("defect_seen")
        match race.kind:
            case HoldKind.BATCH:
                self.core.add_hold(race.kind, batch=race.batch, reason=reason, by="q", key=key)
            case HoldKind.SUPPLIER:
                supplier = race.batch.supplier
                self.core.add_hold(race.kind, supplier=supplier, reason=reason, by="q", key=key)
            case _:
                place = race.place
                self.core.add_hold(race.kind, location=place, reason=reason, by="q", key=key)


def serve(worker: Worker, pipe: Pipe) -> None:
    """Answer what comes through the pipe until it ends. Never returns: nothing that belongs to the
    parent process is cleaned up here.
    """
    # Ctrl-C reaches the whole group: the ring ends its processes itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        while True:
            name, args = pipe.recv()
            pipe.send(_answer(getattr(worker, name), args))
    os._exit(0)


def _answer(act: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    try:
        return act(*args)
    except Exception as error:  # noqa: BLE001 -- the ring raises it where the race is told
        return RuntimeError(f"{type(error).__name__}: {error}")

"""I1 under concurrency: holds race with reservations, picks, shipments and receipts.

A race is lost when something leaves after the hold was visible to its own maker: the holder reads
what had shipped after its commit, and nothing may be added to that. Here the racers are threads of
one process; proof/test_processes.py races processes, kills some, and catches what is left out.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from contracts.clock import FixedClock
from contracts.errors import TallymanError
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, StockStatus
from erp_link.adapters import tables as t
from erp_link.service.core import Core
from tests.erp_link.story import WATER

T = TypeVar("T")

RACES = int(os.environ.get("TALLYMAN_RACES", "20"))
"""A campaign sets thousands; each race is 5 racers against 1 hold, about 12 commands."""
SHIPPERS = 3
EACH = 2


@dataclass(frozen=True)
class Outcome:
    shipped_when_held: int
    shipped_at_last: int
    free_at_last: int
    reserved_at_last: int
    refused_by_database: int = 0

    @property
    def lost(self) -> bool:
        return self.shipped_at_last > self.shipped_when_held or bool(
            self.free_at_last or self.reserved_at_last or self.refused_by_database
        )


@pytest.fixture
def racers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(SHIPPERS + 3) as pool:
        yield pool


def tried(act: Callable[[], object]) -> bool:
    try:
        act()
    except TallymanError:
        return False
    return True


def amounts(core: Core, key: BatchKey) -> tuple[int, int, int]:
    """Shipped, unrestricted, reserved."""
    mine = select(t.batch.c.id).where(t.batch.c.lot == key.lot).scalar_subquery()
    with core.engine.connect() as connection:
        shipped = connection.execute(
            select(func.coalesce(func.sum(t.move_line.c.quantity), 0)).where(
                t.move_line.c.batch_id == mine, t.move_line.c.location == "@customer"
            )
        ).scalar_one()
        free, reserved = connection.execute(
            select(
                func.coalesce(func.sum(t.stock.c.quantity), 0),
                func.coalesce(func.sum(t.stock.c.reserved), 0),
            ).where(
                t.stock.c.batch_id == mine,
                t.stock.c.status == StockStatus.UNRESTRICTED.value,
            )
        ).one()
    return int(shipped), int(free), int(reserved)


def race(core: Core, racers: ThreadPoolExecutor, number: int) -> Outcome:
    key = BatchKey(WATER.supplier, WATER.gtin, f"L{number}")
    core.receive(key, 20, location="A-01-1", by="op")
    ready: list[list[int]] = []
    for _ in range(SHIPPERS):
        mine = [core.reserve("SO", key, 1, by="op")[0].reservation_id for _ in range(EACH)]
        for reservation in mine:
            core.pick(reservation, by="op")
        ready.append(mine)
    start = threading.Barrier(SHIPPERS + 3)

    racing = [
        *(partial(ships, core, mine) for mine in ready),
        partial(reserves, core, key),
        partial(receives, core, key),
    ]
    jobs = [racers.submit(started, start, act) for act in racing]
    held = racers.submit(started, start, partial(holds, core, key))
    # Without guards a racer may run into the database's own checks: the last line of defence.
    refused = [job for job in (held, *jobs) if isinstance(job.exception(), IntegrityError)]
    if refused:
        return Outcome(0, *amounts(core, key), refused_by_database=len(refused))
    for job in jobs:
        job.result()
    return Outcome(held.result(), *amounts(core, key))


def started(start: threading.Barrier, act: Callable[[], T]) -> T:
    start.wait()
    return act()


def ships(core: Core, mine: list[int]) -> None:
    for reservation in mine:
        tried(partial(core.ship, reservation, by="op"))


def reserves(core: Core, key: BatchKey) -> None:
    for _ in range(2):
        tried(partial(core.reserve, "SO-2", key, 3, by="op"))


def receives(core: Core, key: BatchKey) -> None:
    for _ in range(2):
        core.receive(key, 2, location="DOCK/1", by="op")


def holds(core: Core, key: BatchKey) -> int:
    core.add_hold(HoldKind.BATCH, batch=key, reason=Reason("defect_seen"), by="q")
    return amounts(core, key)[0]


@pytest.mark.timeout(120 + RACES)
def test_nothing_leaves_after_a_hold(
    database_url: str, clock: FixedClock, racers: ThreadPoolExecutor
) -> None:
    core = Core(database_url, clock=clock)
    outcomes = [race(core, racers, number) for number in range(RACES)]
    assert [o for o in outcomes if o.lost] == []
    core.close()
